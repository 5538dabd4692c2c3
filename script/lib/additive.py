"""Compare two OpenAPI documents: what did the newer one lose? Usage: additive.py OLD NEW; exit 1 when something.

Lost is: a path, a method, a parameter, a field of an answer, a value of an enumeration, or a request that now asks
for more than before.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any


def losses(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for path, operations in old["paths"].items():
        for method, operation in operations.items():
            there = new["paths"].get(path, {}).get(method)
            if there is None:
                yield f"{method.upper()} {path} is gone"
                continue
            before, after = _parameters(operation), _parameters(there)
            for name in before.keys() - after.keys():
                yield f"{method.upper()} {path}: parameter {name} is gone"
            for name, required in after.items():
                if required and not before.get(name, False):
                    yield f"{method.upper()} {path}: parameter {name} is now required"
    asked = _asked(new)
    for name, schema in old.get("components", {}).get("schemas", {}).items():
        there = new.get("components", {}).get("schemas", {}).get(name)
        if there is not None:
            yield from _schema_losses(name, schema, there, asked=name in asked)


def _parameters(operation: dict[str, Any]) -> dict[str, bool]:
    return {f"{one['in']} {one['name']}": bool(one.get("required")) for one in operation.get("parameters", [])}


def _asked(document: dict[str, Any]) -> set[str]:
    """Schemas that people send."""
    found: set[str] = set()
    for operations in document["paths"].values():
        for operation in operations.values():
            found.update(_references(operation.get("requestBody", {})))
    return found


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rpartition("/")[2]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _schema_losses(name: str, old: dict[str, Any], new: dict[str, Any], *, asked: bool) -> Iterator[str]:
    for field in old.get("properties", {}).keys() - new.get("properties", {}).keys():
        yield f"{name}.{field} is gone"
    for value in set(map(str, old.get("enum", []))) - set(map(str, new.get("enum", []))):
        yield f"{name}: the value {value} is gone"
    if asked:
        for field in set(new.get("required", [])) - set(old.get("required", [])):
            yield f"{name}.{field} is now required"


if __name__ == "__main__":
    with open(sys.argv[1]) as first, open(sys.argv[2]) as second:
        lost = list(losses(json.load(first), json.load(second)))
    for line in lost:
        print(line, file=sys.stderr)
    sys.exit(1 if lost else 0)
