"""Power for one guest or thousands: who may, what would happen, doing it, and how far it is."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from pharmq.access import EVERYTHING, Actor, Privilege, Scope, allows, allows_everywhere, require
from pharmq.base.clock import Clock
from pharmq.base.errors import Conflict, Invalid, NotFound, Unavailable
from pharmq.base.ids import new_act_id
from pharmq.db import Database
from pharmq.inventory.model import TaskRef, VmFilter
from pharmq.jobs.board import Board, Touch
from pharmq.jobs.course import Pace, PowerClient, Surroundings
from pharmq.jobs.events import finished_entry, request_entry
from pharmq.jobs.model import (
    MAX_ID,
    MAX_ITEMS,
    ActorRef,
    Caps,
    Counts,
    Decision,
    DryRun,
    Item,
    ItemView,
    JobState,
    JobView,
    PlannedItem,
    Target,
    TaskLogView,
    Verb,
    VmRef,
)
from pharmq.jobs.permission import ActorNow, require_each
from pharmq.jobs.plan import plan
from pharmq.jobs.runner import Runner
from pharmq.jobs.store import JobsStore
from pharmq.journal import Journal
from pharmq.pve import PveError, Upid

Planned = list[tuple[Target, Decision]]


class Targets(Protocol):
    """Guests as jobs see them; ``InventoryTargets`` is the real one, tests have a hand-written one."""

    def named(self, actor: Actor, refs: Sequence[VmRef]) -> list[Target]:
        """Raises NotFound for one that does not exist or may not be seen."""
        ...

    def matching(self, actor: Actor, wanted: VmFilter) -> list[Target]:
        """Those the actor may see."""
        ...

    def scope(self, item: Item) -> Scope:
        """The guest of an item with its ancestors as they are now; never fails."""
        ...

    def open_now(self, pharmacy_id: int) -> bool: ...


class JobsService:
    """``clients(host_id)`` gives that host's client, ``account(host_id)`` our user there (``root@pam``);
    ``look(host_id, vmid)`` asks the pollers to look at a guest at once; ``touch(kind, id)`` tells the stream."""

    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        journal: Journal,
        targets: Targets,
        clients: Callable[[int], PowerClient],
        account: Callable[[int], str],
        caps: Callable[[], Caps],
        look: Callable[[int, int], None],
        touch: Touch,
        owner: str,
        pace: Pace = Pace(),  # noqa: B008 - an immutable tuple
        actor_now: ActorNow | None = None,
    ) -> None:
        self.db = db
        self.clock = clock
        self.journal = journal
        self.targets = targets
        self.store = JobsStore(db, owner)
        self.board = Board(touch)
        self._clients = clients
        self._look = look
        scope = targets.scope
        around = Surroundings(
            db, self.store, self.board, journal, clock, clients, account, scope, look, pace, actor_now
        )
        self.runner = Runner(around, caps)
        self._started = False

    async def start(self) -> None:
        """Load what is open, take over what a dead run left, begin to work."""
        async with self.db.read() as conn:
            open_jobs = await self.store.open_jobs(conn)
            open_items = await self.store.open_items(conn)
            ended, _ = await self.store.page(conn, self.store.in_state("done", "cancelled"), 20, 0)
        of_job: dict[int, list[Item]] = {}
        for item in open_items:
            of_job.setdefault(item.job_id, []).append(item)
        for job in reversed(ended):
            self.board.archive(job)
        for job in open_jobs:
            self.board.put(job, of_job.get(job.id, []))
        await self.runner.start()
        self._started = True

    async def aclose(self) -> None:
        """Stop working. Tasks on hosts run on; the next start finds them."""
        if self._started:
            self._started = False
            await self.runner.aclose()

    # --- what other rooms show

    def active_task(self, vm_id: int) -> TaskRef | None:
        """What is under way on a guest: the ``task`` of its row."""
        return self.board.task(vm_id)

    def open_count(self, actor: Actor) -> int:
        """Open jobs that the actor may see."""
        if allows_everywhere(actor, Privilege.SEE):
            return self.board.open_count
        return sum(_own(actor, job) for job in self.board.open_jobs())

    # --- acting

    def preview(
        self,
        actor: Actor,
        verb: Verb,
        *,
        vms: Sequence[VmRef] | None = None,
        wanted: VmFilter | None = None,
        force: bool = False,
    ) -> DryRun:
        """What ``submit`` would do now. Raises as it does."""
        planned = self._plan(actor, verb, vms, wanted, force=force)
        touched = {target.pharmacy_id for target, decision in planned if decision.plan == "do"}
        return DryRun(
            [_planned_item(target, decision) for target, decision in planned],
            sum(self.targets.open_now(pharmacy_id) for pharmacy_id in touched),
        )

    async def submit(
        self,
        actor: Actor,
        verb: Verb,
        *,
        vms: Sequence[VmRef] | None = None,
        wanted: VmFilter | None = None,
        force: bool = False,
        timeout_s: int | None = None,
    ) -> JobView:
        """Make a job of it, durably, and begin. Either ``vms`` or ``wanted`` names the guests.

        Raises NotFound or Forbidden (whole) when a named guest may not be seen or acted upon, Invalid when nothing
        is named or matches, or too many; guests of a filter that may not be acted upon are skipped.
        """
        if not self._started:
            raise Unavailable("job.not_ready")
        planned = self._plan(actor, verb, vms, wanted, force=force)
        if not planned:
            raise Invalid("job.nothing_matches")
        now = self.clock.now()
        act_id = new_act_id(now)
        skipped = sum(decision.plan == "skip" for _, decision in planned)
        nothing_to_do = skipped == len(planned)
        counts = Counts(queued=len(planned) - skipped, skipped=skipped, total=len(planned))
        async with self.db.transaction(durable=True) as tx:
            job_id = await self.store.add_job(
                tx.conn,
                act_id=act_id,
                verb=verb,
                force=force,
                timeout_s=timeout_s,
                actor=ActorRef.of(actor),
                source=actor.source,
                now=now,
                state="queued",
            )
            await self.store.add_items(tx.conn, job_id, planned, now)
            if nothing_to_do:
                await self.store.begin_job(tx.conn, job_id, now)
                await self.store.close_job(tx.conn, job_id, now)
            items = await self.store.items_of(tx.conn, job_id)
            state: JobState = "done" if nothing_to_do else "queued"
            job = JobView(
                id=job_id,
                act_id=act_id,
                verb=verb,
                force=force,
                actor=ActorRef.of(actor),
                state=state,
                created_at=now,
                started_at=now if nothing_to_do else None,
                finished_at=now if nothing_to_do else None,
                counts=counts,
            )
            only = planned[0][0].scope if len(planned) == 1 else None
            await self.journal.append(tx, request_entry(job, actor.source, only))
            tx.after_commit(lambda: self._take_up(job, items))
        for target, decision in planned:
            if decision.plan == "skip":
                # What we skip by may be seconds old: have it looked at again.
                self._look(target.host_id, target.vmid)
        return job

    def _take_up(self, job: JobView, items: list[Item]) -> None:
        if items:
            self.board.put(job, items)
            self.runner.add(items)
        else:
            self.board.archive(job)

    def _plan(
        self, actor: Actor, verb: Verb, vms: Sequence[VmRef] | None, wanted: VmFilter | None, *, force: bool
    ) -> Planned:
        if (vms is None) == (wanted is None):
            raise Invalid("job.targets")
        if vms is not None:
            targets = self.targets.named(actor, list(dict.fromkeys(vms)))
            require_each(actor, Privilege.POWER, targets)
        else:
            assert wanted is not None
            targets = self.targets.matching(actor, wanted)
        if len(targets) > MAX_ITEMS:
            raise Invalid("job.too_many", params={"count": len(targets), "limit": MAX_ITEMS})
        return [
            (
                target,
                plan(target, verb, force=force)
                if allows(actor, Privilege.POWER, target.scope)
                else Decision("skip", "job.no_permission"),
            )
            for target in targets
        ]

    async def cancel(self, actor: Actor, job_id: int) -> JobView:
        """Cancel what has not been sent; what is under way ends by itself. Raises NotFound, Conflict when it ended."""
        job = await self.get(actor, job_id)
        if not _own(actor, job):
            require(actor, Privilege.POWER, EVERYTHING)
        if job.state not in ("queued", "running"):
            raise Conflict("job.over")
        now = self.clock.now()
        async with self.db.transaction(durable=True) as tx:
            ids = await self.store.cancel(tx.conn, job_id, now)
            items = await self.store.items(tx.conn, ids)
            await self.store.begin_job(tx.conn, job_id, now)
            counts = await self.store.close_job(tx.conn, job_id, now)
            if counts is not None and items:
                await self.journal.append(tx, finished_entry(items[0], counts))
            tx.after_commit(lambda: self._cancelled(job_id, items, counts, now))
        return await self.get(actor, job_id)

    def _cancelled(self, job_id: int, items: list[Item], counts: Counts | None, now: datetime) -> None:
        for item in items:
            self.board.moved(item)
        if counts is not None:
            self.board.ended(job_id, counts, now)

    # --- looking

    async def page(
        self, actor: Actor, state: JobState | None = None, limit: int = 100, offset: int = 0
    ) -> tuple[list[JobView], int]:
        """Newest first, and how many there are. Who may not see everything sees their own."""
        own = None if allows_everywhere(actor, Privilege.SEE) else ActorRef.of(actor)
        conditions = [*self.store.of_actor(own), *(self.store.in_state(state) if state else ())]
        async with self.db.read() as conn:
            jobs, total = await self.store.page(conn, conditions, limit, offset)
        return [self.board.job(job.id) or job for job in jobs], total

    async def get(self, actor: Actor, job_id: int) -> JobView:
        """Raises NotFound."""
        job = self.board.job(job_id)
        if job is None and 0 < job_id <= MAX_ID:
            async with self.db.read() as conn:
                job = await self.store.job(conn, job_id)
        if job is None or not (_own(actor, job) or allows_everywhere(actor, Privilege.SEE)):
            raise NotFound("job.not_found", params={"id": job_id})
        return job

    async def items(self, actor: Actor, job_id: int, limit: int = 100, offset: int = 0) -> tuple[list[ItemView], int]:
        """In the order of submission. Raises NotFound."""
        await self.get(actor, job_id)
        async with self.db.read() as conn:
            return await self.store.item_page(conn, job_id, limit, offset)

    async def item_log(self, actor: Actor, job_id: int, item_id: int, limit: int = 500) -> TaskLogView:
        """The host's log of an item's task, asked now. Raises NotFound, Conflict without a task or when
        the host does not answer."""
        await self.get(actor, job_id)
        async with self.db.read() as conn:
            item = await self.store.item(conn, job_id, item_id) if 0 < item_id <= MAX_ID else None
        if item is None:
            raise NotFound("job.item_not_found", params={"id": item_id})
        if item.upid is None:
            raise Conflict("job.no_task")
        try:
            found = await self._clients(item.host_id).task_log(Upid.parse(item.upid), limit=limit)
        except PveError as error:
            raise Conflict(f"pve.{error.code}", params=dict(error.params)) from error
        return TaskLogView(item.upid, [line.t for line in found.lines], found.total)


def _own(actor: Actor, job: JobView) -> bool:
    return (job.actor.kind, job.actor.id, job.actor.name) == (actor.kind, actor.id, actor.name)


def _planned_item(target: Target, decision: Decision) -> PlannedItem:
    return PlannedItem(
        vm_id=target.vm_id,
        host_id=target.host_id,
        vmid=target.vmid,
        vm_name=target.vm_name,
        pharmacy_id=target.pharmacy_id,
        pharmacy_name=target.pharmacy_name,
        plan=decision.plan,
        reason=decision.reason,
        reason_params=decision.params,
    )
