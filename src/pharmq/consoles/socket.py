"""The consoles' WebSocket as a bare ASGI application: a framework's per-message work would be paid for every frame.

Mount it in front of the web application for paths that begin with ``PATH``.
"""

from http.cookies import CookieError, SimpleCookie
from typing import Any, Protocol

from pharmq.access import Actor
from pharmq.base.clock import Clock
from pharmq.consoles.browser import Browser, Receive, Send
from pharmq.consoles.model import Cause
from pharmq.consoles.service import PATH, ConsolesService

COOKIE = "pharmq_session"
_ID_LIMIT = 100


class Caller(Protocol):
    @property
    def actor(self) -> Actor: ...


class Callers(Protocol):
    """``pharmq.access.service.AccessService``."""

    async def by_cookie(self, cookie: str, source: str | None) -> Caller | None: ...
    async def by_token(self, token: str, source: str | None) -> Caller | None: ...


class ConsoleSocket:
    """``GET /api/vnc/ws/{session_id}``. A refusal is told in the close frame, so the socket is accepted for it: a
    browser shows its page nothing but 1006 of a handshake that was refused."""

    def __init__(self, consoles: ConsolesService, callers: Callers, clock: Clock) -> None:
        self.consoles = consoles
        self.callers = callers
        self.clock = clock

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if (await receive())["type"] != "websocket.connect":
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        subprotocols: list[str] = scope.get("subprotocols") or []
        session_id = scope["path"].removeprefix(PATH)
        source = scope["client"][0] if scope.get("client") else None
        actor, refusal = await self._caller(headers, source)
        if refusal is None and not 0 < len(session_id) <= _ID_LIMIT:
            refusal = Cause("console.session_unknown")
        if actor is None or refusal is not None:
            browser = Browser(receive, send, self.clock)
            await browser.accept(subprotocols)
            await browser.close(refusal or Cause("console.not_signed_in"))
            return
        await self.consoles.serve(actor, session_id, receive, send, subprotocols)

    async def _caller(self, headers: dict[str, str], source: str | None) -> tuple[Actor | None, Cause | None]:
        """A browser sends its cookie from any page, so with a cookie the page's origin must be our own."""
        origin = headers.get("origin")
        kind, _, token = headers.get("authorization", "").partition(" ")
        bearer = kind.lower() == "bearer" and bool(token)
        if origin != self.consoles.origin and (origin is not None or not bearer):
            return None, Cause("console.origin_refused", {"origin": (origin or "-")[:60]})
        if bearer:
            caller = await self.callers.by_token(token.strip(), source)
        else:
            cookie = _cookie(headers.get("cookie", ""))
            caller = await self.callers.by_cookie(cookie, source) if cookie else None
        return (caller.actor, None) if caller else (None, Cause("console.not_signed_in"))


def _cookie(header: str) -> str | None:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return found.value if found else None
