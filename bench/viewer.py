"""A browser's viewer, hand-written: from ``POST /api/vnc/connect`` to the host's ServerInit, and pictures after it."""

import asyncio
import time
from typing import Any, Self

import aiohttp
from stage import Stage


class Viewer:
    """``open_ms``: until ServerInit came, the first RFB bytes that only the host can have sent."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse, began: float) -> None:
        self.ws = ws
        self.began = began
        self.buffer = bytearray()
        self.open_ms = 0.0
        self.bytes = 0
        self.size = b""

    @classmethod
    async def open(cls, on: Stage, vm: dict[str, Any]) -> Self:
        began = time.perf_counter()
        wanted = {"pharmacy_id": vm["pharmacy_id"], "vmid": vm["vmid"], "host_id": vm["host_id"]}
        ticket = await on.call("POST", "/api/vnc/connect", wanted)
        path = ticket["websocket_url"]
        url = path if path.startswith("ws") else on.url + path
        viewer = cls(await on.http.ws_connect(url, protocols=("binary",), max_msg_size=0), began)
        await viewer._greet()
        return viewer

    async def _take(self, size: int) -> bytes:
        while len(self.buffer) < size:
            message = await self.ws.receive()
            if message.type is not aiohttp.WSMsgType.BINARY:
                raise RuntimeError(f"closed: {self.ws.close_code} {message.extra}")
            self.buffer += message.data
        taken = bytes(self.buffer[:size])
        del self.buffer[:size]
        return taken

    async def _greet(self) -> None:
        await self._take(12)
        await self.ws.send_bytes(b"RFB 003.008\n")
        await self._take(2)
        await self.ws.send_bytes(b"\x01")
        await self._take(4)
        await self.ws.send_bytes(b"\x01")
        head = await self._take(24)
        self.open_ms = (time.perf_counter() - self.began) * 1000
        self.size = head[:4]
        await self._take(int.from_bytes(head[20:24], "big"))

    async def ask(self, *, incremental: bool) -> None:
        """Ask for the whole screen, or for what has changed on it."""
        await self.ws.send_bytes(bytes((3, incremental, 0, 0, 0, 0)) + self.size)

    async def update(self) -> int:
        """Bytes of the next update in raw pixels."""
        head = await self._take(4)
        if head[0] != 0:
            raise RuntimeError(f"message {head[0]}")
        got = 4
        for _ in range(int.from_bytes(head[2:4], "big")):
            rect = await self._take(12)
            area = int.from_bytes(rect[4:6], "big") * int.from_bytes(rect[6:8], "big") * 4
            await self._take(area)
            got += 12 + area
        self.bytes += got
        return got

    async def first_pixels(self) -> None:
        """A corner of 64 x 64, raw: about what a whole screen takes in the encodings of a real viewer."""
        await self.ws.send_bytes(b"\x02\0\0\x01\0\0\0\0")
        await self.ws.send_bytes(bytes((3, 0, 0, 0, 0, 0, 0, 64, 0, 64)))
        await self.update()

    async def watch(self, end: float, pause_s: float) -> int:
        """Like a viewer in use: a whole picture, then every change, until ``end`` (monotonic); counts updates."""
        updates = 0
        await self.ws.send_bytes(b"\x02\0\0\x01\0\0\0\0")  # raw pixels only
        await self.ask(incremental=False)
        while time.monotonic() < end:
            try:
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + end - time.monotonic()):
                    await self.update()
            except TimeoutError:
                return updates
            updates += 1
            await asyncio.sleep(pause_s)
            await self.ask(incremental=True)
        return updates

    def vanish(self) -> None:
        """Go without a word, as a line that is cut."""
        transport = self.ws.get_extra_info("transport")
        if transport is not None:
            transport.abort()

    async def close(self) -> None:
        await self.ws.close()
