"""The listening socket of a host, with every way in which a connection can fail before HTTP begins."""

import asyncio
import contextlib
import logging
import socket
import ssl
from typing import TYPE_CHECKING

from pharmq.base.clock import within
from pharmq_sim.httpd import HEADER_LIMIT, IDLE_SECONDS, Connection, redirect_plain_http

if TYPE_CHECKING:
    from pharmq_sim.host import SimHost

log = logging.getLogger(__name__)
BACKLOG = 128
#: with a full queue of one the kernel drops further SYNs; a few more make sure that it is full
FILLERS = 4
TLS_HANDSHAKE = 0x16


class Listener:
    """Accepts by itself instead of through ``asyncio.start_server``: faults must act before TLS."""

    def __init__(self, host: "SimHost") -> None:
        self.host = host
        self.port = host.port
        self._socket: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._connections: set[Connection] = set()
        self._held: set[socket.socket] = set()
        self._fillers: list[socket.socket] = []

    @property
    def connections(self) -> int:
        return len(self._connections)

    async def open(self) -> None:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        try:
            sock.bind((self.host.address, self.port))
            sock.listen(BACKLOG)
        except OSError:
            sock.close()
            raise
        self.port = sock.getsockname()[1]
        self._socket = sock
        self._accepting = self.host.spawn(self._accept(sock), "accept")

    def _close(self) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
            self._accepting = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def aclose(self) -> None:
        self._drop_fillers()
        self._close()
        self.cut()
        self._release()

    def cut(self) -> None:
        """End every open connection at once."""
        for connection in list(self._connections):
            connection.abort()

    # --- faults ----------------------------------------------------------------------------------------------

    def fault_changed(self, name: str, *, on: bool) -> None:
        if name == "refused":
            if on:
                self._close()
                self.cut()
            else:
                self.host.spawn(self._reopen(), "reopen")
        elif name == "half_open" and on:
            for connection in self._connections:
                connection.frozen.set()
        elif name == "half_open":
            for connection in list(self._connections):
                if connection.frozen.is_set():
                    connection.abort()
        elif name == "blackhole":
            self._blackhole(on=on)
        elif name == "hang" and not on:
            self._release()

    async def _reopen(self) -> None:
        if self._socket is None:
            await self.open()

    def _release(self) -> None:
        for sock in list(self._held):
            sock.close()
        self._held.clear()

    def _blackhole(self, *, on: bool) -> None:
        if self._socket is None:
            return
        if not on:
            self._drop_fillers()
            self._socket.listen(BACKLOG)
            self._accepting = self.host.spawn(self._accept(self._socket), "accept")
            return
        if self._accepting is not None:
            self._accepting.cancel()
            self._accepting = None
        self._socket.listen(0)
        for _ in range(FILLERS):
            filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect((self.host.address, self.port))
            self._fillers.append(filler)

    def _drop_fillers(self) -> None:
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()

    # --- connections -----------------------------------------------------------------------------------------

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, _ = await loop.sock_accept(listening)
            except OSError as error:
                log.warning("accept on %s:%s failed: %s", self.host.address, self.port, error)
                await self.host.clock.sleep(0.1)
                continue
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if "hang" in self.host.faults:
                self._held.add(sock)
                continue
            self.host.spawn(self._serve(sock), "connection")

    async def _serve(self, sock: socket.socket) -> None:
        try:
            connected = await self._handshake(sock)
        except (OSError, ssl.SSLError, TimeoutError, ConnectionError):
            # a client that gives up during the handshake is an everyday event on a port like this
            sock.close()
            return
        if connected is None:
            sock.close()
            return
        self._connections.add(connected)
        try:
            await connected.run()
        finally:
            self._connections.discard(connected)

    async def _handshake(self, sock: socket.socket) -> Connection | None:
        await within(self.host.clock, IDLE_SECONDS, _readable(sock))
        first = sock.recv(1, socket.MSG_PEEK)
        if not first:
            return None
        if first[0] != TLS_HANDSHAKE:
            await redirect_plain_http(sock)
            return None
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=HEADER_LIMIT, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol, sock, ssl=self.host.identity.context, ssl_handshake_timeout=20
        )
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        return Connection(self.host, reader, writer)


async def _readable(sock: socket.socket) -> None:
    """Wait until something can be read, without reading it."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(sock.fileno(), wake)
    try:
        await ready
    finally:
        loop.remove_reader(sock.fileno())
