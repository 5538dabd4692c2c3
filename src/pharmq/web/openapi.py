"""The API as an OpenAPI document: what Litestar derives from the handlers, put right where it says less or wrong."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from litestar import Litestar
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.types import ControllerRouterHandler

from pharmq import __version__
from pharmq.http import Problem

_SECURITY = {
    "token": {"type": "http", "scheme": "bearer"},
    "session": {"type": "apiKey", "in": "cookie", "name": "pharmq_session"},
}
_PROBLEM = {
    "description": "What happened, why, and what to do",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def openapi_document(routes: Sequence[ControllerRouterHandler], services: Iterable[str]) -> bytes:
    """OpenAPI JSON, indented, the same for every installation. ``services``: the names handlers ask for."""

    def nothing() -> Provide:
        # One provider a name: Litestar refuses one that serves two.
        return Provide(lambda: None, sync_to_thread=False)

    described = Litestar(
        route_handlers=list(routes),
        dependencies={name: nothing() for name in services},
        openapi_config=OpenAPIConfig(title="PharmQ", version=__version__),
        logging_config=None,
    )
    document = msgspec.to_builtins(described.openapi_schema.to_schema())
    _describe_errors(document)
    _describe_files(document, routes)
    _allow_overlap(document)
    return msgspec.json.format(msgspec.json.encode(document, order="deterministic"), indent=1) + b"\n"


def _describe_errors(document: dict[str, Any]) -> None:
    """Every error is a problem, whatever its status; Litestar only knows of its own 400."""
    document["security"] = [{"token": []}, {"session": []}]
    components = document.setdefault("components", {})
    components["securitySchemes"] = _SECURITY
    (_,), parts = msgspec.json.schema_components([Problem], ref_template="#/components/schemas/{name}")
    components.setdefault("schemas", {}).update(parts)
    for path in document["paths"].values():
        for operation in path.values():
            responses = operation["responses"]
            for status in [status for status in responses if status.startswith("4")]:
                del responses[status]
            responses["4XX"] = responses["5XX"] = _PROBLEM


def _describe_files(document: dict[str, Any], routes: Sequence[ControllerRouterHandler]) -> None:
    """A handler that answers with a file names its kinds in ``opt["files"]``; Litestar knows one kind at most."""
    kinds = {getattr(route, "operation_id", None): getattr(route, "opt", {}).get("files") for route in routes}
    for path in document["paths"].values():
        for operation in path.values():
            if files := kinds.get(operation["operationId"]):
                content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in files}
                operation["responses"]["200"]["content"] = content


def _allow_overlap(node: Any) -> None:
    """A union is ``anyOf``: 5 is an integer and a number, which ``oneOf`` would forbid."""
    if isinstance(node, dict):
        if "oneOf" in node and isinstance(node["oneOf"], list):
            node["anyOf"] = node.pop("oneOf")
        for value in node.values():
            _allow_overlap(value)
    elif isinstance(node, list):
        for value in node:
            _allow_overlap(value)
