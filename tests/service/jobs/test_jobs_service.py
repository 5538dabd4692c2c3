"""Submitting, running, and what is left behind, against hand-written hosts."""

import asyncio
from pathlib import Path

import pytest

from database_rig import sqlite_database
from jobs_world import FakeClient, FakeHost, FlowingClock, Life, Process
from pharmq.access import SYSTEM, Actor, Grant, Privilege
from pharmq.base.errors import Conflict, Forbidden, Invalid, NotFound
from pharmq.inventory.model import VmFilter
from pharmq.jobs.model import Caps, Counts, ItemView, JobView, Verb, VmRef
from pharmq.jobs.outcome import lock_contention
from pharmq.pve import Guest, Upid

OPERATOR = Actor("user", 7, "operator", (Grant("/host/1", frozenset({Privilege.SEE, Privilege.POWER})),))
VIEWER = Actor("user", 8, "viewer", (Grant("/", frozenset({Privilege.SEE})),))


async def run(
    process: Process, verb: Verb, *refs: VmRef, force: bool = False, timeout_s: int | None = None
) -> tuple[JobView, list[ItemView]]:
    job = await process.jobs.submit(SYSTEM, verb, vms=refs, force=force, timeout_s=timeout_s)
    await process.settled(job.id)
    return await process.jobs.get(SYSTEM, job.id), (await process.jobs.items(SYSTEM, job.id))[0]


async def test_a_stopped_guest_is_started_and_every_step_is_told(process: Process, hosts: dict[int, FakeHost]) -> None:
    job, (item,) = await run(process, "start", VmRef(1, 100))
    assert (job.state, job.counts) == ("done", Counts(succeeded=1, total=1))
    assert hosts[1].guests[100].running
    assert (item.state, item.reason) == ("succeeded", None)
    assert item.upid == hosts[1].tasks_[0].upid.text
    async with process.db.read() as conn:
        rows = await process.journal.read(conn, 0)
    assert [(row.kind, row.phase, row.outcome) for row in rows] == [
        ("power.start", "request", None),
        ("power.start", "outcome", "succeeded"),
        ("job.finished", "event", None),
    ]
    assert {row.act_id for row in rows} == {job.act_id}
    assert rows[1].upid == item.upid
    assert rows[1].where.vm_id == 1100
    assert process.looked == [(1, 100)]
    assert process.jobs.active_task(1100) is None
    assert ("jobs", job.id) in process.touched
    assert ("vms", 1100) in process.touched


async def test_a_running_guest_is_already_so_by_what_we_know(process: Process, hosts: dict[int, FakeHost]) -> None:
    job, (item,) = await run(process, "start", VmRef(1, 102))
    assert (job.state, item.state, item.reason) == ("done", "skipped", "job.already_running")
    assert hosts[1].sent == []
    # What we know may be seconds old.
    assert process.looked == [(1, 102)]


async def test_a_running_guest_is_already_so_by_what_the_host_says(
    process: Process, hosts: dict[int, FakeHost]
) -> None:
    process.targets.changes[1, 102] = {"status": "stopped"}
    _, (item,) = await run(process, "start", VmRef(1, 102))
    assert (item.state, item.reason) == ("skipped", "job.already_running")
    assert hosts[1].sent == [102]


async def test_stop_asks_the_guest_and_cuts_the_power_only_by_force(
    process: Process, hosts: dict[int, FakeHost]
) -> None:
    hosts[1].guests[102].stubborn = True
    _, (item,) = await run(process, "stop", VmRef(1, 102))
    assert (item.state, item.reason) == ("failed", "job.shutdown_timeout")
    assert hosts[1].guests[102].running
    _, (item,) = await run(process, "stop", VmRef(1, 102), force=True)
    assert item.state == "succeeded"
    assert [task.upid.type for task in hosts[1].tasks_] == ["qmshutdown", "qmstop"]
    assert not hosts[1].guests[102].running


