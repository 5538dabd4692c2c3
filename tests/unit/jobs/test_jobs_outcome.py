"""Texts are those of recordings 02-lifecycle, 07-proxy-errors and 10-lxc."""

import pytest

from pharmq.jobs.model import Ending, ItemState, Mark, Verb
from pharmq.jobs.outcome import back_after_reboot, candidates, command, mark_of, of_exit, of_refusal, task_types
from pharmq.pve import AlreadyRunning, Current, Locked, NotRunning, PermissionDenied, TaskRow

LOCKED = "can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout"


@pytest.mark.parametrize(
    ("verb", "text", "state", "reason"),
    [
        ("start", "OK", "succeeded", None),
        ("start", "WARNINGS: 1", "succeeded", "job.warnings"),
        ("start", "VM 100 already running", "skipped", "job.already_running"),
        ("reboot", "VM 100 already running", "failed", "job.task_failed"),
        ("start", LOCKED, "failed", "job.config_locked"),
        ("shutdown", LOCKED, "failed", "job.config_locked"),
        ("shutdown", "VM quit/powerdown failed - got timeout", "failed", "job.shutdown_timeout"),
        ("stop", "VM quit/powerdown failed - got timeout", "failed", "job.shutdown_timeout"),
        ("reboot", "VM quit/powerdown failed - got timeout", "failed", "job.shutdown_timeout"),
        ("shutdown", "received interrupt", "failed", "job.interrupted"),
        ("start", "VM is locked (backup)", "failed", "job.task_failed"),
        ("start", "unexpected status", "unknown", "job.task_cut"),
        ("start", "", "unknown", "job.task_cut"),
    ],
)
def test_an_exit_status_becomes_an_ending(verb: Verb, text: str, state: ItemState, reason: str | None) -> None:
    ending = of_exit(verb, text, force=False)
    assert (ending.state, ending.reason) == (state, reason)
    if reason in ("job.task_failed", "job.shutdown_timeout", "job.warnings"):
        assert ending.params == {"detail": text}


def test_a_refusal_at_once_becomes_an_ending() -> None:
    assert of_refusal("start", AlreadyRunning("CT 200 already running")) == Ending("skipped", "job.already_running")
    assert of_refusal("stop", NotRunning("CT 200 not running")) == Ending("skipped", "job.already_stopped")
    assert of_refusal("reboot", NotRunning("VM 101 not running")) == Ending("skipped", "job.not_running")
    denied = of_refusal("start", PermissionDenied("no", "/vms/100", "VM.PowerMgmt"))
    assert (denied.state, denied.reason, denied.params["privilege"]) == (
        "failed",
        "pve.permission_denied",
        "VM.PowerMgmt",
    )
    assert of_refusal("start", Locked("VM is locked (backup)")).reason == "pve.locked"


def test_stop_cuts_the_power_only_by_force() -> None:
    assert command("stop", force=False).verb == "shutdown"
    assert not command("stop", force=False).force_stop
    assert command("stop", force=True)[:3] == ("stop", False, True)
    assert command("shutdown", force=True)[:2] == ("shutdown", True)
    assert task_types("qemu", "stop", force=False) == {"qmshutdown", "hastop"}
    assert task_types("qemu", "stop", force=True) == {"qmstop", "hastop"}
    assert task_types("lxc", "suspend", force=False) == {"vzsuspend"}


def row(number: int, at: int, kind: str = "qmstart", user: str = "root@pam") -> TaskRow:
    return TaskRow(
        upid=f"UPID:pve:{number:08X}:00001000:{at:08X}:{kind}:100:{user}:", type=kind, starttime=at, user=user
    )


START = task_types("qemu", "start", force=False)


def test_only_what_is_not_in_the_mark_is_a_candidate() -> None:
    before = [row(1, 1000), row(2, 1010), row(3, 1010, "vncproxy")]
    mark = mark_of(before, START)
    assert candidates(before, mark, START, user="root@pam") == []
    # In the same second as one of the mark, and even before it, should the host's clock have been put back.
    for at in (1010, 900, 5000):
        assert candidates([row(9, at), *before], mark, START, user="root@pam") == [row(9, at)]


def test_other_kinds_other_people_and_other_items_are_no_candidates() -> None:
    mark = Mark()
    rows = [row(1, 10), row(2, 11, "qmstop"), row(3, 12, user="admin@pve"), row(4, 13, user="root@pam!t")]
    assert candidates(rows, mark, START, user="root@pam!t") == [rows[0], rows[3]]
    assert candidates(rows, mark, START, user="root@pam", known=frozenset({rows[0].upid})) == [rows[3]]


def test_a_long_history_is_cut_off_by_time() -> None:
    history = [row(number, 1000 + number) for number in range(40)]
    mark = mark_of(history, START)
    assert len(mark.upids) == 10
    assert candidates([row(99, 1040), *history], mark, START, user="root@pam") == [row(99, 1040)]


def test_a_reboot_is_over_when_the_guest_runs_again() -> None:
    assert not back_after_reboot(Current("running", uptime=5000), 3.0)
    assert not back_after_reboot(Current("stopped"), 3.0)
    assert back_after_reboot(Current("running", uptime=1), 3.0)
