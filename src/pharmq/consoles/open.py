"""The host's side of an opening: ticket, WebSocket at once, RFB authentication; and, when it fails, why."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NamedTuple, TypeVar

from pharmq import pve, rfb
from pharmq.base.clock import Clock, within
from pharmq.consoles.diagnosis import Evidence, Step, why_not_opened
from pharmq.consoles.model import ConsoleEnded, Host, HostStream

T = TypeVar("T")

FIRST_BYTE_SECONDS = 10.0
"""A host sends its first RFB byte 0.3-1.3 s after the upgrade."""
AGAIN_SECONDS = 5.0
"""A connection to the host that failed within this time may be tried once more before its listener goes."""
HANDSHAKE_SECONDS = 20.0
"""The VNC password lives 30 s."""
ASK_SECONDS = 4.0
"""How long a question about the cause may take; the person waits for the answer."""
TASK_LOOKS, TASK_PAUSE_S = 4, 0.5


class Opened(NamedTuple):
    """``first``: bytes that followed the authentication (the server's first message, or a part of it)."""

    stream: HostStream
    first: bytes
    upid: str


class _Failed(Exception):
    def __init__(self, step: Step, error: pve.PveError | None, upid: pve.Upid | None) -> None:
        super().__init__(step)
        self.step: Step = step
        self.error = error
        self.upid = upid


async def open_screen(
    host: Host, guest: pve.Guest, clock: Clock, authenticated: Callable[[], Awaitable[None]]
) -> Opened:
    """Raises ConsoleEnded with the cause. ``authenticated`` is called as soon as another may open this VM."""
    try:
        try:
            return await _attempt(host, guest, clock, authenticated)
        except _Failed as failed:
            if failed.step != "password":
                raise
        # Somebody opened the same VM's console past us (in Proxmox itself) and changed its password: once more.
        return await _attempt(host, guest, clock, authenticated)
    except _Failed as failed:
        seen = await examine(host, guest, failed.upid, failed.error, clock)
        raise ConsoleEnded(why_not_opened(failed.step, failed.error, seen)) from failed


async def _attempt(host: Host, guest: pve.Guest, clock: Clock, authenticated: Callable[[], Awaitable[None]]) -> Opened:
    try:
        ticket = await host.vncproxy(guest)
    except pve.PveError as error:
        raise _Failed("vncproxy", error, None) from error
    try:
        stream = await _reached(host, guest, ticket, clock)
    except pve.PveError as error:
        raise _Failed("upgrade", error, ticket.upid) from error
    try:
        first = await _authenticate(stream, ticket, clock)
        await authenticated()
    except BaseException:
        await stream.close()
        raise
    return Opened(stream, first, ticket.upid.text)


async def _reached(host: Host, guest: pve.Guest, ticket: pve.VncTicket, clock: Clock) -> HostStream:
    """The host listens for 10 s, once: a connection that never came about is tried again with the same ticket. A new
    ticket would leave that listener and its task behind."""
    began = clock.monotonic()
    try:
        return await host.open_websocket(guest, ticket)
    except pve.Unreachable as error:
        nobody_there = error.kind in ("refused", "dns", "blocked")
        if error.executed != "no" or nobody_there or clock.monotonic() - began > AGAIN_SECONDS:
            raise
    return await host.open_websocket(guest, ticket)


async def _authenticate(stream: HostStream, ticket: pve.VncTicket, clock: Clock) -> bytes:
    """The bytes after the security result; the client's init message (shared) has been sent then."""
    talk = rfb.RfbClientHandshake(ticket.password)
    wait = FIRST_BYTE_SECONDS
    deadline = clock.monotonic() + HANDSHAKE_SECONDS
    try:
        while not talk.done:
            data = await within(clock, wait, _received(stream))
            if data is None:
                ended = talk.ended()
                raise _Failed(_step(ended), getattr(stream, "failure", None), ticket.upid) from ended
            if answer := talk.feed(data):
                await stream.send(answer)
            wait = deadline - clock.monotonic()
    except TimeoutError:
        raise _Failed("handshake" if talk.heard else "first_byte", None, ticket.upid) from None
    except rfb.RfbError as error:
        fault = None if error.failure == "auth_failed" else pve.ProtocolError(str(error), "rfb")
        raise _Failed(_step(error), fault, ticket.upid) from error
    except pve.PveError as error:
        raise _Failed("handshake", error, ticket.upid) from error
    return talk.rest


def _step(error: rfb.RfbError) -> Step:
    return "password" if error.failure == "auth_failed" else "handshake"


async def _received(stream: HostStream) -> bytes | None:
    return await stream.recv()


async def examine(
    host: Host, guest: pve.Guest, upid: pve.Upid | None, error: pve.PveError | None, clock: Clock
) -> Evidence:
    """Ask the host what became of the console's task and of the guest; what it does not answer stays open."""
    if _final(error):
        return Evidence()
    task, status = await asyncio.gather(_task(host, upid, clock), _status(host, guest, clock))
    seen = Evidence(task=task[0], log=task[1], status=status[0], error=status[1])
    if isinstance(seen.error, pve.NoSuchGuest):
        return Evidence(task=seen.task, log=seen.log, gone=True, moved_to=await _moved_to(host, guest, clock))
    vga = await _vga(host, guest, clock) if seen.status == "running" else None
    return Evidence(task=seen.task, log=seen.log, status=seen.status, vga=vga, error=seen.error)


def _final(error: pve.PveError | None) -> bool:
    """The host would say the same again, or nothing at all."""
    if error is None or isinstance(error, pve.NoSuchGuest):
        return False
    return error.permanent or isinstance(error, pve.Unreachable)


async def _asked(clock: Clock, question: Coroutine[Any, Any, T]) -> T:
    try:
        return await within(clock, ASK_SECONDS, question)
    except TimeoutError:
        raise pve.Unreachable("timeout", f"no answer within {ASK_SECONDS:g} s") from None


async def _task(host: Host, upid: pve.Upid | None, clock: Clock) -> tuple[str | None, tuple[str, ...]]:
    if upid is None:
        return None, ()
    with contextlib.suppress(pve.PveError):
        # It ends a moment after its connection.
        for _ in range(TASK_LOOKS):
            status = await _asked(clock, host.task_status(upid))
            if not status.running:
                break
            await clock.sleep(TASK_PAUSE_S)
        log = await _asked(clock, host.task_log(upid))
        return status.exitstatus or "", tuple(line.t for line in log.lines)
    return None, ()


async def _status(host: Host, guest: pve.Guest, clock: Clock) -> tuple[str | None, pve.PveError | None]:
    try:
        return (await _asked(clock, host.current(guest))).status, None
    except pve.PveError as error:
        return None, error


async def _vga(host: Host, guest: pve.Guest, clock: Clock) -> str | None:
    with contextlib.suppress(pve.PveError):
        return (await _asked(clock, host.config(guest))).vga
    return None


async def _moved_to(host: Host, guest: pve.Guest, clock: Clock) -> str | None:
    with contextlib.suppress(pve.PveError):
        rows = (await _asked(clock, host.resources())).guests
        return next((row.node for row in rows if row.vmid == guest.vmid and row.node != guest.node), None)
    return None
