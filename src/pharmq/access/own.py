"""What people do about themselves: password, second factor, API tokens."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.access import second_factor, store, store_entry
from pharmq.access.ground import Ground, digest, require_person
from pharmq.access.model import Actor, Privilege
from pharmq.access.policy import needs_second_factor
from pharmq.access.sessions import Sessions
from pharmq.base.errors import Conflict, Forbidden, NotFound, invalid_field
from pharmq.base.ids import new_token
from pharmq.base.messages import Language
from pharmq.base.secret import Secret
from pharmq.db import Tx

TOKEN_PREFIX = "pq_"  # noqa: S105 - by this, scanners of leaked secrets know our tokens


class Enrolment(msgspec.Struct, frozen=True):
    """Shown once to its owner: the key to type, and the same as a picture (SVG)."""

    key: str
    uri: str
    picture: str


class OwnSecurity(msgspec.Struct, frozen=True):
    """``second_factor_needed``: by the rules, here and now."""

    second_factor_at: datetime | None
    second_factor_needed: bool
    recovery_codes_left: int
    signed_in_at: datetime | None


class TokenRow(msgspec.Struct, frozen=True):
    """``privileges``/``paths`` None: as much as its owner holds."""

    id: int
    name: str
    created_at: datetime
    last_used: datetime | None
    expires_at: datetime | None
    privileges: list[str] | None
    paths: list[str] | None


class Own:
    def __init__(self, ground: Ground, sessions: Sessions) -> None:
        self.ground = ground
        self.sessions = sessions

    async def security(self, actor: Actor) -> OwnSecurity:
        user_id = require_person(actor)
        async with self.ground.db.read() as conn:
            user = await _user(conn, user_id)
            left = await store_entry.count_recovery_codes(conn, user_id)
        needed = needs_second_factor(self.ground.settings.current, actor.source)
        return OwnSecurity(user.second_factor_at, needed, left, user.signed_in_at)

    async def change_profile(self, actor: Actor, display_name: str, lang: Language) -> None:
        user_id = require_person(actor)
        async with self.ground.db.transaction(durable=True) as tx:
            await store.change_user(tx.conn, user_id, display_name=display_name, lang=lang)
            await self.ground.note(tx, actor, "access.user_changed", user_id, fields=["display_name", "lang"])

    async def change_password(self, actor: Actor, old: Secret, new: Secret) -> None:
        """Every other session ends. Raises Forbidden when the old one is wrong."""
        user_id = require_person(actor)
        await self.sessions.confirm(actor, old)
        password_hash = await self.ground.passwords.hash(new)
        async with self.ground.db.transaction(durable=True) as tx:
            await store.set_password(tx.conn, user_id, password_hash)
            ended = await store_entry.delete_sessions_of(tx.conn, user_id, but=actor.session)
            await self.ground.note(tx, actor, "access.password_changed", user_id, sessions=len(ended))
            tx.after_commit(lambda: self.sessions.ended(ended))

    # --- second factor

    async def begin_second_factor(self, actor: Actor) -> Enrolment:
        """A new key, not in force before a code of it was typed. Raises Conflict when one is in force."""
        user_id = require_person(actor)
        key = second_factor.new_key()
        async with self.ground.db.transaction(durable=True) as tx:
            user = await _user(tx.conn, user_id)
            if user.second_factor_at is not None:
                raise Conflict("access.second_factor_on")
            sealed = self.ground.vault.seal(key, "users", user_id, "second_factor_next")
            await store.change_user(tx.conn, user_id, second_factor_next=sealed)
        uri = second_factor.uri_of(key, user.name)
        return Enrolment(key.reveal(), uri, second_factor.picture_of(uri))

    async def confirm_second_factor(self, actor: Actor, code: str) -> list[str]:
        """Put the begun key in force; the recovery codes, shown this once. Raises Invalid when the code is wrong."""
        user_id, vault = require_person(actor), self.ground.vault
        # The same brake as for signing in: six digits are guessed soon.
        self.ground.wait_turn(actor.name, actor.source)
        codes = second_factor.new_recovery_codes()
        async with self.ground.db.transaction(durable=True) as tx:
            user = await _user(tx.conn, user_id)
            if user.second_factor_next is None:
                raise Conflict("access.second_factor_off")
            key = vault.open(user.second_factor_next, "users", user_id, "second_factor_next")
            step = second_factor.step_of(key, code, self.ground.clock.now())
            if step is None:
                self.ground.throttle.failed(actor.name, actor.source, self.ground.clock.monotonic())
                raise invalid_field("code", "access.code_wrong")
            await store.change_user(
                tx.conn,
                user_id,
                second_factor=vault.seal(key, "users", user_id, "second_factor"),
                second_factor_next=None,
                second_factor_at=self.ground.clock.now(),
                second_factor_step=step,
            )
            await store_entry.replace_recovery_codes(tx.conn, user_id, map(second_factor.recovery_hash, codes))
            await self.ground.note(tx, actor, "access.second_factor_added", user_id)
        return codes

    async def remove_second_factor(self, actor: Actor) -> None:
        """Raises Conflict when the rules ask for one here."""
        user_id = require_person(actor)
        if needs_second_factor(self.ground.settings.current, actor.source):
            raise Conflict("access.second_factor_kept")
        async with self.ground.db.transaction(durable=True) as tx:
            await clear_second_factor(tx, user_id)
            await self.ground.note(tx, actor, "access.second_factor_removed", user_id)

    async def renew_recovery_codes(self, actor: Actor) -> list[str]:
        """New ones; the old stop working."""
        user_id = require_person(actor)
        codes = second_factor.new_recovery_codes()
        async with self.ground.db.transaction(durable=True) as tx:
            user = await _user(tx.conn, user_id)
            if user.second_factor_at is None:
                raise Conflict("access.second_factor_off")
            await store_entry.replace_recovery_codes(tx.conn, user_id, map(second_factor.recovery_hash, codes))
            await self.ground.note(tx, actor, "access.recovery_codes_renewed", user_id)
        return codes

    # --- tokens

    async def tokens(self, user_id: int) -> list[TokenRow]:
        async with self.ground.db.read() as conn:
            found = await store_entry.tokens_of(conn, user_id)
        return [
            TokenRow(
                id=one.id,
                name=one.name,
                created_at=one.created_at,
                last_used=one.last_used,
                expires_at=one.expires_at,
                privileges=one.privileges,
                paths=one.paths,
            )
            for one in found
        ]

    async def add_token(
        self,
        actor: Actor,
        name: str,
        life: timedelta,
        privileges: list[Privilege] | None = None,
        paths: list[str] | None = None,
    ) -> Secret:
        """A token of one's own; shown this once. It never reaches further than its owner does at the moment of use,
        so a limit that names more is no danger. Raises Invalid for a path that is nowhere."""
        user_id = require_person(actor)
        self.check_paths(actor, paths)
        return await self.make_token(actor, user_id, name, life, privileges, paths)

    def check_paths(self, actor: Actor, paths: list[str] | None) -> None:
        """A place where one holds nothing is refused like one that does not exist."""
        for path in paths or ():
            scope = self.ground.place(path)
            if path != "/" and (scope is None or not any(grant.path in scope.paths for grant in actor.grants)):
                raise invalid_field("paths", "access.place_unknown", path=path)

    async def make_token(
        self,
        actor: Actor,
        user_id: int,
        name: str,
        life: timedelta | None,
        privileges: list[Privilege] | None = None,
        paths: list[str] | None = None,
    ) -> Secret:
        token = TOKEN_PREFIX + new_token()
        now = self.ground.clock.now()
        async with self.ground.db.transaction(durable=True) as tx:
            limits = (None if privileges is None else sorted({p.value for p in privileges}), paths)
            expires_at = now + life if life else None
            token_id = await store_entry.add_token(tx.conn, user_id, name, digest(token), now, expires_at, *limits)
            await self.ground.note(
                tx, actor, "access.token_added", user_id, token_id=token_id, privileges=limits[0], paths=limits[1]
            )
        return Secret(token)

    async def remove_token(self, actor: Actor, user_id: int, token_id: int) -> None:
        """Raises NotFound."""
        async with self.ground.db.transaction(durable=True) as tx:
            gone = await store_entry.delete_token(tx.conn, user_id, token_id)
            if gone is None:
                raise NotFound("access.token_not_found")
            await self.ground.note(tx, actor, "access.token_removed", user_id, token_id=token_id)
            tx.after_commit(lambda: self.sessions.ended([gone.token_hash]))


async def clear_second_factor(tx: Tx, user_id: int) -> None:
    await store.change_user(tx.conn, user_id, second_factor=None, second_factor_next=None, second_factor_at=None)
    await store_entry.replace_recovery_codes(tx.conn, user_id, ())


async def _user(conn: AsyncConnection, user_id: int) -> store.User:
    user = await store.user_by_id(conn, user_id)
    if user is None:
        raise Forbidden("access.user_not_found")
    return user
