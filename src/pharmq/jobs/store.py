"""SQL of the jobs room. Every change of an item is an update that must hit exactly one row, with the state and the
owner it was read with: whoever comes second changes nothing."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    Update,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    insert,
    not_,
    or_,
    select,
    true,
    update,
)

from pharmq.access import Grant
from pharmq.db import Database, UtcDateTime
from pharmq.db.leases import time_of
from pharmq.jobs.model import (
    OPEN,
    UNDER_WAY,
    ActorRef,
    Counts,
    Decision,
    Ending,
    Item,
    ItemState,
    ItemView,
    JobState,
    JobView,
    Mark,
    Target,
    Verb,
)
from pharmq.jobs.options import PLAIN, Cause, JobOptions
from pharmq.jobs.rows import as_item, as_item_view, as_job, counts_of, in_part, item_values, select_items
from pharmq.jobs.tables import job_items, jobs
from pharmq.jobs.waves import Place

LEASE_S = 30.0
"""How long an item belongs to a run that has stopped saying so."""
_CHUNK = 500
_COLUMNS = {"pharmacy": job_items.c.pharmacy_id, "host": job_items.c.host_id, "vm": job_items.c.vm_id}
"""By the kind of a grant's path."""
_OTHER = job_items.alias("other")
_RIVAL = exists().where(_OTHER.c.vm_id == job_items.c.vm_id, _OTHER.c.id != job_items.c.id, _OTHER.c.state == "sending")
"""Another item of the guest is being sent."""


