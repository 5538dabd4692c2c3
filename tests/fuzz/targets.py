"""What a fuzzer feeds: every parser of a console that reads bytes of a browser or of a host.

Each target takes any bytes and raises only for a defect: another exception than the parser's own, an answer that
depends on how the bytes were cut, something let through that must not pass, or something kept without a bound. The
first byte says how the rest is cut. ``script/fuzz`` runs them with coverage guidance, the unit tests with some hundred
inputs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from pharmq.base.secret import Secret
from pharmq.consoles.frames import FRAME_LIMIT, ClientFrames, FrameError
from pharmq.consoles.model import ConsoleEnded
from pharmq.consoles.terminal import KEEPALIVE, TerminalSieve
from pharmq.pve.errors import ProtocolError
from pharmq.pve.frames import FrameReader, mask_frame
from pharmq.pve.http1 import ReplyParser
from pharmq.rfb import (
    KEEPALIVE_REQUEST,
    WALKABLE,
    RfbClientHandshake,
    RfbError,
    RfbServerHandshake,
    ServerVeil,
    ViewerSieve,
)
from pharmq.rfb.keepalive import message_size
from pharmq.rfb.sieve import ACT_KINDS
from pharmq_sim.console.frames import ClientFrames as PveproxyFrames

T = TypeVar("T")
REFUSED = "refused"
"""How an input ends that the parser refuses."""


@dataclass(frozen=True)
class Target:
    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


def cut(data: bytes) -> tuple[bytes, list[bytes]]:
    """The input behind its first byte, whole and in pieces."""
    if not data:
        return b"", []
    step, whole = data[0] % 23 + 1, data[1:]
    return whole, [whole[at : at + step] for at in range(0, len(whole), step)]


def fed(feed: Callable[[bytes], T], pieces: list[bytes], refusal: type[Exception]) -> Iterator[T | str]:
    for piece in pieces:
        try:
            yield feed(piece)
        except refusal:
            yield REFUSED
            return


def ends(got: list[T | str]) -> bool:
    return bool(got) and got[-1] is REFUSED


# -- WebSocket ---------------------------------------------------------------------------------------------------------


def host_frames(data: bytes) -> None:
    whole, pieces = cut(data)
    slow, quick = FrameReader(), FrameReader()
    got = list(fed(slow.feed, pieces, ProtocolError))
    at_once = list(fed(quick.feed, [whole], ProtocolError))
    if ends(got) or ends(at_once):
        assert ends(got) == ends(at_once)
        return
    payload = b"".join(part for parts in got for part in parts)
    assert payload == b"".join(part for parts in at_once for part in parts)
    assert (slow.pings, slow.pongs, slow.closed) == (quick.pings, quick.pongs, quick.closed)
    assert len(payload) <= len(whole)
    assert len(slow._head) < 10
    assert len(slow._control) <= 125


def browser_frames(data: bytes) -> None:
    whole, pieces = cut(data)
    slow, quick = ClientFrames(), ClientFrames()
    got = list(fed(slow.feed, pieces, FrameError))
    at_once = list(fed(quick.feed, [whole], FrameError))
    if ends(got) or ends(at_once):
        assert ends(got) == ends(at_once)
        return
    frames = [frame for found in got for frame in found]
    assert frames == [frame for found in at_once for frame in found]
    assert (slow.pings, slow.closed) == (quick.pings, quick.closed)
    assert slow.waiting <= FRAME_LIMIT + 14
    for frame in frames:
        # What goes on as it is must be a frame that a host takes: pveproxy hangs for good at any other.
        if frame.raw is not None:
            host = PveproxyFrames()
            taken = host.feed(frame.raw)
            assert not host.hung, host.hung
            assert [one.payload for one in taken] == [frame.payload]


def host_reply(data: bytes) -> None:
    whole, pieces = cut(data)
    slow, quick = ReplyParser(), ReplyParser()
    got = list(fed(slow.feed, pieces, ProtocolError))
    at_once = list(fed(quick.feed, [whole], ProtocolError))
    replies = [reply for reply in got if reply is not None]
    if ends(got) or ends(at_once):
        return  # what follows a reply is refused only where it is looked at
    if replies:
        assert replies[:1] == [reply for reply in at_once if reply is not None]


# -- RFB ---------------------------------------------------------------------------------------------------------------


def host_handshake(data: bytes) -> None:
    whole, pieces = cut(data)
    slow, quick = RfbClientHandshake(Secret("password")), RfbClientHandshake(Secret("password"))
    got = list(fed(slow.feed, pieces, RfbError))
    at_once = list(fed(quick.feed, [whole], RfbError))
    if ends(got) or ends(at_once):
        assert ends(got) == ends(at_once)
        return
    if slow.done:
        assert quick.done
        assert _joined(got) == _joined(at_once)
    assert len(slow._buffer) <= max(300, len(whole) if slow.done else 5000)


def viewer_handshake(data: bytes) -> None:
    whole, pieces = cut(data)
    slow, quick = RfbServerHandshake(), RfbServerHandshake()
    got = list(fed(slow.feed, pieces, RfbError))
    at_once = list(fed(quick.feed, [whole], RfbError))
    assert ends(got) == ends(at_once)
    if not ends(got):
        assert _joined(got) == _joined(at_once)
        assert (slow.stage, slow.rest) == (quick.stage, quick.rest) or not slow.done


def viewer_sieve(data: bytes) -> None:
    """The second byte says what is filtered; where control changes hands, each piece's turn is a bit of the third."""
    how, turns = (data[1], data[2]) if len(data) > 2 else (0, 0)
    whole, pieces = cut(data[:1] + data[3:])
    watching, fewer = bool(how & 1), bool(how & 2)
    formats: list[bytes] = []
    sieve = ViewerSieve(watching=watching, encodings=WALKABLE if fewer else None, on_format=formats.append)

    def feed(piece: bytes) -> bytes:
        if how & 4:
            sieve.watching = bool(turns >> (feed_count[0] % 8) & 1)
            feed_count[0] += 1
        return sieve.feed(piece)

    feed_count = [0]
    got = list(fed(feed, pieces, RfbError))
    out = _joined(got)
    assert len(sieve._held) <= 4 + 4 * 1024
    if not how & 7:
        assert out == whole
        assert not ends(got)
    if ends(got) or how & 4:
        return
    again = ViewerSieve(watching=watching, encodings=WALKABLE if fewer else None, on_format=lambda _message: None)
    at_once = list(fed(again.feed, [whole], RfbError))
    assert not ends(at_once)
    assert _joined(at_once) == out
    if watching:
        assert not any(kind in ACT_KINDS for kind in _kinds(out)), "an act passed"


