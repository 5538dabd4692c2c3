"""Whatever host and process do to each other: no item is lost, none is sent twice, none is wrongly reported.

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

from jobs_world import Died, FakeGuest, FakeHost, FlowingClock, Life, Process, make_database
from pharmq.access import SYSTEM
from pharmq.base.spawn import Spawner
from pharmq.jobs.model import Caps, ItemView, Verb, VmRef
from pharmq.jobs.outcome import lock_contention
from pharmq.journal import Row
from pharmq.pve import exit_ok

CASES = int(os.environ.get("PHARMQ_CRASH_CASES", "50"))
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
    verb=st.sampled_from(["start", "start", "shutdown", "stop", "reboot", "reset", "suspend", "resume"]),
    force=st.booleans(),
    guests=st.lists(guest_plans, min_size=1, max_size=3).map(tuple),
    skew=st.sampled_from([0.0, -86400.0, 5000.0]),
    deaf_s=st.sampled_from([0.0, 0.0, 4.0, 120.0]),
    deaf_after_send_s=st.sampled_from([0.0, 0.0, 20.0, 400.0]),
    deaths=st.lists(st.integers(4, 45), max_size=4).map(tuple),
)


class Seen(msgspec.Struct):
    """What there is at the end."""

    items: list[ItemView]
    rows: list[Row]
    hosts: dict[int, FakeHost]


@settings(max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
@given(case=cases)
def test_nothing_is_lost_sent_twice_or_wrongly_reported(case: Case) -> None:
    logging.disable(logging.ERROR)  # each death is logged by the spawner, as it should be
    try:
        seen = asyncio.run(asyncio.wait_for(live_through(case), 60))
    finally:
        logging.disable(logging.NOTSET)
    if seen is None:
        return
    for item in seen.items:
        judge(case, item, seen.hosts[item.host_id])
    outcomes = [row.where.vm_id for row in seen.rows if row.phase == "outcome"]
    acted = [item.vm_id for item in seen.items if item.started_at is not None or item.state != "skipped"]
    assert len(outcomes) == len(set(outcomes)), "an item has two outcomes in the journal"
    assert set(acted) <= set(outcomes)
    assert [row.kind for row in seen.rows].count("job.finished") == (1 if outcomes else 0)


def judge(case: Case, item: ItemView, host: FakeHost) -> None:
    tasks = [task for task in host.tasks_ if task.upid.id == str(item.vmid)]
    sent = host.sent.count(item.vmid)
    again = sum(lock_contention(task.exit) for task in tasks) if case.verb == "start" else 0
    assert sent <= 1 + again, f"sent {sent} times"
    exit_ = host.exit_of(item.upid) if item.upid else None
    match item.state:
        case "succeeded":
            assert exit_ is not None
            assert exit_ok(exit_)
        case "failed" if item.upid:
            # A reboot whose task went well may still not bring the guest back.
            assert exit_ is not None
            assert not exit_ok(exit_) or item.reason == "job.not_back"
        case "failed":
            assert all(lock_contention(task.exit) for task in tasks)
        case "skipped":
            assert all(not exit_ok(task.exit) for task in tasks)
        case "unknown":
            fresh = [task for task in tasks if not lock_contention(task.exit)]
            assert len(fresh) != 1 or len(tasks) > 1, "one task, and it was not found"
        case state:
            raise AssertionError(f"left in {state}")


async def live_through(case: Case) -> Seen | None:
    with tempfile.TemporaryDirectory() as folder:
        url = await make_database(Path(folder) / "jobs.db")
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
                        refs = [VmRef(host_id, 100) for host_id in hosts]
                        await process.jobs.submit(SYSTEM, case.verb, vms=refs, force=case.force)
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
        await asyncio.sleep(0)


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
    assert total == len(hosts)
    async with process.db.read() as conn:
        rows = await process.journal.read(conn, 0)
    await process.gone()
    return Seen(items, rows, hosts)


def make_host(clock: FlowingClock, case: Case, number: int, plan: GuestPlan) -> FakeHost:
    guest = FakeGuest(
        100,
        kind=plan.kind,
        running=(case.verb in ("start", "resume")) == plan.as_wanted,
        stubborn=plan.stubborn,
        lock_until=plan.locked_s or -1.0,
    )
    host = FakeHost(clock, [guest], skew=case.skew, seed=number)
    host.faults = list(plan.faults)
    host.deaf_until = case.deaf_s
    host.deaf_after_send = case.deaf_after_send_s
    host.older_tasks(100, case.verb)
    return host
