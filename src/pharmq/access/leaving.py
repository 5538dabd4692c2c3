"""퇴사 처리 and 기기 분실: one act each that takes everything back, and names the secrets that must be changed."""

from datetime import datetime
from typing import Any, Literal, TypeAlias

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.access import store, store_entry
from pharmq.access.ground import Ground
from pharmq.access.model import EVERYTHING, Actor, Privilege, require
from pharmq.access.own import clear_second_factor
from pharmq.access.people import Invitation, People
from pharmq.access.sessions import Sessions
from pharmq.base.errors import Conflict, invalid_field
from pharmq.db import Tx
from pharmq.journal import Row
from pharmq.journal.service import query
from pharmq.journal.tables import journal as table

_READ_AT_MOST = 100_000
_NEW_SECRET = ("created", "secret")
_NEW_LOGIN = ("credential", "credential_id")
_TYPED = ("credential.provision", "credential.remove")

Kind: TypeAlias = Literal["credential", "host", "root_password"]


class KnownSecret(msgspec.Struct, frozen=True):
    """A credential that somebody typed in, a host that they added, or an administrator's password (``root_password``)
    that they typed for a service account on the host ``id``; the last time they did. ``changed_since``: somebody else
    has put a new secret in its place here, or it is gone from here.

    It is never true of a ``root_password``. PharmQ keeps no such password, so it cannot tell whether the host has
    another one by now; one typed later by somebody else may be the same, a wrong one or another account's, and a host
    that has left PharmQ still opens with it.
    """

    kind: Kind
    id: int
    name: str
    pharmacy_id: int | None
    at: datetime
    changed_since: bool


class Farewell(msgspec.Struct, frozen=True):
    """What was ended, what was handed over, and what the person still knows."""

    sessions: int
    tokens: int
    second_factor: bool
    grants: int
    handed_over: dict[str, int]
    known: list[KnownSecret]


class Leaving:
    def __init__(self, ground: Ground, people: People, sessions: Sessions) -> None:
        self.ground = ground
        self.people = people
        self.sessions = sessions

    async def offboard(self, actor: Actor, user_id: int, heir_id: int | None, reason: str) -> Farewell:
        """The person never comes in again: account disabled without a password, every grant taken back, what they
        own given to the heir (or stopped). Raises Conflict for oneself and the last administrator."""
        async with self.ground.keeping_an_administrator() as tx:
            user = await self._other(tx.conn, actor, user_id)
            await self._check_heir(tx.conn, user_id, heir_id)
            handed = {what: await fn(tx, user_id, heir_id) for what, fn in self.ground.heirlooms.items()}
            ended, tokens = await self._take_entry(tx, user_id)
            held = await store.delete_grants_of(tx.conn, user_id)
            await store.change_user(tx.conn, user_id, password_hash="", disabled_at=self.ground.clock.now())
            farewell = Farewell(
                sessions=len(ended),
                tokens=tokens,
                second_factor=user.second_factor_at is not None,
                grants=len(held),
                handed_over=handed,
                known=await self.known(tx.conn, user_id),
            )
            grants = [{"path": grant.path, "role": grant.role} for grant in held]
            facts = _facts(farewell) | {"grants": grants, "heir_id": heir_id}
            about = {"name": user.name, "reason": reason}
            await self.ground.note(tx, actor, "access.offboarded", user_id, private=about, **facts)
            tx.after_commit(lambda: self.sessions.ended(ended))
        return farewell

    async def lost_device(self, actor: Actor, user_id: int, reason: str) -> tuple[Farewell, Invitation]:
        """Whoever holds the device comes in no more, also not with what it remembers: the password goes as well.
        The person themselves comes back by the invitation, to be handed over in person."""
        async with self.ground.keeping_an_administrator() as tx:
            user = await self._other(tx.conn, actor, user_id)
            await self.people.require_rank(tx.conn, actor, user_id)
            ended, tokens = await self._take_entry(tx, user_id)
            await store.set_password(tx.conn, user_id, "")
            invitation = await self.people.invitation(tx, user_id)
            known = await self.known(tx.conn, user_id)
            farewell = Farewell(len(ended), tokens, user.second_factor_at is not None, 0, {}, known)
            about = {"name": user.name, "reason": reason}
            await self.ground.note(tx, actor, "access.device_lost", user_id, private=about, **_facts(farewell))
            tx.after_commit(lambda: self.sessions.ended(ended))
        return farewell, invitation

    async def known_to(self, actor: Actor, user_id: int) -> list[KnownSecret]:
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        async with self.ground.db.read() as conn:
            await self.people.user(conn, user_id)
            return await self.known(conn, user_id)

    # --- inside

    async def _other(self, conn: AsyncConnection, actor: Actor, user_id: int) -> store.User:
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        user = await self.people.user(conn, user_id)
        if actor.id == user_id:
            raise Conflict("access.not_yourself")
        return user

    async def _check_heir(self, conn: AsyncConnection, user_id: int, heir_id: int | None) -> None:
        if heir_id is None:
            return
        heir = await store.user_by_id(conn, heir_id)
        if heir is None or heir.disabled or heir.id == user_id:
            raise invalid_field("heir_id", "access.heir_unknown")

    async def _take_entry(self, tx: Tx, user_id: int) -> tuple[list[str], int]:
        """Sessions, tokens, links and second factor; what ended, for those who hold it open, and how many tokens."""
        sessions = await store_entry.delete_sessions_of(tx.conn, user_id)
        tokens = await store_entry.delete_tokens_of(tx.conn, user_id)
        await store_entry.delete_invitations_of(tx.conn, user_id)
        await clear_second_factor(tx, user_id)
        # Lists keep sessions and tokens apart, listeners do not: each is one who may hold something open.
        tx.after_commit(lambda: self.sessions.ended([token.token_hash for token in tokens]))
        return sessions, len(tokens)

    async def known(self, conn: AsyncConnection, user_id: int) -> list[KnownSecret]:
        """From the journal: credentials whose secret they entered, hosts they added or gave a login, passwords they
        typed for a host's service account."""
        kinds = ("credential.changed", "host.added", "host.changed", "host.removed", *_TYPED)
        wanted = query().where(table.c.kind.in_(kinds)).order_by(table.c.seq)
        rows = await self.ground.journal.select(conn, wanted, _READ_AT_MOST)
        return known_secrets(rows, user_id)


