"""The browser's connection taken over from the server right after the WebSocket was accepted.

The server parses, queues and wakes a task for each frame, and copies each payload twice on the way out: at a screen's
rates that is most of a relay's cost. Here a frame is a slice of what arrived, and what leaves is written once.

This touches the insides of one server implementation, whose version is pinned. Where it is not the one we know
(another server, a middleware in between, compression, bytes that came too early), ``take_over`` gives None and the
ordinary messages of ASGI are used. A contract test holds the two to the same behaviour.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol

from pharmq.base.clock import Clock, within
from pharmq.consoles.frames import ClientFrame, ClientFrames, FrameError, close_frame, control_frame
from pharmq.consoles.model import Cause, ConsoleEnded
from pharmq.pve.frames import binary_head

_KNOWN = ("uvicorn.protocols.websockets.websockets_sansio_impl", "WebSocketsSansIOProtocol")
_USED = ("transport", "conn", "queue", "read_paused", "writable", "stop_keepalive", "connection_lost")
HIGH: Final = 512 * 1024
"""Bytes that may wait for the browser before the host is no longer read, where our own TLS stands in between. Else
none: as soon as one waits, what was read already is all that does."""
LOW: Final = 128 * 1024
_PIECES: Final = 64
"""More are joined: a kernel takes 1,024 at once."""
_INBOX: Final = 256 * 1024
PING_SECONDS: Final = 20.0
"""Proxies close what is silent for 60 s."""
DEAD_SECONDS: Final = 60.0
"""A browser that answers no ping for so long is gone."""
CLOSE_SECONDS: Final = 2.0


class Far(Protocol):
    """The other end, once both connections are tied together (``splice.Splice``). Nothing may raise or wait."""

    def typed(self, frames: list[ClientFrame]) -> None: ...
    def browser_ended(self, cause: Cause) -> None: ...
    def browser_full(self) -> None: ...
    def browser_takes(self) -> None: ...


class Taken(asyncio.Protocol):
    """``owner`` is the server's own protocol: it is told when the connection is lost, so that its books are right."""

    def __init__(self, owner: Any, clock: Clock) -> None:
        self._owner = owner
        self._clock = clock
        self._transport: asyncio.Transport = owner.transport
        own = self._transport.get_extra_info("socket")
        plain = self._transport.get_extra_info("ssl_object") is None and own is not None
        self._fd: int = own.fileno() if plain else -1
        self._open_fd = self._fd
        """The socket, while nothing waits in the transport's queue and no end has come: it is ours until
        ``connection_lost``, and nobody else has its number before."""
        self._transport.set_write_buffer_limits(high=0 if plain else HIGH, low=0 if plain else LOW)
        self._frames = ClientFrames()
        self._inbox: deque[bytes] = deque()
        self._inbox_bytes = 0
        self._arrival: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._far: Far | None = None
        self._cause: Cause | None = None
        self._held = False
        self._heard = False
        self._heard_at = self._pinged_at = clock.monotonic()
        self.blocked_since: float | None = None
        self._blocked_size = 0
        self._said_bye = False

    # -- for who handles messages -------------------------------------------------------------------------------

    async def read(self) -> bytes:
        """The next bytes; raises ConsoleEnded."""
        while not self._inbox:
            if self._cause is not None:
                raise ConsoleEnded(self._cause)
            self._arrival = asyncio.get_running_loop().create_future()
            await self._arrival
        data = b"".join(self._inbox)
        self._inbox.clear()
        self._inbox_bytes = 0
        self.hold(False)
        return data

    async def write(self, parts: Iterable[bytes]) -> None:
        """One message; waits while the browser takes nothing. Raises ConsoleEnded."""
        if self._cause is not None:
            raise ConsoleEnded(self._cause)
        self.send(list(parts))
        while self._room is not None:
            await self._room
            if self._cause is not None:
                raise ConsoleEnded(self._cause)

    # -- for the splice -----------------------------------------------------------------------------------------

    def tie(self, far: Far) -> None:
        """From now on frames go to ``far`` at once; what waits goes first."""
        self._far = far
        if self._inbox:
            frames = [ClientFrame(part, None) for part in self._inbox]
            self._inbox.clear()
            self._inbox_bytes = 0
            far.typed(frames)
        if self._cause is not None:
            far.browser_ended(self._cause)
            return
        self.hold(False)
        if self._room is not None:
            far.browser_full()

    def untie(self) -> None:
        self._far = None

    def send(self, parts: Sequence[bytes | memoryview]) -> int:
        """One message now, whatever waits already; its payload's size."""
        size = sum(map(len, parts))
        self.pass_pieces((binary_head(size), *parts))
        return size

    def pass_on(self, frames: memoryview) -> None:
        """Whole frames now, as they are. The view is good until the call returns: a queue must own its bytes, so the
        socket is written to past the queue while that is empty."""
        sent = 0
        if self._open_fd >= 0:
            try:
                sent = os.write(self._open_fd, frames)
                if sent == len(frames):
                    return
            except OSError:
                sent = 0  # full, or lost: the transport knows how to wait, and how to tell
        self._queue(bytes(frames[sent:]))

    def pass_pieces(self, pieces: Sequence[bytes | memoryview]) -> None:
        """The same, in pieces."""
        sent = 0
        if self._open_fd >= 0 and len(pieces) <= _PIECES:
            try:
                sent = os.writev(self._open_fd, pieces)
            except OSError:
                sent = 0
        self._queue(memoryview(b"".join(pieces))[sent:])

    def _queue(self, rest: bytes | memoryview) -> None:
        if rest and self._cause is None and not self._transport.is_closing():
            self._transport.write(rest)

    def hold(self, on: bool) -> None:
        """Stop or go on reading from the browser."""
        if self._held is on or self._transport.is_closing():
            return
        self._held = on
        if on:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    # -- for who looks after it ----------------------------------------------------------------------------------

    def tick(self, now: float) -> bool:
        """Ping when it is time; False once the browser has not answered for a minute."""
        if self._heard:
            self._heard = False
            self._heard_at = now
        if self.blocked_since is not None:
            waiting = self._transport.get_write_buffer_size()
            if waiting < self._blocked_size:
                self.blocked_since = now  # slow, but it takes bytes
            self._blocked_size = waiting
        elif now - self._pinged_at >= PING_SECONDS and not self._transport.is_closing():
            self._pinged_at = now
            self._transport.write(control_frame(9, b"pq"))
        return now - self._heard_at < PING_SECONDS + DEAD_SECONDS or self.blocked_since is not None

    async def close(self, cause: Cause) -> None:
        """Say why; wait for the browser's answer as long as it may take to arrive, not for a browser that is stuck."""
        self.untie()
        self._cause = self._cause or cause
        self._open_fd = -1
        if not self._transport.is_closing():
            if not self._said_bye:
                self._said_bye = True
                self._transport.write(close_frame(cause.close_code, cause.reason))
            self._held = True
            self.hold(False)
            try:
                await within(self._clock, CLOSE_SECONDS, self._gone())
            except TimeoutError:
                if self._transport.get_write_buffer_size():
                    self._transport.abort()
        self._transport.close()

    async def _gone(self) -> None:
        await asyncio.shield(self._lost)

    # -- asyncio.Protocol ----------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self._heard = True
        try:
            frames = self._frames.feed(data)
        except FrameError as error:
            self._end(Cause("console.protocol_error", {"detail": str(error)}))
            return
        if self._frames.pings:
            # The last one answers for all (RFC 6455, 5.5.3); who takes nothing gets none, or answers would pile up.
            if self._room is None and not self._transport.is_closing():
                self._transport.write(control_frame(10, self._frames.pings[-1]))
            self._frames.pings.clear()
        if frames and self._cause is None:
            if self._far is not None:
                self._far.typed(frames)
            else:
                self._keep(frames)
        if self._frames.closed is not None:
            self._closed_by_browser(self._frames.closed)

    def _keep(self, frames: list[ClientFrame]) -> None:
        for frame in frames:
            self._inbox.append(frame.payload)
            self._inbox_bytes += len(frame.payload)
        if self._inbox_bytes > _INBOX:
            self.hold(True)
        self._wake()

    def _closed_by_browser(self, code: int) -> None:
        if not self._said_bye and not self._transport.is_closing():
            self._said_bye = True
            self._transport.write(close_frame(code if code != 1005 else 1000, ""))
        by_user = code in (1000, 1001, 1005)
        self._end(Cause("console.closed_by_user" if by_user else "console.browser_lost"))
        self._transport.close()

    def eof_received(self) -> None:
        self._end(Cause("console.browser_lost"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._owner.connection_lost(exc)
        self._end(Cause("console.browser_lost"))
        if not self._lost.done():
            self._lost.set_result(None)

    def pause_writing(self) -> None:
        self._open_fd = -1
        self._room = asyncio.get_running_loop().create_future()
        self.blocked_since = self._clock.monotonic()
        self._blocked_size = self._transport.get_write_buffer_size()
        if self._far is not None:
            self._far.browser_full()

    def resume_writing(self) -> None:
        self.blocked_since = None
        self._heard = True  # it takes bytes; while it did not, no ping was sent that it could have answered
        if self._cause is None:
            self._open_fd = self._fd
        self._freed()
        if self._far is not None:
            self._far.browser_takes()

    def _freed(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    def _end(self, cause: Cause) -> None:
        if self._cause is None:
            self._cause = cause
            self._open_fd = -1
            if self._far is not None:
                self._far.browser_ended(cause)
        self._wake()
        self._freed()

    def _wake(self) -> None:
        arrival, self._arrival = self._arrival, None
        if arrival is not None and not arrival.done():
            arrival.set_result(None)


def take_over(receive: Callable[..., Any], clock: Clock) -> Taken | None:
    """The connection behind an ASGI ``receive``, right after ``websocket.accept`` was sent; None where it cannot be
    had. From then on ``receive`` and ``send`` must not be used."""
    owner: Any = getattr(receive, "__self__", None)
    if (type(owner).__module__, type(owner).__name__) != _KNOWN or not all(hasattr(owner, name) for name in _USED):
        return None
    if owner.conn.extensions or not owner.queue.empty() or owner.transport.is_closing() or not owner.writable.is_set():
        return None
    if not _between_frames(owner.conn):
        return None
    transport: asyncio.Transport = owner.transport
    owner.stop_keepalive()
    taken = Taken(owner, clock)
    # Reading is stopped for the change: loops choose how to hand over bytes when reading begins.
    transport.pause_reading()
    transport.set_protocol(taken)
    transport.resume_reading()
    return taken


def _between_frames(conn: Any) -> bool:
    """Whether the server's parser holds no part of a frame: it is a chain of generators, and the innermost one waits
    for a first byte (``at_eof``) or for the rest of a frame."""
    if len(getattr(getattr(conn, "reader", None), "buffer", b"x")):
        return False
    waiting = getattr(conn, "parser", None)
    while (inner := getattr(waiting, "gi_yieldfrom", None)) is not None:
        waiting = inner
    return getattr(getattr(waiting, "gi_code", None), "co_name", "") == "at_eof"
