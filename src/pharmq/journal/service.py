"""Append in the caller's transaction, read by cursor, wake listeners after the commit."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import BigInteger, Connection, Integer, Select, Update, bindparam, insert, select, update
from sqlalchemy import Row as SqlRow
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.base.bell import Bell
from pharmq.base.clock import Clock
from pharmq.db import Tx
from pharmq.journal.chain import Cells, Head, Signer, row_hash
from pharmq.journal.model import VERSION, Entry, Row, Where, Who
from pharmq.journal.personal import Personal, person_of
from pharmq.journal.recent import Recent
from pharmq.journal.tables import journal, journal_cursors, journal_head, journal_personal

_person = journal_personal.alias("person")
_details = journal_personal.alias("details")


class Journal:
    """The one totally ordered, hash-chained sequence. ``bell`` rings after every commit that appended something here.

    With a ``signer`` every append leaves a signed head, so that nobody who can only write the database can make a
    chain that looks whole. ``recent``: for followers, what was written here.
    """

    def __init__(self, clock: Clock, signer: Signer | None = None) -> None:
        self.clock = clock
        self.signer = signer
        self.bell = Bell()
        self.recent = Recent()
        self.personal = Personal(self.recent.forget)
        self._head: Head | None = None

    async def append(self, tx: Tx, *entries: Entry) -> int:
        """Append in order and return the last sequence number. Append late in a transaction: from here to the
        commit every other appender waits (see ``tables.journal_head``)."""
        if not entries:
            return await self.head(tx.conn)
        return await tx.conn.run_sync(self.put, tx, *entries)

    def add(self, tx: Tx, *entries: Entry) -> None:
        """Append in order as the last thing of the transaction, together with whatever else is added to it."""
        if not entries:
            return
        waiting = tx.notes.get(self)
        if waiting is None:
            waiting = tx.notes[self] = []
            tx.before_commit(lambda conn: self.put(conn, tx, *waiting))
        waiting.extend(entries)

    def put(self, conn: Connection, tx: Tx, *entries: Entry) -> int:
        """``append`` as a part of what is done in one go; there must be something to append."""
        # Before the lock is taken, since it may need queries of its own.
        refs = [(self.personal.person(conn, tx, entry), self.personal.private(conn, entry)) for entry in entries]
        now = self.clock.now()
        before: Head | None = tx.notes.get(_HEAD, self._head)
        # Nearly always the end of the journal is where this process has left it: then no question is needed.
        if before is None or not self._moved(conn, tx, before, cells := _chained(before, entries, refs, now)):
            before = Head(*conn.execute(_LOCK, {"rows": 0}).one())
            if not self._moved(conn, tx, before, cells := _chained(before, entries, refs, now)):
                raise RuntimeError("the journal's end moved although it is locked")
        conn.execute(_INSERT, [_values(each, hash) for each, hash in cells])
        rows = [_told(entry, each) for entry, (each, _) in zip(entries, cells, strict=True)]
        tx.after_commit(lambda: self.recent.add(rows))
        tx.after_commit(self.bell.ring)
        return before.seq + len(entries)

    def _moved(self, conn: Connection, tx: Tx, before: Head, cells: Sequence[tuple[Cells, bytes]]) -> bool:
        """Take the sequencer from ``before`` over these rows, and sign; False when somebody has moved it."""
        head = Head(cells[-1][0].seq, cells[-1][1], before.checkpoint)
        values = {"was_seq": before.seq, "was_hash": before.hash, "was_checkpoint": before.checkpoint, "seq": head.seq}
        if conn.execute(_MOVE[self.signer is not None], values | self._signed(head)).rowcount != 1:
            return False
        self._left(tx, head)
        return True

    def _signed(self, head: Head) -> dict[str, Any]:
        values: dict[str, Any] = {"hash": head.hash, "checkpoint": head.checkpoint}
        if self.signer is not None:
            values |= {"key_id": self.signer.key_id, "signature": self.signer.sign(head.message())}
        return values

    def _left(self, tx: Tx, head: Head) -> None:
        def known() -> None:
            self._head = head

        tx.notes[_HEAD] = head
        tx.after_commit(known)

    async def lock(self, tx: Tx, rows: int = 0) -> Head:
        """Take the sequencer for this transaction, moved on by ``rows``; the hash is that of the last row so far."""
        return Head(*(await tx.conn.execute(_LOCK, {"rows": rows})).one())

    async def close(self, tx: Tx, head: Head) -> None:
        """Write and sign the head that this transaction leaves."""
        values: dict[str, Any] = self._signed(head)
        await tx.conn.execute(update(journal_head).where(journal_head.c.id == 1).values(**values))
        self._left(tx, head)

    async def head(self, conn: AsyncConnection) -> int:
        """The newest sequence number; 0 when the journal is empty."""
        return int(await conn.scalar(_NEWEST) or 0)

    async def read(self, conn: AsyncConnection, after: int, limit: int = 500) -> list[Row]:
        """Rows with a sequence number above ``after``, oldest first, no row ever skipped."""
        return [_row(found) for found in await conn.execute(_READ, {"after": after, "most": limit})]

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


Refs: TypeAlias = Sequence[tuple[str | None, str | None]]
"""Person and private parameters of each entry."""


def _chained(before: Head, entries: Sequence[Entry], refs: Refs, now: datetime) -> list[tuple[Cells, bytes]]:
    """Entries as rows behind ``before``, each with its hash."""
    last, made = before.hash, []
    for number, (entry, (person, private)) in enumerate(zip(entries, refs, strict=True), before.seq + 1):
        cells = _cells(entry, number, entry.at or now, person, private)
        last = row_hash(last, cells)
        made.append((cells, last))
    return made


def _values(cells: Cells, hash: bytes) -> dict[str, Any]:
    values = cells._asdict()
    # As values, since the columns encode them; it is the same text.
    return values | {
        "scope": msgspec.Raw(cells.scope.encode()),
        "params": msgspec.Raw(cells.params.encode()),
        "hash": hash,
    }


def _told(entry: Entry, cells: Cells) -> Row:
    """The row that reading it would give."""
    person = person_of(entry)
    name = "system" if entry.who.kind == "system" else person and person.name
    return Row(
        seq=cells.seq,
        version=cells.version,
        at=cells.at.astimezone(UTC),
        kind=entry.kind,
        phase=entry.phase,
        act_id=entry.act_id,
        who=Who(entry.who.kind, entry.who.id, name, person and person.source),
        where=entry.where,
        params=msgspec.json.decode(cells.params) | msgspec.json.decode(msgspec.json.encode(entry.private)),
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


_HEAD = object()
"""In the notes of a transaction: the head that it leaves so far."""
_NEWEST = select(journal_head.c.seq).where(journal_head.c.id == 1)
_READ = (
    query().where(journal.c.seq > bindparam("after")).order_by(journal.c.seq).limit(bindparam("most", type_=Integer))
)
_INSERT = insert(journal)
_LOCK = (
    update(journal_head)
    .where(journal_head.c.id == 1)
    .values(seq=journal_head.c.seq + bindparam("rows", type_=BigInteger))
    .returning(journal_head.c.seq, journal_head.c.hash, journal_head.c.checkpoint)
)


def _move(*columns: str) -> Update:
    return (
        update(journal_head)
        .where(
            journal_head.c.id == 1,
            journal_head.c.seq == bindparam("was_seq"),
            journal_head.c.hash == bindparam("was_hash"),
            journal_head.c.checkpoint == bindparam("was_checkpoint"),
        )
        .values({column: bindparam(column) for column in columns})
    )


_MOVE = {
    False: _move("seq", "hash", "checkpoint"),
    True: _move("seq", "hash", "checkpoint", "key_id", "signature"),
}
"""By whether it is signed."""
