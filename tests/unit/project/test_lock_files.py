"""Lock files name the public registries only: a mirror that somebody's machine is set to must not reach others."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PUBLIC = {"https://pypi.org", "https://files.pythonhosted.org"}


def test_uv_lock_names_the_public_index_only() -> None:
    found = set(re.findall(r"https?://[^/\"\s]+", (ROOT / "uv.lock").read_text()))
    assert found == PUBLIC


def test_the_npm_lock_names_no_host_and_checks_every_package() -> None:
    lock = json.loads((ROOT / "ui" / "package-lock.json").read_text())
    for path, entry in lock["packages"].items():
        assert "resolved" not in entry, path
        if path and not entry.get("link"):
            assert entry.get("integrity"), path
