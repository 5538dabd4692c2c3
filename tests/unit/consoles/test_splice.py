"""The splice without sockets: whatever the chunking, a browser gets whole frames with the host's payload in them, and
may be sent one of ours at any time."""

import asyncio
import itertools
import os
import socket
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pharmq.base.clock import ManualClock
from pharmq.consoles.frames import control_frame
from pharmq.consoles.meter import Meter
from pharmq.consoles.model import Cause
from pharmq.consoles.relay import Gates
from pharmq.consoles.splice import Splice
from pharmq.consoles.taken import Taken
from pharmq.pve.frames import mask_frame
from pharmq.pve.websocket import ConsoleStream
from pharmq.rfb import KEEPALIVE_REQUEST, ViewerSieve


class FakeTransport(asyncio.Transport):
    """Keeps what is written; ``sock`` is the socket beneath, if there is one."""

    def __init__(self, sock: socket.socket | None = None) -> None:
        super().__init__()
        self.sock = sock
        self.written = b""
        self.closed = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.sock if name == "socket" else default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...

    def is_closing(self) -> bool:
        return self.closed

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def get_write_buffer_size(self) -> int:
        return len(self.written)

    def close(self) -> None:
        self.closed = True


class FakeServer:
    def __init__(self, transport: FakeTransport) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None: ...


class FakeLink:
    """The host's side: what was written to it, and where what it says is delivered."""

    def __init__(self) -> None:
        self.deliver: Any = None
        self.written: list[bytes] = []
        self.reading = True

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def abort(self) -> None: ...


class Tied:
    def __init__(self, sock: socket.socket | None = None) -> None:
        self.clock = ManualClock()
        self.transport = FakeTransport(sock)
        self.taken = Taken(FakeServer(self.transport), self.clock)
        self.stream = ConsoleStream(b"", "", frozenset())
        self.stream._parser = None
        self.link = FakeLink()
        self.stream._transport = self.link  # type: ignore[assignment]
        self.link.deliver = self.stream.arrived
        self.meter = Meter(0)
        self.splice = Splice(
            self.taken, self.stream, self.clock, self.meter, Gates(ViewerSieve(), None, KEEPALIVE_REQUEST)
        )
        self.ended: asyncio.Future[Cause] = asyncio.get_running_loop().create_future()
        self.running = asyncio.create_task(self.splice.run(b"", b"", self.ended))

    async def stop(self) -> None:
        await asyncio.sleep(0)
        if not self.ended.done():
            self.ended.set_result(Cause("console.closed_by_user"))
        await self.running
        self.stream.opened.cancel()


def host_frame(payload: bytes, first: int = 0x82) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65536:
        return bytes((first, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


def taken_apart(wire: bytes) -> list[tuple[int, bytes]]:
    """Frames as strictly as a browser reads them."""
    frames, at = [], 0
    while at < len(wire):
        size, start = wire[at + 1], at + 2
        assert size < 128, "masked"
        if size >= 126:
            wide = 2 if size == 126 else 8
            size, start = int.from_bytes(wire[start : start + wide], "big"), start + wide
        assert start + size <= len(wire), "half a frame"
        frames.append((wire[at], wire[start : start + size]))
        at = start + size
    return frames


def unmasked(frame: bytes) -> tuple[int, bytes]:
    """First byte and payload of a short frame of ours."""
    assert 0x80 <= frame[1] < 0x80 + 126
    key, payload = frame[2:6], frame[6:]
    return frame[0], bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))


