"""The UI's build hook: builds only when something changed, and pulls from nobody's private mirror."""

import importlib.util
import json
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


class Interface:
    """What the hook uses of hatchling's own class; hatchling lives in the build's environment, not in ours."""

    def __class_getitem__(cls, _: object) -> type:
        return cls

    def __init__(self, root: str, target_name: str) -> None:
        self.root = root
        self.target_name = target_name


@pytest.fixture
def hook_module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    interface = ModuleType("hatchling.builders.hooks.plugin.interface")
    interface.BuildHookInterface = Interface  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, interface.__name__, interface)
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("package.json", "package-lock.json", "index.html", "vite.config.ts", "tsconfig.json", ".npmrc"):
        (tmp_path / "ui").mkdir(exist_ok=True)
        shutil.copy(ROOT / "ui" / name, tmp_path / "ui" / name)
    (tmp_path / "ui/src").mkdir()
    (tmp_path / "ui/src/main.tsx").write_text("1")
    (tmp_path / "src/pharmq/base/catalogue/ko").mkdir(parents=True)
    (tmp_path / "src/pharmq/web/static").mkdir(parents=True)
    return tmp_path


def hook(module: ModuleType, root: Path):  # type: ignore[no-untyped-def]
    return module.UiBuildHook(str(root), "wheel")


def test_node_is_wanted_only_while_the_ui_is_stale(hook_module: ModuleType, tree: Path) -> None:
    assert hook(hook_module, tree).dependencies() == [hook_module.NODE]
    stamp = tree / "src/pharmq/web/static/ui-stamp.txt"
    stamp.write_text(hook_module.fingerprint(tree) + "\n")
    assert hook(hook_module, tree).dependencies() == []
    (tree / "ui/src/main.tsx").write_text("2")
    assert hook(hook_module, tree).dependencies() == [hook_module.NODE]


def test_a_sentence_of_the_catalogue_is_a_source_and_a_test_is_none(hook_module: ModuleType, tree: Path) -> None:
    before = hook_module.fingerprint(tree)
    (tree / "ui/src/main.test.ts").write_text("x")
    assert hook_module.fingerprint(tree) == before
    (tree / "src/pharmq/base/catalogue/ko/base.json").write_text("{}")
    assert hook_module.fingerprint(tree) != before


def test_the_ui_can_be_left_out(hook_module: ModuleType, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHARMQ_UI", "skip")
    assert hook(hook_module, tree).dependencies() == []


def test_the_lock_file_names_no_registry_and_every_package_has_its_hash() -> None:
    text = (ROOT / "ui/package-lock.json").read_text()
    assert '"resolved"' not in text
    assert not re.search(r"https?://[^\"]*\.tgz", text)
    packages = {name: value for name, value in json.loads(text)["packages"].items() if name}
    assert len(packages) > 50
    assert [name for name, value in packages.items() if "integrity" not in value or "version" not in value] == []


def test_every_optional_binding_is_locked() -> None:
    """`npm ci` refuses a lock in which a platform's binding is missing, on every platform."""
    packages = json.loads((ROOT / "ui/package-lock.json").read_text())["packages"]
    missing = [
        f"{name} -> {needed}"
        for name, value in packages.items()
        for needed in value.get("optionalDependencies", {})
        if f"node_modules/{needed}" not in packages and f"{name}/node_modules/{needed}" not in packages
    ]
    assert missing == []