class JobsStore:
    """``owner`` names this run of the process in the rows it works on."""

    def __init__(self, db: Database, owner: str) -> None:
        self.db = db
        self.owner = owner

    def clock(self, conn: Connection) -> float:
        """The database's time: the only one that all processes share."""
        return time_of(conn, is_sqlite=self.db.is_sqlite)

    # --- submission

    def add_job(
        self,
        conn: Connection,
        *,
        act_id: str,
        verb: Verb,
        force: bool,
        timeout_s: int | None,
        actor: ActorRef,
        source: str | None,
        now: datetime,
        state: JobState,
        options: JobOptions = PLAIN,
        cause: Cause | None = None,
    ) -> int:
        deadline = options.deadline_s
        row = conn.execute(
            insert(jobs)
            .values(
                act_id=act_id,
                verb=verb,
                force=force,
                timeout_s=timeout_s,
                actor_kind=actor.kind,
                actor_id=actor.id,
                actor_name=actor.name,
                actor_token=actor.token_id,
                source=source,
                state=state,
                created_at=now,
                options=None if options == PLAIN else msgspec.to_builtins(options),
                cause=None if cause is None else msgspec.to_builtins(cause),
                deadline_at=None if deadline is None else self.clock(conn) + deadline,
            )
            .returning(jobs.c.id)
        )
        return int(row.scalar_one())

    def add_items(
        self,
        conn: Connection,
        job_id: int,
        planned: Sequence[tuple[Target, Decision]],
        now: datetime,
        places: Sequence[Place] | None = None,
    ) -> None:
        rows = [
            item_values(job_id, target, decision, place, now)
            for (target, decision), place in zip(planned, places or [Place()] * len(planned), strict=True)
        ]
        for start in range(0, len(rows), _CHUNK):
            conn.execute(insert(job_items), rows[start : start + _CHUNK])

    # --- the course of an item

    def claim(self, conn: Connection, item: Item, mark: Mark, now: datetime) -> bool:
        """queued -> sending: the intent to send, ours alone. False when somebody else has it, when it was cancelled,
        or while another item of the guest is being sent: what became of that one must be known first, or two tasks
        could not be told apart. A power cut waits for nobody."""
        if not self.db.is_sqlite:
            # PostgreSQL runs two claims at once: the second waits here, then sees what the first has done.
            conn.execute(_OTHERS_OF_GUEST, {"vm": item.vm_id})
        statement = _CLAIM_AT_ONCE if item.verb == "stop" and item.force else _CLAIM
        return self._moved(conn, statement, item.id, **self._intent(conn, mark, now))

    def claim_again(self, conn: Connection, item: Item, mark: Mark, now: datetime) -> bool:
        """watching -> sending once more, after a task that certainly did nothing."""
        return self._moved(conn, _CLAIM_AGAIN, item.id, task=item.upid, **self._intent(conn, mark, now))

    def _intent(self, conn: Connection, mark: Mark, now: datetime) -> dict[str, Any]:
        return {"until": self.clock(conn) + LEASE_S, "new_mark": msgspec.to_builtins(mark), "now": now}

    def unsend(self, conn: Connection, item: Item) -> bool:
        """sending -> queued, when the request certainly never reached the host; a queued one counts the attempt."""
        if item.state == "queued":
            return conn.execute(_COUNT_ATTEMPT, {"item": item.id}).rowcount == 1
        return self._moved(conn, _UNSEND, item.id)

    def watch(self, conn: Connection, item_id: int, upid: str) -> bool:
        """sending -> watching, with the host's name for the task."""
        return self._moved(conn, _WATCH, item_id, task=upid)

    def end(self, conn: Connection, item_id: int, ending: Ending, now: datetime) -> bool:
        """Any open state of ours -> a final one."""
        how = {"final": ending.state, "why": ending.reason, "why_params": dict(ending.params), "now": now}
        return self._moved(conn, _END, item_id, **how)

    def begin_job(self, conn: Connection, job_id: int, now: datetime) -> bool:
        """True for the first item of the job that begins."""
        return conn.execute(_BEGIN_JOB, {"job": job_id, "now": now}).rowcount == 1

    def close_job(self, conn: Connection, job_id: int, now: datetime) -> Counts | None:
        """End a job whose last item has ended; None while one is open, or when another has closed it."""
        self.lock_job(conn, job_id)
        if conn.scalar(_STILL_OPEN, {"job": job_id}):
            return None
        counts = (self.counts(conn, [job_id])).get(job_id, Counts())
        changed = conn.execute(
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state.in_(("queued", "running")))
            .values(
                state="cancelled" if counts.cancelled else "done",
                finished_at=now,
                counts=msgspec.to_builtins(counts),
            )
        )
        return counts if changed.rowcount == 1 else None

    def lock_job(self, conn: Connection, job_id: int) -> None:
        """PostgreSQL may end two items at once: each would see the other one open, and nobody would close the job or
        open a gate. SQLite has one writer anyway."""
        if not self.db.is_sqlite:
            conn.execute(_LOCK_JOB, {"job": job_id})

    # --- leases

    def renew(self, conn: Connection, item_ids: Collection[int]) -> None:
        until = self.clock(conn) + LEASE_S
        for chunk in _chunks(item_ids):
            conn.execute(
                update(job_items).where(job_items.c.id.in_(chunk), self._mine(*UNDER_WAY)).values(lease_until=until)
            )

    def release(self, conn: Connection) -> None:
        """Give back everything at an orderly end, so that the next run need not wait for the leases."""
        conn.execute(update(job_items).where(self._mine(*UNDER_WAY)).values(lease_until=0.0))

    def lost(self, conn: Connection, held: Collection[int], limit: int) -> list[int]:
        """Ids of items whose lease ran out, but for those ``held`` by this run, should it have been slow."""
        query = select(job_items.c.id).where(self._lost(self.clock(conn))).order_by(job_items.c.id)
        return [row.id for row in conn.execute(query.limit(limit)) if row.id not in held]

    def take_over(self, conn: Connection, item_ids: Collection[int]) -> list[Item]:
        """Make lost items ours; each one is asked about at its host, never sent again."""
        now = self.clock(conn)
        taken: list[int] = []
        for chunk in _chunks(item_ids):
            query = update(job_items).where(job_items.c.id.in_(chunk), self._lost(now))
            changed = query.values(owner=self.owner, lease_until=now + LEASE_S).returning(job_items.c.id)
            taken += [row.id for row in conn.execute(changed)]
        return self.items(conn, taken)

    def _lost(self, now: float) -> ColumnElement[bool]:
        return and_(job_items.c.state.in_(UNDER_WAY), func.coalesce(job_items.c.lease_until, 0.0) <= now)

    # --- reading

    def queued(self, conn: Connection, after: int, limit: int) -> list[Item]:
        """Items waiting to be sent and not held back, oldest first, with an id above ``after``."""
        return [as_item(row) for row in conn.execute(_QUEUED, {"after": after, "most": limit})]

    def items(self, conn: Connection, item_ids: Collection[int]) -> list[Item]:
        found: list[Item] = []
        for chunk in _chunks(item_ids):
            found += [as_item(row) for row in conn.execute(_ITEMS, {"items": chunk})]
        return sorted(found, key=lambda item: item.id)

    def items_of(self, conn: Connection, job_id: int) -> list[Item]:
        """A job's open items, oldest first."""
        query = select_items().where(job_items.c.job_id == job_id, job_items.c.state.in_(OPEN)).order_by(job_items.c.id)
        return [as_item(row) for row in conn.execute(query)]

    def upids_of(self, conn: Connection, item: Item) -> frozenset[str]:
        """Tasks of this guest that belong to other items."""
        found = conn.execute(
            select(job_items.c.upid).where(
                job_items.c.vm_id == item.vm_id, job_items.c.id != item.id, job_items.c.upid.is_not(None)
            )
        )
        return frozenset(row.upid for row in found)

    def item_now(self, conn: Connection, item_id: int) -> Item | None:
        found = self.items(conn, [item_id])
        return found[0] if found else None

    def open_jobs(self, conn: Connection) -> list[JobView]:
        rows = list(conn.execute(select(jobs).where(jobs.c.state.in_(("queued", "running")))))
        counts = self.counts(conn, [row.id for row in rows])
        return [as_job(row, counts.get(row.id, Counts())) for row in rows]

    def open_items(self, conn: Connection) -> list[Item]:
        query = select_items().where(job_items.c.state.in_(OPEN)).order_by(job_items.c.id)
        return [as_item(row) for row in conn.execute(query)]

    def counts(self, conn: Connection, job_ids: Collection[int]) -> dict[int, Counts]:
        found: dict[int, dict[ItemState, int]] = {}
        for chunk in _chunks(job_ids):
            query = (
                select(job_items.c.job_id, job_items.c.state, func.count().label("n"))
                .where(job_items.c.job_id.in_(chunk))
                .group_by(job_items.c.job_id, job_items.c.state)
            )
            for row in conn.execute(query):
                found.setdefault(row.job_id, {})[row.state] = row.n
        return {job_id: counts_of(states) for job_id, states in found.items()}

    def job(self, conn: Connection, job_id: int) -> JobView | None:
        row = conn.execute(select(jobs).where(jobs.c.id == job_id)).one_or_none()
        return (self._views(conn, [row]))[0] if row is not None else None

    def states(self, conn: Connection, job_ids: Collection[int]) -> dict[int, tuple[JobState, Counts]]:
        found: dict[int, tuple[JobState, Counts]] = {}
        for chunk in _chunks(job_ids):
            views = self._views(conn, list(conn.execute(select(jobs).where(jobs.c.id.in_(chunk)))))
            found |= {job.id: (job.state, job.counts) for job in views}
        return found

    @staticmethod
    def in_state(*states: JobState) -> list[ColumnElement[bool]]:
        return [jobs.c.state.in_(states)]

    @staticmethod
    def below(grants: Iterable[Grant], members: Callable[[int], Collection[int]]) -> ColumnElement[bool]:
        """Items that one of the grants reaches, by host and pharmacy as they were when the job was made: a host that
        moves to another pharmacy opens nothing old there. ``members``: the pharmacies of a group now."""

        def at(path: str) -> ColumnElement[bool]:
            kind, _, number = path[1:].partition("/")
            if kind == "group":
                return job_items.c.pharmacy_id.in_(members(int(number)))
            return _COLUMNS[kind] == int(number) if kind else true()

        narrowed = ((at(grant.path), or_(*map(at, grant.within)) if grant.within else true()) for grant in grants)
        return or_(false(), *(and_(*each) for each in narrowed))

    def own_or_part(
        self, actor: ActorRef, seen: ColumnElement[bool], state: JobState | None = None
    ) -> ColumnElement[bool]:
        """An actor's own jobs, and those of others of which some items are ``seen``; with a state, theirs and the one
        that those items make (``rows.in_part``)."""
        own = and_(jobs.c.actor_kind == actor.kind, jobs.c.actor_id == actor.id, jobs.c.actor_name == actor.name)
        in_state = self.in_state(state) if state else []
        return case((own, and_(true(), *in_state)), else_=self._with_part(seen, state))

    @staticmethod
    def _with_part(seen: ColumnElement[bool], state: JobState | None) -> ColumnElement[bool]:
        def some(*more: ColumnElement[bool]) -> ColumnElement[bool]:
            return exists().where(job_items.c.job_id == jobs.c.id, seen, *more)

        # The whole's state first: it spares looking at the items of nearly every job.
        is_open = and_(jobs.c.state.in_(("queued", "running")), some(job_items.c.state.in_(OPEN)))
        if state in ("queued", "running"):
            began = some(job_items.c.started_at.is_not(None))
            return and_(is_open, began if state == "running" else not_(began))
        if state is None:
            return some()
        cancelled = and_(jobs.c.state != "done", some(job_items.c.state == "cancelled"))
        return and_(some(), not_(is_open), cancelled if state == "cancelled" else not_(cancelled))

    def parts(self, conn: Connection, whole: Sequence[JobView], seen: ColumnElement[bool]) -> dict[int, JobView]:
        """Jobs with no items but those ``seen``; one without any is left out."""
        states: dict[int, dict[ItemState, int]] = {}
        times: dict[int, tuple[list[datetime], list[datetime]]] = {}
        for chunk in _chunks(job.id for job in whole):
            of_part = (
                select(
                    job_items.c.job_id,
                    job_items.c.state,
                    func.count().label("n"),
                    func.min(job_items.c.started_at).label("began"),
                    func.max(job_items.c.finished_at).label("last"),
                )
                .where(job_items.c.job_id.in_(chunk), seen)
                .group_by(job_items.c.job_id, job_items.c.state)
            )
            for row in conn.execute(of_part):
                states.setdefault(row.job_id, {})[row.state] = row.n
                began, last = times.setdefault(row.job_id, ([], []))
                began += [row.began] if row.began else []
                last += [row.last] if row.last else []
        return {
            job.id: in_part(
                job,
                counts_of(states[job.id]),
                min(times[job.id][0], default=None),
                max(times[job.id][1], default=None),
            )
            for job in whole
            if job.id in states
        }

    def page(
        self, conn: Connection, conditions: Sequence[ColumnElement[bool]], limit: int, offset: int
    ) -> tuple[list[JobView], int]:
        """Newest first, and how many there are in all."""
        total = conn.scalar(select(func.count()).select_from(jobs).where(*conditions))
        query = select(jobs).where(*conditions).order_by(jobs.c.id.desc()).limit(limit).offset(offset)
        return self._views(conn, list(conn.execute(query))), int(total or 0)

    def _views(self, conn: Connection, rows: Sequence[Row[Any]]) -> list[JobView]:
        live = self.counts(conn, [row.id for row in rows if row.counts is None])
        return [
            as_job(row, live.get(row.id, Counts()) if row.counts is None else msgspec.convert(row.counts, Counts))
            for row in rows
        ]

    def item_page(
        self,
        conn: Connection,
        job_id: int,
        limit: int,
        offset: int,
        states: Collection[ItemState] = (),
        seen: Sequence[ColumnElement[bool]] = (),
    ) -> tuple[list[ItemView], int]:
        """``states``: only those; all when empty. ``seen``: conditions, as ``below`` makes them."""
        of_job = [job_items.c.job_id == job_id, *seen]
        if states:
            of_job.append(job_items.c.state.in_(states))
        total = conn.scalar(select(func.count()).select_from(job_items).where(*of_job))
        query = select(job_items).where(*of_job).order_by(job_items.c.id)
        rows = conn.execute(query.limit(limit).offset(offset))
        return [as_item_view(row) for row in rows], int(total or 0)

    def item(
        self, conn: Connection, job_id: int, item_id: int, seen: Sequence[ColumnElement[bool]] = ()
    ) -> ItemView | None:
        query = select(job_items).where(job_items.c.job_id == job_id, job_items.c.id == item_id, *seen)
        row = conn.execute(query).one_or_none()
        return as_item_view(row) if row is not None else None

    # --- pieces

    def _mine(self, *states: ItemState) -> ColumnElement[bool]:
        return and_(job_items.c.state.in_(states), job_items.c.owner == self.owner)

    def _moved(self, conn: Connection, statement: Update, item_id: int, **values: Any) -> bool:
        return conn.execute(statement, {"item": item_id, "by": self.owner, **values}).rowcount == 1


