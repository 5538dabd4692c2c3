"""Frames for the browser written straight to its connection, past the server's own framing.

The server copies each payload twice on the way out and keeps its books per message; at a screen's bulk rates that is
a third of the relay's cost. This touches the insides of one server implementation: where it is not the one we know
(another server, a middleware in between), ``direct_writer`` gives None and the ordinary messages are used.
A contract test holds the two to the same bytes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeAlias, cast


class _Connection(Protocol):
    """What we use of ``uvicorn.protocols.websockets.websockets_sansio_impl.WebSocketsSansIOProtocol``."""

    transport: asyncio.Transport
    writable: asyncio.Event
    handshake_complete: bool
    disconnected: bool
    close_sent: bool


Writer: TypeAlias = Callable[[Sequence[bytes]], Awaitable[None]]
_KNOWN = ("uvicorn.protocols.websockets.websockets_sansio_impl", "WebSocketsSansIOProtocol")
_USED = ("transport", "writable", "handshake_complete", "disconnected", "close_sent")


def direct_writer(receive: Callable[..., Any]) -> Writer | None:
    """A function that sends one binary message, given in parts, waiting while the browser takes nothing; OSError once
    it has gone. To be used after the socket was accepted, without per-message compression."""
    owner: Any = getattr(receive, "__self__", None)
    if (type(owner).__module__, type(owner).__name__) != _KNOWN:
        return None
    if not all(hasattr(owner, name) for name in _USED) or owner.conn.extensions:
        return None
    connection = cast("_Connection", owner)

    async def write(parts: Sequence[bytes]) -> None:
        if not connection.writable.is_set():
            await connection.writable.wait()
        if connection.disconnected or connection.close_sent or connection.transport.is_closing():
            raise ConnectionError("the browser has gone")
        connection.transport.writelines([binary_head(sum(map(len, parts))), *parts])

    return write


def binary_head(size: int) -> bytes:
    """The head of one whole, unmasked binary frame (RFC 6455 section 5.2)."""
    if size < 126:
        return bytes((0x82, size))
    if size < 65536:
        return b"\x82\x7e" + size.to_bytes(2, "big")
    return b"\x82\x7f" + size.to_bytes(8, "big")
