"""A small world for jobs: a clock that runs by itself, hosts that can die and lie, and a process that can crash.

Every await that touches a host or the database passes ``Life.point()``, before and after. At the chosen one the
process is dead: nothing of it takes effect from then on, just as after a power cut.
"""

import asyncio
import heapq
import itertools
import random
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.access import SYSTEM, Actor, Scope, scope_of
from pharmq.base.errors import NotFound
from pharmq.db import Database, Tx
from pharmq.inventory.model import VmFilter
from pharmq.jobs.course import Pace
from pharmq.jobs.model import Caps, Item, Target, VmRef
from pharmq.jobs.service import JobsService
from pharmq.jobs.store import JobsStore
from pharmq.journal import Journal
from pharmq.pve import (
    AgentUnavailable,
    AlreadyRunning,
    Current,
    Guest,
    GuestConfig,
    HostFault,
    LogLine,
    NotRunning,
    OutcomeUnknown,
    ParameterRefused,
    TaskLog,
    TaskRow,
    TaskStatus,
    Unreachable,
    Upid,
    Verb,
)
from pharmq.pve.decode import decode_config

NO_TASK = "UPID:pve:00000001:00000001:00000001:none:0:root@pam:"
START = datetime(2026, 11, 23, 1, 24, tzinfo=UTC)


class Died(BaseException):
    """The process is no more."""


