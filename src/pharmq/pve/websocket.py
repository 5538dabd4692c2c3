"""The console's WebSocket towards the host: pveproxy's own narrow dialect, as a stream of bytes.

Its rules (observed): a frame of ours that is fragmented, unmasked or larger than 131,072 bytes hangs the
session silently and leaks a task on the host; a late or second upgrade is never answered; the other side
ends by closing TCP, without a close frame; pings are answered by the proxy and keep nothing alive.
"""

import asyncio
import base64
import hashlib
import os
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from pharmq.pve.errors import CertificateChanged, ConsoleSilent, ProtocolError, PveError, Unreachable
from pharmq.pve.faults import fault_of
from pharmq.pve.frames import MAX_FRAME, FrameReader, mask_frame, whole_frames
from pharmq.pve.http1 import Reply, ReplyParser
from pharmq.pve.model import Endpoint, Pins, Timeouts
from pharmq.pve.tls import TlsLink, connect_tls
from pharmq.pve.wire import Limiter, Request, encode, refuse_other_leaf

_BUFFER_HIGH = 256 * 1024
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Tap(Protocol):
    """Who takes what arrives at once, without a queue or a task in between. Nothing here may raise or wait. Views are
    good until the call returns: what is kept must be copied."""

    @property
    def framed(self) -> bool:
        """Whether ``passed`` and ``frames`` are called rather than ``arrived``."""
        ...

    def arrived(self, parts: Sequence[bytes | memoryview]) -> None:
        """Payload."""
        ...

    def passed(self, frames: memoryview, payload: int) -> None:
        """Whole binary frames, as a browser takes them; ``payload`` counts the bytes in them."""
        ...

    def frames(self, pieces: Sequence[bytes | memoryview], payload: int) -> None:
        """The same, in pieces."""
        ...

    def host_ended(self) -> None:
        """Called once; ``ConsoleStream.failure`` says why."""
        ...

    def host_full(self) -> None:
        """The host does not take our bytes."""
        ...

    def host_takes(self) -> None:
        """It does again."""
        ...


