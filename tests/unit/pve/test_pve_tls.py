"""The link to a host: TLS over a socket of its own, on either event loop; back-pressure, order, ends."""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop
from raw_host import QUICK, tls

from pharmq.pve import Endpoint, Unreachable
from pharmq.pve.tls import HIGH, TlsLink, connect_tls

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


class Speaker:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.link: TlsLink | None = None
        self.heard = bytearray()
        self.ended = asyncio.Event()
        self.eof = False
        self.error: Exception | None = None
        self.full = 0
        self.room = asyncio.Event()

    def connection_made(self, link: TlsLink) -> None:
        self.link = link

    def arrived(self, data: memoryview) -> None:
        self.heard += data

    def eof_received(self) -> None:
        self.eof = True

    def connection_lost(self, exc: Exception | None) -> None:
        assert not self.ended.is_set(), "told twice"
        self.error = exc
        self.ended.set()

    def pause_writing(self) -> None:
        self.full += 1

    def resume_writing(self) -> None:
        self.room.set()


async def spoken(talk: Talk, say: Callable[[Speaker, TlsLink], Coroutine[Any, Any, None]]) -> Speaker:
    context, _ = tls()
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        finally:
            done.set()
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    speaker = Speaker()
    await connect_tls(Endpoint("127.0.0.1", server.sockets[0].getsockname()[1]), speaker, QUICK, None)
    assert speaker.link is not None
    await say(speaker, speaker.link)
    async with asyncio.timeout(60):
        await done.wait()
        await speaker.ended.wait()
    server.close()
    return speaker


@pytest.fixture(params=["asyncio", "uvloop"])
def runner(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=factory) as made:
            return made.run(work)

    return run


Run = Callable[[Coroutine[Any, Any, Any]], Any]


def test_megabytes_arrive_in_order_both_ways(runner: Run) -> None:
    down, up = os.urandom(3_000_000), os.urandom(1_000_000) * 16
    got = b""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal got
        got = await reader.readexactly(5)  # nothing more is read: the link must wait
        writer.write(down)
        await writer.drain()
        got += await reader.readexactly(len(up) - 5)

    async def say(speaker: Speaker, link: TlsLink) -> None:
        for at in range(0, len(up), 50_000):
            link.write(up[at : at + 50_000])
        assert speaker.full, f"more than {HIGH} bytes wait"
        await speaker.room.wait()

    speaker = runner(spoken(talk, say))
    assert got == up
    assert bytes(speaker.heard) == down


def test_nothing_is_read_while_it_is_held(runner: Run) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"one")
        await reader.readexactly(1)
        writer.write(b"two")
        await reader.readexactly(1)

    async def say(speaker: Speaker, link: TlsLink) -> None:
        while bytes(speaker.heard) != b"one":
            await asyncio.sleep(0)
        link.pause_reading()
        link.pause_reading()
        link.write(b"a")
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert bytes(speaker.heard) == b"one"
        link.resume_reading()
        while bytes(speaker.heard) != b"onetwo":
            await asyncio.sleep(0)
        link.write(b"b")

    runner(spoken(talk, say))


def test_what_was_written_last_arrives_though_bytes_of_the_host_were_not_read(runner: Run) -> None:
    last = b""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal last
        writer.write(bytes(500_000))
        while part := await reader.read(1 << 16):
            last += part

    async def say(_speaker: Speaker, link: TlsLink) -> None:
        link.pause_reading()
        link.write(b"bye")
        link.close()
        link.close()
        link.write(b"too late")

    speaker = runner(spoken(talk, say))
    assert last == b"bye"
    assert speaker.error is None


def test_the_hosts_goodbye_is_an_end(runner: Run) -> None:
    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x" * 20_000)
        writer.close()
        await writer.wait_closed()

    async def say(_speaker: Speaker, _link: TlsLink) -> None: ...

    speaker = runner(spoken(talk, say))
    assert (len(speaker.heard), speaker.eof, speaker.error) == (20_000, True, None)


def test_a_host_that_is_cut_off_is_an_end(runner: Run) -> None:
    async def talk(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)

    async def say(_speaker: Speaker, link: TlsLink) -> None:
        link.write(b"x")

    runner(spoken(talk, say))


def test_bytes_that_are_no_tls_end_it_with_the_reason(runner: Run) -> None:
    async def work() -> Speaker:
        listener = socket.create_server(("127.0.0.1", 0))
        context, _ = tls()

        def host() -> None:
            sock, _ = listener.accept()
            with sock, context.wrap_socket(sock, server_side=True) as secure:
                secure.sendall(b"fine")
                socket.socket.sendall(secure, b"\x17\x03\x03\x00\x05noise" * 9)
                while socket.socket.recv(secure, 100):
                    pass

        serving = asyncio.get_running_loop().run_in_executor(None, host)
        speaker = Speaker()
        await connect_tls(Endpoint("127.0.0.1", listener.getsockname()[1]), speaker, QUICK, None)
        async with asyncio.timeout(60):
            await speaker.ended.wait()
            await asyncio.wait([serving])
        listener.close()
        return speaker

    speaker = runner(work())
    assert bytes(speaker.heard) == b"fine"
    assert isinstance(speaker.error, ssl.SSLError)


def test_a_handshake_that_is_never_answered_ends_by_our_own_time(runner: Run) -> None:
    async def work() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            where = Endpoint("127.0.0.1", listener.getsockname()[1])
            with pytest.raises(Unreachable) as error:
                await connect_tls(where, Speaker(), QUICK._replace(handshake=0.05), None)
            assert error.value.kind == "timeout"

    runner(work())


def test_a_host_that_speaks_no_tls_is_unreachable(runner: Run) -> None:
    async def work() -> None:
        async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
            where = Endpoint("127.0.0.1", server.sockets[0].getsockname()[1])
            with pytest.raises(Unreachable) as error:
                await connect_tls(where, Speaker(), QUICK, None)
            assert error.value.kind in ("tls", "reset")

    runner(work())
