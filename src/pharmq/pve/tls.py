"""TLS towards a host for what moves megabytes: consoles.

An event loop's own TLS reads into a quarter of a megabyte per connection, copies it into OpenSSL's memory, and asks for
one record more than there is each time, which costs an exception. Here OpenSSL reads from the socket itself, all
connections of a thread decrypt into the same buffer, and what came is handed on as a slice of it.
"""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from pharmq.pve.model import Endpoint, Timeouts
from pharmq.pve.wire import Limiter, reached, tls_context

_RECORD: Final = 16384
"""Most plain bytes of one TLS record; OpenSSL gives one per call."""
_LONG: Final = 4096
"""After a record as long as this another one is looked for at once: in vain, that costs an exception; a turn of the
loop costs less, but not in the middle of a picture."""
_ROOM: Final = 15 * _RECORD
"""Once more has come it is handed on."""
HIGH: Final = 64 * 1024
"""Bytes that may wait for the host before ``pause_writing``; ``resume_writing`` once they are gone."""
CLOSE_SECONDS: Final = 1.0
"""How long the host may take to close its side after we closed ours."""


class _Buffer(threading.local):
    """Good until the next read of any connection of this thread."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_ROOM + _RECORD))


_BUFFER = _Buffer()


def _console_context() -> ssl.SSLContext:
    context = tls_context()
    # Without renegotiation a write never has to wait for a read.
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context


_CONTEXT = _console_context()


class Inner(Protocol):
    """Who speaks over the link. ``arrived``'s view is good until the call returns."""

    def connection_made(self, link: "TlsLink") -> None: ...
    def arrived(self, data: memoryview) -> None: ...
    def eof_received(self) -> None: ...
    def connection_lost(self, exc: Exception | None) -> None: ...
    def pause_writing(self) -> None: ...
    def resume_writing(self) -> None: ...


class TlsLink:
    """A transport over a connected socket, which it owns from now on. ``inner.connection_lost`` is called once, unless
    the handshake failed."""

    def __init__(self, sock: socket.socket, inner: Inner) -> None:
        self._loop = asyncio.get_running_loop()
        self._tls = _CONTEXT.wrap_socket(sock, do_handshake_on_connect=False)
        self._fd = self._tls.fileno()
        self._inner = inner
        self._read: Callable[[int, memoryview], int] = cast("Any", self._tls.read)
        self.deliver: Callable[[memoryview], None] = inner.arrived
        """Is given what was decrypted. May be changed to what handles it more cheaply."""
        self._buffer = _BUFFER.view
        self._queue: deque[memoryview] = deque()
        self._queued = 0
        self._full = self._writing = self._reading = False
        self._closing = self._gone = False
        self._lingering: asyncio.TimerHandle | None = None

    async def shake_hands(self) -> None:
        """Raises OSError; ``ssl.SSLError`` is one."""
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self._until(self._loop.add_reader, self._loop.remove_reader)
            except ssl.SSLWantWriteError:
                await self._until(self._loop.add_writer, self._loop.remove_writer)
        self._inner.connection_made(self)
        if not self._gone:
            self.resume_reading()

    async def _until(self, add: Callable[..., Any], remove: Callable[[int], Any]) -> None:
        ready: asyncio.Future[None] = self._loop.create_future()
        add(self._fd, _settle, ready)
        try:
            await ready
        finally:
            remove(self._fd)

    # -- for inner -----------------------------------------------------------------------------------------------

    def get_extra_info(self, name: str) -> Any:
        return self._tls if name == "ssl_object" else None

    def write(self, data: bytes) -> None:
        if self._closing or self._gone or not data:
            return
        sent = 0
        if not self._writing:
            try:
                sent = self._tls.write(data)
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                pass
            except OSError as error:
                self._lose(error)
                return
        if sent < len(data):
            self._queue.append(memoryview(data)[sent:])
            self._queued += len(data) - sent
            if self._writing:
                self._wait_for_room()
            else:
                self._drain()

    def pause_reading(self) -> None:
        if self._reading and not self._closing:
            self._reading = False
            self._loop.remove_reader(self._fd)

    def resume_reading(self) -> None:
        if not self._reading and not self._closing and not self._gone:
            self._reading = True
            self._loop.add_reader(self._fd, self._readable)

    def close(self) -> None:
        """Say goodbye; what was written still arrives, unless the host takes nothing for a second."""
        if self._closing or self._gone:
            return
        self._closing = True
        # Closed with bytes unread, a socket answers them with a reset, which overtakes what we sent last.
        self._loop.add_reader(self._fd, self._swallow)
        self._lingering = self._loop.call_later(CLOSE_SECONDS, self.abort)
        if not self._queue:
            self._goodbye()

    def abort(self) -> None:
        self._lose(None)

    # -- within --------------------------------------------------------------------------------------------------

    def _readable(self) -> None:
        try:
            got = self._read(_RECORD, self._buffer)
        except ssl.SSLWantReadError:
            return
        except OSError as error:
            self._lose(error)
            return
        if 0 < got < _LONG:
            self.deliver(self._buffer[:got])
        else:
            self._read_on(got)

    def _read_on(self, got: int) -> None:
        read, buffer = self._read, self._buffer
        count, failure = got, None
        try:
            while count >= _LONG and got <= _ROOM:
                count = read(_RECORD, buffer[got:])
                got += count
        except ssl.SSLWantReadError:
            pass
        except OSError as error:
            failure = error
        if got:
            self.deliver(buffer[:got])
        if not count and not self._gone:
            self._inner.eof_received()
        if not count or failure is not None:
            self._lose(failure)

    def _swallow(self) -> None:
        try:
            if socket.socket.recv_into(self._tls, self._buffer):
                return
        except BlockingIOError:
            return
        except OSError:
            pass  # it is gone, which is what we wait for
        self._lose(None)

    def _drain(self) -> None:
        queue, write = self._queue, self._tls.write
        try:
            while queue:
                view = queue[0]
                sent = write(view)
                self._queued -= sent
                if sent < len(view):  # one record at a time
                    queue[0] = view[sent:]
                else:
                    queue.popleft()
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            self._wait_for_room()
            return
        except OSError as error:
            self._lose(error)
            return
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._fd)
        if self._full:
            self._full = False
            self._inner.resume_writing()
        if self._closing:
            self._goodbye()

    def _wait_for_room(self) -> None:
        if not self._writing:
            self._writing = True
            self._loop.add_writer(self._fd, self._drain)
        if self._queued > HIGH and not self._full:
            self._full = True
            self._inner.pause_writing()

    def _goodbye(self) -> None:
        with contextlib.suppress(OSError):  # the host has not said goodbye yet, or is gone
            self._tls.unwrap()

    def _lose(self, error: Exception | None) -> None:
        if self._gone:
            return
        self._gone = True
        if self._lingering is not None:
            self._lingering.cancel()
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._queue.clear()
        self._tls.close()
        self._loop.call_soon(self._inner.connection_lost, error)


def _settle(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


async def connect_tls(endpoint: Endpoint, inner: Inner, timeouts: Timeouts, handshakes: Limiter | None) -> None:
    """``inner`` over a link whose handshake is done. Raises Unreachable with ``executed="no"``."""

    async def secure(sock: socket.socket) -> None:
        link = TlsLink(sock, inner)
        try:
            await link.shake_hands()
        except BaseException:
            link.abort()
            raise

    await reached(endpoint, secure, timeouts, handshakes)