class ConsoleStream:
    """Bytes of one console. ``recv`` gives None once the host has closed; frame borders carry no meaning.

    Reading pauses while more than 256 KB wait here; ``send`` waits while the host does not take our bytes.
    One reader and one writer.
    """

    def __init__(self, payload: bytes, accept: str, pins: Pins) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[Reply] = loop.create_future()
        self._payload = payload
        self._accept = accept
        self._pins = pins
        self._parser: ReplyParser | None = ReplyParser()
        self._frames = FrameReader()
        self._transport: TlsLink | None = None
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._reading = True
        self._ended = False
        self._arrival: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self.failure: PveError | None = None
        """Why the stream ended, if it was not an ordinary close."""
        self.bytes_in = 0
        self.bytes_out = 0
        self._tap: Tap | None = None
        self._between = False

    # -- for the relay ---------------------------------------------------------------------------------------

    async def recv(self) -> bytes | None:
        """All bytes that wait, at least one; None when the stream has ended."""
        parts = await self.recv_parts()
        if not parts:
            return None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def recv_parts(self) -> list[bytes]:
        """The same as they came, for who writes them out without joining; empty when the stream has ended."""
        while not self._waiting:
            if self._ended:
                return []
            self._arrival = asyncio.get_running_loop().create_future()
            await self._arrival
        parts = list(self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0
        if not self._reading and self._transport is not None and not self._ended:
            self._reading = True
            self._transport.resume_reading()
        return parts

    async def send(self, data: bytes) -> None:
        """Raises Unreachable("reset") when the stream has ended."""
        if self._ended or self._transport is None:
            raise self.failure or Unreachable("reset", "the console has ended")
        for start in range(0, len(data), MAX_FRAME):
            self._transport.write(mask_frame(data[start : start + MAX_FRAME], os.urandom(4)))
        self.bytes_out += len(data)
        if self._room is not None:
            await self._room

    @property
    def pongs(self) -> int:
        """How many of our pings were answered."""
        return self._frames.pongs

    def ping(self) -> None:
        """Answered by pveproxy itself: it shows that path and proxy live, and keeps what lies between from closing a
        quiet connection. It keeps no console open: those count bytes."""
        if self._transport is not None and not self._ended:
            self._transport.write(mask_frame(b"pq", os.urandom(4), opcode=9))

    def tap(self, tap: Tap) -> None:
        """From now on ``tap`` is given what arrives (``recv`` must not be used any more); what waits is given at
        once. ``put`` is its way to the host."""
        self._tap = tap
        self._wake()
        if self._waiting:
            waiting = [memoryview(part) for part in self._waiting]
            self._waiting.clear()
            self._waiting_bytes = 0
            tap.arrived(waiting)
        if self._ended:
            tap.host_ended()
        else:
            if tap.framed and self._transport is not None:
                self._between = self._frames.between
                self._transport.deliver = self._straight
            self.hold(False)
            if self._room is not None:
                tap.host_full()

    def untap(self) -> None:
        self._tap = None

    def hold(self, on: bool) -> None:
        """Stop or go on reading from the host; for a tap."""
        if self._transport is None or self._ended or self._reading is not on:
            return
        self._reading = not on
        if on:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def put(self, frames: bytes, payload: int) -> None:
        """Frames that are masked and sized as the host wants them, as they are; for a tap."""
        if self._transport is not None and not self._ended:
            self._transport.write(frames)
            self.bytes_out += payload

    async def close(self) -> None:
        """A close frame (the host answers by closing TCP), then gone; may be called twice."""
        if self._transport is not None and not self._ended:
            self._transport.write(mask_frame(b"\x03\xe8", os.urandom(4), opcode=8))
            # pveproxy never answers a close frame; close() flushes ours and is bounded.
            self._transport.close()
        self._end(None)

    # -- pve.tls.Inner --------------------------------------------------------------------------------------

    def connection_made(self, link: TlsLink) -> None:
        self._transport = link
        try:
            refuse_other_leaf(link, self._pins)
        except CertificateChanged as changed:
            self._refuse(changed)
            return
        self._transport.write(self._payload)

    def arrived(self, data: memoryview) -> None:
        if self._ended:
            return
        try:
            if self._parser is not None:
                reply = self._parser.feed(bytes(data))
                if reply is None:
                    return
                data, self._parser = memoryview(self._parser.rest), None
                self._upgraded(reply)
                if self._ended:
                    return
            self._take(data)
        except ProtocolError as error:
            self._refuse(error)

    def _straight(self, data: memoryview) -> None:
        """``arrived`` for a tap that takes frames: nearly always whole ones are here, and nothing else."""
        tap, size = self._tap, len(data)
        if self._between and tap is not None:
            stop, payload = whole_frames(data, 0, size)
            if stop == size and payload:
                self.bytes_in += payload
                tap.passed(data, payload)
                return
        self.arrived(data)

    def _upgraded(self, reply: Reply) -> None:
        if reply.status == 101 and reply.headers.get("sec-websocket-accept") != self._accept:
            raise ProtocolError("Sec-WebSocket-Accept does not fit", "websocket")
        if not self.opened.done():
            self.opened.set_result(reply)
        if reply.status != 101:
            self.abort()

    def _take(self, data: memoryview) -> None:
        tap = self._tap
        if tap is not None and tap.framed:
            pieces, arrived = self._frames.frames(data)
            self.bytes_in += arrived
            self._between = self._frames.between
            if arrived:
                tap.frames(pieces, arrived)
        else:
            parts = self._frames.views(data)
            arrived = sum(map(len, parts))
            self.bytes_in += arrived
            if tap is None:
                self._waiting.extend(bytes(part) for part in parts)
                self._waiting_bytes += arrived
            elif arrived:
                tap.arrived(parts)
        self._answer()

    def _answer(self) -> None:
        """To what came beside payload."""
        assert self._transport is not None
        if self._frames.pings:
            # The last one answers for all (RFC 6455, 5.5.3); who takes nothing gets none, or answers would pile up.
            if self._room is None:
                self._transport.write(mask_frame(self._frames.pings[-1], os.urandom(4), opcode=10))
            self._frames.pings.clear()
        if self._frames.closed:
            self._end(None)
            self._transport.abort()
        elif self._waiting_bytes > _BUFFER_HIGH and self._reading:
            self._reading = False
            self._transport.pause_reading()
        if self._waiting:
            self._wake()

    def eof_received(self) -> None:
        self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc)
        # Transport, TLS and we hold each other, and TLS holds half a megabyte: not until a collector happens to come.
        self._transport = None

    def pause_writing(self) -> None:
        self._room = asyncio.get_running_loop().create_future()
        if self._tap is not None:
            self._tap.host_full()

    def resume_writing(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)
            if self._tap is not None and not self._ended:
                self._tap.host_takes()

    def abort(self) -> None:
        self._end(None)
        if self._transport is not None:
            self._transport.abort()

    def _refuse(self, error: PveError) -> None:
        self.failure = error
        if not self.opened.done():
            self.opened.set_exception(error)
        self.abort()

    def _end(self, exc: Exception | None) -> None:
        if self._ended:
            return
        self._ended = True
        self._between = False
        if exc is not None and self.failure is None:
            self.failure = Unreachable("reset", str(exc))
        if not self.opened.done():
            self._end_before_answer()
        self._wake()
        self.resume_writing()
        if self._tap is not None:
            self._tap.host_ended()

    def _end_before_answer(self) -> None:
        try:
            reply = self._parser.eof() if self._parser is not None else None
        except ProtocolError as error:
            self.opened.set_exception(error)
            return
        if reply is not None:
            self.opened.set_result(reply)
        else:
            self.opened.set_exception(Unreachable("reset", "the host closed during the upgrade"))

    def _wake(self) -> None:
        arrival, self._arrival = self._arrival, None
        if arrival is not None and not arrival.done():
            arrival.set_result(None)


async def open_console(
    endpoint: Endpoint, request: Request, pins: Pins, timeouts: Timeouts, handshakes: Limiter | None
) -> ConsoleStream:
    """Upgrade ``request``'s connection. Raises ConsoleSilent, ConsoleTicketRefused, and the usual ones."""
    key = base64.b64encode(os.urandom(16)).decode()
    accept = base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()  # noqa: S324 (RFC 6455)
    upgrade = (
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", key),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Protocol", "binary"),
    )
    payload = encode(endpoint, request._replace(headers=request.headers + upgrade), close=False)
    stream = ConsoleStream(payload, accept, pins)
    await connect_tls(endpoint, stream, timeouts, handshakes)
    try:
        async with asyncio.timeout(timeouts.websocket):
            reply = await stream.opened
        if reply.status != 101:
            raise fault_of(reply, write=False) if reply.status >= 300 else ProtocolError("no upgrade", "websocket")
    except TimeoutError:
        stream.abort()
        raise ConsoleSilent(f"no answer within {timeouts.websocket:g} s", executed="unknown") from None
    except BaseException:
        stream.abort()
        raise
    return stream
