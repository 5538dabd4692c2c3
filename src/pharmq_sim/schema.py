"""The served part of the official schema: which endpoints exist, who may call them, which parameters they take.

``schema.json`` holds facts of the 9.2 schema reduced to one endpoint a line. Indexed families (net0..net31)
stand as one entry with ``maxindex``.
"""

import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

import msgspec

Rule = tuple[Any, ...]


class Param(msgspec.Struct, frozen=True):
    type: str = "string"
    optional: int = 0
    enum: list[str] | None = None
    minimum: float | None = None
    maximum: float | None = None
    maxLength: int | None = None
    minLength: int | None = None
    pattern: str | None = None
    format: str | None = None
    maxindex: int = 0


class Permissions(msgspec.Struct, frozen=True):
    user: str = ""
    check: list[Any] | None = None


class Endpoint(msgspec.Struct, frozen=True):
    params: dict[str, Param] = {}
    protected: int = 0
    proxyto: str | None = None
    allowtoken: int = 0
    permissions: Permissions = Permissions()


def _load() -> dict[str, Endpoint]:
    raw = resources.files(__package__).joinpath("schema.json").read_bytes()
    return msgspec.json.decode(raw, type=dict[str, Endpoint])


#: "GET /cluster/resources" -> Endpoint
ENDPOINTS: dict[str, Endpoint] = _load()

_NOT_DEFINED = "property is not defined in schema and the schema does not allow additional properties"
_INTEGER = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_TRUE = {"1", "on", "yes", "true"}
_FALSE = {"0", "off", "no", "false"}
_INDEXED = re.compile(r"([a-z]+)(\d+)")

_FORMATS: dict[str, tuple[str, str]] = {
    "pve-configid": (r"[A-Za-z][A-Za-z0-9_-]+", "invalid configuration ID '{}'\n"),
    "pve-node": (r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?", "value does not look like a valid node name\n"),
    "dns-name": (
        r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*",
        "value does not look like a valid DNS name\n",
    ),
}


def _param(endpoint: Endpoint, name: str) -> Param | None:
    found = endpoint.params.get(name)
    if found is None and (family := _INDEXED.fullmatch(name)):
        found = endpoint.params.get(f"{family[1]}[n]")
        if found is not None and int(family[2]) > found.maxindex:
            return None
    return found


def _complaint(param: Param, value: str) -> str | None:
    """Why Proxmox refuses ``value``, in its own words, or None."""
    if param.type == "integer":
        if not _INTEGER.fullmatch(value):
            return f"type check ('integer') failed - got '{value}'"
        number: float | None = int(value)
    elif param.type == "number":
        if not _NUMBER.fullmatch(value):
            return f"type check ('number') failed - got '{value}'"
        number = float(value)
    elif param.type == "boolean":
        if value.lower() not in _TRUE | _FALSE:
            return f"type check ('boolean') failed - got '{value}'"
        number = None
    else:
        number = None
    if number is not None:
        if param.minimum is not None and number < param.minimum:
            return f"value must have a minimum value of {param.minimum:g}"
        if param.maximum is not None and number > param.maximum:
            return f"value must have a maximum value of {param.maximum:.0f}"
    if param.enum and value not in param.enum:
        return f"value '{value}' does not have a value in the enumeration '{', '.join(param.enum)}'"
    return _text_complaint(param, value)


def _text_complaint(param: Param, value: str) -> str | None:
    if param.maxLength is not None and len(value) > param.maxLength:
        return f"value may only be {param.maxLength} characters long"
    if param.minLength is not None and len(value) < param.minLength:
        return f"value must be at least {param.minLength} characters long"
    # Perl prints its patterns as (?^:...), which says no more than (?:...)
    if param.pattern and not re.fullmatch(param.pattern.replace("(?^:", "(?:"), value):
        return "value does not match the regex pattern"
    if param.format in _FORMATS:
        pattern, words = _FORMATS[param.format]
        if not re.fullmatch(pattern, value):
            return "invalid format - " + words.format(value)
    return None


def complaints(endpoint: Endpoint, params: Mapping[str, str]) -> dict[str, str]:
    """The ``errors`` object of the 400 that these parameters would get; empty when they pass."""
    found: dict[str, str] = {}
    for name, value in params.items():
        param = _param(endpoint, name)
        words = _NOT_DEFINED if param is None else _complaint(param, value)
        if words:
            found[name] = words
    for name, param in endpoint.params.items():
        if not param.optional and "[n]" not in name and name not in params:
            found[name] = "property is missing and it is not optional"
    return found


def is_true(value: str | None) -> bool:
    return value is not None and value.lower() in _TRUE


class Routes:
    """Paths to endpoints by segments; ``{name}`` segments match anything and are captured."""

    def __init__(self) -> None:
        self._root: dict[str, Any] = {}
        for key in ENDPOINTS:
            method, _, template = key.partition(" ")
            place = self._root
            for segment in template.strip("/").split("/"):
                place = place.setdefault("{}" if segment.startswith("{") else segment, {})
            place[f"!{method}"] = template

    def find(self, method: str, segments: list[str]) -> tuple[str, dict[str, str]] | None:
        """(template, captured) of the endpoint that answers, or None."""
        place = self._root
        captured: list[str] = []
        for segment in segments:
            if segment in place:
                place = place[segment]
            elif "{}" in place:
                place = place["{}"]
                captured.append(segment)
            else:
                return None
        template = place.get(f"!{method}")
        if template is None:
            return None
        names = re.findall(r"\{(\w+)\}", template)
        return template, dict(zip(names, captured, strict=True))


ROUTES = Routes()
