"""The pipe, message by message: bytes from the host to the browser and back, each direction waiting for its receiver.
It runs where the browser's connection cannot be had itself (see ``splice``)."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from pharmq import pve
from pharmq.base.clock import Clock
from pharmq.base.spawn import Spawner
from pharmq.consoles.browser import Browser
from pharmq.consoles.meter import Meter
from pharmq.consoles.model import Cause, ConsoleEnded, HostStream
from pharmq.rfb import KEEPALIVE_INTERVAL, RfbError, ServerVeil

T = TypeVar("T")


class HostClosed(Exception):
    """The host's side ended; why is found out by asking the host."""

    def __init__(self, error: pve.PveError | None = None) -> None:
        super().__init__("the host closed the console")
        self.error = error


class UpGate(Protocol):
    """``rfb.ViewerSieve`` or ``terminal.TerminalSieve``."""

    watching: bool
    inputs: int

    @property
    def at_boundary(self) -> bool: ...
    def feed(self, data: bytes) -> bytes: ...


class Gates(NamedTuple):
    """What may pass: ``up`` to the host, ``down`` to the browser (None: everything); ``keepalive`` is a message that
    may stand between two of the browser's."""

    up: UpGate
    down: ServerVeil | None
    keepalive: bytes


class Relay:
    """``first``: bytes of the host that came with its handshake. Buffers: what the host's stream holds (512 KB)
    and what the server keeps for the browser; when both are full the host is no longer read."""

    def __init__(self, browser: Browser, stream: HostStream, clock: Clock, meter: Meter, gates: Gates) -> None:
        self._browser = browser
        self._stream = stream
        self._clock = clock
        self._meter = meter
        self._gates = gates
        self._sending = False

    async def run(self, first: bytes, early: bytes, ended: "asyncio.Future[Cause]") -> Cause | HostClosed:
        """Until one side ends, or ``ended`` says so."""
        spawner = Spawner("relay")
        works = [spawner.spawn(settled(self.down(first)), "down"), spawner.spawn(settled(self.up(early)), "up")]
        return await first_end(works, ended)

    async def down(self, first: bytes) -> None:
        """Host to browser, until one of them ends: raises HostClosed or ConsoleEnded."""
        browser, stream, meter, clock = self._browser, self._stream, self._meter, self._clock
        parts = self._shown([first] if first else [])
        while True:
            if parts:
                await browser.write(*parts)
                meter.down += sum(map(len, parts))
                meter.last = clock.monotonic()
            try:
                parts = await stream.recv_parts()
            except pve.PveError as error:
                raise HostClosed(error) from error
            if not parts:
                raise HostClosed(getattr(stream, "failure", None))
            parts = self._shown(parts)

    def _shown(self, parts: list[bytes]) -> list[bytes]:
        veil = self._gates.down
        if veil is None or not parts:
            return parts
        try:
            shown = veil.feed(b"".join(parts))
        except RfbError as error:
            raise ConsoleEnded(Cause("console.host_garbled", {"detail": str(error)[:80]})) from error
        return [shown] if shown else []

    async def up(self, first: bytes) -> None:
        """Browser to host, until one of them ends: raises HostClosed or ConsoleEnded."""
        data = first
        while True:
            if data := self._allowed(data):
                self._meter.up += len(data)
                self._meter.last = self._meter.last_up = self._clock.monotonic()
                await self._to_host(data)
            data = await self._browser.read()

    def _allowed(self, data: bytes) -> bytes:
        try:
            return self._gates.up.feed(data)
        except RfbError as error:
            raise ConsoleEnded(Cause("console.protocol_error", {"detail": str(error)[:80]})) from error

    async def _to_host(self, data: bytes) -> None:
        self._sending = True
        try:
            await self._stream.send(data)
        except pve.PveError as error:
            raise HostClosed(error) from error
        finally:
            self._sending = False

    def keepalive_due(self, now: float) -> bool:
        """Between two messages of the browser only: bytes in the middle of one would be read as part of it."""
        quiet = now - self._meter.last_up >= KEEPALIVE_INTERVAL
        return quiet and not self._sending and self._gates.up.at_boundary

    async def keep_alive(self) -> None:
        """Ask the host for one pixel. The browser takes the answer as an ordinary update."""
        self._meter.last_up = self._clock.monotonic()
        await self._to_host(self._gates.keepalive)


class TerminalRefused(Exception):
    """The host does not let an API token into this terminal."""


async def settled(work: Coroutine[Any, Any, T]) -> T | ConsoleEnded | HostClosed | TerminalRefused:
    """An end as a value: it is no failure of the task that met it."""
    try:
        return await work
    except (ConsoleEnded, HostClosed, TerminalRefused) as end:
        return end


async def first_end(works: Sequence["asyncio.Task[Any]"], ended: "asyncio.Future[Cause]") -> Cause | HostClosed:
    """What ended first; the other tasks are cancelled and waited for."""
    try:
        await asyncio.wait([*works, ended], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for work in works:
            work.cancel()
        await asyncio.wait(works)
    if ended.done():
        return ended.result()
    found = [work.result() for work in works if not work.cancelled()]
    # The browser's own words win over the host's: a tab that is closed also ends the host's side.
    for end in found:
        if isinstance(end, ConsoleEnded):
            return end.cause
    closed: HostClosed = found[0]
    return closed
