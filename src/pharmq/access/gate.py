"""The gate before every handler: who calls, may a browser have been tricked, does the route ask a privilege.

A route says ``opt={"privilege": Privilege.SEE}``, ``{"any_user": True}`` or ``{"public": True}``; one that says none of
them is refused, so a forgotten mark fails closed. The service behind the route checks the privilege on the very object
again. More marks: ``"recent": True`` asks for a password shown lately; ``"always": "bare"`` lets also those in who must
still register a second factor, ``"always": "locked"`` those too whose screen is locked.
"""

import hmac
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from pharmq.access.callers import SignedIn
from pharmq.access.model import Actor, Privilege, allows_anywhere
from pharmq.access.service import AccessService
from pharmq.base.errors import Forbidden, Unauthenticated

COOKIE = "pharmq_session"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Authentication:
    """ASGI middleware: puts ``SignedIn`` (or None) into the connection as ``user``."""

    def __init__(self, app: ASGIApp, access: AccessService) -> None:
        self.app = app
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            scope["user"] = await self._caller(ASGIConnection(scope))
            scope["auth"] = None
        await self.app(scope, receive, send)

    async def _caller(self, connection: ASGIConnection[Any, Any, Any, Any]) -> SignedIn | None:
        source = connection.client.host if connection.client else None
        kind, _, token = connection.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and token:
            return await self.access.by_token(token.strip(), source)
        if cookie := connection.cookies.get(COOKIE):
            return await self.access.by_cookie(cookie, source)
        return None


class Gate:
    """Litestar guard. ``origin`` is where our own pages come from."""

    def __init__(self, origin: str, access: AccessService) -> None:
        self.origin = origin
        self.access = access

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        # Not because it waits for anything: what is not async would run in a thread, for every request.
        unsafe = connection.scope["type"] == ScopeType.WEBSOCKET or connection.scope.get("method") not in _SAFE
        if unsafe:
            self._check_origin(connection)
        if handler.opt.get("public"):
            return
        caller: SignedIn | None = connection.scope.get("user")
        if caller is None:
            raise Unauthenticated("session.required")
        if unsafe and caller.csrf and connection.scope["type"] == ScopeType.HTTP:
            sent = connection.headers.get("x-csrf-token", "")
            if not hmac.compare_digest(sent.encode(), caller.csrf.encode()):
                raise Forbidden("session.csrf")
        self._check_standing(caller, handler)
        if handler.opt.get("any_user"):
            return
        privilege = handler.opt.get("privilege")
        if not isinstance(privilege, Privilege) or not allows_anywhere(caller.actor, privilege):
            raise Forbidden("access.forbidden", params={"privilege": str(privilege)})

    def _check_standing(self, caller: SignedIn, handler: BaseRouteHandler) -> None:
        always = handler.opt.get("always")
        if caller.locked and always != "locked":
            raise Forbidden("session.locked")
        if caller.bare and always is None:
            raise Forbidden("session.second_factor_needed")
        if handler.opt.get("recent") and not self.access.sessions.is_recent(caller):
            raise Forbidden("session.reauth")

    def _check_origin(self, connection: ASGIConnection[Any, Any, Any, Any]) -> None:
        """A browser names the page's origin on every unsafe request; one that is not ours is refused."""
        origin = connection.headers.get("origin")
        if origin is not None and origin != self.origin:
            raise Forbidden("session.origin", params={"origin": origin[:100], "expected": self.origin})


def provide_signed_in(request: Request[SignedIn | None, Any, Any]) -> SignedIn:
    """Dependency ``signed_in``."""
    caller = request.scope.get("user")
    if caller is None:
        raise Unauthenticated("session.required")
    found: SignedIn = caller
    return found


def provide_actor(request: Request[SignedIn | None, Any, Any]) -> Actor:
    """Dependency ``actor``: who calls."""
    return provide_signed_in(request).actor