async def test_a_start_waits_for_the_lock_that_a_stop_has_left(
    process: Process, hosts: dict[int, FakeHost], flowing: FlowingClock
) -> None:
    hosts[1].guests[100].lock_until = flowing.elapsed + 25
    _, (item,) = await run(process, "start", VmRef(1, 100))
    assert item.state == "succeeded"
    tries = [lock_contention(task.exit) for task in hosts[1].tasks_]
    assert tries == [True] * (len(tries) - 1) + [False]
    assert 3 <= len(hosts[1].sent) == len(tries) <= 4
    hosts[1].guests[101].lock_until = flowing.elapsed + 300
    _, (item,) = await run(process, "start", VmRef(1, 101))
    assert (item.state, item.reason) == ("failed", "job.config_locked")


async def test_a_start_that_has_reached_its_host_is_not_put_back_among_what_waits(
    process: Process, hosts: dict[int, FakeHost], flowing: FlowingClock
) -> None:
    """Its first task found the lock and the host refuses the second sending: the first is the outcome, and is told."""
    hosts[1].guests[100].lock_until = flowing.elapsed + 300
    hosts[1].faults = ["refused", ""]  # the last comes first
    _, (item,) = await run(process, "start", VmRef(1, 100))
    assert (item.state, item.reason) == ("failed", "job.config_locked")
    assert len(hosts[1].tasks_) == 1


async def test_silence_after_sending_is_never_answered_by_sending_again(
    process: Process, hosts: dict[int, FakeHost], flowing: FlowingClock
) -> None:
    hosts[1].skew = -86_400.0
    hosts[1].older_tasks(100, "start")
    hosts[1].faults = ["late_596"]
    _, (item,) = await run(process, "start", VmRef(1, 100))
    assert (item.state, item.upid) == ("succeeded", hosts[1].tasks_[0].upid.text)
    hosts[1].faults = ["lost_596"]
    began = flowing.elapsed
    _, (item,) = await run(process, "start", VmRef(1, 101))
    assert (item.state, item.reason, item.upid) == ("unknown", "job.outcome_unknown", None)
    assert flowing.elapsed - began >= 600
    assert hosts[1].sent == [100, 101]


async def test_a_host_that_falls_silent_right_after_is_asked_when_it_speaks_again(
    process: Process, hosts: dict[int, FakeHost]
) -> None:
    hosts[1].faults, hosts[1].deaf_after_send = ["executed_596"], 400.0
    _, (item,) = await run(process, "start", VmRef(1, 100))
    assert (item.state, item.upid) == ("succeeded", hosts[1].tasks_[0].upid.text)
    hosts[1].faults, hosts[1].deaf_after_send = ["executed_596"], 4000.0
    _, (item,) = await run(process, "start", VmRef(1, 101))
    assert (item.state, item.reason, item.reason_params) == ("unknown", "job.host_silent", {"reason": "timeout"})


async def test_two_new_tasks_are_one_too_many(process: Process, hosts: dict[int, FakeHost]) -> None:
    host = hosts[1]
    hosts[1].faults = ["executed_596"]
    execute = host.execute

    def twice(guest: Guest, verb: str, *, force_stop: bool = False, name: str = "") -> Upid:
        execute(guest, verb, force_stop=force_stop)
        return execute(guest, verb, force_stop=force_stop)

    host.execute = twice  # type: ignore[method-assign]
    _, (item,) = await run(process, "reset", VmRef(1, 102))
    assert (item.state, item.reason) == ("unknown", "job.several_tasks")


async def test_what_did_not_reach_the_host_is_tried_again_and_then_said(
    process: Process, hosts: dict[int, FakeHost]
) -> None:
    hosts[1].faults = ["refused"] * 2
    _, (item,) = await run(process, "start", VmRef(1, 100))
    assert item.state == "succeeded"
    hosts[1].faults = ["refused"] * 9
    _, (item,) = await run(process, "start", VmRef(1, 101))
    assert (item.state, item.reason) == ("failed", "pve.refused")
    assert hosts[1].sent == [100]


async def test_a_reboot_is_done_when_the_guest_is_back(process: Process, hosts: dict[int, FakeHost]) -> None:
    _, (item,) = await run(process, "reboot", VmRef(1, 102))
    assert item.state == "succeeded"
    assert hosts[1].guests[102].started <= process.clock.elapsed


