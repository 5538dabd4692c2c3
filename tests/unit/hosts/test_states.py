from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pharmq.hosts.model import Check, Host, HostState
from pharmq.hosts.states import Step, step
from pharmq.journal import Where

T0 = datetime(2026, 11, 23, 1, 24, tzinfo=UTC)
HOST = Host(
    id=7,
    pharmacy_id=1,
    host_ip="10.0.0.5",
    addresses=(),
    host_port=8006,
    node="pve",
    credential_id=None,
    credential_kind="password",
    username="root@pam",
    credential_revision=3,
)
WHERE = Where(host_id=7)


def check(second: int, reason: str | None = None, **more: object) -> Check:
    values = {"at": T0 + timedelta(seconds=second), "reason": reason, "credential_revision": 3, **more}
    return Check(**values)  # type: ignore[arg-type]


def run(*checks: Check, start: HostState | None = None) -> tuple[Step, list[str]]:
    state, kinds, last = start or HostState(), [], None
    for one in checks:
        last = step(HOST, state, one, 2, WHERE)
        state = last.state
        kinds += [entry.kind for entry in last.entries]
    assert last is not None
    return last, kinds


def test_the_first_success_makes_it_online_quietly() -> None:
    found, kinds = run(check(0, latency_ms=12))
    assert found.state.online
    assert found.durable
    assert kinds == []
    assert found.state.last_contact == found.state.since == T0


def test_one_failure_is_not_offline_two_are() -> None:
    found, kinds = run(check(0), check(10, "timeout"))
    assert found.state.online
    assert not found.durable
    assert kinds == []
    found, kinds = run(check(0), check(10, "timeout"), check(13, "timeout"))
    assert (found.state.reason, found.state.since) == ("timeout", T0 + timedelta(seconds=13))
    assert kinds == ["host.offline"]
    assert found.state.last_contact == T0


def test_a_success_in_between_forgives() -> None:
    found, kinds = run(check(0), check(10, "timeout"), check(13), check(23, "timeout"))
    assert found.state.online
    assert kinds == []


def test_certificates_and_credentials_need_no_second_look() -> None:
    found, kinds = run(check(0), check(10, "certificate_changed", seen="AA:BB"))
    assert (found.state.reason, found.state.seen) == ("certificate_changed", "AA:BB")
    assert kinds == ["host.offline", "host.certificate_changed"]
    found, kinds = run(check(0), check(10, "credential_refused"))
    assert found.latch
    assert kinds == ["host.offline", "host.credential_refused"]


def test_a_refusal_of_an_earlier_credential_does_not_latch() -> None:
    found, _ = run(check(0), check(10, "credential_refused", credential_revision=2))
    assert not found.latch


def test_the_same_reason_again_is_no_news() -> None:
    found, kinds = run(check(0), *(check(10 + n, "timeout") for n in range(5)))
    assert kinds == ["host.offline"]
    assert not found.durable
    assert found.state.failures == 5
    assert found.state.since == T0 + timedelta(seconds=11)


def test_another_reason_is_a_line_of_history() -> None:
    found, kinds = run(check(0), check(1, "timeout"), check(2, "timeout"), check(3, "refused"))
    assert kinds == ["host.offline", "host.offline"]
    assert found.entries[0].params["was"] == "timeout"
    assert found.state.since == T0 + timedelta(seconds=3)


def test_coming_back_tells_how_long_it_was_away() -> None:
    found, kinds = run(check(0), check(1, "timeout"), check(2, "timeout"), check(62))
    assert kinds == ["host.offline", "host.online"]
    assert found.entries[0].params == {"after": "timeout", "offline_s": 60}


def test_a_second_strange_certificate_is_news_again() -> None:
    found, _ = run(check(0), check(1, "certificate_changed", seen="AA"), check(2, "certificate_changed", seen="BB"))
    assert found.durable
    assert found.state.seen == "BB"


REASONS = st.sampled_from([None, "timeout", "refused", "certificate_changed", "credential_refused", "host_fault"])


@given(st.lists(REASONS, min_size=1, max_size=40))
def test_every_history_alternates_and_the_journal_agrees_with_the_state(reasons: list[str | None]) -> None:
    state, said_offline = HostState(), False
    for second, reason in enumerate(reasons):
        before = state
        found = step(HOST, state, check(second, reason), 2, WHERE)
        state = found.state
        for entry in found.entries:
            if entry.kind == "host.online":
                assert said_offline
                said_offline = False
            elif entry.kind == "host.offline":
                said_offline = True
        if before.reason != state.reason:
            assert found.durable
        if reason is None:
            assert state.online
            assert state.failures == 0
        assert state.online == (not said_offline) or state.reason == "never_checked"
        assert state.last_check == T0 + timedelta(seconds=second)
