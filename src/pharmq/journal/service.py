"""Append in the caller's transaction, read by cursor, wake listeners after the commit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row as SqlRow
from sqlalchemy import Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.base.bell import Bell
from pharmq.base.clock import Clock
from pharmq.db import Tx
from pharmq.journal.chain import Cells, Head, Signer, row_hash
from pharmq.journal.model import VERSION, Entry, Row, Where, Who
from pharmq.journal.personal import Personal
from pharmq.journal.tables import journal, journal_cursors, journal_head, journal_personal

_person = journal_personal.alias("person")
_details = journal_personal.alias("details")


class Journal:
    """The one totally ordered, hash-chained sequence. ``bell`` rings after every commit that appended something here.

    With a ``signer`` every append leaves a signed head, so that nobody who can only write the database can make a
    chain that looks whole.
    """

    def __init__(self, clock: Clock, signer: Signer | None = None) -> None:
        self.clock = clock
        self.signer = signer
        self.bell = Bell()
        self.personal = Personal()

    async def append(self, tx: Tx, *entries: Entry) -> int:
        """Append in order and return the last sequence number. Append late in a transaction: from here to the
        commit every other appender waits (see ``tables.journal_head``)."""
        if not entries:
            return await self.head(tx.conn)
        # Before the lock is taken, since it may need queries of its own.
        refs = [(await self.personal.person(tx, entry), await self.personal.private(tx, entry)) for entry in entries]
        head = await self.lock(tx, len(entries))
        now, first, last = self.clock.now(), head.seq - len(entries) + 1, head.hash
        values = []
        for number, (entry, (person, private)) in enumerate(zip(entries, refs, strict=True)):
            cells = _cells(entry, first + number, entry.at or now, person, private)
            last = row_hash(last, cells)
            values.append(cells._asdict() | {"scope": list(entry.where.paths), "params": entry.params, "hash": last})
        await tx.conn.execute(insert(journal), values)
        await self.close(tx, head._replace(hash=last))
        tx.after_commit(self.bell.ring)
        return head.seq

    async def lock(self, tx: Tx, rows: int = 0) -> Head:
        """Take the sequencer for this transaction, moved on by ``rows``; the hash is that of the last row so far."""
        moved = await tx.conn.execute(
            update(journal_head)
            .where(journal_head.c.id == 1)
            .values(seq=journal_head.c.seq + rows)
            .returning(journal_head.c.seq, journal_head.c.hash, journal_head.c.checkpoint)
        )
        return Head(*moved.one())

    async def close(self, tx: Tx, head: Head) -> None:
        """Write and sign the head that this transaction leaves."""
        values: dict[str, Any] = {"hash": head.hash, "checkpoint": head.checkpoint}
        if self.signer is not None:
            values |= {"key_id": self.signer.key_id, "signature": self.signer.sign(head.message())}
        await tx.conn.execute(update(journal_head).where(journal_head.c.id == 1).values(**values))

    async def head(self, conn: AsyncConnection) -> int:
        """The newest sequence number; 0 when the journal is empty."""
        return int(await conn.scalar(select(journal_head.c.seq).where(journal_head.c.id == 1)) or 0)

    async def read(self, conn: AsyncConnection, after: int, limit: int = 500) -> list[Row]:
        """Rows with a sequence number above ``after``, oldest first, no row ever skipped."""
        return await self.select(conn, query().where(journal.c.seq > after).order_by(journal.c.seq), limit)

    async def select(self, conn: AsyncConnection, wanted: Select[Any], limit: int) -> list[Row]:
        """Rows of a query made by ``query`` or ``newest_first``."""
        return [_row(found) for found in await conn.execute(wanted.limit(limit))]

    async def cursor(self, conn: AsyncConnection, reader: str) -> int:
        """How far ``reader`` has come; 0 for a new one."""
        found = await conn.scalar(select(journal_cursors.c.seq).where(journal_cursors.c.reader == reader))
        return int(found or 0)

    async def advance(self, tx: Tx, reader: str, seq: int) -> None:
        """Remember how far ``reader`` has come, in the transaction that did the work."""
        changed = await tx.conn.execute(
            update(journal_cursors).where(journal_cursors.c.reader == reader).values(seq=seq)
        )
        if changed.rowcount == 0:
            await tx.conn.execute(insert(journal_cursors).values(reader=reader, seq=seq))


def _cells(entry: Entry, seq: int, at: datetime, person: str | None, private: str | None) -> Cells:
    return Cells(
        seq=seq,
        version=VERSION,
        at=at,
        kind=entry.kind,
        phase=entry.phase,
        act_id=entry.act_id,
        actor_kind=entry.who.kind,
        actor_id=entry.who.id,
        person=person,
        private=private,
        pharmacy_id=entry.where.pharmacy_id,
        host_id=entry.where.host_id,
        vm_id=entry.where.vm_id,
        # The same encoder that writes the column, so the same text.
        scope=msgspec.json.encode(list(entry.where.paths)).decode(),
        params=msgspec.json.encode(entry.params).decode(),
        outcome=entry.outcome,
        upid=entry.upid,
    )


def _row(found: SqlRow[Any]) -> Row:
    private = msgspec.json.decode(found.private_details) if found.private_details else {}
    return Row(
        seq=found.seq,
        version=found.version,
        at=found.at,
        kind=found.kind,
        phase=found.phase,
        act_id=found.act_id,
        who=Who(
            found.actor_kind,
            found.actor_id,
            "system" if found.actor_kind == "system" else found.person_name,
            found.person_source,
        ),
        where=Where(tuple(found.scope), found.pharmacy_id, found.host_id, found.vm_id),
        params=found.params | private,
        outcome=found.outcome,
        upid=found.upid,
    )


def query(*, by: Sequence[Any] = ()) -> Select[Any]:
    """Rows with the personal data that goes with them; ``by`` are conditions on name and address (``person``)."""
    return (
        select(
            journal,
            _person.c.name.label("person_name"),
            _person.c.source.label("person_source"),
            _details.c.details.label("private_details"),
        )
        .outerjoin(_person, _person.c.ref == journal.c.person)
        .outerjoin(_details, _details.c.ref == journal.c.private)
        .where(*by)
    )


person = _person.c
"""Columns ``name`` and ``source`` of the actor, for conditions of ``query``."""


def newest_first(*conditions: Any, before: int | None = None) -> Select[Any]:
    """A query for a page of history: newest first, strictly older than ``before``."""
    wanted = query().where(*conditions).order_by(journal.c.seq.desc())
    return wanted if before is None else wanted.where(journal.c.seq < before)
