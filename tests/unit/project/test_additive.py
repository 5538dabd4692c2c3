"""The comparison that keeps the API additive."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def additive() -> ModuleType:
    spec = importlib.util.spec_from_file_location("additive", ROOT / "script" / "lib" / "additive.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def document(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "paths": {
            "/vms": {
                "get": {"parameters": [{"in": "query", "name": "q"}]},
                "post": {"requestBody": {"schema": {"$ref": "#/components/schemas/In"}}},
            }
        },
        "components": {
            "schemas": {
                "In": {"properties": {"a": {}, "b": {}}, "required": ["a"]},
                "Out": {"properties": {"id": {}, "name": {}}, "required": ["id"]},
                "Status": {"enum": ["on", "off"]},
            }
        },
    }
    made["components"]["schemas"].update(changes)
    return made


def test_the_same_and_a_larger_api_lose_nothing(additive: ModuleType) -> None:
    larger = document(Out={"properties": {"id": {}, "name": {}, "new": {}}, "required": ["id", "new"]})
    larger["paths"]["/hosts"] = {"get": {}}
    assert list(additive.losses(document(), document())) == []
    assert list(additive.losses(document(), larger)) == []


@pytest.mark.parametrize(
    ("changes", "loss"),
    [
        ({"Out": {"properties": {"id": {}}}}, "Out.name is gone"),
        ({"Status": {"enum": ["on"]}}, "Status: the value off is gone"),
        ({"In": {"properties": {"a": {}, "b": {}}, "required": ["a", "b"]}}, "In.b is now required"),
    ],
)
def test_what_schemas_lose_is_named(additive: ModuleType, changes: dict[str, Any], loss: str) -> None:
    assert list(additive.losses(document(), document(**changes))) == [loss]


def test_what_routes_lose_is_named(additive: ModuleType) -> None:
    smaller = document()
    del smaller["paths"]["/vms"]["post"]
    smaller["paths"]["/vms"]["get"]["parameters"] = [{"in": "query", "name": "page", "required": True}]
    assert set(additive.losses(document(), smaller)) == {
        "POST /vms is gone",
        "GET /vms: parameter query q is gone",
        "GET /vms: parameter query page is now required",
    }
