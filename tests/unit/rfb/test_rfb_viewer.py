"""Towards the browser: no password, and what follows ClientInit is kept."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmq.rfb import RfbError, RfbServerHandshake

TALKS = {
    "3.8": (b"RFB 003.008\n\x01\x01", b"\x01\x01\0\0\0\0"),
    "3.8 not shared": (b"RFB 003.008\n\x01\x00", b"\x01\x01\0\0\0\0"),
    "3.7": (b"RFB 003.007\n\x01\x01", b"\x01\x01"),
    "3.3": (b"RFB 003.003\n\x01", b"\0\0\0\x01"),
}


@given(st.sampled_from(sorted(TALKS)), st.lists(st.integers(0, 40), max_size=8))
def test_every_version_in_any_chunking(name: str, cuts: list[int]) -> None:
    says, expected = TALKS[name]
    whole = says + b"\x02\0\0\x01"
    places = sorted({min(place, len(whole)) for place in cuts} | {0, len(whole)})
    handshake = RfbServerHandshake()
    heard, fed = b"", 0
    for a, b in itertools.pairwise(places):
        if not handshake.done:
            heard += handshake.feed(whole[a:b])
            fed = b
    assert handshake.done
    assert heard == expected
    assert handshake.rest == whole[len(says) : fed]


@pytest.mark.parametrize("says", [b"GET / HTTP/1", b"RFB 003.abc\n", b"RFB 003.0088", b"RFB 003.008\n\x02"])
def test_what_is_no_viewer_is_refused(says: bytes) -> None:
    with pytest.raises(RfbError) as caught:
        RfbServerHandshake().feed(says)
    assert caught.value.failure == "not_rfb"
