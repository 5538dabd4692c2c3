"""Both connections of a console tied together: what arrives on one is written to the other at once, without a task
or a queue in between; where one takes nothing, the other is not read."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, Protocol

from pharmq.base.clock import Clock
from pharmq.consoles.frames import ClientFrame
from pharmq.consoles.meter import Meter
from pharmq.consoles.model import Cause, ConsoleEnded
from pharmq.consoles.relay import Gates, HostClosed
from pharmq.consoles.taken import Taken
from pharmq.pve import ConsoleStream
from pharmq.pve.frames import MAX_FRAME, mask_frame
from pharmq.rfb import KEEPALIVE_INTERVAL, RfbError

_MASK: Final = b"\0\0\0\0"
"""Bytes to the host travel inside TLS, where a mask protects nothing; the frame must only have one."""


class Pipe(Protocol):
    """A console in use: ``relay.Relay`` message by message, or ``Splice``."""

    async def run(self, first: bytes, early: bytes, ended: "asyncio.Future[Cause]") -> Cause | HostClosed: ...
    def keepalive_due(self, now: float) -> bool: ...
    async def keep_alive(self) -> None: ...


class Splice:
    """Implements ``pve.websocket.Tap`` and ``taken.Far``."""

    def __init__(self, taken: Taken, stream: ConsoleStream, clock: Clock, meter: Meter, gates: Gates) -> None:
        self._taken = taken
        self._stream = stream
        self._meter = meter
        self._gates = gates
        self.framed = gates.down is None
        self._over = False
        self._now = clock.monotonic
        self._host_full = False
        self._done: asyncio.Future[Cause | HostClosed] = asyncio.get_running_loop().create_future()

    async def run(self, first: bytes, early: bytes, ended: "asyncio.Future[Cause]") -> Cause | HostClosed:
        """Until one side ends, or ``ended`` says so."""
        if first:
            self.arrived([memoryview(first)])
        if early:
            self.typed([ClientFrame(early, None)])
        self._stream.tap(self)
        self._taken.tie(self)
        try:
            both: list[asyncio.Future[Any]] = [self._done, ended]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            return ended.result() if ended.done() else self._done.result()
        finally:
            self._taken.untie()
            self._stream.untap()
            self._over = True
            if not self._done.done():
                self._done.cancel()

    def keepalive_due(self, now: float) -> bool:
        quiet = now - self._meter.last_up >= KEEPALIVE_INTERVAL
        return quiet and not self._host_full and self._gates.up.at_boundary

    async def keep_alive(self) -> None:
        self._meter.last_up = self._now()
        self._put(self._gates.keepalive)

    # -- the host's side -----------------------------------------------------------------------------------------

    def passed(self, frames: memoryview, payload: int) -> None:
        if not self._over:
            self._meter.down += payload
            self._taken.pass_on(frames)

    def frames(self, pieces: Sequence[bytes | memoryview], payload: int) -> None:
        if not self._over:
            self._meter.down += payload
            self._taken.pass_pieces(pieces)

    def arrived(self, parts: Sequence[bytes | memoryview]) -> None:
        if self._over:
            return
        meter = self._meter
        if self._gates.down is None:
            meter.down += self._taken.send(parts)
        else:
            try:
                shown = self._gates.down.feed(b"".join(parts))
            except RfbError as error:
                self._finish(Cause("console.host_garbled", {"detail": str(error)[:80]}))
                return
            if shown:
                meter.down += self._taken.send((shown,))

    def host_ended(self) -> None:
        self._finish(HostClosed(self._stream.failure))

    def host_full(self) -> None:
        self._host_full = True
        self._taken.hold(True)

    def host_takes(self) -> None:
        self._host_full = False
        self._taken.hold(False)

    # -- the browser's side --------------------------------------------------------------------------------------

    def typed(self, frames: list[ClientFrame]) -> None:
        if self._over:
            return
        raw: list[bytes] = []
        size = 0
        try:
            for frame in frames:
                allowed = self._gates.up.feed(frame.payload)
                if allowed is frame.payload and frame.raw is not None:
                    raw.append(frame.raw)
                    size += len(allowed)
                elif allowed:
                    raw += [mask_frame(allowed[at : at + MAX_FRAME], _MASK) for at in range(0, len(allowed), MAX_FRAME)]
                    size += len(allowed)
        except RfbError as error:
            self._finish(Cause("console.protocol_error", {"detail": str(error)[:80]}))
            return
        except ConsoleEnded as end:
            self._finish(end.cause)
            return
        if size:
            self._meter.up += size
            self._meter.last_up = self._now()
            self._stream.put(raw[0] if len(raw) == 1 else b"".join(raw), size)

    def browser_ended(self, cause: Cause) -> None:
        self._finish(cause)

    def browser_full(self) -> None:
        self._stream.hold(True)

    def browser_takes(self) -> None:
        self._stream.hold(False)

    def _put(self, data: bytes) -> None:
        self._stream.put(mask_frame(data, _MASK), len(data))

    def _finish(self, end: Cause | HostClosed) -> None:
        if not self._over:
            self._over = True
            self._done.set_result(end)
