"""pveproxy's part of a console: WebSocket frames on one side, a process's byte stream on the other."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from pharmq.base.clock import Clock
from pharmq_sim.console.frames import MAX_PAYLOAD, ClientFrames, Opcode, server_frame


class Connection:
    """One upgraded connection, as the stream that the process behind it reads and writes.

    ``gone`` is set when the client's TCP connection ended. A session that hangs (see ``ClientFrames``) does not end
    with it: the process never learns, and stays until it is idle for too long.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, clock: Clock) -> None:
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._frames = ClientFrames()
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue(maxsize=256)
        self._last = clock.monotonic()
        self._closed = asyncio.Event()
        self.gone = asyncio.Event()

    async def recv(self) -> bytes:
        return await self._inbox.get()

    async def send(self, data: bytes) -> None:
        """One frame per read of the process's output, at most 131072 bytes each."""
        self._last = self._clock.monotonic()
        view = memoryview(data)
        for at in range(0, len(data), MAX_PAYLOAD):
            self._write(server_frame(bytes(view[at : at + MAX_PAYLOAD])))
            with contextlib.suppress(ConnectionError):  # the reader notices the end
                await self._writer.drain()

    def close(self) -> None:
        """End the connection from the host's side: TCP closes, without a close frame."""
        self._closed.set()

    @property
    def hung(self) -> str:
        """Which rule the client broke, if it did."""
        return self._frames.hung

    async def serve(self, process: Callable[["Connection"], Awaitable[str]], idle_s: float | None) -> str:
        """Run ``process`` against this connection until either ends; returns the process's exit status.

        ``idle_s``: the process gives up after so long without one byte in either direction; pings are not bytes.
        """
        self._last = self._clock.monotonic()
        working = asyncio.ensure_future(process(self))
        others = [asyncio.ensure_future(self._pump()), asyncio.ensure_future(self._closed.wait())]
        if idle_s is not None:
            others.append(asyncio.ensure_future(self._idle(idle_s)))
        try:
            ended, _ = await asyncio.wait((working, *others), return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()  # a failure of ours must be seen
            return working.result() if working in ended else "OK"
        finally:
            ends = (working, *others)
            for task in ends:
                task.cancel()
            await asyncio.wait(ends)
            self._writer.close()
            self.gone.set()

    async def _pump(self) -> None:
        """Read frames until the client is gone. Returns only when the process may know about that."""
        ended = False
        while not ended:
            try:
                data = await self._reader.read(65536)
            except OSError:
                data = b""
            ended = not data
            for frame in self._frames.feed(data):
                if frame.opcode in (Opcode.BINARY, Opcode.TEXT):
                    if frame.payload:
                        self._last = self._clock.monotonic()
                        await self._inbox.put(frame.payload)
                elif frame.opcode is Opcode.PING:
                    self._write(server_frame(frame.payload, Opcode.PONG))
                elif frame.opcode is Opcode.CLOSE:  # no reply: the TCP connection just ends
                    return
        self.gone.set()
        if self._frames.hung:
            await asyncio.Event().wait()

    async def _idle(self, limit: float) -> None:
        while (left := self._last + limit - self._clock.monotonic()) > 0:
            await self._clock.sleep(left)

    def _write(self, data: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(data)
