"""Names, addresses and other personal data of the journal: written beside the chain, found again, erased."""

import secrets
from collections.abc import Callable
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, insert, select

from pharmq.db import Tx
from pharmq.journal.chain import commitment
from pharmq.journal.model import Entry
from pharmq.journal.tables import journal_personal as table

REMEMBERED = 10_000
_INSERT = insert(table)


class Person(NamedTuple):
    about: int | None
    name: str | None
    source: str | None


class Personal:
    """One row per person and address, one per entry with private parameters. ``forgotten``: called after erasures."""

    def __init__(self, forgotten: Callable[[], None]) -> None:
        self._known: dict[Person, str] = {}
        self._forgotten = forgotten

    def forget(self) -> None:
        """After an erasure: a person who acts again gets a new row."""
        self._known.clear()
        self._forgotten()

    def person(self, conn: Connection, tx: Tx, entry: Entry) -> str | None:
        """The reference to the actor's name and address; None when there is nothing to keep."""
        if (person := person_of(entry)) is None:
            return None
        if (ref := self._known.get(person)) is None:
            ref = _found(conn, person) or _made(conn, *person, None)
            found = ref
            tx.after_commit(lambda: self._remember(person, found))
        return ref

    def private(self, conn: Connection, entry: Entry) -> str | None:
        """The reference to an entry's private parameters; None when it has none."""
        if not entry.private:
            return None
        about = entry.who.id if entry.about is None else entry.about
        return _made(conn, about, None, None, msgspec.json.encode(entry.private).decode())

    def _remember(self, person: Person, ref: str) -> None:
        # Refused sign-ins from anywhere make new ones: the memory is bounded.
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[person] = ref


def person_of(entry: Entry) -> Person | None:
    """Who acted, as it is kept; None for the system and for whoever said nothing of themselves."""
    who = entry.who
    if who.kind == "system" or (who.name is None and who.source is None):
        return None
    return Person(who.id, who.name and who.name[:128], who.source and who.source[:64])


def _found(conn: Connection, person: Person) -> str | None:
    query = select(table.c.ref).where(
        table.c.about.is_(None) if person.about is None else table.c.about == person.about,
        table.c.name.is_(None) if person.name is None else table.c.name == person.name,
        table.c.source.is_(None) if person.source is None else table.c.source == person.source,
        table.c.details.is_(None),
        table.c.salt.is_not(None),
    )
    return conn.scalar(query.limit(1))


def _made(conn: Connection, about: int | None, name: str | None, source: str | None, details: str | None) -> str:
    salt = secrets.token_bytes(16)
    ref = commitment(salt, about, name, source, details)
    conn.execute(
        _INSERT, {"ref": ref, "about": about, "name": name, "source": source, "details": details, "salt": salt}
    )
    return ref
