"""The loop that looks at the clock: slots that have come, runs that have ended, hosts that are back."""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError

from pharmq.base.clock import Clock
from pharmq.base.errors import Unavailable
from pharmq.base.spawn import Spawner
from pharmq.hosts.model import Pharmacy
from pharmq.schedules.board import Board
from pharmq.schedules.due import judge
from pharmq.schedules.model import Run, Schedule
from pharmq.schedules.rules import Around as AroundHours
from pharmq.schedules.serving import Claim, Serving
from pharmq.schedules.slots import Slot, slots

log = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0
FRESHEN_EVERY = 12
"""Every so many looks all next moments are computed again: opening hours may have changed."""
SET_BACK = timedelta(minutes=5)
SETTLED = timedelta(seconds=15)


class Keeper:
    """``look`` does everything once and may be called by several managers at the same time."""

    def __init__(self, serving: Serving, board: Board, clock: Clock) -> None:
        self.serving = serving
        self.board = board
        self.clock = clock
        self._spawner = Spawner("schedules")

    async def start(self) -> None:
        self._spawner.spawn(self._keep_looking(), "keeper")

    async def aclose(self) -> None:
        await self._spawner.aclose()

    async def _keep_looking(self) -> None:
        round_ = 0
        while True:
            try:
                if round_ % FRESHEN_EVERY == 0:
                    await self.freshen()
                pause = await self.look()
            except Unavailable:
                pause = 1.0  # the jobs room is about to start, or about to stop
            except SQLAlchemyError:
                log.exception("looking for due schedules failed; trying again")
                pause = LOOK_EVERY_S
            round_ += 1
            await self.clock.sleep(pause)

    async def look(self) -> float:
        """Serve what is due; the seconds until the next look."""
        around = self.serving.around
        async with around.db.read() as conn:
            now = await around.store.now(conn)
            due = await around.store.due(conn, now)
            running = await around.store.in_state(conn, "running")
            queued = await around.store.in_state(conn, "queued")
            waiting = await around.store.waiting(conn)
        await self._finish(running, now)
        for schedule in due:
            await self._serve(schedule, now)
        if queued:
            await self._start_queued(queued, now)
        if waiting:
            await self._look_for_hosts(now)
        await self.board.look()
        async with around.db.read() as conn:
            soonest = await around.store.next_due(conn)
        if soonest is None:
            return LOOK_EVERY_S
        return min(LOOK_EVERY_S, max(0.05, (soonest - now).total_seconds()))

    async def freshen(self) -> None:
        """What comes next by the rules, hours and holidays of now. A clock that was set back makes us look again from
        now on: slots that were served have their rows and are not served twice."""
        around = self.serving.around
        async with around.db.read() as conn:
            now = await around.store.now(conn)
            every = await around.store.all(conn, enabled=True)
        for schedule in every:
            seen = now if schedule.seen_until > now + SET_BACK else schedule.seen_until
            next_at = self.next_at(schedule, seen)
            if (seen, next_at) != (schedule.seen_until, schedule.next_at):
                async with around.db.transaction() as tx:
                    await around.store.progress(tx.conn, schedule, seen, next_at)

    def next_at(self, schedule: Schedule, after: datetime) -> datetime | None:
        return next((slot.at for slot in slots(schedule.when, after, pharmacies=self._hours(schedule))), None)

    def _hours(self, schedule: Schedule) -> Collection[Pharmacy]:
        """Only a rule around opening hours asks for them."""
        return self.serving.around.directory.pharmacies if isinstance(schedule.when.rule, AroundHours) else ()

    async def _serve(self, schedule: Schedule, now: datetime) -> None:
        around = self.serving.around
        due = slots(schedule.when, schedule.seen_until, now, pharmacies=self._hours(schedule))
        verdict = judge(due, now, schedule.missed)
        if verdict.lost:
            await self.serving.lost(schedule, verdict.lost, verdict.lost_count, now)
        for slot in verdict.run:
            await self.serving.slot(schedule, slot, now, late=verdict.late)
        async with around.db.transaction(durable=True) as tx:
            await around.store.progress(tx.conn, schedule, now, self.next_at(schedule, now))

    async def _finish(self, running: list[Run], now: datetime) -> None:
        if not running:
            return
        around = self.serving.around
        async with around.db.read() as conn:
            states = await around.jobs.states(conn, [run.job_id for run in running if run.job_id is not None])
        for run in running:
            state, counts = states.get(run.job_id or 0, ("done", None))
            if state in ("done", "cancelled"):
                async with around.db.transaction(durable=True) as tx:
                    await around.store.end(tx.conn, run, "done", now, counts=counts)

    async def _start_queued(self, queued: list[Run], now: datetime) -> None:
        around = self.serving.around
        for run in queued:
            async with around.db.read() as conn:
                schedule = await around.store.get(conn, run.schedule_id)
                others = await around.store.open_of(conn, run.schedule_id)
            if schedule is None or any(other.state == "running" for other in others):
                continue
            claim = Claim(run.slot_key, run.slot_at, "slot", run.late, run.pharmacies, queued=run)
            local = run.slot_at.astimezone(ZoneInfo(schedule.when.zone)).date()
            await self.serving.submit(schedule, claim, now, day=Slot(run.slot_at, local, run.pharmacies))

    async def _look_for_hosts(self, now: datetime) -> None:
        around = self.serving.around
        async with around.db.read() as conn:
            waiting = await around.store.waiting(conn)
            known = {schedule.id: schedule for schedule in await around.store.all(conn)}
        for each in waiting:
            schedule = known.get(each.schedule_id)
            if schedule is None:
                continue
            if now > each.until:
                await self.serving.host_never_back(schedule, each, now)
            elif schedule.enabled and self._is_back(each.host_id, now):
                await self.serving.host_back(schedule, each, now)

    def _is_back(self, host_id: int, now: datetime) -> bool:
        """Online for long enough that its guests have been looked at: what was running before the outage may not be
        running now, and would be passed by as "already so"."""
        state = self.serving.around.directory.state(host_id)
        return state.online and (state.since is None or now - state.since >= SETTLED)
