"""Jobs through the real client, over real TLS, against simulated hosts, with pollers and inventory beside them."""

from collections.abc import AsyncIterator, Sequence

import pytest

from hosts_rig import ADMIN, Rig
from pharmq.base.clock import ManualClock
from pharmq.db import Database
from pharmq.inventory.model import VmFilter
from pharmq.jobs.model import Caps, ItemView, Verb, VmRef
from pharmq.jobs.service import JobsService
from pharmq.jobs.targets import InventoryTargets
from pharmq.journal import Journal
from pharmq.vault import Vault
from pharmq_sim.host import SimHost
from pharmq_sim.testing import SimFleet


class Jobs:
    """One simulated host, known and polled, and the jobs room over it."""

    def __init__(self, rig: Rig, host: SimHost, host_id: int) -> None:
        self.rig, self.host, self.host_id = rig, host, host_id
        self.service = self.make("run-1")
        rig.inventory.rows.task_of = self.service.active_task

    def make(self, owner: str) -> JobsService:
        rig = self.rig
        return JobsService(
            db=rig.db,
            clock=rig.clock,
            journal=rig.journal,
            targets=InventoryTargets(rig.inventory, rig.directory, rig.clock),
            clients=rig.clients.get,
            account=self.account,
            caps=Caps,
            look=lambda host_id, vmid: rig.fleet.look_now([host_id], vmid),
            touch=lambda kind, number: None,
            owner=owner,
        )

    def account(self, host_id: int) -> str:
        host = self.rig.directory.host(host_id)
        return host.username if host else ""

    async def run(self, verb: Verb, *vmids: int, force: bool = False, timeout_s: int | None = None) -> list[ItemView]:
        refs: Sequence[VmRef] = [VmRef(self.host_id, vmid) for vmid in vmids]
        job = await self.service.submit(ADMIN, verb, vms=refs, force=force, timeout_s=timeout_s)
        await self.rig.until(lambda: not self.service.board.open_count, limit=900)
        return (await self.service.items(ADMIN, job.id))[0]

    def status(self, vmid: int) -> str:
        return self.rig.inventory.view.of_host(self.host_id)[vmid].status


@pytest.fixture
async def jobs(db: Database, journal: Journal, vault: Vault, clock: ManualClock) -> AsyncIterator[Jobs]:
    async with SimFleet(1, clock=clock) as sim, Rig(db, journal, vault, clock) as rig:
        row = await rig.add(sim[0])
        await rig.fleet.start()
        await rig.until(lambda: len(rig.inventory.view.of_host(row.id)) == 4)
        made = Jobs(rig, sim[0], row.id)
        await made.service.start()
        yield made
        await made.service.aclose()


async def test_a_row_follows_its_guest_within_a_second_of_the_hosts_clock(jobs: Jobs) -> None:
    (item,) = await jobs.run("start", 102)
    assert (item.state, item.reason) == ("succeeded", None)
    ended = item.finished_at
    assert ended is not None
    await jobs.rig.until(lambda: jobs.status(102) == "running", step=0.1, limit=1.0)
    log = await jobs.rig.moving(jobs.service.item_log(ADMIN, item.job_id, item.id))
    assert log.upid == item.upid
    assert log.lines[-1].startswith("TASK OK")
    outcome = next(row for row in await jobs.rig.history("power.start") if row.phase == "outcome")
    assert (outcome.outcome, outcome.upid, outcome.where.vm_id) == ("succeeded", item.upid, item.vm_id)


async def test_every_verb_ends_as_its_task_does(jobs: Jobs) -> None:
    for verb, vmid, after in (
        ("suspend", 100, "suspended"),
        ("resume", 100, "running"),
        ("reset", 100, "running"),
        ("reboot", 100, "running"),
        ("shutdown", 100, "stopped"),
        ("shutdown", 200, "stopped"),
        ("start", 200, "running"),
        ("reboot", 200, "running"),
    ):
        (item,) = await jobs.run(verb, vmid)  # type: ignore[arg-type]
        assert (verb, vmid, item.state, item.reason) == (verb, vmid, "succeeded", None)
        await jobs.rig.until(lambda vmid=vmid, after=after: jobs.status(vmid) == after, limit=5)  # type: ignore[misc]


async def test_a_guest_that_does_not_listen_is_stopped_only_by_force(jobs: Jobs) -> None:
    jobs.host.world.guests[101].acpi = False
    (item,) = await jobs.run("stop", 101, timeout_s=5)
    assert (item.state, item.reason) == ("failed", "job.shutdown_timeout")
    (item,) = await jobs.run("stop", 101, force=True)
    assert item.state == "succeeded"
    # Stop and at once start: the lock that the stop leaves is waited for.
    (item,) = await jobs.run("start", 101)
    assert (item.state, item.reason) == ("succeeded", None)


async def test_an_executed_596_is_found_in_the_task_list_and_not_sent_again(jobs: Jobs) -> None:
    jobs.host.faults.set("clock_skew", s=-7200)
    # Polls go on with a fresh ticket of the host's own time: the login is a write as well.
    await jobs.rig.moving(jobs.rig.clock.sleep(40), step=1.0)
    jobs.host.faults.set("596_executed")
    (item,) = await jobs.run("start", 102)
    assert (item.state, item.reason, item.reason_params) == ("succeeded", None, {})
    started = [task for task in jobs.host.world.tasks if task.type == "qmstart"]
    assert len(started) == 1
    assert item.upid == started[0].upid


async def test_a_filter_runs_over_everything_that_can_be_done(jobs: Jobs) -> None:
    would = jobs.service.preview(ADMIN, "shutdown", wanted=VmFilter(type=("pos", "kiosk", "server")))
    assert {item.vmid: item.reason for item in would.items} == {100: None, 101: None, 102: "job.already_stopped"}
    job = await jobs.service.submit(ADMIN, "shutdown", wanted=VmFilter(type=("pos", "kiosk", "server")))
    row = jobs.rig.inventory.row(jobs.rig.inventory.at(ADMIN, jobs.host_id, 100))
    assert row.task is not None
    assert row.task.verb == "shutdown"
    await jobs.rig.until(lambda: not jobs.service.board.open_count)
    job = await jobs.service.get(ADMIN, job.id)
    assert (job.state, job.counts.succeeded, job.counts.skipped) == ("done", 2, 1)


async def test_a_host_that_goes_silent_is_watched_until_it_answers(jobs: Jobs) -> None:
    jobs.host.world.guests[101].shutdown_s = 20
    job = await jobs.service.submit(ADMIN, "shutdown", vms=[VmRef(jobs.host_id, 101)])
    await jobs.rig.until(lambda: _watching(jobs))
    jobs.host.faults.set("refused")
    await jobs.rig.moving(jobs.rig.clock.sleep(60), step=2.0)
    assert jobs.service.board.open_count == 1
    jobs.host.faults.clear()
    await jobs.rig.until(lambda: not jobs.service.board.open_count)
    (item,), _ = await jobs.service.items(ADMIN, job.id)
    assert item.state == "succeeded"


def _watching(jobs: Jobs) -> bool:
    vm = jobs.rig.inventory.view.of_host(jobs.host_id)[101]
    task = jobs.service.active_task(vm.id)
    return task is not None and task.state == "watching"
