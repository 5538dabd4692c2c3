"""A browser's frames in any chunking, and any bytes at all."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from pharmq.consoles.frames import FRAME_LIMIT, ClientFrames, FrameError, unmasked
from pharmq.consoles.model import ConsoleEnded
from pharmq.consoles.terminal import TerminalSieve
from pharmq.pve.errors import ProtocolError
from pharmq.pve.frames import FrameReader, mask_frame

CUTS = st.lists(st.integers(0, 70_000), max_size=12)


def chunked(whole: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({min(cut, len(whole)) for cut in cuts} | {0, len(whole)})
    return [whole[a:b] for a, b in itertools.pairwise(places)]


PAYLOADS = st.one_of(st.binary(max_size=300), st.integers(0, 70_000).map(lambda size: b"\xa5" * size))


@given(st.lists(st.tuples(PAYLOADS, st.binary(min_size=4, max_size=4)), max_size=6), CUTS)
def test_frames_come_out_as_they_went_in(sent: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    wire = b"".join(mask_frame(payload, key) for payload, key in sent)
    reader = ClientFrames()
    found = [frame for chunk in chunked(wire, cuts) for frame in reader.feed(chunk)]
    assert [frame.payload for frame in found] == [payload for payload, _ in sent]
    assert b"".join(frame.raw or b"" for frame in found) == wire
    assert reader.waiting == 0


@given(st.binary(max_size=200), st.binary(min_size=4, max_size=4))
def test_a_mask_taken_off_twice_changes_nothing(payload: bytes, key: bytes) -> None:
    assert unmasked(unmasked(payload, key), key) == payload
    assert unmasked(payload, b"\0\0\0\0") == payload


@given(st.binary(max_size=4000), st.lists(st.integers(0, 4000), max_size=20))
def test_any_bytes_of_a_browser_end_in_frames_or_an_error(noise: bytes, cuts: list[int]) -> None:
    reader = ClientFrames()
    try:
        for chunk in chunked(noise, cuts):
            for frame in reader.feed(chunk):
                assert len(frame.payload) <= FRAME_LIMIT
    except FrameError:
        return
    assert reader.waiting <= len(noise)


@given(st.binary(max_size=4000), st.lists(st.integers(0, 4000), max_size=20))
def test_any_bytes_of_a_host_end_in_payload_or_an_error(noise: bytes, cuts: list[int]) -> None:
    reader = FrameReader()
    got = 0
    try:
        for chunk in chunked(noise, cuts):
            got += sum(map(len, reader.feed(chunk)))
    except ProtocolError:
        return
    assert got + sum(map(len, reader.pings)) <= len(noise)


LINES = st.one_of(
    st.binary(max_size=60).map(lambda data: b"0:%d:%s" % (len(data), data)),
    st.tuples(st.integers(1, 999), st.integers(1, 999)).map(lambda size: b"1:%d:%d:" % size),
    st.just(b"2"),
)


@given(st.lists(LINES, max_size=10), st.lists(st.integers(0, 500), max_size=20))
def test_a_terminals_messages_pass_in_any_chunking(messages: list[bytes], cuts: list[int]) -> None:
    whole = b"".join(messages)
    sieve = TerminalSieve()
    assert b"".join(sieve.feed(chunk) for chunk in chunked(whole, cuts)) == whole
    assert sieve.at_boundary
    assert sieve.inputs == sum(message.startswith(b"0") for message in messages)


@given(st.binary(max_size=500))
def test_any_bytes_for_a_terminal_pass_or_end_it(noise: bytes) -> None:
    sieve = TerminalSieve()
    code = ""
    try:
        assert sieve.feed(noise) == noise
    except ConsoleEnded as end:
        code = end.cause.code
    assert code in ("", "console.protocol_error")
