"""Append in the caller's transaction, read by cursor, wake listeners after the commit."""

from typing import Any

from sqlalchemy import Row as SqlRow
from sqlalchemy import Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.base.bell import Bell
from pharmq.base.clock import Clock
from pharmq.db import Tx
from pharmq.journal.model import VERSION, Entry, Row, Where, Who
from pharmq.journal.tables import journal, journal_cursors, journal_head


class Journal:
    """The one totally ordered sequence. ``bell`` rings after every commit that appended something here."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.bell = Bell()

    async def append(self, tx: Tx, *entries: Entry) -> int:
        """Append in order and return the last sequence number. Append late in a transaction: from here to the
        commit every other appender waits (see ``tables.journal_head``)."""
        if not entries:
            return await self.head(tx.conn)
        moved = await tx.conn.execute(
            update(journal_head)
            .where(journal_head.c.id == 1)
            .values(seq=journal_head.c.seq + len(entries))
            .returning(journal_head.c.seq)
        )
        last = int(moved.scalar_one())
        now = self.clock.now()
        first = last - len(entries) + 1
        await tx.conn.execute(
            insert(journal), [_values(entry, first + i, entry.at or now) for i, entry in enumerate(entries)]
        )
        tx.after_commit(self.bell.ring)
        return last

    async def head(self, conn: AsyncConnection) -> int:
        """The newest sequence number; 0 when the journal is empty."""
        return int(await conn.scalar(select(journal_head.c.seq).where(journal_head.c.id == 1)) or 0)

    async def read(self, conn: AsyncConnection, after: int, limit: int = 500) -> list[Row]:
        """Rows with a sequence number above ``after``, oldest first, no row ever skipped."""
        return await self.select(conn, select(journal).where(journal.c.seq > after).order_by(journal.c.seq), limit)

    async def select(self, conn: AsyncConnection, query: Select[Any], limit: int) -> list[Row]:
        """Rows of a query over the journal table."""
        return [_row(found) for found in await conn.execute(query.limit(limit))]

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


def _values(entry: Entry, seq: int, at: object) -> dict[str, Any]:
    return {
        "seq": seq,
        "version": VERSION,
        "at": at,
        "kind": entry.kind,
        "phase": entry.phase,
        "act_id": entry.act_id,
        "actor_kind": entry.who.kind,
        "actor_id": entry.who.id,
        "actor_name": entry.who.name,
        "source": entry.who.source,
        "pharmacy_id": entry.where.pharmacy_id,
        "host_id": entry.where.host_id,
        "vm_id": entry.where.vm_id,
        "scope": list(entry.where.paths),
        "params": entry.params,
        "outcome": entry.outcome,
        "upid": entry.upid,
    }


def _row(found: SqlRow[Any]) -> Row:
    return Row(
        seq=found.seq,
        version=found.version,
        at=found.at,
        kind=found.kind,
        phase=found.phase,
        act_id=found.act_id,
        who=Who(found.actor_kind, found.actor_id, found.actor_name, found.source),
        where=Where(tuple(found.scope), found.pharmacy_id, found.host_id, found.vm_id),
        params=found.params,
        outcome=found.outcome,
        upid=found.upid,
    )


def newest_first(*conditions: Any, before: int | None = None) -> Select[Any]:
    """A query for a page of history: newest first, strictly older than ``before``."""
    query = select(journal).where(*conditions).order_by(journal.c.seq.desc())
    return query if before is None else query.where(journal.c.seq < before)
