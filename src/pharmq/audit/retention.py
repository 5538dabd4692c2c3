"""Cutting what is older than it must be kept, only in whole segments between checkpoints whose chain has been verified,
each cut recorded; and erasing a person's data from the journal.

개인정보의 안전성 확보조치 기준 asks for access records of one or two years (two here, always) and for records of rights
of three.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select, update

from pharmq.access import SYSTEM, Actor, Privilege, require, where, who
from pharmq.access.model import EVERYTHING
from pharmq.access.tables import users
from pharmq.audit import store
from pharmq.audit.export import reasoned
from pharmq.audit.proof import BATCH, ProofService
from pharmq.audit.walk import Checkpoint, Finding, Walk
from pharmq.base.errors import Conflict
from pharmq.base.ids import new_act_id
from pharmq.base.spawn import Spawner
from pharmq.consoles.tables import vnc_sessions_extended
from pharmq.jobs.tables import jobs
from pharmq.journal import Entry
from pharmq.journal.chain import START, Head
from pharmq.settings import RuntimeSettings

log = logging.getLogger(__name__)

EVERY_S = 24 * 3600.0
KEPT_LONGER = ("access", "audit", "credential", "export")
"""Families of kinds that are kept as long as records of rights: who may do what, who read or cut the records."""


class RetentionState(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept for how long, what is still there, and what was cut. ``cut_until``: the last row that is gone."""

    keep_access_days: int
    keep_grants_days: int
    oldest_seq: int | None
    oldest_at: datetime | None
    newest_seq: int
    segments: int
    cut_segments: int
    cut_until: int
    cut_at: datetime | None


class RetentionService:
    def __init__(self, proof: ProofService, settings: Callable[[], RuntimeSettings]) -> None:
        self.proof = proof
        self.db = proof.db
        self.journal = proof.journal
        self.clock = proof.clock
        self.settings = settings
        self._spawner = Spawner("retention")

    async def start(self) -> None:
        self._spawner.spawn(self._keep(), "cutting")

    async def aclose(self) -> None:
        await self._spawner.aclose()

    async def _keep(self) -> None:
        while True:
            await self.clock.sleep(EVERY_S)
            await self.cut()

    async def state(self, actor: Actor) -> RetentionState:
        require(actor, Privilege.AUDIT_READ, EVERYTHING)
        async with self.db.read() as conn:
            points, oldest = await store.checkpoints(conn), await store.oldest(conn)
            newest = await self.journal.head(conn)
        gone = [point for point in points if point.cut_at is not None]
        return RetentionState(
            keep_access_days=self.settings().keep_access_days,
            keep_grants_days=self.settings().keep_grants_days,
            oldest_seq=oldest[0] if oldest else None,
            oldest_at=oldest[1] if oldest else None,
            newest_seq=newest,
            segments=len(points),
            cut_segments=len(gone),
            cut_until=max((point.seq for point in gone), default=0),
            cut_at=max((point.cut_at for point in gone if point.cut_at is not None), default=None),
        )

    async def cut(self) -> int:
        """Cut every segment whose rows are all old enough; the number of rows. A segment whose chain does not hold is
        kept and the failure recorded."""
        gone = 0
        async with self.proof.steady:
            async with self.db.read() as conn:
                points = await store.checkpoints(conn)
            for place, point in enumerate(points):
                if point.cut_at is not None or not await self._is_old(point):
                    continue
                before = points[place - 1] if place else None
                if broken := await self._broken(before, point):
                    log.error("the journal's rows %d to %d are not cut: %s", point.previous + 1, point.seq, broken[0])
                    await self._note(point, 0, "audit.not_whole")
                    continue
                gone += await self._cut(point)
        return gone

    async def _is_old(self, point: Checkpoint) -> bool:
        now, settings = self.clock.now(), self.settings()
        for kinds, days in (((), settings.keep_access_days), (KEPT_LONGER, settings.keep_grants_days)):
            async with self.db.read() as conn:
                newest = await store.newest_in(conn, point, kinds)
            if newest is not None and now - newest < timedelta(days=days):
                return False
        return True

    async def _broken(self, before: Checkpoint | None, point: Checkpoint) -> list[Finding]:
        if (before.seq if before else 0) != point.previous:
            return [Finding("audit.found_checkpoint_removed", point.previous, point.previous)]
        walk = Walk([point], self.proof.keys.verify, point.previous, before.hash if before else START)
        at = point.previous
        while True:
            async with self.db.read() as conn:
                rows = await store.rows(conn, at, point.seq, BATCH)
            if not rows:
                return walk.end(Head(point.seq, point.hash, point.seq))
            walk.feed(rows)
            at = rows[-1].cells.seq

    async def _cut(self, point: Checkpoint) -> int:
        now = self.clock.now()
        async with self.db.transaction(durable=True) as tx:
            signature = self.proof.keys.sign(point.cut_message(now))
            rows = await store.cut(tx.conn, point, now, signature)
            await store.drop_unused_personal(tx.conn)
            await self.journal.append(tx, self._entry(point, rows, "ok", now))
        return rows

    async def _note(self, point: Checkpoint, rows: int, outcome: str) -> None:
        async with self.db.transaction(durable=True) as tx:
            await self.journal.append(tx, self._entry(point, rows, outcome, self.clock.now()))

    def _entry(self, point: Checkpoint, rows: int, outcome: str, now: datetime) -> Entry:
        params = {"first": point.previous + 1, "last": point.seq, "hash": point.hash.hex(), "rows": rows}
        return Entry(kind="audit.cut", act_id=new_act_id(now), who=who(SYSTEM), params=params, outcome=outcome)

    async def erase(self, actor: Actor, user_id: int, reason: str) -> int:
        """Empty a former user's names, addresses and private parameters for good; what was done stays, under their
        number. Raises Forbidden; Conflict while they may still sign in."""
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        reason = reasoned(reason)
        async with self.db.read() as conn:
            known = await conn.scalar(select(users.c.id).where(users.c.id == user_id, users.c.disabled_at.is_(None)))
        if known is not None:
            raise Conflict("audit.user_active", params={"user_id": user_id})
        now = self.clock.now()
        entry = Entry(
            kind="audit.erased",
            act_id=new_act_id(now),
            who=who(actor),
            where=where(EVERYTHING),
            params={"user_id": user_id, "reason": reason},
        )
        async with self.db.transaction(durable=True) as tx:
            await tx.conn.execute(update(jobs).where(jobs.c.actor_id == user_id).values(actor_name=None, source=None))
            sessions = vnc_sessions_extended
            await tx.conn.execute(update(sessions).where(sessions.c.user_id == user_id).values(actor_name=None))
            seq = await self.journal.append(tx, entry)
            gone = await store.erase_personal(tx.conn, user_id, seq)
            tx.after_commit(self.journal.personal.forget)
        return gone
