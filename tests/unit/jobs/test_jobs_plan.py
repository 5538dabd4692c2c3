from typing import Any

import pytest
from msgspec.structs import replace

from pharmq.access import scope_of
from pharmq.jobs.model import VERBS, Target, Verb
from pharmq.jobs.plan import plan

TARGET = Target(
    vm_id=1,
    host_id=1,
    vmid=100,
    vm_name="POS-1",
    guest_type="qemu",
    node_name="pve",
    pharmacy_id=1,
    pharmacy_name="강남온누리약국",
    status="running",
    pve_status="running",
    scope=scope_of(vm_id=1),
)


def reason(verb: Verb, *, force: bool = False, **facts: Any) -> str | None:
    return plan(replace(TARGET, **facts), verb, force=force).reason


@pytest.mark.parametrize(
    ("verb", "running", "stopped", "suspended"),
    [
        ("start", "job.already_running", None, "job.paused"),
        ("shutdown", None, "job.already_stopped", "job.paused"),
        ("stop", None, "job.already_stopped", "job.paused"),
        ("reboot", None, "job.not_running", "job.paused"),
        ("reset", None, "job.not_running", None),
        ("suspend", None, "job.not_running", "job.already_suspended"),
        ("resume", "job.already_running", "job.not_running", None),
    ],
)
def test_what_is_already_so_is_not_done(
    verb: Verb, running: str | None, stopped: str | None, suspended: str | None
) -> None:
    assert reason(verb, status="running") == running
    assert reason(verb, status="stopped") == stopped
    assert reason(verb, status="suspended") == suspended
    assert reason(verb, status="unknown") is None


@pytest.mark.parametrize("verb", VERBS)
def test_what_cannot_be_done_is_skipped_whatever_the_verb(verb: Verb) -> None:
    assert reason(verb, missing=True, status="unknown") == "job.missing"
    assert reason(verb, template=True, status="stopped") == (None if verb == "backup" else "job.template")
    assert reason(verb, host_status="offline", host_reason="timeout", status="unknown") == "job.host_offline"


def test_maintenance_is_for_filters_only() -> None:
    assert reason("shutdown", host_status="maintenance", named=False) == "job.maintenance"
    assert reason("shutdown", host_status="maintenance", named=True) is None
    assert reason("shutdown", host_status="maintenance", host_reason="refused") == "job.host_offline"


def test_a_paused_guest_is_stopped_only_by_force() -> None:
    assert reason("stop", status="suspended", force=True) is None
    assert reason("shutdown", status="suspended", force=True) is None
    assert reason("reboot", status="suspended", force=True) == "job.paused"


def test_a_guest_suspended_to_disk_is_started_or_resumed() -> None:
    assert reason("start", status="stopped", lock="suspended") is None
    assert reason("resume", status="stopped", lock="suspended") is None
    assert reason("reboot", status="stopped", lock="suspended") == "job.not_running"


def test_a_lock_is_named() -> None:
    decision = plan(replace(TARGET, lock="backup"), "shutdown", force=False)
    assert (decision.plan, decision.reason, decision.params) == ("skip", "job.locked", {"lock": "backup"})
    assert reason("start", lock="backup") == "job.already_running"


def test_containers_have_no_reset() -> None:
    assert reason("reset", guest_type="lxc") == "job.no_reset"
    assert reason("reboot", guest_type="lxc") is None


@pytest.mark.parametrize("verb", ["snapshot", "rollback", "snapshot_delete", "backup"])
def test_care_makes_sense_in_any_state_but_a_locked_one(verb: Verb) -> None:
    for status in ("running", "stopped", "suspended", "unknown"):
        assert reason(verb, status=status) is None
    assert reason(verb, status="running", lock="backup") == "job.locked"


def test_the_start_at_boot_is_set_once() -> None:
    assert reason("onboot", status="running", onboot=True) == "job.onboot_already"
    assert reason("onboot", status="running", onboot=False, lock="backup") is None
    assert reason("onboot", status="stopped", onboot=None) is None
