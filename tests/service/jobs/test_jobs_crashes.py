"""Whatever host and process do to each other: no item is lost, none is sent twice, none is wrongly reported, and
nobody goes before its turn.

``PHARMQ_CRASH_CASES=10000 pytest tests/service/jobs/test_jobs_crashes.py`` runs the long version.
"""

import asyncio
import contextlib
import logging
import os
import tempfile
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from database_rig import sqlite_database
from jobs_world import Died, FakeGuest, FakeHost, FlowingClock, Life, Process
from pharmq.access import SYSTEM
from pharmq.base.spawn import Spawner
from pharmq.jobs.model import Caps, ItemView, JobView, Verb, VmRef
from pharmq.jobs.options import JobOptions, SnapshotOptions
from pharmq.jobs.outcome import lock_contention
from pharmq.journal import Row
from pharmq.pve import exit_ok

PLAN = ("job.already_running", "job.already_stopped", "job.not_running", "job.no_reset", "job.onboot_already")
CASES = int(os.environ.get("PHARMQ_CRASH_CASES", "25"))
FAULTS = ["", "executed_596", "executed_596", "late_596", "lost_596", "refused", "http_500"]


class GuestPlan(msgspec.Struct, frozen=True):
    kind: str
    as_wanted: bool
    """Already in the state that is asked for."""
    stubborn: bool
    locked_s: float
    faults: tuple[str, ...]


class Case(msgspec.Struct, frozen=True):
    verb: Verb
    force: bool
    guests: tuple[GuestPlan, ...]
    skew: float
    deaf_s: float
    """Seconds from the beginning in which no host answers a read."""
    deaf_after_send_s: float
    options: JobOptions
    pairs: bool
    """Each host has a second guest, a server."""
    deaths: tuple[int, ...]
    """After how many awaits that touch host or database each run of the process dies; the last one lives."""


guest_plans = st.builds(
    GuestPlan,
    kind=st.sampled_from(["qemu", "qemu", "lxc"]),
    as_wanted=st.sampled_from([False, False, False, False, True]),
    stubborn=st.booleans(),
    locked_s=st.sampled_from([0.0, 0.0, 25.0, 200.0]),
    faults=st.lists(st.sampled_from(FAULTS), max_size=3).map(tuple),
)
cases = st.builds(
    Case,
    verb=st.sampled_from(
        [
            *["start"] * 4,
            *["shutdown"] * 2,
            "stop",
            "reboot",
            "reset",
            "suspend",
            "resume",
            "snapshot",
            "snapshot_delete",
            "rollback",
            "backup",
            "onboot",
        ]
    ),
    force=st.booleans(),
    guests=st.lists(guest_plans, min_size=1, max_size=3).map(tuple),
    skew=st.sampled_from([0.0, -86400.0, 5000.0]),
    deaf_s=st.sampled_from([0.0, 0.0, 4.0, 120.0]),
    deaf_after_send_s=st.sampled_from([0.0, 0.0, 20.0, 400.0]),
    options=st.builds(
        JobOptions,
        canary=st.sampled_from([0, 0, 1, 2]),
        stop_above_percent=st.sampled_from([None, None, 0, 50]),
        per_host=st.sampled_from([None, 1]),
        overall=st.sampled_from([None, 1]),
        order=st.sampled_from([(), ("server", "pos"), ("pos", "server")]),
        order_pause_s=st.sampled_from([0, 20]),
        deadline_s=st.sampled_from([None, None, 60]),
        ready_s=st.sampled_from([None, None, 30]),
        snapshot=st.just(SnapshotOptions("x1")),
    ),
    pairs=st.booleans(),
    deaths=st.lists(st.integers(4, 70), max_size=4).map(tuple),
)


class Seen(msgspec.Struct):
    """What there is at the end."""

    job: JobView
    items: list[ItemView]
    rows: list[Row]
    hosts: dict[int, FakeHost]


