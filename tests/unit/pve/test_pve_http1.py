"""The reply parser: the same answer however the bytes are cut, and a named error for everything else."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raw_host import reply

from pharmq.pve import ProtocolError
from pharmq.pve.http1 import Reply, ReplyParser

BY_LENGTH = reply(200, "OK", '{"data":1}', headers=("Connection: close", "Connection: Keep-Alive"))
CHUNKED = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n{"dat\r\n5\r\na":1}\r\n0\r\n\r\n'
TO_THE_END = b'HTTP/1.1 401 No ticket\r\nServer: pve-api-daemon/3.0\r\n\r\n{"data":1}'


def parse(pieces: list[bytes]) -> Reply | None:
    parser = ReplyParser(limit=1000)
    for piece in pieces:
        if (found := parser.feed(piece)) is not None:
            return found
    return parser.eof()


@given(st.sampled_from([BY_LENGTH, CHUNKED, TO_THE_END]), st.lists(st.integers(0, 120), max_size=12))
def test_any_chunking_reads_the_same(whole: bytes, cuts: list[int]) -> None:
    places = sorted({min(cut, len(whole)) for cut in cuts} | {0, len(whole)})
    pieces = [whole[a:b] for a, b in itertools.pairwise(places)]
    found = parse(pieces)
    assert found is not None
    assert found.body == b'{"data":1}'
    assert (found.status, found.reason) == ((401, "No ticket") if whole is TO_THE_END else (200, "OK"))


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "head"),
        (b"HTTP/1.1 abc\r\n\r\n", "head"),
        (b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "head"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\n", "head"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n", "body"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2000, "body"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "body"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabcdefgh", "body"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n", "body"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"data', "body"),
        (b"HTTP/1.1 200", "head"),
    ],
)
def test_what_is_not_an_answer_names_where(raw: bytes, field: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse([raw])
    assert caught.value.field == field


def test_nothing_at_all_is_not_a_protocol_error() -> None:
    assert parse([]) is None


def test_the_bytes_after_an_upgrade_are_kept() -> None:
    parser = ReplyParser()
    found = parser.feed(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x82\x03RFB")
    assert found is not None
    assert parser.rest == b"\x82\x03RFB"
