"""Serving slots: each one is claimed in the transaction that writes its job, so that there is one or none."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from pharmq.access import Actor
from pharmq.base.errors import PharmqError, Unavailable
from pharmq.base.ids import new_act_id
from pharmq.db import Database, Tx
from pharmq.hosts.directory import Directory
from pharmq.inventory.view import View
from pharmq.jobs.model import JobView, VmRef
from pharmq.jobs.options import Cause
from pharmq.jobs.planning import Order, Planned
from pharmq.jobs.service import JobsService
from pharmq.journal import Journal
from pharmq.schedules.events import happened
from pharmq.schedules.model import NamedGuest, Owner, Run, RunState, Schedule, Trigger, Waiting
from pharmq.schedules.slots import Slot, closed_on
from pharmq.schedules.store import SchedulesStore

log = logging.getLogger(__name__)

ActorOf = Callable[[Owner], Awaitable[Actor | None]]
"""The owner with the rights of now; None when they may not act any more."""
NOT_REACHED = "job.host_offline"


class Taken(Exception):
    """The slot belongs to somebody else already; the job that would have been written with it is undone."""


class Around(NamedTuple):
    """What serving needs."""

    db: Database
    store: SchedulesStore
    journal: Journal
    jobs: JobsService
    view: View
    directory: Directory
    actor_of: ActorOf


class Claim(NamedTuple):
    """What a run is written as, or, with ``queued`` or ``waiting``, what it takes the place of."""

    key: str
    at: datetime
    trigger: Trigger = "slot"
    late: bool = False
    pharmacies: frozenset[int] | None = None
    queued: Run | None = None
    waiting: Waiting | None = None


def slot_key(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class Serving:
    def __init__(self, around: Around) -> None:
        self.around = around

    async def slot(self, schedule: Schedule, slot: Slot, now: datetime, *, late: bool) -> None:
        """Serve a slot that has come, or write down why not. Raises Unavailable when jobs cannot be made yet."""
        claim = Claim(slot_key(slot.at), slot.at, "slot", late, slot.pharmacies)
        async with self.around.db.read() as conn:
            others = await self.around.store.open_of(conn, schedule.id)
        if not others:
            await self.submit(schedule, claim, now, day=slot)
        elif schedule.overlap == "skip":
            await self._note(schedule, claim, now, "skipped", "schedule.overlap")
        elif any(run.state == "queued" for run in others):
            await self._note(schedule, claim, now, "skipped", "schedule.queue_full")
        else:
            await self._note(schedule, claim, now, "queued", None)

    async def submit(
        self, schedule: Schedule, claim: Claim, now: datetime, *, day: Slot | None = None, actor: Actor | None = None
    ) -> JobView | None:
        """Make the job. ``actor``: a person who asks for it now, instead of the owner. None when the slot was taken
        or there was nothing to be done, which is written down."""
        around = self.around
        who = actor or await around.actor_of(schedule.owner)
        if who is None:
            await self._note(schedule, claim, now, "failed", "schedule.owner_gone", {"name": schedule.owner.name or ""})
            return None

        async def within(tx: Tx, job: JobView, plans: Planned) -> None:
            await self._claimed(tx, schedule, claim, job, plans, now)

        order = self._order(schedule, claim, day)
        try:
            return await around.jobs.submit_order(
                who, order, cause=Cause("schedule", schedule.id, schedule.name), within=within
            )
        except Taken:
            log.info("slot %s of schedule %d is served elsewhere", claim.key, schedule.id)
        except Unavailable:
            raise
        except PharmqError as error:
            state: RunState = "skipped" if error.code == "job.nothing_matches" else "failed"
            await self._note(schedule, claim, now, state, error.code, dict(error.params))
            if actor is not None:
                raise
        return None

    async def _claimed(
        self, tx: Tx, schedule: Schedule, claim: Claim, job: JobView, plans: Planned, now: datetime
    ) -> None:
        """In the job's transaction: the slot is ours, or the job is undone."""
        store = self.around.store
        if claim.queued is not None:
            won = await store.start_queued(tx.conn, claim.queued.id, job.id, now)
            run_id: int | None = claim.queued.id if won else None
        else:
            if claim.waiting is not None and not await store.take_waiting(tx.conn, claim.waiting.id):
                raise Taken
            run_id = await store.claim(
                tx.conn,
                schedule.id,
                claim.key,
                claim.at,
                now,
                trigger=claim.trigger,
                state="running",
                late=claim.late,
                pharmacies=claim.pharmacies,
                job_id=job.id,
            )
        if run_id is None:
            raise Taken
        if claim.trigger == "slot":
            hosts = not_reached(plans) if schedule.missed.do == "when_back" else {}
            until = claim.at + timedelta(seconds=schedule.missed.within_s)
            await store.wait(tx.conn, run_id, schedule.id, hosts if until > now else {}, until)
        facts = {"run_id": run_id, "job_id": job.id, "trigger": claim.trigger, "late": claim.late}
        await self.around.journal.append(tx, happened(schedule, "ran", slot_at=slot_key(claim.at), **facts))

    async def _note(
        self,
        schedule: Schedule,
        claim: Claim,
        now: datetime,
        state: RunState,
        reason: str | None,
        params: dict[str, object] | None = None,
    ) -> None:
        """Write down a slot that makes no job now."""
        store = self.around.store
        async with self.around.db.transaction(durable=True) as tx:
            if claim.queued is not None:
                noted = await store.end(tx.conn, claim.queued, state, now, reason=reason, params=params)
            else:
                taken = claim.waiting is None or await store.take_waiting(tx.conn, claim.waiting.id)
                noted = taken and (
                    await store.claim(
                        tx.conn,
                        schedule.id,
                        claim.key,
                        claim.at,
                        now,
                        trigger=claim.trigger,
                        state=state,
                        late=claim.late,
                        reason=reason,
                        reason_params=params,
                        pharmacies=claim.pharmacies,
                    )
                    is not None
                )
            if noted and state != "queued":
                facts = {"slot_at": slot_key(claim.at), "reason": reason, "reason_params": params or {}}
                await self.around.journal.append(tx, happened(schedule, state, **facts))

    async def lost(self, schedule: Schedule, slots: tuple[Slot, ...], count: int, now: datetime) -> None:
        """Slots that nobody served and nobody will."""
        store = self.around.store
        async with self.around.db.transaction(durable=True) as tx:
            noted = 0
            for slot in slots:
                reason = {"state": "missed", "reason": "schedule.missed", "pharmacies": slot.pharmacies}
                key = slot_key(slot.at)
                noted += await store.claim(tx.conn, schedule.id, key, slot.at, now, **reason) is not None  # type: ignore[arg-type]
            if noted:
                first, last = slot_key(slots[0].at), slot_key(slots[-1].at)
                facts = {"count": count, "first": first, "last": last}
                await self.around.journal.append(tx, happened(schedule, "missed", **facts))

    async def host_back(self, schedule: Schedule, waiting: Waiting, now: datetime) -> None:
        claim = Claim(f"back:{waiting.run_id}:{waiting.host_id}", now, "back", late=True, waiting=waiting)
        await self.submit(schedule, claim, now)

    async def host_never_back(self, schedule: Schedule, waiting: Waiting, now: datetime) -> None:
        claim = Claim(f"back:{waiting.run_id}:{waiting.host_id}", waiting.until, "back", waiting=waiting)
        host = self.around.directory.host(waiting.host_id)
        pharmacy = None if host is None else self.around.directory.pharmacy(host.pharmacy_id)
        params = {"name": pharmacy.name if pharmacy else str(waiting.host_id), "count": len(waiting.vms)}
        await self._note(schedule, claim, now, "missed", "schedule.host_not_back", params)

    async def by_hand(self, actor: Actor, schedule: Schedule, now: datetime) -> JobView | None:
        return await self.submit(schedule, Claim(f"hand:{new_act_id(now)}", now, "hand"), now, actor=actor)

    # --- whom

    def _order(self, schedule: Schedule, claim: Claim, day: Slot | None) -> Order:
        pharmacies = claim.pharmacies
        if day is not None and pharmacies is None and schedule.when.closed == "skip":
            every = self.around.directory.pharmacies
            pharmacies = frozenset(each.id for each in every if not closed_on(each, day.day))
        return Order(
            verb=schedule.verb,
            vms=self._named(schedule, claim.waiting),
            wanted=None if claim.waiting is not None else schedule.targets.wanted,
            force=schedule.force,
            timeout_s=schedule.timeout_s,
            options=schedule.options,
            lenient=True,
            pharmacies=pharmacies,
        )

    def _named(self, schedule: Schedule, waiting: Waiting | None) -> tuple[VmRef, ...] | None:
        """Those of the named guests that are still the ones that were meant."""
        named = schedule.targets.vms
        if waiting is not None:
            named = tuple(NamedGuest(waiting.host_id, vmid, vm_id) for vm_id, vmid in waiting.vms)
        if named is None:
            return None
        return tuple(VmRef(guest.host_id, guest.vmid) for guest in named if not gone(self.around.view, guest))


def gone(view: View, guest: NamedGuest) -> bool:
    found = view.at(guest.host_id, guest.vmid)
    return found is None or found.id != guest.vm_id


def not_reached(plans: Planned) -> dict[int, list[tuple[int, int]]]:
    """Guests (our id, VMID) by host that were passed by because their host does not answer."""
    found: dict[int, list[tuple[int, int]]] = {}
    for target, decision in plans.targets:
        if decision.reason == NOT_REACHED:
            found.setdefault(target.host_id, []).append((target.vm_id, target.vmid))
    return found
