"""What may pass between viewer and host: whatever the chunking, exactly the allowed messages; and any bytes at all,
from either side, end in an answer or an RfbError, never in a crash, a hang or growing memory."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_rfb_keepalive import MESSAGES

from pharmq.base.secret import Secret
from pharmq.rfb import WALKABLE, RfbClientHandshake, RfbError, RfbServerHandshake, ServerVeil, ViewerSieve
from pharmq.rfb.sieve import ACT_KINDS
from pharmq.rfb.veil import CURSOR, DESKTOP_NAME, EXTENDED_SIZE, LED, POINTER_CHANGE, VMWARE_CURSOR

FORMAT_32 = bytes((32, 24, 0, 1)) + b"\0\xff\0\xff\0\xff" + bytes((16, 8, 0)) + b"\0\0\0"
FORMAT_8 = bytes((8, 8, 0, 1)) + b"\0\x07\0\x07\0\x03" + bytes((0, 3, 6)) + b"\0\0\0"


def u16(n: int) -> bytes:
    return n.to_bytes(2, "big")


def u32(n: int) -> bytes:
    return n.to_bytes(4, "big")


def s32(n: int) -> bytes:
    return n.to_bytes(4, "big", signed=True)


def chunked(whole: bytes, cuts: Sequence[int]) -> list[bytes]:
    places = sorted({min(cut, len(whole)) for cut in cuts} | {0, len(whole)})
    return [whole[a:b] for a, b in itertools.pairwise(places)]


CUTS = st.lists(st.integers(0, 2000), max_size=20)


@given(st.lists(MESSAGES, max_size=12), CUTS)
def test_who_watches_sends_no_act_in_any_chunking(messages: list[bytes], cuts: list[int]) -> None:
    sieve = ViewerSieve(watching=True)
    got = b"".join(sieve.feed(chunk) for chunk in chunked(b"".join(messages), cuts))
    assert got == b"".join(message for message in messages if message[0] not in ACT_KINDS)
    assert sieve.at_boundary


@given(st.lists(MESSAGES, max_size=12), CUTS, st.lists(st.booleans(), min_size=25, max_size=25))
def test_control_may_change_hands_at_any_byte(messages: list[bytes], cuts: list[int], watching: list[bool]) -> None:
    """What comes out are always whole messages, in order, and what only looks is never lost."""
    sieve = ViewerSieve()
    out = b""
    for chunk, now in zip(chunked(b"".join(messages), cuts), watching, strict=False):
        sieve.watching = now  # 25 booleans: there are never more chunks
        out += sieve.feed(chunk)
    check = ViewerSieve()
    check.feed(out)
    assert not check.lost
    assert check.at_boundary
    looks = [message for message in messages if message[0] not in ACT_KINDS]
    assert sum(map(len, looks)) <= len(out) <= sum(map(len, messages))
    for message in looks:
        assert message in out


@given(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=40), CUTS)
def test_only_encodings_that_can_be_walked_over_are_asked_for(codes: list[int], cuts: list[int]) -> None:
    sieve = ViewerSieve(encodings=WALKABLE)
    message = b"\x02\0" + u16(len(codes)) + b"".join(map(s32, codes))
    got = b"".join(sieve.feed(chunk) for chunk in chunked(message, cuts))
    kept = [code for code in codes if code in WALKABLE]
    assert got == b"\x02\0" + u16(len(kept)) + b"".join(map(s32, kept))


def test_another_pixel_format_while_pictures_are_under_way_is_refused() -> None:
    told: list[bytes] = []
    sieve = ViewerSieve(encodings=WALKABLE, on_format=told.append)
    message = b"\0\0\0\0" + FORMAT_8
    assert sieve.feed(message[:7]) + sieve.feed(message[7:]) == message
    assert told == [FORMAT_8]
    sieve.feed(b"\x03" + bytes(9))
    with pytest.raises(RfbError):
        sieve.feed(message)


# -- the host's messages


def counted(data: bytes) -> bytes:
    """Tight's size in up to three bytes."""
    size = len(data)
    if size < 0x80:
        return bytes((size,)) + data
    if size < 0x4000:
        return bytes((size & 0x7F | 0x80, size >> 7)) + data
    return bytes((size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14)) + data


