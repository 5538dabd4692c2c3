"""Which certificates of a host are accepted after a person has confirmed one."""

from pharmq.hosts.model import Pin
from pharmq.hosts.proving import Shown, pin_of, pins_after
from pharmq.pve import Certificate

A, B = Pin("AA", None, "pve"), Pin("BB", None, "pve2")
A2, B2 = Pin("A2", None, "pve"), Pin("B2", None, "pve2")


def test_a_host_of_one_address_has_one_pin() -> None:
    assert pins_after((Shown("a", A2),), (A,), (A2,)) == (A2,)
    assert pins_after((Shown("a", None),), (A,), (A2,)) == (A2,)
    assert pins_after((Shown("a", Pin("X", None, "new-name")),), (A,), (Pin("X", None, "new-name"),))[1:] == ()


def test_one_node_of_two_is_pinned_anew_and_the_other_stays() -> None:
    assert pins_after((Shown("a", A), Shown("b", B2)), (A, B), (B2,)) == (A, B2)
    assert pins_after((Shown("a", A2), Shown("b", B)), (A, B), (A2,)) == (A2, B)


def test_a_silent_nodes_pin_is_kept_unless_its_node_has_another_one() -> None:
    assert pins_after((Shown("a", None), Shown("b", B2)), (A, B), (B2,)) == (A, B2)
    assert pins_after((Shown("a", A), Shown("b", None)), (A, B), (A,)) == (A, B)
    assert pins_after((Shown("a", A2), Shown("b", None)), (A, B), (A2,)) == (A2, B)
    assert pins_after((Shown("a", None), Shown("b", None)), (A, B), (A2,)) == (A2, B)


def test_what_nobody_shows_any_more_is_dropped() -> None:
    assert pins_after((Shown("a", A), Shown("b", B2)), (A, B, Pin("C", None, "pve3")), (B2,)) == (A, B2)


def test_the_node_stands_in_the_certificate() -> None:
    def named(subject: str) -> str | None:
        stamp = "2026-01-01T00:00:00Z"
        return pin_of(Certificate("AA", subject, "", stamp, stamp)).node

    assert named("CN=pve1,O=Proxmox Virtual Environment,OU=PVE Cluster Node") == "pve1"
    assert named("OU=x,CN=pve2.example.kr") == "pve2.example.kr"
    assert named("O=somebody") is None
