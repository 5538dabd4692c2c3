"""SQL of the schedules room. A slot is claimed by inserting its row; whoever comes second inserts nothing."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, Update, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.db import Database
from pharmq.db.leases import database_time
from pharmq.jobs.model import Counts
from pharmq.jobs.options import JobOptions
from pharmq.schedules.model import Mark, Owner, Run, RunState, Schedule, Targets, Trigger, Waiting
from pharmq.schedules.rules import Missed, When
from pharmq.schedules.tables import schedule_runs, schedule_waiting, schedules

LATEST_RUNS = 1000
"""As many are looked at for new ones: history only grows, and is not read every few seconds."""


class SchedulesStore:
    def __init__(self, db: Database) -> None:
        self.db = db

    async def now(self, conn: AsyncConnection) -> datetime:
        """The database's time: the only one that all managers share."""
        return datetime.fromtimestamp(await database_time(self.db, conn), UTC)

    # --- schedules

    async def add(self, conn: AsyncConnection, values: dict[str, Any]) -> int:
        return int((await conn.execute(insert(schedules).values(**values).returning(schedules.c.id))).scalar_one())

    async def change(self, conn: AsyncConnection, schedule_id: int, values: dict[str, Any]) -> bool:
        statement = update(schedules).where(schedules.c.id == schedule_id)
        return await _hit(conn, statement.values(revision=schedules.c.revision + 1, **values))

    async def remove(self, conn: AsyncConnection, schedule_id: int) -> bool:
        await conn.execute(delete(schedule_waiting).where(schedule_waiting.c.schedule_id == schedule_id))
        await conn.execute(delete(schedule_runs).where(schedule_runs.c.schedule_id == schedule_id))
        return (await conn.execute(delete(schedules).where(schedules.c.id == schedule_id))).rowcount == 1

    async def progress(
        self, conn: AsyncConnection, schedule: Schedule, seen_until: datetime, next_at: datetime | None
    ) -> bool:
        """False when the schedule was edited meanwhile: then what we computed is of the old one."""
        statement = update(schedules).where(schedules.c.id == schedule.id, schedules.c.revision == schedule.revision)
        return await _hit(conn, statement.values(seen_until=seen_until, next_at=next_at))

    async def hand_over(self, conn: AsyncConnection, from_user: int, to_user: int | None, name: str | None) -> int:
        """A leaving person's schedules go to the heir, or pause without one."""
        mine = update(schedules).where(schedules.c.owner_id == from_user)
        if to_user is None:
            changed = mine.where(schedules.c.enabled).values(enabled=False, revision=schedules.c.revision + 1)
        else:
            changed = mine.values(
                owner_kind="user",
                owner_id=to_user,
                owner_name=name,
                owner_token=None,
                revision=schedules.c.revision + 1,
            )
        return (await conn.execute(changed)).rowcount

    async def get(self, conn: AsyncConnection, schedule_id: int) -> Schedule | None:
        row = (await conn.execute(select(schedules).where(schedules.c.id == schedule_id))).one_or_none()
        return None if row is None else _schedule(row)

    async def all(self, conn: AsyncConnection, *, enabled: bool = False) -> list[Schedule]:
        query = select(schedules).order_by(schedules.c.id)
        return [_schedule(row) for row in await conn.execute(query.where(schedules.c.enabled) if enabled else query)]

    async def due(self, conn: AsyncConnection, now: datetime) -> list[Schedule]:
        query = select(schedules).where(schedules.c.enabled, schedules.c.next_at <= now)
        return [_schedule(row) for row in await conn.execute(query.order_by(schedules.c.next_at, schedules.c.id))]

    async def next_due(self, conn: AsyncConnection) -> datetime | None:
        found: datetime | None = await conn.scalar(select(func.min(schedules.c.next_at)).where(schedules.c.enabled))
        return found

    async def marks(self, conn: AsyncConnection) -> dict[int, Mark]:
        """What tells that a schedule, its runs or what it waits for look different now."""
        open_runs: dict[int, list[tuple[int, str]]] = {}
        of_run = (schedule_runs.c.schedule_id, schedule_runs.c.id, schedule_runs.c.state)
        query = select(*of_run).where(schedule_runs.c.state.in_(("running", "queued"))).order_by(schedule_runs.c.id)
        for row in await conn.execute(query):
            open_runs.setdefault(row.schedule_id, []).append((row.id, row.state))
        newest = select(func.max(schedule_runs.c.id)).scalar_subquery()
        latest = select(schedule_runs.c.schedule_id, func.max(schedule_runs.c.id).label("id"))
        latest = latest.where(schedule_runs.c.id > newest - LATEST_RUNS).group_by(schedule_runs.c.schedule_id)
        last = {row.schedule_id: row.id for row in await conn.execute(latest)}
        waiting = await self.waiting_counts(conn)
        of_schedule = (schedules.c.id, schedules.c.owner_id, schedules.c.revision, schedules.c.next_at)
        return {
            row.id: Mark(
                row.owner_id,
                row.revision,
                row.next_at,
                last.get(row.id),
                tuple(open_runs.get(row.id, ())),
                waiting.get(row.id, 0),
            )
            for row in await conn.execute(select(*of_schedule))
        }

    # --- runs

    async def claim(
        self,
        conn: AsyncConnection,
        schedule_id: int,
        slot_key: str,
        slot_at: datetime,
        now: datetime,
        *,
        trigger: Trigger = "slot",
        state: RunState,
        late: bool = False,
        reason: str | None = None,
        reason_params: dict[str, Any] | None = None,
        pharmacies: Collection[int] | None = None,
        job_id: int | None = None,
    ) -> int | None:
        """The new row's id; None when the slot has one already."""
        if self.db.is_sqlite:
            from sqlalchemy.dialects.sqlite import insert as upsert
        else:
            from sqlalchemy.dialects.postgresql import insert as upsert  # type: ignore[assignment]
        open_ = state in ("running", "queued")
        statement = upsert(schedule_runs).values(
            schedule_id=schedule_id,
            slot_key=slot_key,
            slot_at=slot_at,
            trigger=trigger,
            late=late,
            state=state,
            reason=reason,
            reason_params=reason_params,
            pharmacies=None if pharmacies is None else sorted(pharmacies),
            job_id=job_id,
            created_at=now,
            started_at=now if state == "running" else None,
            finished_at=None if open_ else now,
        )
        found = await conn.execute(
            statement.on_conflict_do_nothing(index_elements=["schedule_id", "slot_key"]).returning(schedule_runs.c.id)
        )
        number = found.scalar_one_or_none()
        return None if number is None else int(number)

    async def start_queued(self, conn: AsyncConnection, run_id: int, job_id: int, now: datetime) -> bool:
        """queued -> running, once."""
        statement = update(schedule_runs).where(schedule_runs.c.id == run_id, schedule_runs.c.state == "queued")
        return await _hit(conn, statement.values(state="running", job_id=job_id, started_at=now))

    async def end(
        self,
        conn: AsyncConnection,
        run: Run,
        state: RunState,
        now: datetime,
        *,
        reason: str | None = None,
        params: dict[str, Any] | None = None,
        counts: Counts | None = None,
    ) -> bool:
        """From the state it was read in to a final one, once."""
        statement = update(schedule_runs).where(schedule_runs.c.id == run.id, schedule_runs.c.state == run.state)
        kept = None if counts is None else msgspec.to_builtins(counts)
        return await _hit(
            conn,
            statement.values(state=state, reason=reason, reason_params=params, counts=kept, finished_at=now),
        )

    async def in_state(self, conn: AsyncConnection, state: RunState) -> list[Run]:
        query = select(schedule_runs).where(schedule_runs.c.state == state).order_by(schedule_runs.c.id)
        return [_run(row) for row in await conn.execute(query)]

    async def open_of(self, conn: AsyncConnection, schedule_id: int) -> list[Run]:
        query = select(schedule_runs).where(
            schedule_runs.c.schedule_id == schedule_id, schedule_runs.c.state.in_(("running", "queued"))
        )
        return [_run(row) for row in await conn.execute(query.order_by(schedule_runs.c.id))]

    async def run_page(
        self, conn: AsyncConnection, conditions: Sequence[ColumnElement[bool]], limit: int, offset: int
    ) -> tuple[list[Run], int]:
        """Newest slot first."""
        total = await conn.scalar(select(func.count()).select_from(schedule_runs).where(*conditions))
        query = (
            select(schedule_runs).where(*conditions).order_by(schedule_runs.c.slot_at.desc(), schedule_runs.c.id.desc())
        )
        return [_run(row) for row in await conn.execute(query.limit(limit).offset(offset))], int(total or 0)

    @staticmethod
    def runs_of(schedule_ids: Collection[int]) -> list[ColumnElement[bool]]:
        return [schedule_runs.c.schedule_id.in_(schedule_ids)]

    @staticmethod
    def runs_between(first: datetime, last: datetime) -> list[ColumnElement[bool]]:
        return [schedule_runs.c.slot_at >= first, schedule_runs.c.slot_at < last]

    async def last_runs(self, conn: AsyncConnection, schedule_ids: Collection[int]) -> dict[int, Run]:
        """The newest run of each, the one that was written last."""
        newest = select(func.max(schedule_runs.c.id)).where(schedule_runs.c.schedule_id.in_(schedule_ids))
        query = select(schedule_runs).where(schedule_runs.c.id.in_(newest.group_by(schedule_runs.c.schedule_id)))
        return {run.schedule_id: run for run in map(_run, await conn.execute(query))}

    # --- guests that wait for their host

    async def wait(
        self,
        conn: AsyncConnection,
        run_id: int,
        schedule_id: int,
        hosts: dict[int, list[tuple[int, int]]],
        until: datetime,
    ) -> None:
        """A newer run of the schedule takes the place of what an older one still waited for."""
        await conn.execute(delete(schedule_waiting).where(schedule_waiting.c.schedule_id == schedule_id))
        if hosts:
            rows = [
                {"schedule_id": schedule_id, "run_id": run_id, "host_id": host_id, "vms": vms, "until": until}
                for host_id, vms in hosts.items()
            ]
            await conn.execute(insert(schedule_waiting), rows)

    async def waiting(self, conn: AsyncConnection) -> list[Waiting]:
        query = select(schedule_waiting).order_by(schedule_waiting.c.id)
        return [
            Waiting(row.id, row.schedule_id, row.run_id, row.host_id, tuple((a, b) for a, b in row.vms), row.until)
            for row in await conn.execute(query)
        ]

    async def waiting_counts(self, conn: AsyncConnection) -> dict[int, int]:
        query = select(schedule_waiting.c.schedule_id, func.count().label("n"))
        return {row.schedule_id: row.n for row in await conn.execute(query.group_by(schedule_waiting.c.schedule_id))}

    async def take_waiting(self, conn: AsyncConnection, waiting_id: int) -> bool:
        """Ours alone from here; False when another was first."""
        return (await conn.execute(delete(schedule_waiting).where(schedule_waiting.c.id == waiting_id))).rowcount == 1


