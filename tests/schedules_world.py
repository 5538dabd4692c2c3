"""Schedules over a real jobs room, hand-written hosts and a clock that is moved by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from jobs_world import FakeGuest, FakeHost, FlowingClock, Process
from pharmq.access import SYSTEM, Actor
from pharmq.hosts.directory import Directory
from pharmq.hosts.model import Host, HostState, Hours, Pharmacy
from pharmq.inventory.model import Vm
from pharmq.jobs.forms import FilterIn
from pharmq.schedules.model import Owner, ScheduleForm, TargetsIn
from pharmq.schedules.rules import Weekly, When
from pharmq.schedules.service import SchedulesService
from pharmq.schedules.serving import Around
from pharmq.schedules.store import SchedulesStore

OPEN = (("09:00", "19:00"),)
EVERY_DAY = Hours(mon=OPEN, tue=OPEN, wed=OPEN, thu=OPEN, fri=OPEN, sat=OPEN, sun=OPEN)
DAILY = Weekly(days=("mon", "tue", "wed", "thu", "fri", "sat", "sun"), times=("08:30",))
ALL = TargetsIn(filter=FilterIn())


class HandClock(FlowingClock):
    """The wall clock stands where it is put; durations flow by themselves."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self.at = at

    def now(self) -> datetime:
        return self.at


class FakeView:
    """Guests as the inventory would hold them; ``vm_ids`` may be changed to play a reused VMID."""

    def __init__(self, hosts: dict[int, FakeHost]) -> None:
        self.hosts = hosts
        self.vm_ids: dict[tuple[int, int], int] = {}

    def at(self, host_id: int, vmid: int) -> Vm | None:
        host = self.hosts.get(host_id)
        if host is None or vmid not in host.guests:
            return None
        return self._vm(host_id, vmid)

    def get(self, vm_id: int) -> Vm | None:
        return self.at(vm_id // 1000, vm_id % 1000)

    def _vm(self, host_id: int, vmid: int) -> Vm:
        now = datetime.now().astimezone()
        return Vm(
            id=self.vm_ids.get((host_id, vmid), host_id * 1000 + vmid),
            host_id=host_id,
            vmid=vmid,
            guest_type="qemu",
            name=f"POS-{vmid}",
            kind="pos",
            kind_source="default",
            node="pve",
            status="stopped",
            pve_status="stopped",
            last_sync=now,
            created_at=now,
        )


class HandStore(SchedulesStore):
    """The database's time is the clock's."""

    clock: HandClock

    async def now(self, conn: AsyncConnection) -> datetime:
        return self.clock.now()


class Manager:
    """One run of PharmQ: jobs, schedules, a directory of pharmacies (1 .. n, each with the host of its number)."""

    def __init__(self, url: str, clock: HandClock, hosts: dict[int, FakeHost], owner: str, **more: Any) -> None:
        self.clock = clock
        self.process = Process(url, clock, hosts, owner=owner, **more)
        self.directory = Directory()
        for number in hosts:
            self.directory.put_pharmacy(Pharmacy(number, f"P-{number}", f"약국 {number}", hours=EVERY_DAY))
            host = Host(number, number, f"192.0.2.{number}", (), 8006, "pve", None, "password", "root@pam", 1)
            self.directory.put_host(host, HostState(reason=None))
        self.view = FakeView(hosts)
        store = HandStore(self.process.db)
        store.clock = clock
        self.actors: dict[int | None, Actor | None] = {None: SYSTEM}
        self.schedules = SchedulesService(
            Around(
                self.process.db,
                store,
                self.process.journal,
                self.process.jobs,
                self.view,  # type: ignore[arg-type]
                self.directory,
                self._actor,
            ),
            clock,
        )

    async def _actor(self, owner: Owner) -> Actor | None:
        return self.actors.get(owner.id)

    def offline(self, *host_ids: int) -> None:
        for host_id in host_ids:
            self.directory.put_state(host_id, HostState(reason="timeout", since=self.clock.now()))
            for vmid in self.process.targets.hosts[host_id].guests:
                self.process.targets.changes[host_id, vmid] = {"host_status": "offline", "host_reason": "timeout"}

    def online(self, *host_ids: int) -> None:
        for host_id in host_ids:
            self.directory.put_state(host_id, HostState(reason=None, since=self.clock.now()))
            for vmid in self.process.targets.hosts[host_id].guests:
                self.process.targets.changes.pop((host_id, vmid), None)

    async def at(self, moment: datetime, *, finish: bool = True) -> None:
        """Put the clock there and look; then let the jobs end."""
        self.clock.at = moment
        await self.schedules.keeper.look()
        if finish:
            await self.finished()

    async def finished(self) -> None:
        for job in list(self.process.jobs.board.open_jobs()):
            await self.process.settled(job.id)
        await self.schedules.keeper.look()

    async def runs(self, schedule_id: int) -> list[tuple[str, str, str | None]]:
        """(local time, state, reason), oldest first."""
        found, _ = await self.schedules.runs(SYSTEM, schedule_id, 1000, 0)
        return [(f"{run.slot_at:%d %H:%M}", run.state, run.reason) for run in reversed(found)]

    async def gone(self) -> None:
        await self.schedules.aclose()
        await self.process.jobs.aclose()
        await self.process.db.close()


@asynccontextmanager
async def manager(
    url: str, clock: HandClock, hosts: dict[int, FakeHost], owner: str = "run-1"
) -> AsyncIterator[Manager]:
    made = Manager(url, clock, hosts, owner)
    await made.process.jobs.start()
    try:
        yield made
    finally:
        await made.gone()


def make_hosts(clock: HandClock, count: int = 2) -> dict[int, FakeHost]:
    return {number: FakeHost(clock, [FakeGuest(100), FakeGuest(101)]) for number in range(1, count + 1)}


def form(**more: Any) -> ScheduleForm:
    given: dict[str, Any] = {"name": "아침 시작", "verb": "start", "targets": ALL, "when": When(rule=DAILY)}
    return ScheduleForm(**(given | more))
