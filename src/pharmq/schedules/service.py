"""Schedules as people handle them: shown before saving, saved, paused, run now, looked back on."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select

from pharmq.access import Actor, Privilege, allows_anywhere, allows_everywhere
from pharmq.access.tables import users
from pharmq.base.clock import Clock
from pharmq.base.errors import FieldError, Forbidden, Invalid, NotFound
from pharmq.base.ids import new_act_id
from pharmq.db import Tx
from pharmq.inventory.model import Vm
from pharmq.jobs.forms import VmIn
from pharmq.jobs.model import MAX_ID, PRIVILEGES, JobView, VmRef
from pharmq.jobs.planning import Order, planned
from pharmq.schedules.board import Board
from pharmq.schedules.events import edited
from pharmq.schedules.keeper import Keeper
from pharmq.schedules.model import (
    AvoidedDay,
    Calendar,
    NamedGuest,
    Owner,
    Preview,
    RunView,
    Schedule,
    ScheduleForm,
    ScheduleView,
    Targets,
    UpcomingRun,
)
from pharmq.schedules.public_days import holiday
from pharmq.schedules.rules import Around as AroundHours
from pharmq.schedules.rules import check
from pharmq.schedules.serving import Around, Serving
from pharmq.schedules.slots import Avoided, slots
from pharmq.schedules.store import SchedulesStore
from pharmq.schedules.views import calendar_of, run_view, schedule_view

SHOWN = 5
"""Runs that are shown before saving."""
MAX_SCHEDULES = 1000


class SchedulesService:
    """Slots are served between ``start`` and ``aclose``."""

    def __init__(self, around: Around, clock: Clock) -> None:
        self.around = around
        self.clock = clock
        self.serving = Serving(around)
        self.board = Board(around.db, around.store)
        self.keeper = Keeper(self.serving, self.board, clock)

    @property
    def store(self) -> SchedulesStore:
        return self.around.store

    async def start(self) -> None:
        await self.board.look()
        await self.keeper.start()

    async def aclose(self) -> None:
        await self.keeper.aclose()

    # --- looking

    async def page(self, actor: Actor, limit: int, offset: int) -> tuple[list[ScheduleView], int]:
        """Those that run next first, and how many there are. Who may not see everything sees their own."""
        async with self.around.db.read() as conn:
            found = [each for each in await self.store.all(conn) if _sees(actor, each)]
            found.sort(key=lambda each: (each.next_at is None or not each.enabled, each.next_at or _LATE, each.id))
            part = found[offset : offset + limit]
            last = await self.store.last_runs(conn, [each.id for each in part])
            waiting = await self.store.waiting_counts(conn)
        return [
            schedule_view(self.around, each, last.get(each.id), waiting.get(each.id, 0), may_edit=_edits(actor, each))
            for each in part
        ], len(found)

    async def get(self, actor: Actor, schedule_id: int) -> ScheduleView:
        """Raises NotFound."""
        schedule = await self._found(actor, schedule_id)
        async with self.around.db.read() as conn:
            last = await self.store.last_runs(conn, [schedule.id])
            waiting = await self.store.waiting_counts(conn)
        return schedule_view(
            self.around,
            schedule,
            last.get(schedule.id),
            waiting.get(schedule.id, 0),
            may_edit=_edits(actor, schedule),
        )

    async def runs(self, actor: Actor, schedule_id: int, limit: int, offset: int) -> tuple[list[RunView], int]:
        """Newest first. Raises NotFound."""
        schedule = await self._found(actor, schedule_id)
        async with self.around.db.read() as conn:
            found, total = await self.store.run_page(conn, self.store.runs_of([schedule.id]), limit, offset)
        return [run_view(run, schedule.name) for run in found], total

    async def calendar(self, actor: Actor, first: date | None, days: int, zone: str) -> Calendar:
        """What was and what will be between two midnights of ``zone``, from today on when ``first`` is None."""
        place = _zone(zone)
        first = first or self.clock.now().astimezone(place).date()
        if not 2000 <= first.year <= 2200:
            raise Invalid("request.invalid", fields={"from": [FieldError("schedule.day")]})
        begin = datetime.combine(first, time(), place).astimezone(UTC)
        end = datetime.combine(first + timedelta(days=days), time(), place).astimezone(UTC)
        async with self.around.db.read() as conn:
            now = await self.store.now(conn)
            every = [each for each in await self.store.all(conn) if _sees(actor, each)]
            past, _ = await self.store.run_page(conn, self.store.runs_between(begin, end), 5000, 0)
        last = first + timedelta(days=days - 1)
        return calendar_of(self.around, every, past, max(begin, now), end, first, last, actor.lang)

    async def preview(self, actor: Actor, form: ScheduleForm) -> Preview:
        """What saving would mean. Raises as ``add`` does, but for a rule without a moment, which shows as such."""
        check(form.when)
        targets = self._targets(actor, form)
        order = self._order(form, targets)
        plans = planned(self.around.jobs.targets, actor, order)
        async with self.around.db.read() as conn:
            now = await self.store.now(conn)
        avoided: list[Avoided] = []
        upcoming = []
        for slot in slots(form.when, now, pharmacies=self._hours_of(form), avoided=avoided):
            whom = None if slot.pharmacies is None else len(slot.pharmacies)
            upcoming.append(UpcomingRun(slot.at, slot.day, holiday(slot.day, actor.lang), whom))
            if len(upcoming) == SHOWN:
                break
        touched = {target.pharmacy_id for target, decision in plans.targets if decision.plan == "do"}
        every = {target.pharmacy_id for target, _ in plans.targets}
        unknown = sum(
            pharmacy is None or not pharmacy.hours.known for pharmacy in map(self.around.directory.pharmacy, every)
        )
        named = [AvoidedDay(each.day, each.why, holiday(each.day, actor.lang)) for each in avoided[:50]]
        doing = len(plans) - plans.skipped
        return Preview(upcoming, named, doing, plans.skipped, len(touched), unknown)

    # --- saving

    async def add(self, actor: Actor, form: ScheduleForm) -> ScheduleView:
        """Raises Invalid, NotFound for a guest that may not be seen, Forbidden for one that may not be acted on."""
        _may_edit_any(actor)
        values = self._values(actor, form)
        async with self.around.db.transaction(durable=True) as tx:
            now = await self.store.now(tx.conn)
            if len(await self.store.all(tx.conn)) >= MAX_SCHEDULES:
                raise Invalid("schedule.too_many", params={"limit": MAX_SCHEDULES})
            values |= {"seen_until": now, "next_at": self._first(form, now), "created_at": now, "updated_at": now}
            number = await self.store.add(tx.conn, values | {"revision": 1})
            facts = {"verb": form.verb, "enabled": form.enabled}
            act_id = new_act_id(self.clock.now())
            await self.around.journal.append(tx, edited(actor, "added", number, form.name, act_id, **facts))
        await self.board.look()
        return await self.get(actor, number)

    async def change(self, actor: Actor, schedule_id: int, form: ScheduleForm) -> ScheduleView:
        """Replace it; from now on it runs with the rights of who changed it. What it missed before is forgotten."""
        schedule = await self._editable(actor, schedule_id)
        values = self._values(actor, form)
        async with self.around.db.transaction(durable=True) as tx:
            now = await self.store.now(tx.conn)
            values |= {"seen_until": now, "next_at": self._first(form, now), "updated_at": now}
            await self._hit(await self.store.change(tx.conn, schedule.id, values), schedule_id)
            facts = {"verb": form.verb, "enabled": form.enabled}
            act_id = new_act_id(self.clock.now())
            await self.around.journal.append(tx, edited(actor, "changed", schedule.id, form.name, act_id, **facts))
        await self.board.look()
        return await self.get(actor, schedule_id)

    async def enable(self, actor: Actor, schedule_id: int, *, on: bool) -> ScheduleView:
        """Pause or resume. What came while it was paused is no missed run."""
        schedule = await self._editable(actor, schedule_id)
        if schedule.enabled != on:
            async with self.around.db.transaction(durable=True) as tx:
                now = await self.store.now(tx.conn)
                values: dict[str, Any] = {"enabled": on, "updated_at": now}
                if on:
                    values |= {"seen_until": now, "next_at": self.keeper.next_at(schedule, now)}
                await self._hit(await self.store.change(tx.conn, schedule.id, values), schedule_id)
                what, act_id = "resumed" if on else "paused", new_act_id(self.clock.now())
                await self.around.journal.append(tx, edited(actor, what, schedule.id, schedule.name, act_id))
            await self.board.look()
        return await self.get(actor, schedule_id)

    async def remove(self, actor: Actor, schedule_id: int) -> None:
        """With its history; the jobs it made stay."""
        schedule = await self._editable(actor, schedule_id)
        async with self.around.db.transaction(durable=True) as tx:
            await self._hit(await self.store.remove(tx.conn, schedule.id), schedule_id)
            act_id = new_act_id(self.clock.now())
            await self.around.journal.append(tx, edited(actor, "removed", schedule.id, schedule.name, act_id))
        await self.board.look()

    async def run_now(self, actor: Actor, schedule_id: int) -> JobView:
        """With the rights of who asks. Raises NotFound, Forbidden, Invalid when nothing matches."""
        schedule = await self._found(actor, schedule_id)
        needed = PRIVILEGES[schedule.verb]
        if not allows_anywhere(actor, needed):
            raise Forbidden("access.forbidden", params={"privilege": needed.value})
        async with self.around.db.read() as conn:
            now = await self.store.now(conn)
        job = await self.serving.by_hand(actor, schedule, now)
        assert job is not None, "a run by hand has a slot of its own"
        await self.board.look()
        return job

    async def hand_over(self, tx: Tx, from_user: int, to_user: int | None) -> int:
        """A leaving person's schedules go to the heir; without one they pause. How many it was."""
        name = None if to_user is None else await tx.conn.scalar(select(users.c.name).where(users.c.id == to_user))
        return await self.store.hand_over(tx.conn, from_user, to_user, name)

    # --- pieces

    async def _found(self, actor: Actor, schedule_id: int) -> Schedule:
        found = None
        if 0 < schedule_id <= MAX_ID:
            async with self.around.db.read() as conn:
                found = await self.store.get(conn, schedule_id)
        if found is None or not _sees(actor, found):
            raise NotFound("schedule.not_found", params={"id": schedule_id})
        return found

    async def _editable(self, actor: Actor, schedule_id: int) -> Schedule:
        schedule = await self._found(actor, schedule_id)
        if not _edits(actor, schedule):
            raise Forbidden("access.forbidden", params={"privilege": Privilege.SCHEDULE_EDIT.value})
        return schedule

    @staticmethod
    async def _hit(changed: bool, schedule_id: int) -> None:
        if not changed:
            raise NotFound("schedule.not_found", params={"id": schedule_id})

    def _values(self, actor: Actor, form: ScheduleForm) -> dict[str, Any]:
        check(form.when)
        targets = self._targets(actor, form)
        # Raises for a named guest that may not be acted on: better now than at three in the morning.
        planned(self.around.jobs.targets, actor, self._order(form, targets))
        owner = Owner.of(actor)
        return {
            "name": form.name,
            "note": form.note,
            "verb": form.verb,
            "force": form.force,
            "timeout_s": form.timeout_s,
            "options": msgspec.to_builtins(form.options),
            "targets": msgspec.to_builtins(targets),
            "timing": msgspec.to_builtins(form.when),
            "missed": msgspec.to_builtins(form.missed),
            "overlap": form.overlap,
            "enabled": form.enabled,
            "owner_kind": owner.kind,
            "owner_id": owner.id,
            "owner_name": owner.name,
            "owner_token": owner.token_id,
        }

    def _first(self, form: ScheduleForm, now: datetime) -> datetime | None:
        found = next((slot.at for slot in slots(form.when, now, pharmacies=self._hours_of(form))), None)
        if found is None and not isinstance(form.when.rule, AroundHours):
            raise Invalid("request.invalid", fields={"when": [FieldError("schedule.never")]})
        return found

    def _hours_of(self, form: ScheduleForm) -> Iterable[Any]:
        return self.around.directory.pharmacies if isinstance(form.when.rule, AroundHours) else ()

    def _targets(self, actor: Actor, form: ScheduleForm) -> Targets:
        if (form.targets.vms is None) == (form.targets.filter is None):
            raise Invalid("job.targets")
        if form.targets.vms is None:
            assert form.targets.filter is not None
            return Targets(wanted=form.targets.filter.meant())
        found = [self._guest(actor, ref) for ref in dict.fromkeys(form.targets.vms)]
        return Targets(vms=tuple(NamedGuest(vm.host_id, vm.vmid, vm.id) for vm in found))

    def _guest(self, actor: Actor, ref: VmIn) -> Vm:
        targets = self.around.jobs.targets.named(actor, [VmRef(ref.host_id, ref.vmid)])
        vm = self.around.view.get(targets[0].vm_id)
        assert vm is not None
        return vm

    @staticmethod
    def _order(form: ScheduleForm, targets: Targets) -> Order:
        named = None if targets.vms is None else tuple(VmRef(guest.host_id, guest.vmid) for guest in targets.vms)
        return Order(verb=form.verb, vms=named, wanted=targets.wanted, force=form.force, options=form.options)


_LATE = datetime.max.replace(tzinfo=UTC)


def _own(actor: Actor, schedule: Schedule) -> bool:
    return actor.id is not None and schedule.owner.id == actor.id


def _sees(actor: Actor, schedule: Schedule) -> bool:
    return _own(actor, schedule) or allows_everywhere(actor, Privilege.SEE)


def _edits(actor: Actor, schedule: Schedule) -> bool:
    if _own(actor, schedule):
        return allows_anywhere(actor, Privilege.SCHEDULE_EDIT)
    return allows_everywhere(actor, Privilege.SCHEDULE_EDIT)


def _may_edit_any(actor: Actor) -> None:
    if not allows_anywhere(actor, Privilege.SCHEDULE_EDIT):
        raise Forbidden("access.forbidden", params={"privilege": Privilege.SCHEDULE_EDIT.value})


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Invalid("request.invalid", fields={"zone": [FieldError("schedule.zone", {"zone": name})]}) from None
