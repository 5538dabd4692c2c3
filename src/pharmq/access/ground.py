"""What every part of this room stands on: database, journal, settings, vault, and who hears of changes."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from pharmq.access import Scope, store, where, who
from pharmq.access.model import EVERYTHING, Actor
from pharmq.access.passwords import Passwords
from pharmq.access.throttle import Throttle
from pharmq.base.clock import Clock
from pharmq.base.errors import Conflict, Forbidden, TooMany
from pharmq.base.ids import new_act_id
from pharmq.db import Database, Tx
from pharmq.journal import Entry, Journal
from pharmq.settings import SettingsService
from pharmq.vault import Vault

Changed: TypeAlias = Callable[[int | None], None]
"""Called with the user whose sessions, tokens or grants changed; None: anybody's may have."""

HandOver: TypeAlias = Callable[[Tx, int, int | None], Awaitable[int]]
"""``(tx, from_user, to_user)``: give what one person owns to another, or stop it when there is no heir; how many."""


def _by_path_alone(path: str) -> Scope:
    return Scope(frozenset({"/", path}))


class Ground:
    """``place``: a grant's path with its ancestors, None when there is no such thing (the rooms above know);
    ``heirlooms``: what is handed over when somebody leaves, by what it is called."""

    def __init__(self, db: Database, journal: Journal, settings: SettingsService, vault: Vault, clock: Clock) -> None:
        self.db = db
        self.journal = journal
        self.settings = settings
        self.vault = vault
        self.clock = clock
        self.passwords = Passwords()
        self.throttle = Throttle()
        self.place: Callable[[str], Scope | None] = _by_path_alone
        self.heirlooms: dict[str, HandOver] = {}
        self.listeners: list[Changed] = []

    def changed(self, user_id: int | None) -> None:
        for fn in self.listeners:
            fn(user_id)

    async def note(
        self,
        tx: Tx,
        actor: Actor,
        kind: str,
        user_id: int | None,
        scope: Scope = EVERYTHING,
        *,
        private: dict[str, Any] | None = None,
        **params: Any,
    ) -> None:
        """The act's row in the journal, and after the commit everybody hears of it. Last in a transaction. Names and
        whatever else tells of a person go into ``private``, which can be erased."""
        about = {} if user_id is None else {"user_id": user_id}
        entry = Entry(
            kind=kind,
            act_id=new_act_id(self.clock.now()),
            who=who(actor),
            where=where(scope),
            params=about | params,
            private=private or {},
            about=user_id,
        )
        await self.journal.append(tx, entry)
        tx.after_commit(lambda: self.changed(user_id))

    @asynccontextmanager
    async def keeping_an_administrator(self) -> AsyncIterator[Tx]:
        """A transaction that may not be the end of the last administrator: Conflict. It must append to the journal;
        the journal's lock puts those who remove one another at the same time in a row."""
        async with self.db.transaction(durable=True) as tx:
            before = await store.count_administrators(tx.conn)
            yield tx
            if before and not await store.count_administrators(tx.conn):
                raise Conflict("access.last_administrator")

    def wait_turn(self, name: str, source: str | None) -> None:
        """Raises TooMany after repeated failures from the same address."""
        if wait := self.throttle.wait_s(name, source, self.clock.monotonic()):
            raise TooMany("session.too_many", params={"retry_after_s": wait})


def digest(token: str) -> str:
    """How session ids, tokens and links are kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def require_person(actor: Actor) -> int:
    """The user's id; a token may not change what belongs to the person."""
    if actor.kind != "user" or actor.id is None:
        raise Forbidden("session.only_person")
    return actor.id
