"""Jobs for one guest or thousands: who may, what would happen, doing it, and how far it is."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.access import EVERYTHING, Actor, Privilege, allows_everywhere, require
from pharmq.base.clock import Clock
from pharmq.base.errors import Conflict, Invalid, NotFound, Unavailable
from pharmq.base.ids import new_act_id
from pharmq.db import Database, Tx
from pharmq.inventory.model import TaskRef, VmFilter
from pharmq.jobs.afterwards import Picture
from pharmq.jobs.asking import HostClient
from pharmq.jobs.board import Board, Touch
from pharmq.jobs.course import Pace, Surroundings
from pharmq.jobs.events import request_entry
from pharmq.jobs.model import (
    MAX_ID,
    MAX_ITEMS,
    PRIVILEGES,
    ActorRef,
    Caps,
    Counts,
    DryRun,
    Item,
    ItemState,
    ItemView,
    JobState,
    JobView,
    TaskLogView,
    Verb,
    VmRef,
)
from pharmq.jobs.options import PLAIN, Cause, JobOptions
from pharmq.jobs.permission import ActorNow
from pharmq.jobs.planning import Order, Planned, Targets, dry_run, planned
from pharmq.jobs.runner import Runner
from pharmq.jobs.stopping import stop_waiting
from pharmq.jobs.store import JobsStore
from pharmq.journal import Journal
from pharmq.pve import GuestConfig, PveError, Upid

Within: TypeAlias = Callable[[Tx, JobView, Planned], Awaitable[None]]
"""Runs in the transaction that writes the job, last but for the journal; whatever it raises undoes the job."""


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
        clients: Callable[[int], HostClient],
        account: Callable[[int], str],
        caps: Callable[[], Caps],
        look: Callable[[int, int], None],
        touch: Touch,
        owner: str,
        pace: Pace = Pace(),  # noqa: B008 - an immutable tuple
        actor_now: ActorNow | None = None,
        configured: Callable[[int, int, GuestConfig], Awaitable[object]] | None = None,
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
            db, self.store, self.board, journal, clock, clients, account, scope, look, pace, actor_now, configured
        )
        self.runner = Runner(around, caps)
        self._started = False

    async def start(self) -> None:
        """Load what is open, take over what a dead run left, begin to work."""
        async with self.db.read() as conn:
            open_jobs = await conn.run_sync(
                self.store.open_jobs,
            )
            open_items = await conn.run_sync(
                self.store.open_items,
            )
            ended, _ = await conn.run_sync(self.store.page, self.store.in_state("done", "cancelled"), 20, 0)
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

    def prove_by(self, picture: Picture) -> None:
        """Who can look at a guest's screen says so here: then "started means usable" does not need an agent."""
        self.runner.afterwards.picture = picture

    # --- what other rooms show

    def active_task(self, vm_id: int) -> TaskRef | None:
        """What is under way on a guest: the ``task`` of its row."""
        return self.board.task(vm_id)

    def open_count(self, actor: Actor) -> int:
        """Open jobs: all for who sees everything, else the actor's own (parts of others' are not counted here: this
        is asked at every change for everybody who looks)."""
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
        options: JobOptions = PLAIN,
    ) -> DryRun:
        """What ``submit`` would do now. Raises as it does."""
        named = None if vms is None else tuple(vms)
        order = Order(verb=verb, vms=named, wanted=wanted, force=force, options=options)
        return dry_run(self.targets, planned(self.targets, actor, order))

    async def submit(
        self,
        actor: Actor,
        verb: Verb,
        *,
        vms: Sequence[VmRef] | None = None,
        wanted: VmFilter | None = None,
        force: bool = False,
        timeout_s: int | None = None,
        options: JobOptions = PLAIN,
    ) -> JobView:
        """``submit_order`` for what one person asks for now."""
        named = None if vms is None else tuple(vms)
        return await self.submit_order(
            actor,
            Order(verb=verb, vms=named, wanted=wanted, force=force, timeout_s=timeout_s, options=options),
        )

    async def submit_order(
        self, actor: Actor, order: Order, *, cause: Cause | None = None, within: Within | None = None
    ) -> JobView:
        """Make a job of it, durably, and begin. Raises as ``planning.planned`` does, and Invalid when nothing
        matches, Unavailable before the room has started."""
        if not self._started:
            raise Unavailable("job.not_ready")
        plans = planned(self.targets, actor, order)
        if not plans:
            raise Invalid("job.nothing_matches")
        now = self.clock.now()
        async with self.db.transaction(durable=True) as tx:
            job = await self._write(tx, actor, order, plans, cause, now)
            items = await tx.conn.run_sync(self.store.items_of, job.id)
            if within is not None:
                await within(tx, job, plans)
            only = plans.targets[0][0].scope if len(plans) == 1 else None
            await self.journal.append(tx, request_entry(job, actor.source, only))
            tx.after_commit(lambda: self._take_up(job, items))
        for target, decision in plans.targets:
            if decision.plan == "skip":
                # What we skip by may be seconds old: have it looked at again.
                self._look(target.host_id, target.vmid)
        return job

    async def _write(
        self, tx: Tx, actor: Actor, order: Order, plans: Planned, cause: Cause | None, now: datetime
    ) -> JobView:
        act_id = new_act_id(now)
        job_id = await tx.conn.run_sync(
            self.store.add_job,
            act_id=act_id,
            verb=order.verb,
            force=order.force,
            timeout_s=order.timeout_s,
            actor=ActorRef.of(actor),
            source=actor.source,
            now=now,
            state="queued",
            options=order.options,
            cause=cause,
        )
        await tx.conn.run_sync(self.store.add_items, job_id, plans.targets, now, plans.places)
        nothing_to_do = plans.skipped == len(plans)
        if nothing_to_do:
            await tx.conn.run_sync(self.store.begin_job, job_id, now)
            await tx.conn.run_sync(self.store.close_job, job_id, now)
        return JobView(
            id=job_id,
            act_id=act_id,
            verb=order.verb,
            force=order.force,
            actor=ActorRef.of(actor),
            state="done" if nothing_to_do else "queued",
            created_at=now,
            started_at=now if nothing_to_do else None,
            finished_at=now if nothing_to_do else None,
            counts=Counts(queued=len(plans) - plans.skipped, skipped=plans.skipped, total=len(plans)),
            timeout_s=order.timeout_s,
            options=order.options,
            cause=cause,
        )

    async def retry(self, actor: Actor, job_id: int, states: Collection[ItemState]) -> JobView:
        """A new job with the same verb and options for those guests of an ended one whose items are in ``states``, as
        far as the actor may see them. Raises NotFound, Conflict while it runs or when there is none, and as
        ``submit_order`` does."""
        job = await self.get(actor, job_id)
        if job.state in ("queued", "running"):
            raise Conflict("job.not_over")
        async with self.db.read() as conn:
            items, _ = await conn.run_sync(self.store.item_page, job_id, MAX_ITEMS, 0, states, self._of(actor, job))
        if not items:
            raise Conflict("job.nothing_to_retry")
        order = Order(
            verb=job.verb,
            vms=tuple(VmRef(item.host_id, item.vmid) for item in items),
            force=job.force,
            timeout_s=job.timeout_s,
            options=job.options,
            lenient=True,
        )
        return await self.submit_order(actor, order, cause=Cause("retry", job_id))

    def _take_up(self, job: JobView, items: list[Item]) -> None:
        if items:
            self.board.put(job, items)
            self.runner.add(items)
        else:
            self.board.archive(job)

    async def cancel(self, actor: Actor, job_id: int) -> JobView:
        """Cancel what has not been sent; what is under way ends by itself. Raises NotFound, Forbidden, Conflict when it
        ended."""
        job = await self.get(actor, job_id)
        if not _own(actor, job):
            require(actor, PRIVILEGES[job.verb], EVERYTHING)
        if job.state not in ("queued", "running"):
            raise Conflict("job.over")
        await stop_waiting(self.runner.around, job_id, "person")
        return await self.get(actor, job_id)

    async def states(self, conn: AsyncConnection, job_ids: Collection[int]) -> dict[int, tuple[JobState, Counts]]:
        """How far jobs are, for what depends on them; those that do not exist are left out."""
        return await conn.run_sync(self.store.states, job_ids)

    # --- looking

    async def page(
        self, actor: Actor, state: JobState | None = None, limit: int = 100, offset: int = 0
    ) -> tuple[list[JobView], int]:
        """Newest first, and how many there are. Who may not see everything sees their own, and of others' what those
        did to guests they may see: the state, too, is that of this part."""
        seen = self._seen(actor)
        if allows_everywhere(actor, Privilege.SEE):
            conditions = self.store.in_state(state) if state else []
        else:
            conditions = [self.store.own_or_part(ActorRef.of(actor), seen, state)]
        async with self.db.read() as conn:
            jobs, total = await conn.run_sync(self.store.page, conditions, limit, offset)
            foreign = [job for job in jobs if not _sees_all(actor, job)]
            parts = await conn.run_sync(self.store.parts, foreign, seen)
        shown = (self.board.job(job.id) or job if _sees_all(actor, job) else parts.get(job.id) for job in jobs)
        return [job for job in shown if job is not None], total

    async def get(self, actor: Actor, job_id: int) -> JobView:
        """The job, or the part of it that the actor may see as if it were all. Raises NotFound."""
        job = self.board.job(job_id)
        if job is None and 0 < job_id <= MAX_ID:
            async with self.db.read() as conn:
                job = await conn.run_sync(self.store.job, job_id)
        if job is not None and not _sees_all(actor, job):
            async with self.db.read() as conn:
                job = (await conn.run_sync(self.store.parts, [job], self._seen(actor))).get(job_id)
        if job is None:
            raise NotFound("job.not_found", params={"id": job_id})
        return job

    def _seen(self, actor: Actor) -> ColumnElement[bool]:
        """Items of guests that the actor may see."""
        grants = [grant for grant in actor.grants if Privilege.SEE in grant.privileges]
        return self.store.below(grants, self.targets.members)

    def _of(self, actor: Actor, job: JobView) -> list[ColumnElement[bool]]:
        """What limits a job's items to those that the actor may see."""
        return [] if _sees_all(actor, job) else [self._seen(actor)]

    async def items(
        self, actor: Actor, job_id: int, limit: int = 100, offset: int = 0, states: Collection[ItemState] = ()
    ) -> tuple[list[ItemView], int]:
        """In the order of submission, of ``states`` only when given. Raises NotFound."""
        seen = self._of(actor, await self.get(actor, job_id))
        async with self.db.read() as conn:
            return await conn.run_sync(self.store.item_page, job_id, limit, offset, states, seen)

    async def item_log(self, actor: Actor, job_id: int, item_id: int, limit: int = 500) -> TaskLogView:
        """The host's log of an item's task, asked now. Raises NotFound, Conflict without a task or when
        the host does not answer."""
        seen = self._of(actor, await self.get(actor, job_id))
        async with self.db.read() as conn:
            item = await conn.run_sync(self.store.item, job_id, item_id, seen) if 0 < item_id <= MAX_ID else None
        if item is None:
            raise NotFound("job.item_not_found", params={"id": item_id})
        if item.upid is None:
            raise Conflict("job.no_task")
        try:
            found = await self._clients(item.host_id).task_log(Upid.parse(item.upid), limit=limit)
        except PveError as error:
            raise Conflict(f"pve.{error.code}", params=dict(error.params)) from error
        return TaskLogView(item.upid, [line.t for line in found.lines], found.total)


def _sees_all(actor: Actor, job: JobView) -> bool:
    return _own(actor, job) or allows_everywhere(actor, Privilege.SEE)


def _own(actor: Actor, job: JobView) -> bool:
    return (job.actor.kind, job.actor.id, job.actor.name) == (actor.kind, actor.id, actor.name)
