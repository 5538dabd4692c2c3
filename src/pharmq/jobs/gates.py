"""SQL of what goes first and what waits: the end of one item lets others go or stops them, in one transaction.

The gates stand in the rows (``free_at``), so that a restart and other managers find them where they were.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, case, func, select, update

from pharmq.jobs.model import OPEN, Item
from pharmq.jobs.options import EndedBy
from pharmq.jobs.store import JobsStore
from pharmq.jobs.tables import job_items, jobs
from pharmq.jobs.waves import Tally, too_much

_CHUNK = 500
_REASONS: dict[EndedBy, str] = {"failures": "job.stopped_by_failures", "deadline": "job.stopped_by_deadline"}


class Moved(NamedTuple):
    """What an item's end set in motion: items that may go after a pause (seconds), items that were cancelled."""

    released: tuple[Item, ...] = ()
    pause: float = 0.0
    cancelled: tuple[Item, ...] = ()


NOTHING = Moved()


class Gates:
    def __init__(self, store: JobsStore) -> None:
        self.store = store

    def after(self, conn: Connection, item: Item, now: datetime) -> Moved:
        """To be called when the row of ``item`` has just got its final state."""
        if not item.options.gated:
            return NOTHING
        self.store.lock_job(conn, item.job_id)
        if self._too_much(conn, item):
            return Moved(cancelled=self.stop(conn, item.job_id, "failures", now))
        released, pause = self._next_on_host(conn, item), float(item.options.order_pause_s)
        if item.options.canary and not released:
            released, pause = self._next_wave(conn, item), 0.0
        return Moved(tuple(self.store.items(conn, released)), pause)

    def stop(self, conn: Connection, job_id: int, by: EndedBy, now: datetime) -> tuple[Item, ...]:
        """Cancel what has not been sent, held back or not."""
        found = conn.execute(
            update(job_items)
            .where(job_items.c.job_id == job_id, job_items.c.state == "queued")
            .values(state="cancelled", reason=_REASONS.get(by), finished_at=now, lease_until=None)
            .returning(job_items.c.id)
        )
        ids = [row.id for row in found]
        if ids:
            conn.execute(update(jobs).where(jobs.c.id == job_id, jobs.c.ended_by.is_(None)).values(ended_by=by))
        return tuple(self.store.items(conn, ids))

    def overdue(self, conn: Connection) -> list[int]:
        """Jobs past their deadline in which something has not begun."""
        now = self.store.clock(conn)
        waiting = select(job_items.c.id).where(job_items.c.job_id == jobs.c.id, job_items.c.state == "queued").exists()
        late = and_(jobs.c.state.in_(("queued", "running")), jobs.c.deadline_at <= now, waiting)
        return [row.id for row in conn.execute(select(jobs.c.id).where(late))]

    def _too_much(self, conn: Connection, item: Item) -> bool:
        limit = item.options.fail_limit
        if limit is None:
            return False
        whole = self._tally(conn, job_items.c.job_id == item.job_id)
        canary = None
        if item.options.canary and item.wave == 0:
            canary = self._tally(conn, (job_items.c.job_id == item.job_id) & (job_items.c.wave == 0))
        return too_much(limit, whole, canary)

    def _tally(self, conn: Connection, which: ColumnElement[bool]) -> Tally:
        # Items that the plan has skipped were never to be acted on.
        acted = ~((job_items.c.state == "skipped") & job_items.c.sent_at.is_(None))

        def those(states: Collection[str]) -> ColumnElement[Any]:
            return func.coalesce(func.sum(case((job_items.c.state.in_(states), 1), else_=0)), 0)

        row = (
            conn.execute(
                select(func.count().label("all"), those(("failed", "unknown")).label("bad"), those(OPEN).label("open"))
                .select_from(job_items)
                .where(which, acted)
            )
        ).one()
        return Tally(row.all, row.bad, row.open)

    def _next_on_host(self, conn: Connection, item: Item) -> list[int]:
        """The next kind on this host, when the last of the kind before has ended."""
        here = and_(
            job_items.c.job_id == item.job_id, job_items.c.host_id == item.host_id, job_items.c.wave == item.wave
        )
        before = select(job_items.c.id).where(here, job_items.c.state.in_(OPEN), job_items.c.turn <= item.turn)
        if not item.options.order or conn.scalar(before.limit(1)) is not None:
            return []
        held = and_(here, job_items.c.state == "queued", job_items.c.free_at.is_(None))
        turn = conn.scalar(select(func.min(job_items.c.turn)).where(held))
        if turn is None:
            return []
        found = conn.execute(
            update(job_items)
            .where(held, job_items.c.turn == turn)
            .values(free_at=self.store.clock(conn) + item.options.order_pause_s)
            .returning(job_items.c.id)
        )
        return [row.id for row in found]

    def _next_wave(self, conn: Connection, item: Item) -> list[int]:
        """On every host the first kind of the next wave, when this wave has ended."""
        of_job = job_items.c.job_id == item.job_id
        this = select(job_items.c.id).where(of_job, job_items.c.state.in_(OPEN), job_items.c.wave == item.wave)
        if conn.scalar(this.limit(1)) is not None:
            return []
        held = and_(of_job, job_items.c.state == "queued", job_items.c.free_at.is_(None), job_items.c.wave > item.wave)
        first = select(job_items.c.host_id, func.min(job_items.c.turn).label("turn")).where(held)
        turns = first.group_by(job_items.c.host_id).subquery()
        query = select(job_items.c.id).join(
            turns, and_(turns.c.host_id == job_items.c.host_id, turns.c.turn == job_items.c.turn)
        )
        ids = [row.id for row in conn.execute(query.where(held))]
        now = self.store.clock(conn)
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            conn.execute(update(job_items).where(job_items.c.id.in_(chunk)).values(free_at=now))
        return ids