class FlowingClock:
    """Time that goes on to the next sleeper as soon as nothing else has happened for a moment of real time."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self.busy = 0
        """Real I/O under way: time stands still meanwhile."""

    def now(self) -> datetime:
        return START + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.elapsed + seconds, next(self._order), woken))
        await woken

    async def flow(self) -> None:
        """Run beside the work, for ever."""
        idle = 0
        while True:
            await asyncio.sleep(0)
            idle = 0 if self.busy else idle + 1
            if self.busy:
                await asyncio.sleep(0.0002)
            if idle < 6:
                continue
            idle = 0
            while self._sleepers:
                due, _, woken = heapq.heappop(self._sleepers)
                if not woken.done():
                    self.elapsed = max(self.elapsed, due)
                    woken.set_result(None)
                    break
            else:
                await asyncio.sleep(0.0002)


class Life:
    """One run of the process; ``dies_at`` counts the points it passes, None for a run that nothing ends."""

    def __init__(self, dies_at: int | None = None) -> None:
        self.dies_at = dies_at
        self.passed = 0
        self.dead = asyncio.Event()

    def point(self) -> None:
        self.passed += 1
        if self.dies_at is not None and self.passed >= self.dies_at:
            self.dead.set()
        if self.dead.is_set():
            raise Died


class MortalDatabase(Database):
    """A database as a process sees it that may die before, in and right after a transaction."""

    def __init__(self, url: str, life: Life, clock: FlowingClock) -> None:
        super().__init__(url)
        self.life = life
        self.flowing = clock

    @asynccontextmanager
    async def transaction(self, *, durable: bool = False) -> AsyncIterator[Tx]:
        self.life.point()
        self.flowing.busy += 1
        try:
            async with super().transaction(durable=durable) as tx:
                yield tx
                # Dying here is dying before the commit.
                self.life.point()
        finally:
            self.flowing.busy -= 1
        self.life.point()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        self.life.point()
        self.flowing.busy += 1
        try:
            async with super().read() as conn:
                yield conn
        finally:
            self.flowing.busy -= 1


class SimTask:
    def __init__(self, upid: Upid, ends: float, exit_: str) -> None:
        self.upid = upid
        self.ends = ends
        self.exit = exit_


class FakeGuest(msgspec.Struct):
    vmid: int
    vm_type: str = "pos"
    agent: str = "ok"
    """``ok`` from ``boots_s`` after the start, ``off`` (not configured), ``silent``."""
    boots_s: float = 8.0
    onboot: bool = False
    snapshots: list[str] = []
    backups: int = 0
    kind: str = "qemu"
    running: bool = False
    started: float = -3600.0
    lock_until: float = -1.0
    stubborn: bool = False
    """Ignores a clean shutdown."""


CARE_TASKS = {"snapshot": "snapshot", "rollback": "rollback", "snapshot_delete": "delsnapshot"}


def task_type(kind: str, verb: str) -> str:
    """What Proxmox calls the task of a verb."""
    if verb == "backup":
        return "vzdump"
    if verb in CARE_TASKS:
        return f"{'vz' if kind == 'lxc' else 'qm'}{CARE_TASKS[verb]}"
    if kind == "lxc":
        return f"vz{verb}"
    return "qmpause" if verb == "suspend" else f"qm{verb}"


class FakeHost:
    """One Proxmox host, true to facts where power is concerned. It outlives the processes that talk to it.

    ``faults`` are drawn for each write: ``executed_596`` (silence, but done, possibly later), ``lost_596`` (silence,
    never done), ``refused`` (not reached). ``deaf_until``: no read is answered before.
    """

    def __init__(self, clock: FlowingClock, guests: Sequence[FakeGuest], *, skew: float = 0.0, seed: int = 0) -> None:
        self.clock = clock
        self.guests = {guest.vmid: guest for guest in guests}
        self.skew = skew
        self.draw = random.Random(seed)
        self.faults: list[str] = []
        self.tasks_: list[SimTask] = []
        self.sent: list[int] = []
        """VMIDs of requests that left for the host and may have been carried out."""
        self.deaf_until = -1.0
        self.deaf_after_send = 0.0
        """Seconds for which the host goes silent once it has been told to do something."""
        self.ancient: list[TaskRow] = []
        self._pid = itertools.count(4000)

    def _time(self) -> int:
        return int((self.clock.now() + timedelta(seconds=self.skew)).timestamp())

    def _guest(self, vmid: int) -> FakeGuest:
        return self.guests[vmid]

    def hear(self) -> None:
        if self.clock.elapsed < self.deaf_until:
            raise Unreachable("timeout", "no answer")

    def execute(self, guest: Guest, verb: str, *, force_stop: bool = False, name: str = "") -> Upid:
        """What the daemon does when it gets the request: a task, or a refusal at once."""
        it = self._guest(guest.vmid)
        now = self.clock.elapsed
        if it.kind == "lxc" and verb == "start" and it.running:
            raise AlreadyRunning(f"CT {it.vmid} already running")
        if verb in ("reboot", "reset", "suspend", "resume") and not it.running:
            raise NotRunning(f"VM {it.vmid} not running")
        pid, pstart, at = next(self._pid), 1000, self._time()
        text = f"UPID:pve:{pid:08X}:{pstart:08X}:{at:08X}:{task_type(it.kind, verb)}:{it.vmid}:root@pam:"
        upid, took, said = Upid.parse(text), 1.0, "OK"
        if now < it.lock_until:
            took, said = 10.0, f"can't lock file '/var/lock/qemu-server/lock-{it.vmid}.conf' - got timeout"
        elif verb == "start":
            if it.running:
                said = f"VM {it.vmid} already running"
            else:
                it.running, it.started = True, now
        elif verb == "shutdown":
            if it.stubborn and not force_stop:
                took, said = 60.0, "VM quit/powerdown failed - got timeout"
            else:
                it.running = False
        elif verb == "stop":
            it.running = False
        elif verb in ("reboot", "reset"):
            it.started = now + 2
        elif verb == "backup":
            took = 5.0
            it.backups += 1
        elif verb == "snapshot":
            if name in it.snapshots:
                said = f"snapshot name '{name}' already used"
            else:
                it.snapshots.append(name)
        elif verb in ("rollback", "snapshot_delete"):
            if name not in it.snapshots:
                said = f"snapshot '{name}' does not exist"
            elif verb == "snapshot_delete":
                it.snapshots.remove(name)
        self.tasks_.append(SimTask(upid, now + took, said))
        return upid

    def older_tasks(self, vmid: int, verb: str) -> None:
        """Tasks of the same kind from before: none of them is ours."""
        at = self._time()
        self.ancient = [
            TaskRow(
                upid=f"UPID:pve:00000F0{n}:00001000:{at - n * 60:08X}:{task_type(kind, verb)}:{vmid}:root@pam:",
                node="pve",
                type=task_type(kind, verb),
                id=str(vmid),
                user="root@pam",
                starttime=at - n * 60,
                endtime=at,
                status="OK",
            )
            for n in range(3)
            for kind in ("qemu", "lxc")
        ]

    def rows(self, vmid: int | None) -> tuple[TaskRow, ...]:
        found = []
        for task in reversed(self.tasks_):
            if vmid is None or task.upid.id == str(vmid):
                over = self.clock.elapsed >= task.ends
                found.append(
                    TaskRow(
                        upid=task.upid.text,
                        node="pve",
                        type=task.upid.type,
                        id=task.upid.id,
                        user="root@pam",
                        starttime=task.upid.starttime,
                        endtime=self._time() if over else None,
                        status=task.exit if over else None,
                    )
                )
        return (*found, *self.ancient)

    def exit_of(self, upid: str) -> str | None:
        """How a task ends, whether it has by now or not."""
        return next((task.exit for task in self.tasks_ if task.upid.text == upid), None)


class FakeClient:
    """``PowerClient`` of one process to one host."""

    def __init__(self, host: FakeHost, life: Life) -> None:
        self.host = host
        self.life = life

    async def _travel(self) -> None:
        self.life.point()
        await asyncio.sleep(0)

    async def power(
        self,
        guest: Guest,
        verb: Verb,
        *,
        timeout_s: int | None = None,
        force_stop: bool = False,
        overrule_shutdown: bool = False,
    ) -> Upid:
        return await self._told(guest, verb, force_stop=force_stop)

    async def snapshot(self, guest: Guest, name: str, *, description: str = "", memory: bool = False) -> Upid:
        return await self._told(guest, "snapshot", name=name)

    async def rollback(self, guest: Guest, name: str, *, start: bool = False) -> Upid:
        return await self._told(guest, "rollback", name=name)

    async def delete_snapshot(self, guest: Guest, name: str) -> Upid:
        return await self._told(guest, "snapshot_delete", name=name)

    async def backup(
        self,
        guest: Guest,
        *,
        storage: str | None = None,
        mode: str = "snapshot",
        compress: str = "zstd",
        notes: str = "",
    ) -> Upid:
        return await self._told(guest, "backup")

    async def set_onboot(self, guest: Guest, *, on: bool) -> None:
        await self._told(guest, "onboot")

    async def config(self, guest: Guest) -> GuestConfig:
        await self._travel()
        self.host.hear()
        self.life.point()
        return decode_config(b'{"data":{"onboot":%d}}' % self.host.guests[guest.vmid].onboot)

    async def agent_ping(self, guest: Guest) -> None:
        await self._travel()
        self.host.hear()
        self.life.point()
        it = self.host.guests[guest.vmid]
        if it.agent == "off":
            raise AgentUnavailable("No QEMU guest agent configured")
        if not it.running:
            raise NotRunning(f"VM {it.vmid} is not running")
        if it.agent == "silent" or self.host.clock.elapsed - it.started < it.boots_s:
            await self.host.clock.sleep(3.0)
            raise AgentUnavailable("QEMU guest agent is not running")

    async def _told(self, guest: Guest, verb: str, *, force_stop: bool = False, name: str = "") -> Upid:
        """A write on its way to the host, with whatever goes wrong there."""
        await self._travel()
        host = self.host
        fault = host.faults.pop() if host.faults else ""
        if fault == "refused":
            raise Unreachable("refused", "connection refused")
        if fault == "http_500":
            raise HostFault(500, "got no worker upid - start worker failed")
        host.sent.append(guest.vmid)
        if host.deaf_after_send:
            host.deaf_until = host.clock.elapsed + host.deaf_after_send
        if fault == "lost_596":
            await host.clock.sleep(30)
            raise OutcomeUnknown("596 Connection timed out")

        def do() -> Upid:
            if verb == "onboot":
                host.guests[guest.vmid].onboot = True
                return Upid.parse(NO_TASK)
            return host.execute(guest, verb, force_stop=force_stop, name=name)

        if fault in ("executed_596", "late_596"):
            if fault == "late_596":
                # The process may die long before the daemon wakes; the host does it all the same.
                asyncio.get_running_loop().create_task(self._later(do))
            else:
                self._quietly(do)
            await host.clock.sleep(30)
            self.life.point()
            raise OutcomeUnknown("596 Connection timed out")
        upid = do()
        self.life.point()
        return upid

    async def _later(self, do: Callable[[], Upid]) -> None:
        await self.host.clock.sleep(45)
        self._quietly(do)

    def _quietly(self, do: Callable[[], Upid]) -> None:
        try:
            do()
        except (AlreadyRunning, NotRunning):
            return  # the refusal was said to nobody

    async def tasks(self, node: str, *, vmid: int | None = None, limit: int = 50) -> tuple[TaskRow, ...]:
        await self._travel()
        self.host.hear()
        self.life.point()
        return self.host.rows(vmid)[:limit]

    async def task_status(self, upid: Upid) -> TaskStatus:
        await self._travel()
        self.host.hear()
        self.life.point()
        for task in self.host.tasks_:
            if task.upid.text == upid.text:
                if self.host.clock.elapsed < task.ends:
                    return TaskStatus("running")
                return TaskStatus("stopped", task.exit)
        raise ParameterRefused("no such task")

    async def task_log(self, upid: Upid, start: int = 0, limit: int = 50) -> TaskLog:
        await self._travel()
        self.host.hear()
        return TaskLog((LogLine(1, "TASK OK"),), 1)

    async def current(self, guest: Guest) -> Current:
        await self._travel()
        self.host.hear()
        it = self.host.guests[guest.vmid]
        up = it.running and self.host.clock.elapsed >= it.started
        uptime = int(self.host.clock.elapsed - it.started) if up else 0
        return Current("running" if up else "stopped", uptime=uptime)


class FakeTargets:
    """``Targets`` over fakes: host i belongs to pharmacy i, VM ids are host * 1000 + VMID."""

    def __init__(self, hosts: dict[int, FakeHost]) -> None:
        self.hosts = hosts
        self.open: set[int] = set()
        self.groups: dict[int, set[int]] = {}
        self.changes: dict[tuple[int, int], dict[str, object]] = {}

    def target(self, host_id: int, vmid: int, *, named: bool = True) -> Target:
        guest = self.hosts[host_id].guests[vmid]
        made = Target(
            vm_id=host_id * 1000 + vmid,
            host_id=host_id,
            vmid=vmid,
            vm_name=f"POS-{vmid}",
            guest_type=guest.kind,  # type: ignore[arg-type]
            node_name="pve",
            pharmacy_id=host_id,
            pharmacy_name=f"약국 {host_id}",
            status="running" if guest.running else "stopped",
            pve_status="running" if guest.running else "stopped",
            scope=self._scope(host_id, vmid),
            named=named,
            kind=guest.vm_type,
            onboot=guest.onboot,
        )
        return msgspec.structs.replace(made, **self.changes.get((host_id, vmid), {}))

    def _scope(self, host_id: int, vmid: int) -> Scope:
        return scope_of(pharmacy_id=host_id, host_id=host_id, vm_id=host_id * 1000 + vmid)

    def named(self, actor: Actor, refs: Sequence[VmRef]) -> list[Target]:
        for ref in refs:
            if ref.host_id not in self.hosts or ref.vmid not in self.hosts[ref.host_id].guests:
                raise NotFound("job.vm_not_found")
        return [self.target(ref.host_id, ref.vmid) for ref in refs]

    def matching(self, actor: Actor, wanted: VmFilter) -> list[Target]:
        return [
            self.target(host_id, vmid, named=False)
            for host_id, host in self.hosts.items()
            if not wanted.host_id or host_id in wanted.host_id
            for vmid in host.guests
        ]

    def scope(self, item: Item) -> Scope:
        return self._scope(item.host_id, item.vmid)

    def members(self, group_id: int) -> Collection[int]:
        return self.groups.get(group_id, ())

    def open_now(self, pharmacy_id: int) -> bool:
        return pharmacy_id in self.open


class Process:
    """PharmQ's jobs room as one run of the process knows it."""

    def __init__(
        self,
        url: str,
        clock: FlowingClock,
        hosts: dict[int, FakeHost],
        *,
        owner: str = "run-1",
        life: Life | None = None,
        caps: Caps | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.life = life or Life()
        self.clock = clock
        self.db = MortalDatabase(url, self.life, clock)
        self.journal = Journal(clock)
        self.targets = FakeTargets(hosts)
        self.looked: list[tuple[int, int]] = []
        self.touched: list[tuple[str, int]] = []
        self.caps = caps or Caps()
        self.jobs = JobsService(
            db=self.db,
            clock=clock,
            journal=self.journal,
            targets=self.targets,
            clients=lambda host_id: FakeClient(hosts[host_id], self.life),
            account=lambda host_id: "root@pam",
            caps=lambda: self.caps,
            look=lambda host_id, vmid: self.looked.append((host_id, vmid)),
            touch=lambda kind, number: self.touched.append((kind, number)),
            owner=owner,
            pace=pace or Pace(),
        )
        self.jobs.store.__class__ = VirtualLeases
        self.jobs.store.flowing = clock  # type: ignore[attr-defined]

    async def settled(self, job_id: int, actor: Actor = SYSTEM) -> None:
        """Wait until the job has ended, or the process has."""
        while not self.life.dead.is_set():
            job = self.jobs.board.job(job_id)
            if job is not None and job.state in ("done", "cancelled"):
                return
            await asyncio.sleep(0)

    async def gone(self) -> None:
        """What an operating system does with a dead process: its tasks and its connections end."""
        await self.jobs.runner._spawner.aclose()
        await self.db.close()


class VirtualLeases(JobsStore):
    """Leases by the flowing clock, which plays the database's."""

    flowing: FlowingClock

    def clock(self, conn: Connection) -> float:
        return self.flowing.elapsed
