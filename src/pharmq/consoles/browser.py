"""The browser's side of a console, over ASGI: binary messages in both directions."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from pharmq.base.clock import Clock, within
from pharmq.consoles.model import Cause, ConsoleEnded
from pharmq.consoles.taken import Taken, take_over

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

CLOSE_SECONDS = 2.0


class Browser:
    """Errors are ends: reading or writing raises ConsoleEnded once the browser is gone or breaks the rules.

    ``taken``: the connection itself, where the server let itself be relieved of it; else every message goes through
    ASGI, and the server sends the pings.
    """

    def __init__(self, receive: Receive, send: Send, clock: Clock, *, direct: bool = True) -> None:
        self._receive = receive
        self._send = send
        self._clock = clock
        self._may_take = direct
        self.taken: Taken | None = None
        self._blocked_since: float | None = None
        self.gone = False

    @property
    def blocked_since(self) -> float | None:
        """The monotonic time since which the browser has taken no byte, while some wait for it."""
        return self.taken.blocked_since if self.taken is not None else self._blocked_since

    def tick(self, now: float) -> bool:
        """Ping when it is time; False once the browser is known to be gone."""
        return self.taken is None or self.taken.tick(now)

    async def accept(self, subprotocols: list[str]) -> None:
        chosen = "binary" if "binary" in subprotocols else None
        await self._send({"type": "websocket.accept", "subprotocol": chosen, "headers": []})
        if self._may_take:
            self.taken = take_over(self._receive, self._clock)

    async def read(self) -> bytes:
        if self.taken is not None:
            return await self.taken.read()
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self.gone = True
            raise ConsoleEnded(Cause(_cause_of_close(message)))
        data: bytes | None = message.get("bytes")
        if data is None:
            raise ConsoleEnded(Cause("console.protocol_error", {"detail": "text frame"}))
        return data

    async def write(self, *parts: bytes) -> None:
        """One message, given in parts."""
        if self.taken is not None:
            await self.taken.write(parts)
            return
        self._blocked_since = self._clock.monotonic()
        try:
            await self._send({"type": "websocket.send", "bytes": parts[0] if len(parts) == 1 else b"".join(parts)})
        except (OSError, RuntimeError) as error:
            # Servers report a browser that has gone in different ways; none of them is a defect of ours.
            self.gone = True
            raise ConsoleEnded(Cause("console.browser_lost")) from error
        finally:
            self._blocked_since = None

    async def close(self, cause: Cause) -> None:
        """Tell why, if anybody is still there; a browser that takes no bytes is not waited for."""
        if self.gone:
            return
        self.gone = True
        if self.taken is not None:
            await self.taken.close(cause)
            return
        farewell = {"type": "websocket.close", "code": cause.close_code, "reason": cause.reason}

        async def say() -> None:
            await self._send(farewell)

        try:
            await within(self._clock, CLOSE_SECONDS, say())
        except (TimeoutError, OSError, RuntimeError):
            return


def _cause_of_close(message: Message) -> str:
    """A tab that was closed says so (1000, 1001, or a close frame without a code: 1005 with a reason field)."""
    code = message.get("code", 1006)
    if code == 1012:
        return "console.server_stopping"
    if code in (1000, 1001) or (code == 1005 and "reason" in message):
        return "console.closed_by_user"
    return "console.browser_lost"