PAYLOADS = st.one_of(st.binary(max_size=300), st.integers(0, 70_000).map(lambda size: b"\xa5\x82" * (size // 2)))
FRAMES = st.lists(
    st.tuples(st.sampled_from([0x82, 0x82, 0x82, 0x81, 0x02, 0x80, 0x89, 0x8A]), PAYLOADS).map(
        lambda frame: (frame[0], frame[1][:125] if frame[0] & 8 else frame[1])
    ),
    max_size=6,
)
CUTS = st.lists(st.integers(0, 200_000), max_size=12)


@given(FRAMES, CUTS)
def test_any_cutting_gives_a_browser_whole_frames(frames: list[tuple[int, bytes]], cuts: list[int]) -> None:
    async def run() -> None:
        tied = Tied()
        await asyncio.sleep(0)
        wire = b"".join(host_frame(payload, first) for first, payload in frames)
        places = sorted({min(cut, len(wire)) for cut in cuts} | {0, len(wire)})
        for a, b in itertools.pairwise(places):
            chunk = bytearray(wire[a:b])
            tied.link.deliver(memoryview(chunk))
            chunk[:] = bytes(len(chunk))  # the next read overwrites it
            tied.transport.write(control_frame(9, b"pq"))
        got = taken_apart(tied.transport.written)
        data = [(first, payload) for first, payload in got if first != 0x89]
        assert {first for first, _ in data} <= {0x82}
        whole = b"".join(payload for first, payload in frames if not first & 8)
        assert b"".join(payload for _, payload in data) == whole
        assert tied.meter.down == tied.stream.bytes_in == len(whole)
        pings = [payload for first, payload in frames if first == 0x89]
        # Of pings that came together the last one is answered, as RFC 6455 5.5.3 allows.
        answers = [unmasked(frame) for frame in tied.link.written]
        assert len(answers) <= len(pings)
        assert answers[-1:] == [(0x8A, ping) for ping in pings[-1:]]
        await tied.stop()

    asyncio.run(run())


@given(st.lists(PAYLOADS.filter(bool), min_size=1, max_size=5))
def test_whole_frames_go_on_byte_for_byte(payloads: list[bytes]) -> None:
    async def run() -> None:
        tied = Tied()
        await asyncio.sleep(0)
        wire = b"".join(map(host_frame, payloads))
        tied.link.deliver(memoryview(wire))
        assert tied.transport.written == wire
        await tied.stop()

    asyncio.run(run())


async def test_what_the_socket_does_not_take_waits_in_order() -> None:
    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)
    with near, far:
        tied = Tied(near)
        await asyncio.sleep(0)
        sent = b""
        while not tied.transport.written:
            frame = host_frame(os.urandom(100_000))
            tied.link.deliver(memoryview(bytearray(frame)))
            sent += frame
        tied.taken.pause_writing()
        assert not tied.link.reading, "the host is not read while bytes wait"
        more = host_frame(b"later")
        tied.link.deliver(memoryview(more))  # was on its way already
        got = b""
        while (part := received(far)) is not None:
            got += part
        assert got + tied.transport.written == sent + more
        tied.transport.written = b""
        tied.taken.resume_writing()
        assert tied.link.reading
        tied.link.deliver(memoryview(more))
        assert received(far) == more, "the socket is written to again"
        await tied.stop()


def received(sock: socket.socket) -> bytes | None:
    try:
        return sock.recv(1 << 20)
    except BlockingIOError:
        return None


async def test_nothing_is_written_to_a_socket_that_may_be_somebody_elses() -> None:
    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)
    with near, far:
        tied = Tied(near)
        await asyncio.sleep(0)
        tied.taken.connection_lost(None)
        tied.link.deliver(memoryview(host_frame(b"late")))
        tied.taken.resume_writing()
        tied.taken.send([b"later"])
        assert received(far) is None
        assert tied.transport.written == b""
        end = await tied.running
        assert isinstance(end, Cause)
        assert end.code == "console.browser_lost"
        await tied.stop()


@given(st.lists(st.sampled_from([b"\x04\x01\0\0\0\0\0a", b"\x05\0\0\1\0\2", KEEPALIVE_REQUEST]), max_size=8), CUTS)
def test_what_a_browser_types_arrives_as_it_was_masked(messages: list[bytes], cuts: list[int]) -> None:
    async def run() -> None:
        tied = Tied()
        await asyncio.sleep(0)
        wire = b"".join(mask_frame(message, b"\x01\x02\x03\x04") for message in messages)
        places = sorted({cut % (len(wire) + 1) for cut in cuts} | {0, len(wire)})
        for a, b in itertools.pairwise(places):
            tied.taken.data_received(wire[a:b])
        assert b"".join(tied.link.written) == wire
        assert tied.meter.up == sum(map(len, messages))
        assert tied.splice.keepalive_due(60.0)
        await tied.stop()

    asyncio.run(run())


async def test_the_last_byte_is_noticed_at_the_next_look() -> None:
    tied = Tied()
    await asyncio.sleep(0)
    tied.link.deliver(memoryview(host_frame(b"x")))
    tied.meter.sample(5.0)
    tied.meter.sample(9.0)
    assert tied.meter.last == 5.0
    await tied.stop()