async def test_no_more_at_once_than_the_caps_allow(process: Process, hosts: dict[int, FakeHost]) -> None:
    process.caps = Caps(overall=2, per_host=1)
    most: list[int] = []
    power = FakeClient.power

    async def counted(self: FakeClient, *args: object, **more: object) -> Upid:
        lanes = process.jobs.runner._lanes
        most.append(lanes.load)
        assert all(busy <= 1 for busy in lanes.busy.values())
        return await power(self, *args, **more)  # type: ignore[arg-type]

    FakeClient.power = counted  # type: ignore[assignment]
    try:
        job, _ = await run(process, "start", *(VmRef(host, vmid) for host in hosts for vmid in (100, 101)))
    finally:
        FakeClient.power = power
    assert job.counts == Counts(succeeded=4, total=4)
    assert max(most) == 2


async def test_cancelling_leaves_what_is_under_way_to_end(process: Process, hosts: dict[int, FakeHost]) -> None:
    process.caps = Caps(overall=1, per_host=1)
    job = await process.jobs.submit(SYSTEM, "start", vms=[VmRef(1, 100), VmRef(1, 101)])
    while not hosts[1].sent:
        await asyncio.sleep(0)
    job = await process.jobs.cancel(SYSTEM, job.id)
    assert job.counts.cancelled == 1
    await process.settled(job.id)
    job = await process.jobs.get(SYSTEM, job.id)
    assert (job.state, job.counts) == ("cancelled", Counts(succeeded=1, cancelled=1, total=2))
    assert hosts[1].sent == [100]
    with pytest.raises(Conflict, match=r"job\.over"):
        await process.jobs.cancel(SYSTEM, job.id)


async def test_a_dry_run_says_what_would_be_done_and_does_nothing(process: Process, hosts: dict[int, FakeHost]) -> None:
    process.targets.open = {1}
    process.targets.changes[2, 101] = {"host_reason": "timeout", "host_status": "offline"}
    would = process.jobs.preview(SYSTEM, "start", wanted=VmFilter())
    assert [(item.host_id, item.vmid, item.plan, item.reason) for item in would.items] == [
        (1, 100, "do", None),
        (1, 101, "do", None),
        (1, 102, "skip", "job.already_running"),
        (2, 100, "do", None),
        (2, 101, "skip", "job.host_offline"),
        (2, 102, "skip", "job.already_running"),
    ]
    assert would.open_pharmacies == 1
    assert (await process.jobs.page(SYSTEM))[1] == 0
    assert hosts[1].sent == hosts[2].sent == []


async def test_a_named_guest_needs_the_right_a_filtered_one_is_skipped(
    process: Process, hosts: dict[int, FakeHost]
) -> None:
    with pytest.raises(Forbidden):
        await process.jobs.submit(OPERATOR, "start", vms=[VmRef(1, 100), VmRef(2, 100)])
    with pytest.raises(Forbidden):
        process.jobs.preview(VIEWER, "start", vms=[VmRef(1, 100)])
    with pytest.raises(NotFound):
        await process.jobs.submit(SYSTEM, "start", vms=[VmRef(9, 100)])
    job = await process.jobs.submit(OPERATOR, "start", wanted=VmFilter())
    await process.settled(job.id)
    items, _ = await process.jobs.items(OPERATOR, job.id)
    assert [item.reason for item in items if item.host_id == 2] == ["job.no_permission"] * 3
    assert hosts[2].sent == []
    assert sorted(hosts[1].sent) == [100, 101]
    # A job is seen by who made it and by who sees everything.
    assert (await process.jobs.get(VIEWER, job.id)).id == job.id
    with pytest.raises(NotFound):
        await process.jobs.get(Actor("user", 9, "nobody"), job.id)
    assert (await process.jobs.page(Actor("user", 9, "nobody"))) == ([], 0)
    assert (await process.jobs.page(OPERATOR))[1] == 1


def sees(*paths: str, within: frozenset[str] = frozenset()) -> Actor:
    """Somebody else than who makes jobs, with the right to see these places and to act there."""
    both = frozenset({Privilege.SEE, Privilege.POWER})
    return Actor("user", 9, "seer", tuple(Grant(path, both, within) for path in paths))