@settings(max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
@given(case=cases)
def test_nothing_is_lost_sent_twice_or_wrongly_reported(case: Case) -> None:
    logging.disable(logging.ERROR)  # each death is logged by the spawner, as it should be
    try:
        seen = asyncio.run(asyncio.wait_for(live_through(case), 300))
    finally:
        logging.disable(logging.NOTSET)
    if seen is None:
        return
    for item in seen.items:
        judge(case, item, seen.hosts[item.host_id])
        in_turn(case, item, seen)
    stopped_in_time(case, seen)
    outcomes = [row.where.vm_id for row in seen.rows if row.phase == "outcome"]
    acted = [
        item.vm_id
        for item in seen.items
        if item.state != "cancelled" and (item.started_at is not None or item.state != "skipped")
    ]
    assert len(outcomes) == len(set(outcomes)), "an item has two outcomes in the journal"
    assert set(acted) <= set(outcomes)
    # A job whose deadline passed while no process lived ends without having sent anything.
    ended = bool(outcomes) or any(item.state == "cancelled" for item in seen.items)
    assert [row.kind for row in seen.rows].count("job.finished") == (1 if ended else 0)


def judge(case: Case, item: ItemView, host: FakeHost) -> None:
    tasks = [task for task in host.tasks_ if task.upid.id == str(item.vmid)]
    sent = host.sent.count(item.vmid)
    again = sum(lock_contention(task.exit) for task in tasks) if case.verb == "start" else 0
    assert sent <= 1 + again, f"sent {sent} times"
    exit_ = host.exit_of(item.upid) if item.upid else None
    match item.state:
        case "succeeded" | "unknown" | "failed" if case.verb == "onboot":
            # There is no task to look for: what the guest's configuration says is what was done.
            assert host.guests[item.vmid].onboot is (item.state == "succeeded")
        case "succeeded":
            assert exit_ is not None
            assert exit_ok(exit_)
        case "cancelled":
            assert sent == 0
            assert item.reason in ("job.stopped_by_failures", "job.stopped_by_deadline")
        case "failed" if item.upid:
            # A reboot whose task went well may still not bring the guest back.
            assert exit_ is not None
            assert not exit_ok(exit_) or item.reason in ("job.not_back", "job.started_not_ready")
        case "failed":
            assert all(lock_contention(task.exit) for task in tasks)
        case "skipped":
            assert all(not exit_ok(task.exit) for task in tasks)
        case "unknown":
            fresh = [task for task in tasks if not lock_contention(task.exit)]
            assert len(fresh) != 1 or len(tasks) > 1, "one task, and it was not found"
        case state:
            raise AssertionError(f"left in {state}")


def in_turn(case: Case, item: ItemView, seen: Seen) -> None:
    """An item is sent only after those have ended that go before it, and not before the pause is over."""
    if item.started_at is None:
        return
    for other in seen.items:
        earlier_wave = other.wave < item.wave
        earlier_turn = other.host_id == item.host_id and (other.wave, other.turn) < (item.wave, item.turn)
        if other.reason in PLAN or not (earlier_wave or earlier_turn):
            continue
        assert other.finished_at is not None
        assert other.finished_at <= item.started_at, "overtaken"
        if other.wave == item.wave:
            waited = (item.started_at - other.finished_at).total_seconds()
            # When it may go is kept as a float of Unix seconds, which rounds a microsecond.
            assert waited >= case.options.order_pause_s - 0.001, f"only {waited} s after its predecessor"


def stopped_in_time(case: Case, seen: Seen) -> None:
    limit = case.options.fail_limit
    todo = [item for item in seen.items if item.started_at is not None or item.reason not in PLAN]
    bad = [item for item in todo if item.state in ("failed", "unknown")]
    canary = [item for item in todo if item.wave == 0]
    rest = [item for item in todo if item.wave == 1]
    if limit is None:
        assert seen.job.ended_by in (None, "deadline")
    elif rest and sum(item in bad for item in canary) * 100 > limit * len(canary):
        assert all(item.state == "cancelled" for item in rest), "the rest went although the canary failed"
    elif seen.job.ended_by == "failures":
        assert len(bad) * 100 > limit * len(todo)


async def live_through(case: Case) -> Seen | None:
    with tempfile.TemporaryDirectory() as folder:
        url = await sqlite_database(Path(folder) / "jobs.db")
        clock = FlowingClock()
        hosts = {number: make_host(clock, case, number, plan) for number, plan in enumerate(case.guests, 1)}
        async with Spawner("clock") as spawner:
            spawner.spawn(clock.flow(), "flow")
            submitted = False
            for number, dies_at in enumerate((*case.deaths, None)):
                process = Process(
                    url, clock, hosts, owner=f"run-{number}", life=Life(dies_at), caps=Caps(per_host=2, overall=2)
                )
                with contextlib.suppress(Died):
                    await process.jobs.start()
                    if not submitted:
                        refs = [VmRef(host_id, vmid) for host_id, host in hosts.items() for vmid in host.guests]
                        await process.jobs.submit(SYSTEM, case.verb, vms=refs, force=case.force, options=case.options)
                    submitted = True
                    await settled(process)
                    if dies_at is None:
                        return await look(process, hosts)
                submitted = submitted or await has_job(url, clock)
                await process.gone()
    raise AssertionError("the last run must live")


async def settled(process: Process) -> None:
    while process.jobs.board.open_count:
        if process.life.dead.is_set():
            raise Died
        await asyncio.sleep(0.0002)  # spinning would take the time from the thread that the database works in


async def has_job(url: str, clock: FlowingClock) -> bool:
    """A submission that died after its commit counts."""
    process = Process(url, clock, {})
    _, total = await process.jobs.page(SYSTEM)
    await process.gone()
    return total > 0


async def look(process: Process, hosts: dict[int, FakeHost]) -> Seen | None:
    jobs, _ = await process.jobs.page(SYSTEM)
    assert len(jobs) == 1
    items, total = await process.jobs.items(SYSTEM, jobs[0].id)
    assert total == sum(len(host.guests) for host in hosts.values())
    async with process.db.read() as conn:
        rows = await process.journal.read(conn, 0)
    await process.gone()
    return Seen(jobs[0], items, rows, hosts)


def make_host(clock: FlowingClock, case: Case, number: int, plan: GuestPlan) -> FakeHost:
    guest = FakeGuest(
        100,
        kind=plan.kind,
        running=(case.verb in ("start", "resume")) == plan.as_wanted,
        stubborn=plan.stubborn,
        lock_until=plan.locked_s or -1.0,
    )
    guests = [guest, FakeGuest(101, vm_type="server", running=guest.running)] if case.pairs else [guest]
    for each in guests:
        each.snapshots = [] if case.verb == "snapshot" else ["x1"]
        each.agent = "silent" if plan.stubborn else "ok"
    host = FakeHost(clock, guests, skew=case.skew, seed=number)
    host.faults = list(plan.faults)
    host.deaf_until = case.deaf_s
    host.deaf_after_send = case.deaf_after_send_s
    host.older_tasks(100, case.verb)
    return host
