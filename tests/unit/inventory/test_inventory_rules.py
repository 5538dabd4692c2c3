"""Kinds, tags, addresses, run states."""

import pytest

from pharmq.inventory.model import VmKind, VmStatus
from pharmq.inventory.rules import Kinds, choose_address, split_tags, status_of
from pharmq.pve import Address, Interface
from pharmq.settings import KindRule


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("POS-1", "pos"),
        ("gangnam_pos2", "pos"),
        ("postgres", None),
        ("docker-compose", None),
        ("Kiosk01", "kiosk"),
        ("무인접수", "kiosk"),
        ("포스기", "pos"),
        ("DB서버", "server"),
        ("win-server-backup", "backup"),
        ("pbs", "backup"),
        ("srv1", "server"),
        ("windows11", None),
    ],
)
def test_kind_by_name(name: str, kind: VmKind | None) -> None:
    assert Kinds().by_name(name) == kind


@pytest.mark.parametrize(
    ("word", "name", "fits"),
    [
        ("till", "TILL-2", True),
        ("till", "stillage", False),
        ("till*", "tills", True),
        ("*till", "bestill", True),
        ("c*l", "c-42-l", True),
        ("c*l", "c-42-led", False),
        ("계산", "무인계산대", True),
        ("a.c", "abc", False),
        ("[pos]", "x[POS]y", True),
        ("42", "pos420", True),
    ],
)
def test_words_of_a_rule(word: str, name: str, fits: bool) -> None:
    assert (Kinds([KindRule("pos", (word,))]).by_name(name) == "pos") is fits


def test_the_first_rule_that_fits_decides() -> None:
    rules = [KindRule("other", ("*test*",)), KindRule("pos", ("pos",))]
    assert Kinds(rules).by_name("test-pos-1") == "other"
    assert Kinds(rules[::-1]).by_name("test-pos-1") == "pos"
    assert Kinds([]).by_name("POS-1") is None


def test_tags_are_split_and_decide_before_names() -> None:
    assert split_tags("b,a;c  a") == ("b", "a", "c")
    assert split_tags(None) == split_tags(" ; ,") == ()
    assert Kinds().by_tags(("win", "POS")) == "pos"
    assert Kinds().by_tags(("포스터",)) is None


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("running", "running"),
        ("paused", "suspended"),
        ("io-error", "suspended"),
        ("stopped", "stopped"),
        ("unknown", "unknown"),
        ("", "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_run_states(word: str, status: VmStatus) -> None:
    assert status_of(word) == status


def test_the_address_an_operator_would_type() -> None:
    def card(name: str, *ips: str) -> Interface:
        return Interface(name, "", tuple(Address(ip, "ipv6" if ":" in ip else "ipv4", 24) for ip in ips))

    assert choose_address([card("lo", "127.0.0.1", "::1")]) is None
    assert choose_address([card("docker0", "172.17.0.1"), card("eth0", "fe80::1", "192.168.0.7")]) == "192.168.0.7"
    assert choose_address([card("eth0", "2001:db8::5", "169.254.3.3")]) == "2001:db8::5"
    assert choose_address([card("docker0", "172.17.0.1")]) == "172.17.0.1"
    assert choose_address([card("eth0", "garbage", "")]) is None
    assert choose_address([card("Ethernet", "10.0.0.2"), card("Ethernet 2", "10.0.0.3")]) == "10.0.0.2"
