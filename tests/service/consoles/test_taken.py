"""The browser's connection taken over, beside the server's own messages: a browser cannot tell the two apart."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import uvicorn

from pharmq.base.clock import SystemClock
from pharmq.consoles.browser import Browser
from pharmq.consoles.model import Cause, ConsoleEnded
from pharmq.consoles.taken import take_over
from pharmq.pve.frames import binary_head, mask_frame

SIZES = (0, 1, 125, 126, 65535, 65536, 300_000)
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
Talk = Callable[[Browser], Any]


async def on_the_wire(talk: Talk, up: bytes, *, direct: bool, early: bytes = b"") -> tuple[bytes, bool]:
    """What a browser that sends ``up`` receives after the upgrade, and whether the connection was taken over."""
    taken = False

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        nonlocal taken
        await receive()
        if early:
            await asyncio.sleep(0.2)
        browser = Browser(receive, send, SystemClock(), direct=direct)
        await browser.accept([])
        taken = browser.taken is not None
        try:
            await talk(browser)
        except ConsoleEnded as end:
            await browser.close(end.cause)

    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=1 << 20,
        lifespan="off",
        log_level="error",
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    writer.write(UPGRADE)
    await writer.drain()
    if early:
        await asyncio.sleep(0.05)
        writer.write(early)
    await reader.readuntil(b"\r\n\r\n")
    writer.write(up)
    received = b""
    with suppress(OSError, TimeoutError):
        while more := await asyncio.wait_for(reader.read(1 << 20), 0.5):
            received += more
    with suppress(OSError):
        writer.write(BYE)
        received += await asyncio.wait_for(reader.read(-1), 10)
    writer.close()
    server.should_exit = True
    await serving
    assert not server.server_state.connections, "the server still counts the connection"
    return received, taken


def frame(payload: bytes, first: int = 0x82) -> bytes:
    made = mask_frame(payload, b"\x01\x02\x03\x04")
    return bytes((first,)) + made[1:]


async def writes(browser: Browser) -> None:
    for size in SIZES:
        payload = bytes(size % 251 for _ in range(size))
        await browser.write(payload[: size // 3], payload[size // 3 :])
    await browser.close(Cause("console.closed_by_user"))


async def echoes(browser: Browser) -> None:
    got = b""
    while not got.endswith(b"!"):
        got += await browser.read()
    await browser.write(got)
    await browser.close(Cause("console.closed_by_user"))


async def reads_on(browser: Browser) -> None:
    while True:
        await browser.read()


BYE = frame(b"\x03\xe8", 0x88)
CASES: dict[str, tuple[Talk, bytes]] = {
    "writes": (writes, b""),
    "one message": (echoes, frame(b"hello!")),
    "fragments": (echoes, frame(b"he", 0x02) + frame(b"", 0x00) + frame(b"llo!", 0x80)),
    "a ping in between": (echoes, frame(b"he") + frame(b"are you there", 0x89) + frame(b"!")),
    "large": (echoes, frame(b"x" * 200_000 + b"!")),
    "it leaves": (reads_on, frame(b"x") + BYE),
}


@pytest.mark.parametrize("name", CASES)
async def test_the_same_bytes_as_ordinary_messages(name: str) -> None:
    talk, up = CASES[name]
    plain, _ = await on_the_wire(talk, up, direct=False)
    straight, had = await on_the_wire(talk, up, direct=True)
    assert had, "uvicorn's insides changed: consoles fall back to ordinary messages, at a higher cost"
    assert straight == plain


@pytest.mark.parametrize("wrong", [frame(b"text", 0x81), b"\x82\x03abc", frame(b"x", 0xC2), frame(b"x", 0x80)])
async def test_what_no_browser_sends_ends_it_with_the_reason(wrong: bytes) -> None:
    received, _ = await on_the_wire(reads_on, wrong, direct=True)
    assert b"console.protocol_error" in received
    assert received[2:4] == (4400).to_bytes(2, "big")


async def test_bytes_that_came_too_early_leave_it_to_the_server() -> None:
    whole = frame(b"hello")
    received, had = await on_the_wire(echoes, whole[7:] + frame(b"!"), direct=True, early=whole[:7])
    assert not had
    assert received.startswith(binary_head(6) + b"hello!")


async def test_anything_in_between_is_left_alone() -> None:
    async def receive() -> Any: ...

    assert take_over(receive, SystemClock()) is None
    assert take_over(FakeServer().receive, SystemClock()) is None


class FakeServer:
    async def receive(self) -> Any: ...