def known_secrets(rows: list[Row], user_id: int) -> list[KnownSecret]:
    """Pure: what the journal's rows, oldest first, say that a person knows. The newest first."""
    found: dict[tuple[Kind, int], KnownSecret] = {}
    for row in rows:
        thing = _thing(row)
        if thing is None:
            continue
        kind, number, name, entered, gone = thing
        # A service account's secret is made by us and known to nobody, whoever asked for it.
        made_here = "account" in row.params
        theirs = row.who.kind in ("user", "token") and row.who.id == user_id and not made_here
        before = found.get((kind, number))
        if entered and theirs:
            found[kind, number] = KnownSecret(kind, number, name, row.where.pharmacy_id, row.at, False)
        elif before is not None and (entered or gone) and kind != "root_password":
            found[kind, number] = msgspec.structs.replace(before, changed_since=True)
    return sorted(found.values(), key=lambda secret: secret.at, reverse=True)


def _thing(row: Row) -> tuple[Kind, int, str, bool, bool] | None:
    """(kind, id, name, a secret was entered, the thing is gone)."""
    fields = row.params.get("fields") or ()
    if row.kind == "credential.changed":
        number = row.params.get("credential_id")
        if not isinstance(number, int):
            return None
        entered = any(field in fields for field in _NEW_SECRET)
        return "credential", number, str(row.params.get("name") or ""), entered, "removed" in fields
    if row.where.host_id is None:
        return None
    if row.kind in _TYPED:
        typed = row.params.get("typed") is True
        return "root_password", row.where.host_id, str(row.params.get("host") or ""), typed, False
    entered = row.kind == "host.added" or any(field in fields for field in _NEW_LOGIN)
    return "host", row.where.host_id, str(row.params.get("host") or ""), entered, row.kind == "host.removed"


def _facts(farewell: Farewell) -> dict[str, Any]:
    return {
        "sessions": farewell.sessions,
        "tokens": farewell.tokens,
        "second_factor": farewell.second_factor,
        "handed_over": farewell.handed_over,
        "known": [{"kind": secret.kind, "id": secret.id} for secret in farewell.known if not secret.changed_since],
    }
