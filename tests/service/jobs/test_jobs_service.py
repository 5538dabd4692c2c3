"""Submitting, running, and what is left behind, against hand-written hosts."""

from jobs_world import FakeHost, Process

from pharmq.access import SYSTEM
from pharmq.jobs.model import Counts, VmRef


async def test_a_stopped_guest_is_started_and_every_step_is_told(process: Process, hosts: dict[int, FakeHost]) -> None:
    job = await process.jobs.submit(SYSTEM, "start", vms=[VmRef(1, 100)])
    assert job.state == "queued"
    await process.settled(job.id)

    job = await process.jobs.get(SYSTEM, job.id)
    assert (job.state, job.counts) == ("done", Counts(succeeded=1, total=1))
    assert hosts[1].guests[100].running
    (item,), total = await process.jobs.items(SYSTEM, job.id)
    assert (item.state, item.reason, total) == ("succeeded", None, 1)
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
