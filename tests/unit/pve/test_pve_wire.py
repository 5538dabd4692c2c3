"""Connections end completely: whatever went wrong, no file descriptor stays behind."""

import asyncio
import gc
import os
from collections.abc import Callable

from raw_host import QUICK, RawHost, ok, reset, silence

from pharmq.pve import Endpoint, Guest, PveClient, PveError


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_failures_leave_no_file_descriptor(host: RawHost, make: Callable[..., PveClient]) -> None:
    host.on("GET /version", silence)
    host.on("GET /cluster/resources", reset)
    host.on("POST /nodes/pve/qemu/100/vncproxy", ok("{}"))
    quick = QUICK._replace(handshake=0.05, read=0.05)

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    mute_server = await asyncio.start_server(mute, "127.0.0.1", 0)
    mute_at = Endpoint("127.0.0.1", mute_server.sockets[0].getsockname()[1])

    async def one_of_each() -> None:
        client = make(timeouts=quick)
        calls = [
            client.version(),
            client.resources(),
            client.vncproxy(Guest("pve", "qemu", 100)),
            make(endpoint=mute_at, timeouts=quick).version(),
            make(pins=frozenset()).version(),
            make(endpoint=Endpoint("127.0.0.1", 1)).version(),
        ]
        for result in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(result, PveError)
        cancelled = asyncio.ensure_future(make(endpoint=mute_at).version())
        await asyncio.sleep(0.01)
        cancelled.cancel()
        await asyncio.wait([cancelled])

    async with mute_server:
        await one_of_each()
        await asyncio.sleep(0.05)
        before = open_files()
        for _ in range(10):
            await one_of_each()
        for _ in range(100):
            gc.collect()
            if open_files() <= before:
                break
            await asyncio.sleep(0.02)
        assert open_files() <= before