def _kinds(messages: bytes) -> Iterator[int]:
    at = 0
    while at < len(messages):
        yield messages[at]
        size = message_size(messages[at : at + 12])
        if isinstance(size, str):
            return
        at += size


def keep_alive(data: bytes) -> None:
    """A keep-alive between two messages is read by a host as a message of its own, wherever it is put."""
    whole, pieces = cut(data)
    sieve, with_it = ViewerSieve(), bytearray()
    put = 0
    for piece in pieces:
        with_it += sieve.feed(piece)
        if sieve.at_boundary:
            with_it += KEEPALIVE_REQUEST
            put += 1
    host, plain = ViewerSieve(), ViewerSieve()
    host.feed(bytes(with_it))
    plain.feed(whole)
    assert (host.lost, host.inputs) == (plain.lost, plain.inputs)
    if not plain.lost:
        assert host.at_boundary == plain.at_boundary
    assert len(with_it) == len(whole) + put * len(KEEPALIVE_REQUEST)


def host_veil(data: bytes) -> None:
    whole, pieces = cut(data)
    slow, quick = ServerVeil(), ServerVeil()
    got = list(fed(slow.feed, pieces, RfbError))
    at_once = list(fed(quick.feed, [whole], RfbError))
    assert ends(got) == ends(at_once)
    if ends(got):
        return
    shown = _joined(got)
    assert shown == _joined(at_once)
    assert len(shown) <= len(whole)
    assert len(slow._seen) <= 24
    # What is shown holds no clipboard, so a second veil has nothing to leave out.
    second = ServerVeil()
    assert second.feed(shown) == shown
    assert second.dropped == 0


# -- terminals ---------------------------------------------------------------------------------------------------------


def terminal_sieve(data: bytes) -> None:
    whole, pieces = cut(data)
    slow, quick = TerminalSieve(), TerminalSieve()
    got = list(fed(slow.feed, pieces, ConsoleEnded))
    at_once = list(fed(quick.feed, [whole], ConsoleEnded))
    assert ends(got) == ends(at_once)
    assert len(slow._head) <= 25
    if not ends(got):
        assert _joined(got) == whole
        assert (slow.inputs, slow.at_boundary) == (quick.inputs, quick.at_boundary)
        if slow.at_boundary:
            slow.feed(KEEPALIVE)
            assert slow.at_boundary


def _joined(parts: list[bytes | str]) -> bytes:
    return b"".join(part for part in parts if isinstance(part, bytes))