async def test_a_job_over_many_is_a_job_of_what_one_may_see(process: Process, hosts: dict[int, FakeHost]) -> None:
    jobs = process.jobs
    hosts[2].faults = ["http_500"]
    hosts[2].guests[101].lock_until = 1e9
    job = await jobs.submit(SYSTEM, "start", wanted=VmFilter())
    alone = await jobs.submit(SYSTEM, "stop", vms=[VmRef(2, 102)])
    for one in (job, alone):
        await process.settled(one.id)
    whole = await jobs.get(VIEWER, job.id)
    assert whole.counts == Counts(succeeded=2, failed=2, skipped=2, total=6)
    process.targets.groups[5] = {1}
    for seer in (
        sees("/pharmacy/1"),
        sees("/host/1"),
        sees("/group/5"),
        sees("/vm/1100", "/vm/1101", "/vm/1102"),
        sees("/", within=frozenset({"/pharmacy/1"})),
    ):
        mine = await jobs.get(seer, job.id)
        assert (mine.state, mine.counts) == ("done", Counts(succeeded=2, skipped=1, total=3)), seer
        assert (mine.act_id, mine.actor.name) == (whole.act_id, "system")
        items, total = await jobs.items(seer, job.id)
        assert ({item.host_id for item in items}, total) == ({1}, 3), seer
        assert await jobs.items(seer, job.id, states=["failed"]) == ([], 0)
        assert await jobs.page(seer) == ([mine], 1), "and not the one that was nowhere here"
        with pytest.raises(NotFound):
            await jobs.get(seer, alone.id)
    for nobody in (sees("/group/6"), sees("/pharmacy/3"), sees("/pharmacy/1", within=frozenset({"/host/2"}))):
        assert await jobs.page(nobody) == ([], 0)
        with pytest.raises(NotFound):
            await jobs.items(nobody, job.id)


async def test_what_one_may_do_with_a_job_of_which_one_sees_a_part(
    process: Process, hosts: dict[int, FakeHost]
) -> None:
    jobs, seer = process.jobs, sees("/pharmacy/1")
    hosts[1].guests[100].lock_until = hosts[2].guests[100].lock_until = 1e9
    job = await jobs.submit(SYSTEM, "start", vms=[VmRef(1, 100), VmRef(1, 101), VmRef(2, 100), VmRef(2, 101)])
    with pytest.raises(Forbidden):
        await jobs.cancel(seer, job.id)
    await process.settled(job.id)
    items, _ = await jobs.items(SYSTEM, job.id)
    logged = {item.host_id: item for item in items if item.upid is not None}
    assert (await jobs.item_log(seer, job.id, logged[1].id)).upid == logged[1].upid
    with pytest.raises(NotFound):
        await jobs.item_log(seer, job.id, logged[2].id)
    assert (await jobs.get(SYSTEM, job.id)).counts.failed == 2
    again = await jobs.retry(seer, job.id, ["failed"])
    assert again.counts.total == 1
    await process.settled(again.id)
    assert [(item.host_id, item.vmid) for item in (await jobs.items(SYSTEM, again.id))[0]] == [(1, 100)]


async def test_a_part_is_over_when_its_own_items_are(process: Process, flowing: FlowingClock) -> None:
    jobs, mine, theirs = process.jobs, sees("/pharmacy/1"), sees("/pharmacy/2")
    process.caps = Caps(overall=1, per_host=1)
    job = await jobs.submit(SYSTEM, "start", vms=[VmRef(1, 100), VmRef(2, 100), VmRef(2, 101)])
    while (now := await jobs.get(mine, job.id)).state != "done":
        await flowing.sleep(0.1)
    assert now.finished_at is not None
    assert (await jobs.get(SYSTEM, job.id)).state == "running"
    assert (await jobs.get(theirs, job.id)).state in ("queued", "running")
    assert [(await jobs.page(mine, state))[1] for state in ("queued", "running", "done", "cancelled")] == [0, 0, 1, 0]
    assert sum([(await jobs.page(theirs, state))[1] for state in ("queued", "running")]) == 1
    await jobs.cancel(SYSTEM, job.id)
    await process.settled(job.id)
    assert [job.state for job in (await jobs.page(mine))[0]] == ["done"]
    assert [job.state for job in (await jobs.page(theirs, "cancelled"))[0]] == ["cancelled"]
    assert (await jobs.get(theirs, job.id)).ended_by == "person"
    assert (await jobs.get(mine, job.id)).ended_by is None


