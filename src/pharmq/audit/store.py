"""SQL of the journal's proof: rows as they are hashed, checkpoints, personal data, witnesses of tampering."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Text, delete, func, insert, or_, select, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.audit.tables import journal_checkpoints
from pharmq.audit.walk import Checkpoint, Stored
from pharmq.journal.chain import Cells, Head
from pharmq.journal.tables import journal, journal_cursors, journal_head, journal_personal

_cells = [
    type_coerce(journal.c[name], Text).label(name) if name in ("scope", "params") else journal.c[name]
    for name in Cells._fields
]


class Standing(NamedTuple):
    """The head as it is stored, and the largest sequence numbers seen elsewhere, all of one moment."""

    head: Head
    key_id: int | None
    signature: bytes | None
    newest: int
    farthest_reader: int


async def standing(conn: AsyncConnection) -> Standing | None:
    """None when the head is missing."""
    newest = select(func.coalesce(func.max(journal.c.seq), 0)).scalar_subquery()
    reader = select(func.coalesce(func.max(journal_cursors.c.seq), 0)).scalar_subquery()
    found = (
        await conn.execute(
            select(journal_head, newest.label("newest"), reader.label("reader")).where(journal_head.c.id == 1)
        )
    ).first()
    if found is None:
        return None
    head = Head(found.seq, found.hash, found.checkpoint)
    return Standing(head, found.key_id, found.signature, found.newest, found.reader)


async def rows(conn: AsyncConnection, after: int, until: int, limit: int) -> list[Stored]:
    query = (
        select(*_cells, journal.c.hash)
        .where(journal.c.seq > after, journal.c.seq <= until)
        .order_by(journal.c.seq)
        .limit(limit)
    )
    return [Stored(Cells(*row[:-1]), row[-1]) for row in await conn.execute(query)]


async def hash_at(conn: AsyncConnection, seq: int) -> bytes | None:
    """The hash of a row, or what its checkpoint says when it was cut."""
    found: bytes | None = await conn.scalar(select(journal.c.hash).where(journal.c.seq == seq))
    if found is None:
        found = await conn.scalar(select(journal_checkpoints.c.hash).where(journal_checkpoints.c.seq == seq))
    return found


async def checkpoints(conn: AsyncConnection) -> list[Checkpoint]:
    query = select(journal_checkpoints).order_by(journal_checkpoints.c.seq)
    return [
        Checkpoint(row.seq, row.previous, row.hash, row.at, row.key_id, row.signature, row.cut_at, row.cut_signature)
        for row in await conn.execute(query)
    ]


async def oldest(conn: AsyncConnection) -> tuple[int, datetime] | None:
    """The first row that is still kept."""
    row = (await conn.execute(select(journal.c.seq, journal.c.at).order_by(journal.c.seq).limit(1))).first()
    return None if row is None else (row.seq, row.at)


async def add_checkpoint(conn: AsyncConnection, point: Checkpoint) -> None:
    await conn.execute(insert(journal_checkpoints).values(**point._asdict()))


async def cut(conn: AsyncConnection, point: Checkpoint, at: datetime, signature: bytes) -> int:
    """Delete a checkpoint's rows and mark it; the number of rows."""
    gone = await conn.execute(delete(journal).where(journal.c.seq > point.previous, journal.c.seq <= point.seq))
    await conn.execute(
        update(journal_checkpoints)
        .where(journal_checkpoints.c.seq == point.seq)
        .values(cut_at=at, cut_signature=signature)
    )
    return gone.rowcount


async def newest_in(conn: AsyncConnection, point: Checkpoint, families: Sequence[str] = ()) -> datetime | None:
    """When the last row of a segment happened; with ``families`` (``access`` ...) the last of those."""
    query = select(func.max(journal.c.at)).where(journal.c.seq > point.previous, journal.c.seq <= point.seq)
    if families:
        query = query.where(or_(*(journal.c.kind.startswith(f"{name}.", autoescape=True) for name in families)))
    found: datetime | None = await conn.scalar(query)
    return found


async def drop_unused_personal(conn: AsyncConnection) -> int:
    """Personal data that no row refers to any more."""
    gone = await conn.execute(
        delete(journal_personal).where(
            ~select(journal.c.seq).where(journal.c.person == journal_personal.c.ref).exists(),
            ~select(journal.c.seq).where(journal.c.private == journal_personal.c.ref).exists(),
        )
    )
    return gone.rowcount


class PersonalRow(NamedTuple):
    ref: str
    about: int | None
    name: str | None
    source: str | None
    details: str | None
    salt: bytes | None
    erased_seq: int | None


async def personal(conn: AsyncConnection, after: str, limit: int) -> list[PersonalRow]:
    query = select(journal_personal).where(journal_personal.c.ref > after).order_by(journal_personal.c.ref).limit(limit)
    return [PersonalRow(*row) for row in await conn.execute(query)]


async def missing_personal(conn: AsyncConnection, limit: int) -> list[int]:
    """Rows whose personal data is not there at all."""
    found: list[int] = []
    for column in (journal.c.person, journal.c.private):
        query = (
            select(journal.c.seq)
            .outerjoin(journal_personal, journal_personal.c.ref == column)
            .where(column.is_not(None), journal_personal.c.ref.is_(None))
            .order_by(journal.c.seq)
            .limit(limit)
        )
        found.extend(await conn.scalars(query))
    return found


async def first_with_personal(conn: AsyncConnection, ref: str) -> int:
    """The first row that refers to it; 0 for none."""
    firsts = [
        await conn.scalar(select(func.min(journal.c.seq)).where(column == ref))
        for column in (journal.c.person, journal.c.private)
    ]
    return min((int(seq) for seq in firsts if seq is not None), default=0)


async def records_erasure(conn: AsyncConnection, seq: int, about: int | None) -> bool:
    """Whether that row says that this user's data was erased."""
    row = (await conn.execute(select(journal.c.kind, journal.c.params).where(journal.c.seq == seq))).first()
    return row is not None and row.kind == "audit.erased" and row.params.get("user_id") == about


async def erase_personal(conn: AsyncConnection, about: int, seq: int) -> int:
    """Empty everything kept of a user, for good; the number of rows."""
    gone = await conn.execute(
        update(journal_personal)
        .where(journal_personal.c.about == about, journal_personal.c.salt.is_not(None))
        .values(name=None, source=None, details=None, salt=None, erased_seq=seq)
    )
    return gone.rowcount
