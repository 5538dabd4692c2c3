"""The pipe: bytes and their order survive any chunking; each side waits for the other; what comes last is the cause."""

import asyncio
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pharmq import pve
from pharmq.base.clock import ManualClock
from pharmq.consoles.browser import Browser
from pharmq.consoles.greeting import EARLY_LIMIT, Greeting
from pharmq.consoles.meter import Meter
from pharmq.consoles.model import Cause, ConsoleEnded
from pharmq.consoles.relay import Gates, HostClosed, Relay, first_end, settled
from pharmq.rfb import KEEPALIVE_REQUEST, ViewerSieve

Chunks = Sequence[bytes]
GONE = {"type": "websocket.disconnect", "code": 1001}


class FakeStream:
    """A host that has said what it will say; ``room`` is closed while it takes nothing."""

    def __init__(self, chunks: Chunks = (), failure: pve.PveError | None = None, end: bool = True) -> None:
        self.coming: asyncio.Queue[bytes | None] = asyncio.Queue()
        for chunk in chunks:
            self.coming.put_nowait(chunk)
        if end:
            self.coming.put_nowait(None)
        self.failure = failure
        self.sent: list[bytes] = []
        self.room = asyncio.Event()
        self.room.set()

    async def recv(self) -> bytes | None:
        return await self.coming.get()

    async def recv_parts(self) -> list[bytes]:
        data = await self.recv()
        return [] if data is None else [data[:7], data[7:]] if len(data) > 7 else [data]

    async def send(self, data: bytes) -> None:
        self.sent.append(data)
        await self.room.wait()

    async def close(self) -> None: ...


class FakeSocket:
    """The ASGI side: what the browser will send, and what it was sent."""

    def __init__(self, messages: Sequence[dict[str, Any]] = ()) -> None:
        self.coming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for message in messages:
            self.coming.put_nowait(message)
        self.sent: list[dict[str, Any]] = []
        self.room = asyncio.Event()
        self.room.set()

    async def receive(self) -> Any:
        return await self.coming.get()

    async def send(self, message: Any) -> None:
        await self.room.wait()
        self.sent.append(message)


def made(stream: FakeStream, socket: FakeSocket, clock: ManualClock | None = None) -> tuple[Relay, Meter, Browser]:
    clock = clock or ManualClock()
    browser = Browser(socket.receive, socket.send, clock)
    meter = Meter(clock.monotonic())
    return Relay(browser, stream, clock, meter, Gates(ViewerSieve(), None, KEEPALIVE_REQUEST)), meter, browser


def frames(chunks: Chunks) -> list[dict[str, Any]]:
    return [{"type": "websocket.receive", "bytes": chunk} for chunk in chunks]


@given(st.binary(max_size=50), st.lists(st.binary(min_size=1, max_size=300), max_size=20))
def test_what_the_host_says_arrives_whole(first: bytes, chunks: list[bytes]) -> None:
    async def run() -> None:
        socket = FakeSocket()
        relay, meter, _ = made(FakeStream(chunks), socket)
        assert isinstance(await settled(relay.down(first)), HostClosed)
        got = b"".join(message["bytes"] for message in socket.sent)
        assert got == first + b"".join(chunks)
        assert meter.down == len(got)

    asyncio.run(run())


@given(st.binary(max_size=50), st.lists(st.binary(min_size=1, max_size=300), max_size=20))
def test_what_the_browser_says_arrives_whole(first: bytes, chunks: list[bytes]) -> None:
    async def run() -> None:
        stream = FakeStream()
        relay, meter, _ = made(stream, FakeSocket([*frames(chunks), GONE]))
        end = await settled(relay.up(first))
        assert isinstance(end, ConsoleEnded)
        assert end.cause.code == "console.closed_by_user"
        assert b"".join(stream.sent) == first + b"".join(chunks)
        assert meter.up == len(first) + sum(map(len, chunks))

    asyncio.run(run())


async def test_a_browser_that_takes_nothing_stops_the_reading_of_the_host() -> None:
    clock = ManualClock()
    socket, stream = FakeSocket(), FakeStream([b"x"] * 100)
    relay, _, browser = made(stream, socket, clock)
    socket.room.clear()
    task = asyncio.create_task(relay.down(b""))
    await clock.advance(5)
    assert stream.coming.qsize() == 100, "one chunk is under way, the rest waits at the host"
    assert browser.blocked_since == 0
    socket.room.set()
    await asyncio.wait([task])
    assert isinstance(task.exception(), HostClosed)
    assert browser.blocked_since is None
    assert len(socket.sent) == 100


async def test_a_host_that_takes_nothing_stops_the_reading_of_the_browser() -> None:
    socket, stream = FakeSocket(frames([b"\x04\0\0\0\0\0\0a"] * 9)), FakeStream(end=False)
    relay, _, _ = made(stream, socket)
    stream.room.clear()
    task = asyncio.create_task(relay.up(b""))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert socket.coming.qsize() == 8
    task.cancel()


async def test_a_keep_alive_stands_only_between_two_messages() -> None:
    clock = ManualClock()
    socket, stream = FakeSocket(), FakeStream(end=False)
    relay, _, _ = made(stream, socket, clock)
    task = asyncio.create_task(relay.up(b""))
    key = b"\x04\x01\0\0\0\0\0a"
    socket.coming.put_nowait(frames([key])[0])
    await clock.advance(59)
    assert not relay.keepalive_due(clock.monotonic())
    await clock.advance(1)
    assert relay.keepalive_due(clock.monotonic())
    await relay.keep_alive()
    assert not relay.keepalive_due(clock.monotonic())
    socket.coming.put_nowait(frames([key[:3]])[0])
    await clock.advance(200)
    assert not relay.keepalive_due(clock.monotonic()), "half a message has been sent"
    socket.coming.put_nowait(frames([key[3:]])[0])
    await clock.advance(61)
    assert relay.keepalive_due(clock.monotonic())
    assert stream.sent == [key, KEEPALIVE_REQUEST, key[:3], key[3:]]
    task.cancel()


async def test_the_browsers_own_words_win_over_the_hosts_end() -> None:
    async def host() -> None:
        raise HostClosed

    async def browser() -> None:
        raise ConsoleEnded(Cause("console.closed_by_user"))

    def tasks() -> list[asyncio.Task[Any]]:
        return [asyncio.create_task(settled(work())) for work in (host, browser)]

    ended: asyncio.Future[Cause] = asyncio.get_running_loop().create_future()
    assert await first_end(tasks(), ended) == Cause("console.closed_by_user")
    ended.set_result(Cause("console.revoked"))
    assert await first_end(tasks(), ended) == Cause("console.revoked")


async def test_a_browser_that_floods_before_the_first_picture_is_ended() -> None:
    hello = [b"RFB 003.008\n", b"\x01", b"\x01"]
    socket = FakeSocket(frames([*hello, *[b"z" * 8192] * (EARLY_LIMIT // 8192 + 1)]))
    greeting = Greeting(Browser(socket.receive, socket.send, ManualClock()))
    end = await settled(greeting.run())
    assert isinstance(end, ConsoleEnded)
    assert end.cause.code == "console.protocol_error"
    assert greeting.done.done()


def test_the_rate_follows_what_went_down() -> None:
    meter = Meter(0.0)
    meter.down = 10_000
    meter.sample(1.0)
    assert meter.rate == 0, "too early to tell"
    meter.sample(2.0)
    assert meter.rate == 2500
    meter.sample(4.0)
    assert meter.rate == 0