async def _hit(conn: AsyncConnection, statement: Update) -> bool:
    return (await conn.execute(statement)).rowcount == 1


def _schedule(row: Row[Any]) -> Schedule:
    return Schedule(
        id=row.id,
        name=row.name,
        note=row.note,
        verb=row.verb,
        force=bool(row.force),
        timeout_s=row.timeout_s,
        options=msgspec.convert(row.options, JobOptions),
        targets=msgspec.convert(row.targets, Targets),
        when=msgspec.convert(row.timing, When),
        missed=msgspec.convert(row.missed, Missed),
        overlap=row.overlap,
        enabled=bool(row.enabled),
        owner=Owner(row.owner_kind, row.owner_id, row.owner_name, row.owner_token),
        revision=row.revision,
        seen_until=row.seen_until,
        next_at=row.next_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _run(row: Row[Any]) -> Run:
    return Run(
        id=row.id,
        schedule_id=row.schedule_id,
        slot_key=row.slot_key,
        slot_at=row.slot_at,
        trigger=row.trigger,
        late=bool(row.late),
        state=row.state,
        reason=row.reason,
        reason_params=row.reason_params or {},
        pharmacies=None if row.pharmacies is None else frozenset(row.pharmacies),
        job_id=row.job_id,
        counts=None if row.counts is None else msgspec.convert(row.counts, Counts),
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def keys(rows: Iterable[Run]) -> set[tuple[int, str]]:
    return {(run.schedule_id, run.slot_key) for run in rows}
