"""Keeping the journal provable: checkpoints by time and count, a witness outside the database, the whole check.

The witness is a small file beside the master key: the last signed head this process has seen. A database that was put
back to an earlier state, heads and checkpoints and all, no longer reaches what the witness has seen.
"""

import asyncio
import logging
import os
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.access import EVERYTHING, Actor, Privilege, require, where, who
from pharmq.audit import store
from pharmq.audit.keys import SigningKeys
from pharmq.audit.walk import FINDINGS_AT_MOST, Checkpoint, Finding, Walk
from pharmq.base.clock import Clock
from pharmq.base.errors import Conflict
from pharmq.base.ids import new_act_id
from pharmq.base.spawn import Spawner
from pharmq.db import Database
from pharmq.journal import Entry, Journal
from pharmq.journal.chain import Head, commitment

log = logging.getLogger(__name__)

CHECKPOINT_EVERY_S = 60.0
CHECKPOINT_ROWS = 1000
BATCH = 500


class Witness(msgspec.Struct, frozen=True):
    seq: int
    hash: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a check. ``whole``: nothing was found. ``head`` is worth writing down elsewhere."""

    whole: bool
    rows: int
    head_seq: int
    head_hash: str
    checkpoints: int
    cut_segments: int
    started_at: datetime
    finished_at: datetime
    findings: tuple[Finding, ...]


class CheckState(msgspec.Struct, frozen=True):
    running: bool
    checked: int
    total: int
    report: Report | None


class SignedHead(msgspec.Struct, frozen=True, kw_only=True):
    """Where the journal stands and who vouches for it (Ed25519): worth noting elsewhere, since nobody who changes the
    journal later reaches the same hash. ``signed`` is false when the signature does not hold."""

    seq: int
    hash: str
    checkpoint: int
    key_id: int | None
    public_key: str | None
    signature: str | None
    signed: bool
    at: datetime


class ProofService:
    def __init__(
        self, db: Database, journal: Journal, keys: SigningKeys, clock: Clock, witness: Path | None = None
    ) -> None:
        self.db = db
        self.journal = journal
        self.keys = keys
        self.clock = clock
        self.witness = witness
        self.state = CheckState(False, 0, 0, None)
        self._spawner = Spawner("proof")
        self._turn = asyncio.Lock()
        self.steady = asyncio.Lock()
        """Held while rows are followed or cut: a check must not meet half a cut."""

    async def start(self) -> None:
        self._spawner.spawn(self._keep(), "checkpoints")

    async def aclose(self) -> None:
        await self._spawner.aclose()

    async def _keep(self) -> None:
        while True:
            await self._wait()
            await self.checkpoint()

    async def _wait(self) -> None:
        """Until a minute has passed or many rows have come."""
        timer = asyncio.ensure_future(self.clock.sleep(CHECKPOINT_EVERY_S))
        rows = asyncio.ensure_future(self._many_rows())
        try:
            await asyncio.wait([timer, rows], return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            rows.cancel()

    async def _many_rows(self) -> None:
        seen = self.journal.bell.count
        while True:
            # Appends ring once each; a bulk append is one, so this only bounds how often the head is asked.
            for _ in range(20):
                seen = await self.journal.bell.wait(seen)
            async with self.db.read() as conn:
                standing = await store.standing(conn)
            if standing is not None and standing.head.seq - standing.head.checkpoint >= CHECKPOINT_ROWS:
                return

    async def checkpoint(self) -> Checkpoint | None:
        """Sign what has come since the last one; None when nothing has."""
        async with self._turn:
            async with self.db.transaction(durable=True) as tx:
                head = await self.journal.lock(tx)
                if head.seq == head.checkpoint:
                    return None
                point = Checkpoint(head.seq, head.checkpoint, head.hash, self.clock.now(), self.keys.key_id, b"")
                point = point._replace(signature=self.keys.sign(point.message()))
                await store.add_checkpoint(tx.conn, point)
                await self.journal.close(tx, head._replace(checkpoint=head.seq))
            await self._testify(Witness(point.seq, point.hash.hex()))
            return point

    async def _testify(self, seen: Witness) -> None:
        """Move the witness on, unless what it saw is gone: then it stays as evidence."""
        if self.witness is None:
            return
        if (finding := await self._compare_witness()) is not None:
            log.error("the journal lost rows that were signed before: %s", finding)
            return
        await asyncio.to_thread(_write, self.witness, msgspec.json.encode(seen))

    async def _compare_witness(self) -> Finding | None:
        if self.witness is None or (text := await asyncio.to_thread(_read, self.witness)) is None:
            return None
        try:
            seen = msgspec.json.decode(text, type=Witness)
        except msgspec.MsgspecError:
            return Finding("audit.found_witness_unreadable", 0, 0)
        async with self.db.read() as conn:
            found, standing = await store.hash_at(conn, seen.seq), await store.standing(conn)
        if found is not None and found.hex() == seen.hash:
            return None
        newest = standing.head.seq if standing else 0
        return Finding("audit.found_rolled_back", min(newest + 1, seen.seq), seen.seq)

    # --- checking

    async def check(self) -> Report:
        """Follow the whole chain. Rows that come meanwhile are left to the next check."""
        async with self.steady:
            return await self._check()

    async def _check(self) -> Report:
        began = self.clock.now()
        standing, points = await self._standing()
        if standing is None:
            head, found = Head(0, bytes(32), 0), [Finding("audit.found_head_changed", 0, 0)]
        else:
            head, found = standing.head, list(self._about_head(standing))
        newest = max((point.seq for point in points), default=0)
        if newest > head.seq:
            found.append(Finding("audit.found_truncated", head.seq + 1, newest))
        elif newest != head.checkpoint:
            found.append(Finding("audit.found_checkpoint_removed", newest, head.checkpoint))
        walk = Walk(points, self.keys.verify)
        at = 0
        while True:
            async with self.db.read() as conn:
                rows = await store.rows(conn, at, head.seq, BATCH)
            if not rows:
                break
            walk.feed(rows)
            at = rows[-1].cells.seq
            self.state = CheckState(True, walk.rows, head.seq, self.state.report)
        found += walk.end(head)
        found += await self._about_people()
        if (lost := await self._compare_witness()) is not None:
            found.append(lost)
        return Report(
            whole=not found,
            rows=walk.rows,
            head_seq=head.seq,
            head_hash=head.hash.hex(),
            checkpoints=len(points),
            cut_segments=sum(point.cut_at is not None for point in points),
            started_at=began,
            finished_at=self.clock.now(),
            findings=tuple(found[:FINDINGS_AT_MOST]),
        )

    async def signed_head(self, actor: Actor) -> SignedHead:
        require(actor, Privilege.AUDIT_READ, EVERYTHING)
        async with self.db.read() as conn:
            standing = await store.standing(conn)
        if standing is None:
            raise Conflict("audit.not_whole")
        head, public = standing.head, None if standing.key_id is None else self.keys.public(standing.key_id)
        return SignedHead(
            seq=head.seq,
            hash=head.hash.hex(),
            checkpoint=head.checkpoint,
            key_id=standing.key_id,
            public_key=None if public is None else public.hex(),
            signature=None if standing.signature is None else standing.signature.hex(),
            signed=self.keys.verify(standing.key_id, head.message(), standing.signature),
            at=self.clock.now(),
        )

    async def _standing(self) -> tuple[store.Standing | None, list[Checkpoint]]:
        """Checkpoints first, then the head: one that is made in between is read with the second try."""
        for _ in range(3):
            async with self.db.read() as conn:
                points, standing = await store.checkpoints(conn), await store.standing(conn)
            if standing is None or not points or points[-1].seq >= standing.head.checkpoint:
                break
        return standing, points

    def _about_head(self, standing: store.Standing) -> list[Finding]:
        found, head = [], standing.head
        if not self.keys.verify(standing.key_id, head.message(), standing.signature):
            found.append(Finding("audit.found_head_changed", head.checkpoint + 1, head.seq))
        if standing.newest > head.seq:
            found.append(Finding("audit.found_added", head.seq + 1, standing.newest))
        if standing.farthest_reader > head.seq:
            found.append(Finding("audit.found_truncated", head.seq + 1, standing.farthest_reader))
        return found

    async def _about_people(self) -> list[Finding]:
        """Personal data says what it said when the row was written, or was erased with a record of it."""
        found, after = [], ""
        while True:
            async with self.db.read() as conn:
                rows = await store.personal(conn, after, BATCH)
                for row in rows:
                    if not await self._fits(conn, row):
                        seq = await store.first_with_personal(conn, row.ref)
                        found.append(Finding("audit.found_personal_changed", seq, seq))
            if not rows:
                break
            after = rows[-1].ref
        async with self.db.read() as conn:
            missing = await store.missing_personal(conn, FINDINGS_AT_MOST)
        return found + [Finding("audit.found_personal_removed", seq, seq) for seq in missing]

    async def _fits(self, conn: AsyncConnection, row: store.PersonalRow) -> bool:
        if row.salt is not None and row.erased_seq is None:
            return commitment(row.salt, row.about, row.name, row.source, row.details) == row.ref
        if row.erased_seq is None or (row.name, row.source, row.details, row.salt) != (None, None, None, None):
            return False
        return await store.records_erasure(conn, row.erased_seq, row.about)

    async def check_and_record(self, actor: Actor) -> Report:
        """``check``, with a row in the journal that says who asked and what came of it."""
        self._take_turn(actor)
        return await self._recorded(actor)

    def begin_check(self, actor: Actor) -> CheckState:
        """Start a check and return at once. Raises Conflict while one runs."""
        self._take_turn(actor)
        self._spawner.spawn(self._recorded(actor), "check")
        return self.state

    def _take_turn(self, actor: Actor) -> None:
        require(actor, Privilege.AUDIT_READ, EVERYTHING)
        if self.state.running:
            raise Conflict("audit.check_running")
        self.state = CheckState(True, 0, 0, self.state.report)

    async def _recorded(self, actor: Actor) -> Report:
        report: Report | None = None
        try:
            report = await self.check()
        finally:
            self.state = CheckState(False, 0, 0, self.state.report if report is None else report)
        entry = Entry(
            kind="audit.verified",
            act_id=new_act_id(self.clock.now()),
            who=who(actor),
            where=where(EVERYTHING),
            params={"rows": report.rows, "head": report.head_seq, "findings": len(report.findings)},
            outcome="ok" if report.whole else "audit.not_whole",
        )
        async with self.db.transaction(durable=True) as tx:
            await self.journal.append(tx, entry)
        return report

    async def accept_restore(self, actor: Actor, reason: str) -> None:
        """The database was put back from a backup on purpose: say so in the journal, and let the witness begin anew."""
        require(actor, Privilege.AUDIT_READ, EVERYTHING)
        lost = await self._compare_witness()
        params = {"reason": reason, "first": lost.first if lost else 0, "last": lost.last if lost else 0}
        async with self.db.transaction(durable=True) as tx:
            await self.journal.append(tx, Entry(kind="audit.restored", who=who(actor), params=params))
        if self.witness is not None:
            await asyncio.to_thread(self.witness.unlink, missing_ok=True)
        await self.checkpoint()


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
