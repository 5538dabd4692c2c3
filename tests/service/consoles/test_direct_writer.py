"""The direct writer against the server implementation it knows: the same bytes on the wire as ordinary messages."""

import asyncio
import socket
from typing import Any

import uvicorn

from pharmq.consoles.direct import binary_head, direct_writer

SIZES = (0, 1, 125, 126, 65535, 65536, 300_000)
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def on_the_wire(*, direct: bool) -> tuple[bytes, bool]:
    """What a browser receives after the upgrade, and whether the direct writer was there."""
    had = False

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal had
        await receive()
        await send({"type": "websocket.accept"})
        write = direct_writer(receive)
        had = write is not None
        for size in SIZES:
            payload = bytes(size % 251 for _ in range(size))
            if direct and write is not None:
                await write((payload[: size // 3], payload[size // 3 :]))
            else:
                await send({"type": "websocket.send", "bytes": payload})
        await send({"type": "websocket.close", "code": 4418})

    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, ws="websockets-sansio", ws_per_message_deflate=False, lifespan="off", log_level="error"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    writer.write(UPGRADE)
    await reader.readuntil(b"\r\n\r\n")
    expected = sum(len(binary_head(size)) + size for size in SIZES) + 4
    received = await asyncio.wait_for(reader.readexactly(expected), 10)
    writer.close()
    server.should_exit = True
    await serving
    return received, had


async def test_the_same_bytes_as_ordinary_messages() -> None:
    plain, _ = await on_the_wire(direct=False)
    straight, had = await on_the_wire(direct=True)
    assert had, "uvicorn's insides changed: consoles fall back to ordinary messages, at a higher cost"
    assert straight == plain


async def test_anything_in_between_is_left_alone() -> None:
    async def receive() -> Any: ...

    assert direct_writer(receive) is None
    assert direct_writer(FakeServer().receive) is None


class FakeServer:
    async def receive(self) -> Any: ...