async def test_what_cannot_be_meant_is_refused(process: Process) -> None:
    with pytest.raises(Invalid, match=r"job\.targets"):
        await process.jobs.submit(SYSTEM, "start")
    with pytest.raises(Invalid, match=r"job\.nothing_matches"):
        await process.jobs.submit(SYSTEM, "start", wanted=VmFilter(host_id=(99,)))
    for number in (0, 5, 2**63, 2**80):
        with pytest.raises(NotFound):
            await process.jobs.get(SYSTEM, number)


async def test_the_log_of_a_task_is_the_hosts_own(process: Process, hosts: dict[int, FakeHost]) -> None:
    job, (done, skipped) = await run(process, "start", VmRef(1, 100), VmRef(1, 102))
    log = await process.jobs.item_log(SYSTEM, job.id, done.id)
    assert (log.upid, log.lines, log.total) == (done.upid, ["TASK OK"], 1)
    with pytest.raises(Conflict, match=r"job\.no_task"):
        await process.jobs.item_log(SYSTEM, job.id, skipped.id)
    hosts[1].deaf_until = process.clock.elapsed + 1e9
    with pytest.raises(Conflict, match=r"pve\.timeout"):
        await process.jobs.item_log(SYSTEM, job.id, done.id)


async def test_two_runs_on_one_database_never_do_an_item_twice(
    tmp_path: Path, flowing: FlowingClock, hosts: dict[int, FakeHost]
) -> None:
    url = await sqlite_database(tmp_path / "shared.db")
    one, two = (Process(url, flowing, hosts, owner=owner) for owner in ("run-1", "run-2"))
    await one.jobs.start()
    await two.jobs.start()
    try:
        job = await one.jobs.submit(SYSTEM, "start", vms=[VmRef(host, vmid) for host in hosts for vmid in (100, 101)])
        two.jobs.runner.add(await _queued(two))
        while not all(guest.running for host in hosts.values() for guest in host.guests.values()):
            await asyncio.sleep(0)
        await flowing.sleep(120)
        found, _ = await one.jobs.items(SYSTEM, job.id)
        assert [item.state for item in found] == ["succeeded"] * 4
        assert [sorted(host.sent) for host in hosts.values()] == [[100, 101]] * 2
    finally:
        for process in (one, two):
            await process.jobs.aclose()
            await process.db.close()


async def _queued(process: Process) -> list:  # type: ignore[type-arg]
    async with process.db.read() as conn:
        return await conn.run_sync(process.jobs.store.queued, 0, 100)


async def test_a_new_run_goes_on_watching_at_once_after_an_orderly_end(
    tmp_path: Path, flowing: FlowingClock, hosts: dict[int, FakeHost]
) -> None:
    url = await sqlite_database(tmp_path / "again.db")
    hosts[1].guests[102].stubborn = True
    first = Process(url, flowing, hosts, owner="run-1", life=Life())
    await first.jobs.start()
    job = await first.jobs.submit(SYSTEM, "shutdown", vms=[VmRef(1, 102)])
    while not hosts[1].tasks_:
        await asyncio.sleep(0)
    await flowing.sleep(3)
    await first.jobs.aclose()
    await first.db.close()

    second = Process(url, flowing, hosts, owner="run-2")
    await second.jobs.start()
    task = second.jobs.active_task(1102)
    assert task is not None
    assert task.state == "watching"
    await second.settled(job.id)
    (item,), _ = await second.jobs.items(SYSTEM, job.id)
    assert item.reason == "job.shutdown_timeout"
    assert hosts[1].sent == [102]
    await second.jobs.aclose()
    await second.db.close()
