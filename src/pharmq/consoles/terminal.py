"""Terminals by termproxy: of containers, serial ports and nodes.

Both sides speak termproxy's own messages, so nothing is translated: the browser is sent ``OK`` and then the
terminal's bytes; it sends ``0:LEN:DATA`` (LEN in bytes), ``1:COLS:ROWS:`` and ``2``. Login and ticket stay here.
Where an API token may not use a terminal the guest's console is opened as a picture instead: the browser tells the
two apart by the first message, ``OK`` or an RFB version.
"""

from typing import Final

from pharmq import pve
from pharmq.base.clock import Clock, within
from pharmq.consoles.browser import Browser
from pharmq.consoles.diagnosis import cause_of
from pharmq.consoles.greeting import EARLY_LIMIT
from pharmq.consoles.model import Cause, ConsoleEnded, Host, HostStream
from pharmq.consoles.open import ASK_SECONDS, Opened, examine
from pharmq.consoles.relay import TerminalRefused

GREETING: Final = b"OK"
KEEPALIVE: Final = b"2"
_AUTH_SECONDS: Final = 10.0
_INPUT_LIMIT: Final = 1 << 20
_HEAD_LIMIT: Final = 24


async def open_terminal(host: Host, place: pve.Guest | str, clock: Clock) -> Opened:
    """Raises ConsoleEnded; TerminalRefused where a picture may do instead."""
    try:
        ticket = await host.termproxy(place)
    except pve.PveError as error:
        if host.uses_token and not isinstance(error, pve.Unreachable | pve.CertificateChanged | pve.NoSuchGuest):
            raise TerminalRefused from error
        raise ConsoleEnded(cause_of(error)) from error
    try:
        stream = await host.open_websocket(place, ticket)
    except pve.PveError as error:
        raise ConsoleEnded(cause_of(error)) from error
    try:
        first = await _let_in(stream, ticket, clock)
    except BaseException as error:
        await stream.close()
        if isinstance(error, EOFError):
            if host.uses_token:
                raise TerminalRefused from error
            raise ConsoleEnded(await _why(host, place, ticket, clock)) from error
        raise
    return Opened(stream, first, ticket.upid.text)


async def _let_in(stream: HostStream, ticket: pve.VncTicket, clock: Clock) -> bytes:
    """What followed the ``OK``. Raises EOFError when the host closed instead."""
    await stream.send(f"{ticket.user}:{ticket.ticket.reveal()}\n".encode())
    got = b""
    deadline = clock.monotonic() + _AUTH_SECONDS
    while len(got) < len(GREETING):
        try:
            data = await within(clock, deadline - clock.monotonic(), _received(stream))
        except TimeoutError:
            raise ConsoleEnded(Cause("console.no_answer")) from None
        except pve.PveError as error:
            raise EOFError from error
        if data is None:
            raise EOFError
        got += data
    if not got.startswith(GREETING):
        raise ConsoleEnded(Cause("console.host_garbled", {"detail": repr(got[:20])}))
    return got[len(GREETING) :]


async def _received(stream: HostStream) -> bytes | None:
    return await stream.recv()


async def _why(host: Host, place: pve.Guest | str, ticket: pve.VncTicket, clock: Clock) -> Cause:
    if isinstance(place, str):
        return Cause("console.terminal_refused")
    seen = await examine(host, place, ticket.upid, None, clock)
    if seen.gone:
        return Cause("console.vm_gone")
    if seen.status == "stopped":
        return Cause("console.vm_stopped")
    return Cause("console.terminal_refused")


async def has_serial(host: Host, guest: pve.Guest, clock: Clock) -> bool:
    """Whether there is anything a terminal could be opened on; what the host does not say is left to the attempt."""
    if guest.kind == "lxc":
        return True
    config = await _config(host, guest, clock)
    return config is None or config.serial or (config.vga or "").startswith("serial")


async def draws_serial(host: Host, guest: pve.Guest, clock: Clock) -> bool:
    """Whether a VM's picture is its serial port, drawn by vncterm."""
    config = await _config(host, guest, clock)
    return config is not None and (config.vga or "").startswith("serial")


async def _config(host: Host, guest: pve.Guest, clock: Clock) -> pve.GuestConfig | None:
    async def asked() -> pve.GuestConfig:
        return await host.config(guest)

    try:
        return await within(clock, ASK_SECONDS, asked())
    except (TimeoutError, pve.PveError):
        return None


class Patience:
    """Reads from the browser while a terminal is being opened, as ``greeting.Greeting`` does for a screen: ``run``
    never returns, it raises ConsoleEnded when the browser leaves. ``early`` holds what it sent."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.early = b""

    async def run(self) -> None:
        while len(self.early) <= EARLY_LIMIT:
            self.early += await self._browser.read()
        raise ConsoleEnded(Cause("console.protocol_error", {"detail": "bytes before the terminal"}))


class TerminalSieve:
    """Walks over the browser's messages in any chunking. Raises ConsoleEnded for what is none: the host would stop
    listening without a word."""

    def __init__(self) -> None:
        self.watching = False
        self.inputs = 0
        self._head = bytearray()
        self._skip = 0

    @property
    def at_boundary(self) -> bool:
        return not self._skip and not self._head

    def feed(self, data: bytes) -> bytes:
        position, end = 0, len(data)
        while position < end:
            if self._skip:
                taken = min(self._skip, end - position)
                self._skip -= taken
                position += taken
                continue
            self._head.append(data[position])
            position += 1
            self._step()
        return b"" if self.watching else data

    def _step(self) -> None:
        head = self._head
        if head == b"2":
            head.clear()
            return
        fields = bytes(head).split(b":")
        wanted = {b"0": 3, b"1": 4}.get(fields[0])
        good = all(field.isdigit() for field in fields[1:-1]) and (not fields[-1] or fields[-1].isdigit())
        if wanted is None or not good or len(head) > _HEAD_LIMIT:
            raise ConsoleEnded(Cause("console.protocol_error", {"detail": "terminal message"}))
        if len(fields) == wanted:
            if wanted == 3:
                self._skip = int(fields[1])
                self.inputs += 1
            if self._skip > _INPUT_LIMIT:
                raise ConsoleEnded(Cause("console.protocol_error", {"detail": "terminal input"}))
            head.clear()
