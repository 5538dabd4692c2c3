"""Names, addresses and other personal data of the journal: written beside the chain, found again, erased."""

import secrets
from typing import NamedTuple

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.db import Tx
from pharmq.journal.chain import commitment
from pharmq.journal.model import Entry
from pharmq.journal.tables import journal_personal as table

REMEMBERED = 10_000


class Person(NamedTuple):
    about: int | None
    name: str | None
    source: str | None


class Personal:
    """One row per person and address, one per entry with private parameters."""

    def __init__(self) -> None:
        self._known: dict[Person, str] = {}

    def forget(self) -> None:
        """After an erasure: a person who acts again gets a new row."""
        self._known.clear()

    async def person(self, tx: Tx, entry: Entry) -> str | None:
        """The reference to the actor's name and address; None when there is nothing to keep."""
        who = entry.who
        if who.kind == "system" or (who.name is None and who.source is None):
            return None
        person = Person(who.id, who.name and who.name[:128], who.source and who.source[:64])
        if (ref := self._known.get(person)) is None:
            ref = await self._found(tx.conn, person) or await self._made(tx.conn, *person, None)
            found = ref
            tx.after_commit(lambda: self._remember(person, found))
        return ref

    async def private(self, tx: Tx, entry: Entry) -> str | None:
        """The reference to an entry's private parameters; None when it has none."""
        if not entry.private:
            return None
        about = entry.who.id if entry.about is None else entry.about
        return await self._made(tx.conn, about, None, None, msgspec.json.encode(entry.private).decode())

    def _remember(self, person: Person, ref: str) -> None:
        # Refused sign-ins from anywhere make new ones: the memory is bounded.
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[person] = ref

    async def _found(self, conn: AsyncConnection, person: Person) -> str | None:
        query = select(table.c.ref).where(
            table.c.about.is_(None) if person.about is None else table.c.about == person.about,
            table.c.name.is_(None) if person.name is None else table.c.name == person.name,
            table.c.source.is_(None) if person.source is None else table.c.source == person.source,
            table.c.details.is_(None),
            table.c.salt.is_not(None),
        )
        return await conn.scalar(query.limit(1))

    async def _made(
        self, conn: AsyncConnection, about: int | None, name: str | None, source: str | None, details: str | None
    ) -> str:
        salt = secrets.token_bytes(16)
        ref = commitment(salt, about, name, source, details)
        await conn.execute(
            insert(table).values(ref=ref, about=about, name=name, source=source, details=details, salt=salt)
        )
        return ref
