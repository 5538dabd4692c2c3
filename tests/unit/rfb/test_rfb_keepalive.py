"""The walker knows every message border in any chunking, and gives up for good at an unknown message."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from pharmq.rfb import KEEPALIVE_REQUEST, ViewerSieve


def u16(n: int) -> bytes:
    return n.to_bytes(2, "big")


def u32(n: int) -> bytes:
    return n.to_bytes(4, "big")


def clip(data: bytes, extended: bool) -> bytes:
    size = -len(data) if extended else len(data)
    return b"\x06\0\0\0" + size.to_bytes(4, "big", signed=True) + data


MESSAGES = st.one_of(
    st.binary(min_size=19, max_size=19).map(lambda b: b"\x00" + b),
    st.lists(st.integers(0, 2**32 - 1), max_size=30).map(
        lambda codes: b"\x02\0" + u16(len(codes)) + b"".join(map(u32, codes))
    ),
    st.binary(min_size=9, max_size=9).map(lambda b: b"\x03" + b),
    st.binary(min_size=7, max_size=7).map(lambda b: b"\x04" + b),
    st.integers(0, 127).map(lambda mask: bytes((5, mask)) + b"\xff\xff\xff\xff"),
    st.integers(128, 255).map(lambda mask: bytes((5, mask)) + b"\xff\xff\xff\xff\x01"),
    st.builds(clip, st.binary(max_size=300), st.booleans()),
    st.binary(min_size=9, max_size=9).map(lambda b: b"\x96" + b),
    st.binary(max_size=64).map(lambda b: b"\xf8\0\0\0" + u32(1) + bytes((len(b),)) + b),
    st.binary(min_size=3, max_size=3).map(lambda b: b"\xfa" + b),
    st.integers(0, 4).map(lambda n: b"\xfb\0" + u16(800) + u16(600) + bytes((n, 0)) + b"\xff" * 16 * n),
    st.binary(min_size=10, max_size=10).map(lambda b: b"\xff\0" + b),
    st.sampled_from([b"\xff\x01\0\x00", b"\xff\x01\0\x01", b"\xff\x01\0\x02" + b"\xff" * 6]),
)


@given(st.lists(MESSAGES, max_size=12), st.lists(st.integers(0, 3000), max_size=20))
def test_borders_are_known_in_any_chunking(messages: list[bytes], cuts: list[int]) -> None:
    whole = b"".join(messages)
    borders = {0, *itertools.accumulate(map(len, messages))}
    places = sorted({min(place, len(whole)) for place in cuts} | {0, len(whole)})
    walker = ViewerSieve()
    assert walker.at_boundary
    for a, b in itertools.pairwise(places):
        assert walker.feed(whole[a:b]) == whole[a:b]
        assert walker.at_boundary == (b in borders)
    assert not walker.lost


@given(st.sampled_from([1, 7, 100, 249, 252, 253]), st.binary(max_size=40))
def test_an_unknown_message_stops_injection_for_good(kind: int, after: bytes) -> None:
    walker = ViewerSieve()
    walker.feed(bytes((kind,)) + after)
    walker.feed(KEEPALIVE_REQUEST)
    assert walker.lost
    assert not walker.at_boundary


def test_unknown_qemu_messages_are_lost_too() -> None:
    for head in (b"\xff\x02", b"\xff\x01\0\x07"):
        walker = ViewerSieve()
        walker.feed(head)
        assert walker.lost


def test_the_request_is_one_whole_message() -> None:
    walker = ViewerSieve()
    walker.feed(KEEPALIVE_REQUEST)
    assert walker.at_boundary
    assert walker.asked
    assert KEEPALIVE_REQUEST[1] == 0, "an incremental request would go unanswered on a still screen"
