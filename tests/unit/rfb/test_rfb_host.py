"""Towards the host: versions, security types, failures, and the same result however the bytes are cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmq.base.secret import Secret
from pharmq.rfb import RfbClientHandshake, RfbError
from pharmq.rfb.des import vnc_response

CHALLENGE = bytes(range(16))
PASSWORD = "7^=#4%/*"
ANSWER = vnc_response(PASSWORD, CHALLENGE)
SERVER_INIT = b"\x04\x00\x03\x00" + bytes(16) + b"\0\0\0\x0eQEMU (tiny100)"

# What a host says, and what it must have heard from us by then.
TALKS = {
    "3.8 password": (b"RFB 003.008\n\x01\x02" + CHALLENGE + bytes(4), b"RFB 003.008\n\x02" + ANSWER + b"\x01"),
    "3.8 none": (b"RFB 003.008\n\x02\x01\x10" + bytes(4), b"RFB 003.008\n\x01\x01"),
    "3.8 both": (b"RFB 003.008\n\x02\x01\x02" + CHALLENGE + bytes(4), b"RFB 003.008\n\x02" + ANSWER + b"\x01"),
    "3.7 password": (b"RFB 003.007\n\x01\x02" + CHALLENGE + bytes(4), b"RFB 003.007\n\x02" + ANSWER + b"\x01"),
    "3.7 none": (b"RFB 003.007\n\x01\x01", b"RFB 003.007\n\x01\x01"),
    "3.3 password": (b"RFB 003.003\n\0\0\0\x02" + CHALLENGE + bytes(4), b"RFB 003.003\n" + ANSWER + b"\x01"),
    "3.3 none": (b"RFB 003.003\n\0\0\0\x01", b"RFB 003.003\n\x01"),
    "newer": (b"RFB 003.889\n\x01\x01" + bytes(4), b"RFB 003.008\n\x01\x01"),
    "odd older": (b"RFB 003.005\n\0\0\0\x01", b"RFB 003.003\n\x01"),
}


def cut(whole: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({min(place, len(whole)) for place in cuts} | {0, len(whole)})
    return [whole[a:b] for a, b in itertools.pairwise(places)]


def feed_all(handshake: RfbClientHandshake, pieces: list[bytes]) -> None:
    for piece in pieces:
        handshake.feed(piece)


@given(st.sampled_from(sorted(TALKS)), st.lists(st.integers(0, 90), max_size=15))
def test_every_version_in_any_chunking(name: str, cuts: list[int]) -> None:
    says, expected = TALKS[name]
    handshake = RfbClientHandshake(Secret(PASSWORD))
    heard = b"".join(handshake.feed(piece) for piece in cut(says + SERVER_INIT, cuts) if not handshake.done)
    assert handshake.done
    assert heard == expected
    # Whatever was fed beyond the handshake is handed on; the rest never went in.
    assert SERVER_INIT.startswith(handshake.rest)


def test_the_shared_flag_is_always_set() -> None:
    for says, _ in TALKS.values():
        assert RfbClientHandshake(Secret(PASSWORD)).feed(says)[-1:] == b"\x01"


def test_des_with_a_published_vector() -> None:
    # Key 133457799BBCDFF1, plain 0123456789ABCDEF, cipher 85E813540F0AB405; VNC reverses each key byte's bits.
    key = bytes.fromhex("133457799BBCDFF1")
    password = bytes(int(f"{byte:08b}"[::-1], 2) for byte in key).decode("latin-1")
    assert vnc_response(password, bytes.fromhex("0123456789ABCDEF") * 2).hex().upper() == "85E813540F0AB405" * 2


def test_only_eight_characters_count_and_short_ones_are_padded() -> None:
    assert vnc_response("12345678tail", CHALLENGE) == vnc_response("12345678", CHALLENGE)
    assert vnc_response("abc", CHALLENGE) == vnc_response("abc\0\0", CHALLENGE)


@pytest.mark.parametrize(
    ("says", "failure", "reason"),
    [
        (b"HTTP/1.1 400", "not_rfb", ""),
        (b"RFB 004.000\n", "not_rfb", ""),
        (b"RFB 003x008\n", "not_rfb", ""),
        (b"RFB 003.008\n\x01\x13", "security_unsupported", "19"),
        (b"RFB 003.003\n\0\0\0\x13", "security_unsupported", "19"),
        (b"RFB 003.008\n\x00\0\0\0\x09Too many!", "refused", "Too many!"),
        (b"RFB 003.003\n\0\0\0\0\0\0\0\x05busy\0", "refused", "busy"),
        (
            b"RFB 003.008\n\x01\x02" + CHALLENGE + b"\0\0\0\x01\0\0\0\x16Authentication failed\0",
            "auth_failed",
            "Authentication failed",
        ),
        (b"RFB 003.007\n\x01\x02" + CHALLENGE + b"\0\0\0\x01", "auth_failed", ""),
        (b"RFB 003.008\n\x01\x02" + CHALLENGE + b"\0\0\0\x01\xff\xff\xff\xff", "auth_failed", "a reason of"),
    ],
)
def test_every_refusal_keeps_its_reason(says: bytes, failure: str, reason: str) -> None:
    for pieces in ([says], [says[i : i + 1] for i in range(len(says))]):
        handshake = RfbClientHandshake(Secret(PASSWORD))
        with pytest.raises(RfbError) as caught:
            feed_all(handshake, pieces)
        assert caught.value.failure == failure
        assert reason in caught.value.reason
        assert PASSWORD not in str(caught.value)


def test_an_early_end_is_told_apart() -> None:
    silent, cut_off, refused = (RfbClientHandshake(Secret(PASSWORD)) for _ in range(3))
    cut_off.feed(b"RFB 003.008\n")
    refused.feed(b"RFB 003.008\n\x01\x02" + CHALLENGE)
    assert not silent.heard
    assert silent.ended().failure == "not_rfb"
    assert cut_off.ended().failure == "refused"
    assert refused.ended().failure == "auth_failed"
