"""The pure parts: WebSocket frames in any pieces, tickets, the password that VNC authentication proves."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmq_sim.console import tickets, vncauth
from pharmq_sim.console.frames import MAX_PAYLOAD, ClientFrames, Frame, Opcode, accept_key, server_frame, unmask

MASK = b"\x12\x34\x56\x78"
DATA = st.tuples(st.sampled_from(list(Opcode)), st.binary(max_size=300))


def client_frame(opcode: int, payload: bytes) -> bytes:
    """A masked frame, made from the server's unmasked one."""
    plain = server_frame(payload, Opcode(opcode))
    head = plain[: len(plain) - len(payload)]
    return head[:1] + bytes((head[1] | 0x80,)) + head[2:] + MASK + bytes(b ^ MASK[n % 4] for n, b in enumerate(payload))


@given(st.lists(DATA, max_size=8), st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_any_pieces_give_the_same_frames(sent: list[tuple[Opcode, bytes]], sizes: list[int]) -> None:
    stream = b"".join(client_frame(*frame) for frame in sent)
    frames, found, at, turn = ClientFrames(), [], 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        found += frames.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert found == [Frame(opcode, payload) for opcode, payload in sent]
    assert not frames.hung


@pytest.mark.parametrize("size", [125, 126, 65535, 65536, MAX_PAYLOAD])
def test_every_length_form(size: int) -> None:
    payload = random.Random(size).randbytes(size)
    assert ClientFrames().feed(client_frame(2, payload)) == [Frame(Opcode.BINARY, payload)]


@pytest.mark.parametrize(
    ("bytes_", "why"),
    [
        (b"\x02\x80" + MASK, "fragmented"),
        (b"\x80\x80" + MASK, "unknown opcode"),  # a continuation is unknown, too
        (b"\xc2\x80" + MASK, "reserved bits"),
        (b"\x82\x01x", "unmasked"),
        (b"\x85\x80" + MASK, "unknown opcode"),
        (b"\x82\xff" + (MAX_PAYLOAD + 1).to_bytes(8, "big"), "payload too large"),
    ],
)
def test_a_broken_rule_stays(bytes_: bytes, why: str) -> None:
    frames = ClientFrames()
    assert frames.feed(client_frame(2, b"before") + bytes_) == [Frame(Opcode.BINARY, b"before")]
    assert frames.hung == why
    assert frames.feed(client_frame(2, b"after")) == []


def test_the_accept_key_of_rfc_6455() -> None:
    assert accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@given(st.binary(max_size=70), st.binary(min_size=4, max_size=4))
def test_unmasking_is_xor(payload: bytes, mask: bytes) -> None:
    assert unmask(payload, mask) == bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))


class TestTickets:
    AT = 1_795_397_040

    def test_shape_and_length_are_those_of_a_real_one(self) -> None:
        ticket = tickets.new_ticket("key", "root@pam", "/vms/100", 5900, 0x6B03DC03)
        head, signature = ticket.split("::")
        assert head == "PVEVNC:6B03DC03"
        assert len(signature) == 344
        assert len("12345678:" + ticket) < 512  # the parameter's own limit

    @pytest.mark.parametrize(("age", "good"), [(-21, False), (-19, True), (0, True), (39, True), (41, False)])
    def test_life(self, age: int, good: bool) -> None:
        ticket = tickets.new_ticket("key", "root@pam", "/vms/100", 5900, self.AT)
        assert tickets.is_valid("key", ticket, "root@pam", "/vms/100", 5900, self.AT + age) is good

    @pytest.mark.parametrize(
        "other",
        [
            ("else", "root@pam", "/vms/100", 5900),
            ("key", "root@pam!t0", "/vms/100", 5900),
            ("key", "root@pam", "/vms/101", 5900),
            ("key", "root@pam", "/vms/100", 5901),
            ("key", "root@pam", "/vms/100", None),
        ],
    )
    def test_bound_to_everything(self, other: tuple[str, str, str, int | None]) -> None:
        key, authid, path, port = other
        ticket = tickets.new_ticket("key", "root@pam", "/vms/100", 5900, self.AT)
        assert not tickets.is_valid(key, ticket, authid, path, port, self.AT)

    @pytest.mark.parametrize("prefix", ["", "!#%&+:?`:"])
    def test_with_and_without_its_password(self, prefix: str) -> None:
        ticket = prefix + tickets.new_ticket("key", "root@pam", "/vms/100", 5900, self.AT)
        assert tickets.is_valid("key", ticket, "root@pam", "/vms/100", 5900, self.AT)

    def test_passwords(self) -> None:
        rng = random.Random(3)
        drawn = "".join(tickets.new_password(rng) for _ in range(400))
        assert {len(tickets.new_password(rng)) for _ in range(20)} == {8}
        assert set(drawn) == {chr(code) for code in range(0x21, 0x61)}


def test_only_eight_bytes_of_a_password_count() -> None:
    challenge = bytes(range(16))
    assert vncauth.response("PVEVNC:6B03DC03", challenge) == vncauth.response("PVEVNC:6", challenge)
    assert vncauth.response("PVEVNC:6", challenge) != vncauth.response("PVEVNC:7", challenge)


def test_des_with_reversed_bits() -> None:
    """The zero key is its own reverse, so DES's published vector for it holds: E(0, 0) = 8ca64de9c1b123a7."""
    assert vncauth.response("", bytes(8)).hex() == "8ca64de9c1b123a7"
