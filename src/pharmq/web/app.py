"""The ASGI application: every room's routes behind one gate, one error handler, one set of headers."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from litestar import Litestar, Response, get
from litestar.datastructures import MutableScopeHeaders
from litestar.di import Provide
from litestar.middleware import DefineMiddleware
from litestar.types import ControllerRouterHandler, Message, Scope

from pharmq.access.gate import Authentication, Gate, provide_actor, provide_signed_in
from pharmq.access.service import AccessService
from pharmq.base.config import Config
from pharmq.base.errors import Forbidden
from pharmq.http import HANDLERS
from pharmq.web.openapi import openapi_document
from pharmq.web.static_files import UiFiles, ui

MAX_BODY = 8 * 1024 * 1024
"""The largest request: a CSV of 24,000 pharmacies is about 4 MB."""

# Mantine writes style elements at run time, noVNC draws into a canvas; no script but our own files ever runs.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "object-src 'none'",
    )
)


OWN_SERVICES = ("actor", "signed_in", "access", "config", "ui_files", "api_document")
"""Dependencies that this module gives itself."""


class ApiDocument:
    """Made on first request: most processes are never asked."""

    def __init__(self, routes: Sequence[ControllerRouterHandler], services: Iterable[str]) -> None:
        self._made_of = (tuple(routes), (*services, *OWN_SERVICES))

    @cached_property
    def body(self) -> bytes:
        return openapi_document(*self._made_of)


@get("/api/openapi.json", include_in_schema=False, opt={"any_user": True})
async def openapi(api_document: ApiDocument) -> Response[bytes]:
    """The API's description."""
    return Response(content=api_document.body, media_type="application/vnd.oai.openapi+json")


def create_app(
    config: Config,
    access: AccessService,
    services: Mapping[str, Any],
    routes: Sequence[ControllerRouterHandler],
) -> Litestar:
    """``services`` are what handlers ask for by parameter name."""

    def provide(value: Any) -> Provide:
        def give() -> Any:
            return value

        return Provide(give, sync_to_thread=False)

    dependencies = {name: provide(value) for name, value in services.items()}
    dependencies |= {
        "actor": Provide(provide_actor, sync_to_thread=False),
        "signed_in": Provide(provide_signed_in, sync_to_thread=False),
        "access": provide(access),
        "config": provide(config),
        "ui_files": provide(UiFiles()),
        "api_document": provide(ApiDocument(routes, services)),
    }
    secure = config.secure

    async def add_headers(message: Message, _scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        headers = MutableScopeHeaders.from_message(message)
        headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "no-referrer")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        headers.setdefault("Cache-Control", "no-store")
        if secure:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")

    async def note_refusal(error: Exception, scope: Scope) -> None:
        caller = scope.get("user")
        if isinstance(error, Forbidden) and caller is not None:
            await access.refusals.note(caller.actor, str(scope.get("method", "")), scope["path"], error)

    return Litestar(
        route_handlers=[*routes, openapi, ui],
        dependencies=dependencies,
        middleware=[DefineMiddleware(Authentication, access=access)],
        guards=[Gate(config.origin, access)],
        exception_handlers=HANDLERS,
        after_exception=[note_refusal],
        before_send=[add_headers],
        request_max_body_size=MAX_BODY,
        logging_config=None,
        openapi_config=None,
    )