@st.composite
def rectangles(draw: st.DrawFn, pixel: int, tight: int) -> bytes:
    width, height = draw(st.integers(0, 20)), draw(st.integers(0, 9))
    area = width * height
    data = draw(st.binary(max_size=200))

    def head(encoding: int) -> bytes:
        return u16(1) + u16(2) + u16(width) + u16(height) + s32(encoding)

    def filtered(control: int, row: int, middle: bytes = b"") -> bytes:
        body = bytes(row * height) if row * height < 12 else counted(data)
        return head(7) + bytes((control << 4,)) + middle + body

    colours = draw(st.integers(2, 9))
    row = (width + 7) // 8 if colours == 2 else width
    return draw(
        st.sampled_from(
            [
                head(0) + bytes(area * pixel),
                head(1) + b"\0\1\0\2",
                head(2) + u32(3) + bytes(pixel + 3 * (pixel + 8)),
                head(16) + u32(len(data)) + data,
                head(50) + u32(len(data)) + u32(0) + data,
                head(7) + b"\x80" + bytes(tight),
                head(7) + b"\x90" + counted(data),
                head(-260) + b"\xa0" + counted(data * 100),
                filtered(0, width * tight),
                filtered(4, width * tight, b"\x02"),
                filtered(4, row, bytes((1, colours - 1)) + bytes(colours * tight)),
                head(CURSOR) + bytes(area * pixel + (width + 7) // 8 * height),
                head(VMWARE_CURSOR) + b"\0\0" + bytes(area * 8),
                head(VMWARE_CURSOR) + b"\1\0" + bytes(area * 4),
                head(DESKTOP_NAME) + u32(len(data)) + data,
                head(EXTENDED_SIZE) + b"\2\0\0\0" + bytes(32),
                head(LED) + b"\1",
                head(POINTER_CHANGE),
                head(-223),
            ]
        )
    )


@st.composite
def host_messages(draw: st.DrawFn) -> tuple[bytes, bytes, bytes | None]:
    """A session's bytes, the same without clipboards, and the pixel format that the viewer set."""
    small = draw(st.booleans())
    pixel, tight = (1, 1) if small else (4, 3)
    name = draw(st.binary(max_size=30))
    whole = shown = b"\x04\0\x03\0" + FORMAT_32 + u32(len(name)) + name
    for _ in range(draw(st.integers(0, 8))):
        kind = draw(st.sampled_from(["update", "last", "clipboard", "extended", "bell", "colours", "fence", "audio"]))
        data = draw(st.binary(max_size=100))
        if kind in ("update", "last"):
            found = draw(st.lists(rectangles(pixel, tight), max_size=5))
            count = u16(0xFFFF) if kind == "last" else u16(len(found))
            end = bytes(8) + s32(-224) if kind == "last" else b""
            message = b"\0\0" + count + b"".join(found) + end
        else:
            message = {
                "clipboard": b"\x03\0\0\0" + u32(len(data)) + data,
                "extended": b"\x03\0\0\0" + s32(-len(data)) + data,
                "bell": b"\x02",
                "colours": b"\x01\0\0\0" + u16(2) + bytes(12),
                "fence": b"\xf8\0\0\0" + u32(1) + bytes((len(data),)) + data,
                "audio": b"\xff\x01\0\x02" + u32(len(data)) + data,
            }[kind]
        whole += message
        shown += message if kind not in ("clipboard", "extended") else b""
    return whole, shown, FORMAT_8 if small else None


@given(host_messages(), CUTS)
def test_the_clipboard_and_nothing_else_is_left_out(made: tuple[bytes, bytes, bytes | None], cuts: list[int]) -> None:
    whole, shown, set_format = made
    veil = ServerVeil()
    name_end = 24 + int.from_bytes(whole[20:24], "big")
    got = veil.feed(whole[:name_end])
    if set_format is not None:
        veil.pixel_format(set_format)
    got += b"".join(veil.feed(chunk) for chunk in chunked(whole[name_end:], cuts))
    assert got == shown


@given(st.binary(max_size=3000), CUTS, st.booleans())
def test_any_bytes_of_a_host_end_in_a_picture_or_an_error(noise: bytes, cuts: list[int], begun: bool) -> None:
    veil = ServerVeil()
    shown = 0
    try:
        if begun:
            veil.feed(b"\x04\0\x03\0" + FORMAT_32 + u32(0))
        for chunk in chunked(noise, cuts):
            shown += len(veil.feed(chunk))
    except RfbError:
        pass
    assert shown <= len(noise), "nothing is made up"


@given(st.binary(max_size=3000), CUTS, st.booleans())
def test_any_bytes_of_a_viewer_pass_or_end_in_an_error(noise: bytes, cuts: list[int], watching: bool) -> None:
    sieve = ViewerSieve(watching=watching, encodings=WALKABLE if watching else None)
    out = b""
    try:
        for chunk in chunked(noise, cuts):
            out += sieve.feed(chunk)
    except RfbError:
        assert watching, "where nothing is filtered everything passes"
    assert out == noise or watching
    assert len(sieve._held) <= 4 + 4 * 1024


@given(st.binary(max_size=600), CUTS)
def test_any_bytes_in_a_handshake_end_in_an_answer_or_an_error(noise: bytes, cuts: list[int]) -> None:
    talks: list[RfbClientHandshake | RfbServerHandshake] = [RfbClientHandshake(Secret("x")), RfbServerHandshake()]
    for talk in talks:
        for start in (b"", b"RFB 003.008\n", b"RFB 003.008\n\x01\x02"):
            try:
                for chunk in chunked(start + noise, cuts):
                    talk.feed(chunk)
            except RfbError:
                break
