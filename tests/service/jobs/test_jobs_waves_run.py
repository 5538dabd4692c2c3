"""Waves, limits, order, deadline, retry and readiness, lived through against hand-written hosts."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from database_rig import sqlite_database
from jobs_world import FakeClient, FakeGuest, FakeHost, FlowingClock, Process
from pharmq.access import SYSTEM, Actor, Grant, Privilege
from pharmq.base.errors import Conflict, Forbidden, Invalid, NotFound
from pharmq.inventory.model import VmFilter
from pharmq.jobs.model import ItemView, JobView, Verb, VmRef
from pharmq.jobs.options import BackupOptions, JobOptions, SnapshotOptions
from pharmq.pve import Guest, Upid

ALL = VmFilter()
SERVER_FIRST: Any = ("server", "pos", "kiosk")


@pytest.fixture
def hosts(flowing: FlowingClock) -> dict[int, FakeHost]:
    """Four hosts with a server, a POS and a kiosk each, all off."""
    kinds = ("kiosk", "pos", "server")
    return {
        number: FakeHost(flowing, [FakeGuest(100 + n, vm_type=kind) for n, kind in enumerate(kinds)])
        for number in range(1, 5)
    }


class Log:
    """Which guest was told what, and when."""

    def __init__(self, hosts: dict[int, FakeHost], clock: FlowingClock) -> None:
        self.told: list[tuple[int, int, float]] = []
        for number, host in hosts.items():
            self._follow(number, host, clock)

    def _follow(self, number: int, host: FakeHost, clock: FlowingClock) -> None:
        execute = host.execute

        def followed(guest: Guest, verb: str, *, force_stop: bool = False, name: str = "") -> Upid:
            self.told.append((number, guest.vmid, clock.elapsed))
            return execute(guest, verb, force_stop=force_stop, name=name)

        host.execute = followed  # type: ignore[method-assign]


async def done(process: Process, job: JobView) -> tuple[JobView, list[ItemView]]:
    await process.settled(job.id)
    return await process.jobs.get(SYSTEM, job.id), (await process.jobs.items(SYSTEM, job.id, 1000))[0]


async def run(process: Process, verb: Verb, options: JobOptions, **more: Any) -> tuple[JobView, list[ItemView]]:
    wanted = {} if "vms" in more else {"wanted": ALL}
    return await done(process, await process.jobs.submit(SYSTEM, verb, options=options, **wanted, **more))


async def test_the_rest_begins_when_the_canary_is_through(
    process: Process, hosts: dict[int, FakeHost], flowing: FlowingClock
) -> None:
    log = Log(hosts, flowing)
    job = await process.jobs.submit(SYSTEM, "start", wanted=ALL, options=JobOptions(canary=2))
    held = [item.held for item in (await process.jobs.items(SYSTEM, job.id))[0]]
    assert held.count(True) == 10
    job, items = await done(process, job)
    assert (job.counts.succeeded, job.ended_by) == (12, None)
    canary = {(item.host_id, item.vmid) for item in items if item.wave == 0}
    assert {(host, vmid) for host, vmid, _ in log.told[:2]} == canary
    through = max(item.finished_at for item in items if item.wave == 0 and item.finished_at)
    began = min(item.started_at for item in items if item.wave == 1 and item.started_at)
    assert began >= through


async def test_a_canary_that_fails_stops_the_rest(process: Process, hosts: dict[int, FakeHost]) -> None:
    hosts[1].guests[100].lock_until = 1e9
    job, items = await run(process, "start", JobOptions(canary=2))
    assert (job.state, job.ended_by) == ("cancelled", "failures")
    assert (job.counts.failed, job.counts.succeeded, job.counts.cancelled) == (1, 1, 10)
    assert {item.reason for item in items if item.state == "cancelled"} == {"job.stopped_by_failures"}
    assert sum(len(host.tasks_) for host in hosts.values() if host is not hosts[1]) == 1
    async with process.db.read() as conn:
        rows = await process.journal.read(conn, 0)
    assert rows[-1].kind == "job.finished"
    assert rows[-1].params["cancelled"] == 10
    board = process.jobs.board.job(job.id)
    assert board is not None
    assert (board.ended_by, board.counts) == ("failures", job.counts)
    assert all(process.jobs.active_task(item.vm_id) is None for item in items)


async def test_more_failures_than_allowed_stop_a_job_in_its_midst(process: Process, hosts: dict[int, FakeHost]) -> None:
    process.caps = type(process.caps)(overall=1, per_host=1)
    hosts[1].faults = ["http_500"] * 3
    job, _ = await run(process, "start", JobOptions(stop_above_percent=20))
    assert job.ended_by == "failures"
    assert job.counts.failed == 3, "more than 20 % of twelve are three"
    assert job.counts.cancelled > 0


async def test_server_before_pos_before_kiosk_with_pauses(
    process: Process, hosts: dict[int, FakeHost], flowing: FlowingClock
) -> None:
    log = Log(hosts, flowing)
    hosts[2].guests[102].lock_until = 1e9  # a server that does not start holds nobody back for ever
    job, items = await run(process, "start", JobOptions(order=SERVER_FIRST, order_pause_s=20))
    assert (job.counts.succeeded, job.counts.failed) == (11, 1)
    for number in (1, 3, 4):
        mine = [(vmid, at) for host, vmid, at in log.told if host == number]
        assert [vmid for vmid, _ in mine] == [102, 101, 100]
        assert all(later[1] - earlier[1] >= 20 for earlier, later in itertools.pairwise(mine))
    assert [item.turn for item in items if item.host_id == 1] == [2, 1, 0]


async def test_order_and_pauses_survive_a_restart(
    tmp_path: Path, hosts: dict[int, FakeHost], flowing: FlowingClock
) -> None:
    url = await sqlite_database(tmp_path / "jobs.db")
    log = Log(hosts, flowing)
    first = Process(url, flowing, hosts)
    await first.jobs.start()
    await first.jobs.submit(SYSTEM, "start", wanted=ALL, options=JobOptions(order=SERVER_FIRST, order_pause_s=60))
    while not all(host.guests[102].running for host in hosts.values()):
        await flowing.sleep(1.0)
    await flowing.sleep(10.0)
    await first.jobs.aclose()
    await first.db.close()
    second = Process(url, flowing, hosts, owner="run-2")
    await second.jobs.start()
    await second.settled(1)
    job = await second.jobs.get(SYSTEM, 1)
    assert job.counts.succeeded == 12
    for number in hosts:
        mine = [(vmid, at) for host, vmid, at in log.told if host == number]
        assert [vmid for vmid, _ in mine] == [102, 101, 100]
        assert all(later[1] - earlier[1] >= 60 for earlier, later in itertools.pairwise(mine))
    await second.jobs.aclose()
    await second.db.close()


async def test_a_job_keeps_to_its_own_limits(process: Process, hosts: dict[int, FakeHost]) -> None:
    most = {"overall": 0, "host": 0}
    moved = process.jobs.board.moved

    def watch(item: Any) -> None:
        moved(item)
        lanes = process.jobs.runner._lanes
        most["overall"] = max(most["overall"], lanes.load)
        most["host"] = max(most["host"], *lanes.busy.values(), 0)

    process.jobs.board.moved = watch  # type: ignore[method-assign]
    job, _ = await run(process, "start", JobOptions(overall=2, per_host=1))
    assert job.counts.succeeded == 12
    assert most == {"overall": 2, "host": 1}


async def test_what_has_not_begun_by_the_deadline_is_cancelled(process: Process, hosts: dict[int, FakeHost]) -> None:
    for host in hosts.values():
        for guest in host.guests.values():
            guest.running = guest.stubborn = True
    process.caps = type(process.caps)(overall=3, per_host=1)
    job, items = await run(process, "shutdown", JobOptions(deadline_s=30))
    assert (job.state, job.ended_by, job.counts.failed) == ("cancelled", "deadline", 3)
    assert {item.reason for item in items if item.state == "cancelled"} == {"job.stopped_by_deadline"}


async def test_what_failed_is_done_again_with_the_same_options(process: Process, hosts: dict[int, FakeHost]) -> None:
    hosts[1].faults = ["http_500"]
    job, items = await run(process, "start", JobOptions(overall=5))
    (failed,) = [item for item in items if item.state == "failed"]
    again, (item,) = await done(process, await process.jobs.retry(SYSTEM, job.id, ["failed"]))
    assert (again.verb, again.options, again.counts.succeeded) == ("start", job.options, 1)
    assert again.cause is not None
    assert (again.cause.kind, again.cause.id) == ("retry", job.id)
    assert item.vm_id == failed.vm_id
    with pytest.raises(Conflict) as caught:
        await process.jobs.retry(SYSTEM, job.id, ["unknown"])
    assert caught.value.code == "job.nothing_to_retry"
    with pytest.raises(NotFound):
        await process.jobs.retry(SYSTEM, 99, ["failed"])
    async with process.db.read() as conn:
        rows = [row for row in await process.journal.read(conn, 0) if row.params.get("job_id") == again.id]
    assert all(row.params["cause"]["id"] == job.id for row in rows)


async def test_a_running_job_is_not_retried_and_one_without_rights_neither(
    process: Process, hosts: dict[int, FakeHost]
) -> None:
    hosts[1].faults = ["http_500"]
    job = await process.jobs.submit(SYSTEM, "start", wanted=ALL)
    with pytest.raises(Conflict) as caught:
        await process.jobs.retry(SYSTEM, job.id, ["failed"])
    assert caught.value.code == "job.not_over"
    await process.settled(job.id)
    viewer = Actor("user", 8, "viewer", (Grant("/", frozenset({Privilege.SEE})),))
    again, (item,) = await done(process, await process.jobs.retry(viewer, job.id, ["failed"]))
    assert (item.state, item.reason, again.counts.skipped) == ("skipped", "job.no_permission", 1)


# --- started means usable


async def test_started_means_that_the_agent_answers(
    process: Process, hosts: dict[int, FakeHost], flowing: FlowingClock
) -> None:
    hosts[1].guests[100].boots_s = 40.0
    hosts[1].guests[101].agent = "silent"
    hosts[1].guests[102].agent = "off"
    began = flowing.elapsed
    job, items = await run(process, "start", JobOptions(ready_s=60), vms=[VmRef(1, 100), VmRef(1, 101), VmRef(1, 102)])
    found = {item.vmid: (item.state, item.reason) for item in items}
    assert found == {
        100: ("succeeded", None),
        101: ("failed", "job.started_not_ready"),
        102: ("succeeded", "job.readiness_untold"),
    }
    assert flowing.elapsed - began >= 60
    assert hosts[1].guests[101].running
    assert job.counts.failed == 1


async def test_a_picture_is_as_good_as_an_agent(process: Process, hosts: dict[int, FakeHost]) -> None:
    asked: list[tuple[int, int]] = []

    async def picture(host_id: int, vm_id: int) -> bool:
        asked.append((host_id, vm_id))
        return len(asked) > 1

    process.jobs.runner.afterwards.picture = picture
    hosts[1].guests[101].agent = "off"
    _, (item,) = await run(process, "start", JobOptions(ready_s=60), vms=[VmRef(1, 101)])
    assert (item.state, item.reason) == ("succeeded", None)
    assert asked == [(1, 1101)] * 2


async def test_agents_of_one_host_are_asked_one_at_a_time(
    process: Process, hosts: dict[int, FakeHost], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = most = 0
    ping = FakeClient.agent_ping

    async def counted(self: FakeClient, guest: Guest) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        try:
            await ping(self, guest)
        finally:
            now -= 1

    monkeypatch.setattr(FakeClient, "agent_ping", counted)
    refs = [VmRef(1, vmid) for vmid in (100, 101, 102)]
    job, _ = await run(process, "start", JobOptions(ready_s=60), vms=refs)
    assert (job.counts.succeeded, most) == (3, 1)


# --- snapshots, backups, the start at boot


async def test_snapshots_and_backups_are_jobs_like_any_other(process: Process, hosts: dict[int, FakeHost]) -> None:
    named = JobOptions(snapshot=SnapshotOptions("before-update"))
    guest = hosts[1].guests[100]
    one: Any = {"vms": [VmRef(1, 100)]}
    _, (item,) = await run(process, "snapshot", named, **one)
    assert (item.state, guest.snapshots) == ("succeeded", ["before-update"])
    _, (item,) = await run(process, "snapshot", named, **one)
    assert (item.state, item.reason) == ("failed", "job.task_failed")
    assert "already used" in str(item.reason_params["detail"])
    _, (item,) = await run(process, "rollback", named, **one)
    assert item.state == "succeeded"
    _, (item,) = await run(process, "snapshot_delete", named, **one)
    assert (item.state, guest.snapshots) == ("succeeded", [])
    hosts[1].faults = ["executed_596"]
    _, (item,) = await run(process, "backup", JobOptions(backup=BackupOptions(storage="local")), **one)
    assert (item.state, guest.backups) == ("succeeded", 1)
    async with process.db.read() as conn:
        kinds = {row.kind for row in await process.journal.read(conn, 0)}
    assert kinds == {"guest.snapshot", "guest.rollback", "guest.snapshot_delete", "guest.backup", "job.finished"}
    with pytest.raises(Invalid) as caught:
        await process.jobs.submit(SYSTEM, "rollback", vms=[VmRef(1, 100)])
    assert caught.value.code == "job.needs_snapshot"


@pytest.mark.parametrize(("fault", "state"), [("", "succeeded"), ("late_596", "succeeded"), ("lost_596", "unknown")])
async def test_the_start_at_boot_is_set_and_looked_up_in_doubt(
    process: Process, hosts: dict[int, FakeHost], fault: str, state: str
) -> None:
    hosts[1].faults = [fault] if fault else []
    _, (item,) = await run(process, "onboot", JobOptions(), vms=[VmRef(1, 100)])
    assert (item.state, item.upid) == (state, None)
    assert hosts[1].guests[100].onboot is (state == "succeeded")
    assert hosts[1].sent == [100]


async def test_each_verb_needs_its_own_right(process: Process) -> None:
    power = Actor("user", 9, "power", (Grant("/", frozenset({Privilege.SEE, Privilege.POWER})),))
    named = JobOptions(snapshot=SnapshotOptions("x1"))
    for verb in ("snapshot", "rollback", "snapshot_delete", "backup", "onboot"):
        with pytest.raises(Forbidden):
            await process.jobs.submit(power, verb, vms=[VmRef(1, 100)], options=named)  # type: ignore[arg-type]


async def test_a_dry_run_shows_waves_and_open_pharmacies(process: Process) -> None:
    process.targets.open = {1, 3}
    process.targets.changes[3, 100] = {"status": "running"}
    found = process.jobs.preview(SYSTEM, "start", wanted=ALL, options=JobOptions(canary=2, order=SERVER_FIRST))
    assert found.open_pharmacies == 2
    assert [item.plan for item in found.items].count("skip") == 1
    assert {(item.host_id, item.vmid) for item in found.items if item.wave == 0 and item.plan == "do"} == {
        (1, 102),
        (2, 102),
    }
    assert {item.pharmacy_id for item in found.items if item.open} == {1, 3}
    assert [item.vm_type for item in found.items][:3] == ["kiosk", "pos", "server"]
