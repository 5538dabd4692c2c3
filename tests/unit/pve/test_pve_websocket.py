"""The console stream: frames in any cutting, frames the host can bear, and an upgrade that is never answered."""

import asyncio
import base64
import hashlib
import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raw_host import QUICK, RawHost, Seen, ok, reply, silence

from pharmq.pve import ConsoleSilent, ConsoleTicketRefused, Guest, ProtocolError, PveClient, Unreachable
from pharmq.pve.frames import MAX_FRAME, FrameReader, mask_frame

GUEST = Guest("pve", "qemu", 100)
UPID = "UPID:pve:00002FE6:0002F684:6B03DC03:vncproxy:100:root@pam:"
VNC = ok(
    f'{{"user":"root@pam","password":"7^=#4%/*","upid":"{UPID}","ticket":"7^=#4%/*:PVEVNC:6B::a+b","port":"5900"}}'
)
PROXY = "POST /nodes/pve/qemu/100/vncproxy"
SOCKET = "GET /nodes/pve/qemu/100/vncwebsocket"


def server_frame(payload: bytes, opcode: int = 2) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    if size < 65536:
        return bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big") + payload


async def read_client_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Reads one frame as strictly as the host: whole, masked, at most 131,072 bytes."""
    first, second = await reader.readexactly(2)
    assert first & 0xF0 == 0x80, "fragmented or RSV"
    assert second & 0x80, "unmasked"
    size = second & 0x7F
    if size >= 126:
        size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
    assert size <= MAX_FRAME
    key = await reader.readexactly(4)
    data = await reader.readexactly(size)
    return first & 0x0F, bytes(byte ^ key[i % 4] for i, byte in enumerate(data))


def upgrade_to(talk: Callable[..., object]) -> Callable[..., object]:
    async def answer(seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        key = seen.headers["sec-websocket-key"].encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key).digest()).decode()
        head = f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        # The first frame comes in the same segment as the head, as it may.
        writer.write(head.encode() + server_frame(b"RFB 003.008\n"))
        await talk(reader, writer)  # type: ignore[misc]

    return answer


@given(
    st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=300)), max_size=6),
    st.lists(st.integers(0, 2000), max_size=20),
)
def test_any_cutting_gives_the_same_bytes(frames: list[tuple[int, bytes]], cuts: list[int]) -> None:
    whole = b"".join(server_frame(data, opcode) + server_frame(b"p", 9) for opcode, data in frames)
    places = sorted({min(cut, len(whole)) for cut in cuts} | {0, len(whole)})
    reader = FrameReader()
    got = b""
    for a, b in itertools.pairwise(places):
        got += b"".join(reader.feed(whole[a:b]))
    assert got == b"".join(data for _, data in frames)
    assert reader.pings == [b"p"] * len(frames)
    assert reader.feed(server_frame(b"\x03\xe8", 8) + b"ignored") == []
    assert reader.closed


@given(st.binary(max_size=70_000), st.binary(min_size=4, max_size=4))
def test_a_client_frame_is_whole_and_masked(payload: bytes, key: bytes) -> None:
    async def back() -> tuple[int, bytes]:
        stream = asyncio.StreamReader()
        stream.feed_data(mask_frame(payload, key))
        return await read_client_frame(stream)

    assert asyncio.run(back()) == (2, payload)


@pytest.mark.parametrize("bad", [b"\x82\x81abcdx", b"\xc2\x01x", b"\x83\x01x", b"\x82\x7f" + b"\xff" * 8])
def test_what_the_host_never_sends_is_refused(bad: bytes) -> None:
    with pytest.raises(ProtocolError):
        FrameReader().feed(bad)


async def test_a_console_end_to_end(host: RawHost, client: PveClient) -> None:
    got: list[tuple[int, bytes]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(3):
            got.append(await read_client_frame(reader))
        writer.write(server_frame(b"x" * 200_000))
        await writer.drain()

    host.on(PROXY, VNC)
    host.on(SOCKET, upgrade_to(talk))  # type: ignore[arg-type]
    vnc = await client.vncproxy(GUEST)
    assert host.seen[-1].body == "websocket=1&generate-password=1"
    stream = await client.open_websocket(GUEST, vnc)
    assert host.seen[-1].query == "port=5900&vncticket=7%5E%3D%234%25%2F%2A%3APVEVNC%3A6B%3A%3Aa%2Bb"
    assert host.seen[-1].headers["sec-websocket-protocol"] == "binary"
    assert "sec-websocket-extensions" not in host.seen[-1].headers
    assert await stream.recv() == b"RFB 003.008\n"
    big = bytes(range(256)) * 800
    await stream.send(b"RFB 003.008\n")
    await stream.send(big)
    received = b""
    while (part := await stream.recv()) is not None:
        received += part
    assert received == b"x" * 200_000
    assert got[0] == (2, b"RFB 003.008\n")
    assert b"".join(data for _, data in got[1:]) == big
    with pytest.raises(Unreachable):
        await stream.send(b"late")
    await stream.close()


async def test_an_old_host_that_refuses_the_parameter_is_asked_without(host: RawHost, client: PveClient) -> None:
    refused = reply(400, "Parameter verification failed.", '{"errors":{"generate-password":"not defined in schema"}}')
    host.on(PROXY, refused, VNC)
    await client.vncproxy(GUEST)
    assert host.seen[-1].body == "websocket=1"


async def test_a_container_is_not_asked_for_a_password(host: RawHost, client: PveClient) -> None:
    host.on("POST /nodes/pve/lxc/200/vncproxy", VNC)
    await client.vncproxy(Guest("pve", "lxc", 200))
    assert host.seen[-1].body == "websocket=1"


async def test_an_upgrade_without_answer_ends_by_our_own_time(host: RawHost, make: Callable[..., PveClient]) -> None:
    host.on(PROXY, VNC)
    host.on(SOCKET, silence)
    client = make(timeouts=QUICK._replace(websocket=0.2))
    with pytest.raises(ConsoleSilent):
        await client.open_websocket(GUEST, await client.vncproxy(GUEST))


async def test_a_refused_console_ticket_does_not_latch_the_client(host: RawHost, client: PveClient) -> None:
    host.on(PROXY, VNC)
    host.on(SOCKET, reply(401, "permission denied - invalid PVEVNC ticket"))
    with pytest.raises(ConsoleTicketRefused):
        await client.open_websocket(GUEST, await client.vncproxy(GUEST))
    assert client.latched is None


async def test_a_stopped_guest_ends_the_stream_without_a_byte(host: RawHost, client: PveClient) -> None:
    async def answer(seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        key = seen.headers["sec-websocket-key"].encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key).digest()).decode()
        writer.write(f"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode())

    host.on(PROXY, VNC)
    host.on(SOCKET, answer)
    stream = await client.open_websocket(GUEST, await client.vncproxy(GUEST))
    assert await stream.recv() is None


async def test_closing_says_so_to_the_host(host: RawHost, client: PveClient) -> None:
    frames: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        frames.put_nowait(await read_client_frame(reader))

    host.on(PROXY, VNC)
    host.on(SOCKET, upgrade_to(talk))  # type: ignore[arg-type]
    stream = await client.open_websocket(GUEST, await client.vncproxy(GUEST))
    await stream.close()
    await stream.close()
    assert await frames.get() == (8, b"\x03\xe8")


async def test_a_reader_that_is_slow_stops_the_host_not_our_memory(host: RawHost, client: PveClient) -> None:
    total = 8 * 1024 * 1024

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(total // 65536):
            writer.write(server_frame(b"y" * 65536))
            await writer.drain()

    host.on(PROXY, VNC)
    host.on(SOCKET, upgrade_to(talk))  # type: ignore[arg-type]
    stream = await client.open_websocket(GUEST, await client.vncproxy(GUEST))
    received = 0
    largest = 0
    while (part := await stream.recv()) is not None:
        received += len(part)
        largest = max(largest, len(part))
        await asyncio.sleep(0.001)
    assert received == total + len(b"RFB 003.008\n")
    assert largest < 2 * 1024 * 1024
