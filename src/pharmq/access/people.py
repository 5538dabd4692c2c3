"""Users, what they are granted, and the roles of one's own making.

All of it needs ``access.edit`` on everything. Nobody gives more than they hold, neither by a grant nor by taking over
the account of somebody who holds more; and one administrator always stays.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.access import store, store_entry
from pharmq.access.ground import Ground, digest
from pharmq.access.model import EVERYTHING, ROLES, Actor, Privilege, Scope, allows, require
from pharmq.access.own import clear_second_factor
from pharmq.access.sessions import Sessions
from pharmq.base.errors import Conflict, FieldError, Forbidden, NotFound, invalid_field
from pharmq.base.ids import new_token
from pharmq.base.messages import Language
from pharmq.base.secret import Secret
from pharmq.db import Tx

MAX_ID = 2**63 - 1


class GrantRow(msgspec.Struct, frozen=True):
    id: int
    path: str
    role: str
    role_name: str


class UserRow(msgspec.Struct, frozen=True):
    """``invited``: has not chosen a password yet. ``sessions`` and ``tokens`` count those that hold."""

    id: int
    name: str
    display_name: str
    lang: str
    disabled: bool
    invited: bool
    second_factor: bool
    created_at: datetime | None
    signed_in_at: datetime | None
    sessions: int
    tokens: int
    grants: list[GrantRow]


class RoleRow(msgspec.Struct, frozen=True):
    """``key`` is what grants name; ``id`` only for roles of one's own."""

    key: str
    id: int | None
    name: str
    built_in: bool
    privileges: list[Privilege]
    users: int


class WantedGrant(NamedTuple):
    path: str
    role: str


class Invitation(NamedTuple):
    token: Secret
    expires_at: datetime