def _chunks(values: Iterable[int]) -> Iterable[list[int]]:
    every = sorted(values)
    return (every[start : start + _CHUNK] for start in range(0, len(every), _CHUNK))


# Made once: making one of these statements takes ten times as long as running it. ``by`` is the owner.

_MINE = job_items.c.owner == bindparam("by")


def _move(*conditions: ColumnElement[bool], **values: Any) -> Update:
    return update(job_items).where(job_items.c.id == bindparam("item"), *conditions).values(**values)


_INTENT: dict[str, Any] = {
    "state": "sending",
    "owner": bindparam("by"),
    "lease_until": bindparam("until"),
    "mark": bindparam("new_mark"),
    "attempt": job_items.c.attempt + 1,
    "sent_at": bindparam("now"),
}
_STARTED = {"started_at": func.coalesce(job_items.c.started_at, bindparam("now", type_=UtcDateTime))}
_WAITING = (job_items.c.state == "queued") & job_items.c.free_at.is_not(None)
_CLAIM = _move(_WAITING, ~_RIVAL, **_INTENT, **_STARTED)
_CLAIM_AT_ONCE = _move(_WAITING, **_INTENT, **_STARTED)
_CLAIM_AGAIN = _move(
    _MINE, job_items.c.state == "watching", job_items.c.upid == bindparam("task"), **_INTENT, upid=None
)
_COUNT_ATTEMPT = _move(job_items.c.state == "queued", attempt=job_items.c.attempt + 1)
_UNSEND = _move(
    _MINE, job_items.c.state == "sending", job_items.c.upid.is_(None), state="queued", owner=None, lease_until=None
)
_WATCH = _move(_MINE, job_items.c.state == "sending", state="watching", upid=bindparam("task"))
_END = _move(
    (_MINE & job_items.c.state.in_(UNDER_WAY)) | (job_items.c.state == "queued"),
    state=bindparam("final"),
    reason=bindparam("why"),
    reason_params=bindparam("why_params"),
    finished_at=bindparam("now"),
    lease_until=None,
)
_OTHERS_OF_GUEST = (
    select(job_items.c.id)
    .where(job_items.c.vm_id == bindparam("vm"), job_items.c.state.in_(("queued", "sending")))
    .order_by(job_items.c.id)
    .with_for_update()
)
_ITS_JOB = jobs.c.id == bindparam("job")
_LOCK_JOB = select(jobs.c.id).where(_ITS_JOB).with_for_update()
_BEGIN_JOB = update(jobs).where(_ITS_JOB, jobs.c.state == "queued").values(state="running", started_at=bindparam("now"))
_STILL_OPEN = select(exists().where(job_items.c.job_id == bindparam("job"), job_items.c.state.in_(OPEN)))
_ITEMS = select_items().where(job_items.c.id.in_(bindparam("items", expanding=True)))
_QUEUED = (
    select_items()
    .where(_WAITING, job_items.c.id > bindparam("after"))
    .order_by(job_items.c.id)
    .limit(bindparam("most", type_=Integer))
)
