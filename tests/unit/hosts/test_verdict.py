from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from pharmq.hosts.model import GuestFact, Host, HostState, OpeningState, Pin
from pharmq.hosts.verdict import HostFact, expiry_days, judge

NOW = datetime(2026, 11, 23, 1, 24, tzinfo=UTC)
HOST = Host(
    id=7,
    pharmacy_id=1,
    host_ip="10.0.0.5",
    addresses=(),
    host_port=8006,
    node="pve",
    credential_id=1,
    credential_kind="password",
    username="root@pam",
    credential_revision=1,
    pins=(Pin("AA", NOW + timedelta(days=400)),),
)
UP = HostState(reason=None)
DOWN = HostState(reason="timeout", since=NOW)


def guest(kind: str = "pos", status: str = "running", *, missing: bool = False) -> GuestFact:
    return GuestFact(1, "POS-1", kind, status, missing)


def said(
    host: Host = HOST, state: HostState = UP, *guests: GuestFact, opening: OpeningState = "open"
) -> tuple[str, str]:
    found, verdict = judge([HostFact(host, state)], guests, opening, NOW)
    return found, verdict.code


def test_no_host() -> None:
    assert judge([], [], "open", NOW)[0] == "empty"


def test_all_well_counts_what_runs() -> None:
    state, verdict = judge([HostFact(HOST, UP)], [guest(), guest("server", "stopped")], "open", NOW)
    assert (state, verdict.code, verdict.params) == ("ok", "verdict.ok", {"running": 1, "total": 2})


def test_an_offline_host_outranks_everything() -> None:
    assert said(HOST, DOWN, guest(status="stopped")) == ("offline", "verdict.host_offline")
    assert said(HOST, HostState()) == ("offline", "verdict.host_never_checked")


@pytest.mark.parametrize(
    ("opening", "state"),
    [("open", "warning"), ("before", "warning"), ("unknown", "warning"), ("closed", "ok"), ("after", "ok")],
)
def test_a_till_that_stands_matters_while_the_pharmacy_is_open(opening: OpeningState, state: str) -> None:
    assert said(HOST, UP, guest(status="stopped"), opening=opening)[0] == state


def test_a_server_may_stand_and_an_unknown_till_is_called_so() -> None:
    assert said(HOST, UP, guest("server", "stopped"))[0] == "ok"
    assert said(HOST, UP, guest(status="unknown")) == ("warning", "verdict.vm_unknown")


def test_maintenance_hides_what_is_wrong() -> None:
    host = msgspec.structs.replace(HOST, maintenance=True, maintenance_note="SSD")
    assert said(host, DOWN, guest(status="stopped")) == ("maintenance", "verdict.maintenance")


def test_a_missing_guest_and_an_old_certificate_warn() -> None:
    assert said(HOST, UP, guest(missing=True)) == ("warning", "verdict.vm_missing")
    host = msgspec.structs.replace(HOST, pins=(Pin("AA", NOW + timedelta(days=10, hours=1)),))
    assert said(host, UP, guest()) == ("warning", "verdict.certificate_expiring")
    assert expiry_days(host, NOW) == 10
    assert expiry_days(msgspec.structs.replace(HOST, pins=(Pin("AA"),)), NOW) is None