class People:
    def __init__(self, ground: Ground, sessions: Sessions) -> None:
        self.ground = ground
        self.sessions = sessions

    # --- looking

    async def all(self, actor: Actor) -> list[UserRow]:
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        async with self.ground.db.read() as conn:
            found = await store.all_users(conn)
            return await self._rows(conn, found)

    async def get(self, actor: Actor, user_id: int) -> UserRow:
        """Raises NotFound."""
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        async with self.ground.db.read() as conn:
            (row,) = await self._rows(conn, [await self.user(conn, user_id)])
            return row

    async def user(self, conn: AsyncConnection, user_id: int) -> store.User:
        found = await store.user_by_id(conn, user_id) if 0 < user_id <= MAX_ID else None
        if found is None:
            raise NotFound("access.user_not_found")
        return found

    async def _rows(self, conn: AsyncConnection, users: Sequence[store.User]) -> list[UserRow]:
        custom = await store.custom_roles(conn)
        held: dict[int, list[GrantRow]] = {}
        for grant in await store.held_grants(conn, users[0].id if len(users) == 1 else None):
            name = custom[grant.role].name if grant.role in custom else grant.role
            held.setdefault(grant.user_id, []).append(GrantRow(grant.id, grant.path, grant.role, name))
        live, tokens = await store.counts(conn, self.ground.clock.now())
        return [
            UserRow(
                id=user.id,
                name=user.name,
                display_name=user.display_name,
                lang=user.lang,
                disabled=user.disabled,
                invited=not user.password_hash,
                second_factor=user.second_factor_at is not None,
                created_at=user.created_at,
                signed_in_at=user.signed_in_at,
                sessions=live.get(user.id, 0),
                tokens=tokens.get(user.id, 0),
                grants=held.get(user.id, []),
            )
            for user in users
        ]

    # --- users

    async def invite(
        self, actor: Actor, name: str, display_name: str, lang: Language, grants: Iterable[WantedGrant]
    ) -> tuple[int, Invitation]:
        """A new user and the link by which they choose their password. Raises Conflict when the name is taken."""
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        wanted = list(dict.fromkeys(grants))
        try:
            async with self.ground.db.transaction(durable=True) as tx:
                for grant in wanted:
                    await self._may_give(tx.conn, actor, grant)
                user_id = await store.add_user(tx.conn, name, display_name, "", lang, self.ground.clock.now())
                for grant in wanted:
                    await store.add_grant(tx.conn, user_id, *grant)
                invitation = await self.invitation(tx, user_id)
                given = [grant._asdict() for grant in wanted]
                await self.ground.note(tx, actor, "access.user_added", user_id, private={"name": name}, grants=given)
        except IntegrityError:
            raise user_exists(name) from None
        return user_id, invitation

    async def invite_again(self, actor: Actor, user_id: int) -> Invitation:
        """A new link; the earlier one, and the password, stop working."""
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        async with self.ground.keeping_an_administrator() as tx:
            await self.require_rank(tx.conn, actor, user_id)
            await store.set_password(tx.conn, user_id, "")
            ended = await store_entry.delete_sessions_of(tx.conn, user_id)
            invitation = await self.invitation(tx, user_id)
            await self.ground.note(tx, actor, "access.invited", user_id, sessions=len(ended))
            tx.after_commit(lambda: self.sessions.ended(ended))
        return invitation

    async def invitation(self, tx: Tx, user_id: int) -> Invitation:
        token, now = new_token(), self.ground.clock.now()
        expires_at = now + timedelta(hours=self.ground.settings.current.invitation_hours)
        await store_entry.replace_invitation(tx.conn, user_id, digest(token), now, expires_at)
        return Invitation(Secret(token), expires_at)

    async def change(self, actor: Actor, user_id: int, display_name: str, lang: Language, *, disabled: bool) -> UserRow:
        """Disabling ends sessions at once; tokens and grants wait for the person's return."""
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        now = self.ground.clock.now()
        ended: list[str] = []
        async with self.ground.keeping_an_administrator() as tx:
            before = await self.user(tx.conn, user_id)
            if disabled and user_id == actor.id:
                raise Conflict("access.not_yourself")
            when = {} if disabled == before.disabled else {"disabled_at": now if disabled else None}
            await store.change_user(tx.conn, user_id, display_name=display_name, lang=lang, **when)
            if disabled:
                ended = await store_entry.delete_sessions_of(tx.conn, user_id)
            await self.ground.note(
                tx, actor, "access.user_changed", user_id, private={"name": before.name}, disabled=disabled
            )
            tx.after_commit(lambda: self.sessions.ended(ended))
        return await self.get(actor, user_id)

    async def remove(self, actor: Actor, user_id: int) -> None:
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        async with self.ground.keeping_an_administrator() as tx:
            before = await self.user(tx.conn, user_id)
            if user_id == actor.id:
                raise Conflict("access.not_yourself")
            ended = await store_entry.delete_sessions_of(tx.conn, user_id)
            await store.delete_user(tx.conn, user_id)
            await self.ground.note(tx, actor, "access.user_removed", user_id, private={"name": before.name})
            tx.after_commit(lambda: self.sessions.ended(ended))

    async def clear_second_factor(self, actor: Actor, user_id: int) -> None:
        """For somebody who lost the phone but nothing else."""
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        async with self.ground.db.transaction(durable=True) as tx:
            await self.require_rank(tx.conn, actor, user_id)
            await clear_second_factor(tx, user_id)
            await self.ground.note(tx, actor, "access.second_factor_removed", user_id)

    async def require_rank(self, conn: AsyncConnection, actor: Actor, user_id: int) -> store.User:
        """Who may let somebody in anew could come in as them: so only those who hold as much. Raises Forbidden."""
        user = await self.user(conn, user_id)
        for grant in await store.grants_of(conn, user_id):
            self._require_all(actor, grant.privileges, self.ground.place(grant.path) or EVERYTHING)
        return user

    # --- grants

    async def grant(self, actor: Actor, user_id: int, wanted: WantedGrant) -> None:
        """Raises Conflict when it is held already, Forbidden when it is more than the actor holds there."""
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        try:
            async with self.ground.db.transaction(durable=True) as tx:
                scope = await self._may_give(tx.conn, actor, wanted)
                await self.user(tx.conn, user_id)
                grant_id = await store.add_grant(tx.conn, user_id, *wanted)
                await self.ground.note(
                    tx, actor, "access.grant_added", user_id, scope, grant_id=grant_id, **wanted._asdict()
                )
        except IntegrityError:
            raise Conflict("access.grant_exists") from None

    async def revoke(self, actor: Actor, user_id: int, grant_id: int) -> None:
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        async with self.ground.keeping_an_administrator() as tx:
            gone = await store.delete_grant(tx.conn, user_id, grant_id) if max(user_id, grant_id) <= MAX_ID else None
            if gone is None:
                raise NotFound("access.grant_not_found")
            scope = self.ground.place(gone.path) or EVERYTHING
            await self.ground.note(
                tx, actor, "access.grant_removed", user_id, scope, grant_id=grant_id, path=gone.path, role=gone.role
            )

    async def _may_give(self, conn: AsyncConnection, actor: Actor, wanted: WantedGrant) -> Scope:
        scope = self.ground.place(wanted.path)
        if scope is None:
            raise invalid_field("path", "access.place_unknown", path=wanted.path)
        privileges = store.privileges_of(wanted.role, {} if wanted.role in ROLES else await store.custom_roles(conn))
        if privileges is None:
            raise invalid_field("role", "access.role_not_found")
        self._require_all(actor, privileges, scope)
        return scope

    def _require_all(self, actor: Actor, privileges: Iterable[Privilege], scope: Scope) -> None:
        lacking = sorted(privilege.value for privilege in privileges if not allows(actor, privilege, scope))
        if lacking:
            raise Forbidden("access.more_than_held", params={"privileges": ", ".join(lacking)})

    # --- roles

    async def roles(self, actor: Actor) -> list[RoleRow]:
        """Built-in ones first."""
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        async with self.ground.db.read() as conn:
            custom = await store.custom_roles(conn)
            users = {key: await store.holders(conn, key) for key in (*ROLES, *custom)}
        order = {privilege: place for place, privilege in enumerate(Privilege)}
        built_in = [
            RoleRow(key, None, key, True, sorted(held, key=order.__getitem__), users[key])
            for key, held in ROLES.items()
        ]
        own = [
            RoleRow(key, role.id, role.name, False, sorted(role.privileges, key=order.__getitem__), users[key])
            for key, role in custom.items()
        ]
        return built_in + own

    async def add_role(self, actor: Actor, name: str, privileges: list[Privilege]) -> RoleRow:
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        self._check_name(name)
        try:
            async with self.ground.db.transaction(durable=True) as tx:
                role_id = await store.add_role(tx.conn, name, privileges, self.ground.clock.now())
                await self._note_role(tx, actor, "access.role_added", role_id, name, privileges)
        except IntegrityError:
            raise _role_exists(name) from None
        return await self._role(actor, role_id)

    async def change_role(self, actor: Actor, role_id: int, name: str, privileges: list[Privilege]) -> RoleRow:
        """Takes effect for everybody who holds it. Raises Forbidden when it gains what the actor does not hold."""
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        self._check_name(name)
        try:
            async with self.ground.db.transaction(durable=True) as tx:
                before = await self._stored_role(tx.conn, role_id)
                self._require_all(actor, set(privileges) - before.privileges, EVERYTHING)
                await store.rename_role(tx.conn, role_id, name)
                await store.set_privileges(tx.conn, role_id, privileges)
                await self._note_role(tx, actor, "access.role_changed", role_id, name, privileges)
        except IntegrityError:
            raise _role_exists(name) from None
        return await self._role(actor, role_id)

    async def remove_role(self, actor: Actor, role_id: int) -> None:
        """Raises Conflict while somebody holds it."""
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        async with self.ground.db.transaction(durable=True) as tx:
            role = await self._stored_role(tx.conn, role_id)
            if count := await store.holders(tx.conn, role.key):
                raise Conflict("access.role_in_use", params={"count": count})
            await store.delete_role(tx.conn, role_id)
            await self._note_role(tx, actor, "access.role_removed", role_id, role.name, [])

    async def _note_role(
        self, tx: Tx, actor: Actor, kind: str, role_id: int, name: str, privileges: Iterable[Privilege]
    ) -> None:
        held = sorted({privilege.value for privilege in privileges})
        await self.ground.note(tx, actor, kind, None, role_id=role_id, name=name, privileges=held)

    async def _stored_role(self, conn: AsyncConnection, role_id: int) -> store.CustomRole:
        found = (await store.custom_roles(conn)).get(f"{store.CUSTOM}{role_id}")
        if found is None:
            raise NotFound("access.role_not_found")
        return found

    async def _role(self, actor: Actor, role_id: int) -> RoleRow:
        for row in await self.roles(actor):
            if row.id == role_id:
                return row
        raise NotFound("access.role_not_found")

    def _check_name(self, name: str) -> None:
        if name in ROLES:
            raise _role_exists(name)


def user_exists(name: str) -> Conflict:
    return Conflict("access.user_exists", params={"name": name}, fields=_taken("name", "access.user_exists", name))


def _role_exists(name: str) -> Conflict:
    return Conflict("access.role_exists", params={"name": name}, fields=_taken("name", "access.role_exists", name))


def _taken(field: str, code: str, name: str) -> dict[str, list[FieldError]]:
    return {field: [FieldError(code, {"name": name})]}