_KEY = b"\x0f\xf0\x55\xaa"
_FORMAT = bytes((32, 24, 0, 1)) + b"\0\xff\0\xff\0\xff" + bytes((16, 8, 0)) + b"\0\0\0"
_INIT = b"\x00\x08\x00\x04" + _FORMAT + b"\0\0\0\x04QEMU"
_LOOK = b"\x03\0" + bytes(8)
_CLIENT = (
    b"\x00\0\0\0" + _FORMAT + b"\x02\0\0\x03" + b"\0\0\0\x07\xff\xff\xff\x21\xff\xff\xfe\xfc" + _LOOK
    + b"\x04\x01\0\0\0\0\0\x61" + b"\x05\x01\0\x01\0\x02" + b"\x05\x80\0\x01\0\x02\x01" + b"\x06\0\0\0\0\0\0\x02hi"
    + b"\xff\0\0\1\0\0\xff\x31\0\0\0\x72" + b"\xff\x01\0\0" + b"\xfb\0\0\x08\0\x08\x01\0" + bytes(16)
    + b"\xf8\0\0\0\0\0\0\1\2ab" + b"\xfa\0\x01\x02" + b"\x96" + bytes(9)
)  # fmt: skip


def _rect(encoding: int, body: bytes) -> bytes:
    return b"\0\0\0\x01" + b"\0\0\0\0\0\x08\0\x04" + encoding.to_bytes(4, "big", signed=True) + body


_HOST = (
    _rect(0, bytes(128)), _rect(1, bytes(4)), _rect(2, b"\0\0\0\1" + bytes(4 + 12)), _rect(16, b"\0\0\0\3abc"),
    _rect(50, b"\0\0\0\3\0\0\0\0abc"), _rect(7, b"\x80abc"), _rect(7, b"\x90\x03abc"),
    _rect(7, b"\x00\x81\x01" + bytes(129)),
    _rect(7, b"\x40\x01\x01abcdef" + bytes(4)), _rect(7, b"\x40\x02\x0babcdefghijk"), _rect(-260, b"\xa0\x03abc"),
    _rect(-239, bytes(128 + 4)), _rect(0x574D5664, b"\0\0" + bytes(256)), _rect(-307, b"\0\0\0\2ab"),
    _rect(-308, b"\1\0\0\0" + bytes(16)), _rect(-261, b"\1"), _rect(-223, b""), _rect(-224, b""),
    b"\x03\0\0\0\0\0\0\x04clip", b"\x03\0\0\0\xff\xff\xff\xfcclip", b"\x02", b"\x01\0\0\0\0\1" + bytes(6),
    b"\xf8\0\0\0\0\0\0\1\2ab", b"\xfa\0\1\2", b"\xff\1\0\2\0\0\0\2ab", b"\x96",
)  # fmt: skip

TARGETS = {
    "host_frames": Target(host_frames, (
        b"\x16\x82\x05hello\x89\x02pq\x8a\x00\x88\x02\x03\xe8", b"\x03\x02\x01a\x80\x01b",
        b"\x05\x82\x7e\x01\x00" + bytes(256),
    )),
    "browser_frames": Target(browser_frames, (
        b"\x16" + mask_frame(b"hello", _KEY) + mask_frame(b"pq", _KEY, 9) + mask_frame(b"\x03\xe8", _KEY, 8),
        b"\x02" + b"\x02\x81" + _KEY + b"a" + b"\x80\x81" + _KEY + b"b", b"\x07" + mask_frame(bytes(300), _KEY),
    )),
    "host_reply": Target(host_reply, (
        b"\x16HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n\r\n\x82\x01a",
        b"\x03HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"\x09HTTP/1.1 401 no ticket\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    )),
    "host_handshake": Target(host_handshake, (
        b"\x16RFB 003.008\n\x01\x02" + bytes(16) + bytes(4) + _INIT,
        b"\x01RFB 003.003\n\0\0\0\2" + bytes(16) + bytes(4),
        b"\x04RFB 003.008\n\0\0\0\0\4sorry", b"\x04RFB 003.007\n\x01\x01",
        b"\x0bRFB 003.008\n\x02\x13\x01" + b"\0\0\0\1\0\0\0\2no",
    )),
    "viewer_handshake": Target(viewer_handshake, (
        b"\x16RFB 003.008\n\x01\x00" + _LOOK, b"\x01RFB 003.003\n\x01", b"\x05RFB 003.007\n\x01\x01",
    )),
    "viewer_sieve": Target(viewer_sieve, tuple(bytes((11, how, 0xA5)) + _CLIENT for how in range(8))),
    "keep_alive": Target(keep_alive, (b"\x16" + _CLIENT, b"\x00" + _CLIENT)),
    "host_veil": Target(host_veil, (
        b"\x16" + _INIT + b"".join(_HOST), *(b"\x05" + _INIT + message for message in _HOST),
    )),
    "terminal_sieve": Target(terminal_sieve, (
        b"\x160:5:hello1:80:24:20:3:abc", b"\x012220:6:\xea\xb0\x95\xeb\x82\xa8",
    )),
}  # fmt: skip
