"""Signing in and out, the locked screen, the password shown again, one's sessions."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import NoReturn

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.access import second_factor, store, store_entry, who
from pharmq.access.callers import Callers, SignedIn, csrf_of
from pharmq.access.ground import Ground, digest, require_person
from pharmq.access.model import Actor
from pharmq.access.policy import needs_second_factor
from pharmq.base.errors import Forbidden, NotFound, PharmqError, Unauthenticated
from pharmq.base.ids import new_token
from pharmq.base.secret import Secret
from pharmq.db import Tx
from pharmq.journal import Entry, Who


class NewSession(msgspec.Struct, frozen=True):
    cookie: Secret
    signed_in: SignedIn


class SessionRow(msgspec.Struct, frozen=True):
    """``key`` names it in lists and is no use for coming in."""

    key: str
    current: bool
    created_at: datetime
    last_seen: datetime
    expires_at: datetime
    source: str | None
    user_agent: str | None
    locked: bool


class Sessions:
    def __init__(self, ground: Ground, callers: Callers) -> None:
        self.ground = ground
        self.callers = callers
        self._ended: list[Callable[[str], None]] = []
        self._locked: list[Callable[[str], None]] = []

    def on_ended(self, fn: Callable[[str], None]) -> None:
        """``fn(session)`` at once when one ends here; what other processes end is told by ``Ground.listeners``."""
        self._ended.append(fn)

    def on_locked(self, fn: Callable[[str], None]) -> None:
        self._locked.append(fn)

    # --- in and out

    async def sign_in(
        self, name: str, password: Secret, source: str | None, user_agent: str | None, code: str | None = None
    ) -> NewSession:
        """A new session. Raises Unauthenticated (``session.code_required`` when only the one-time code is missing),
        Forbidden from outside without a second factor, TooMany after repeated failures."""
        ground = self.ground
        ground.wait_turn(name, source)
        async with ground.db.read() as conn:
            user = await store.user_by_name(conn, name)
        good = await ground.passwords.verify(user.password_hash if user else None, password)
        if user is None or not good or user.disabled:
            await self._refuse(name, source, "password", Unauthenticated("session.refused"))
        if user.second_factor_at is not None:
            if not code:
                raise Unauthenticated("session.code_required")
            if not await self.take_code(user, code):
                await self._refuse(name, source, "code", Unauthenticated("session.code_refused"))
        elif not ground.settings.current.second_factor_required and needs_second_factor(
            ground.settings.current, source
        ):
            # Somebody with a stolen password must not be the one who registers the second factor.
            await self._refuse(name, source, "outside", Forbidden("session.outside"))
        return await self.open(user, source, user_agent)

    async def _refuse(self, name: str, source: str | None, reason: str, error: PharmqError) -> NoReturn:
        self.ground.throttle.failed(name, source, self.ground.clock.monotonic())
        async with self.ground.db.transaction() as tx:
            refused = Entry(kind="session.refused", who=Who("user", None, name[:64], source), params={"reason": reason})
            await self.ground.journal.append(tx, refused)
        raise error

    async def take_code(self, user: store.User, code: str) -> bool:
        """Use a one-time or recovery code up; False when it does not fit or was used before."""
        if user.second_factor is None:
            return False
        key = self.ground.vault.open(user.second_factor, "users", user.id, "second_factor")
        step = second_factor.step_of(key, code, self.ground.clock.now())
        async with self.ground.db.transaction(durable=True) as tx:
            if step is not None:
                return await store.take_step(tx.conn, user.id, step)
            if not await store_entry.take_recovery_code(tx.conn, user.id, second_factor.recovery_hash(code)):
                return False
            left = await store_entry.count_recovery_codes(tx.conn, user.id)
            actor = Actor("user", user.id, user.name)
            await self.ground.note(tx, actor, "access.recovery_code_used", user.id, left=left)
        return True

    async def open(self, user: store.User, source: str | None, user_agent: str | None) -> NewSession:
        """A session for somebody who has proved who they are."""
        ground = self.ground
        now = ground.clock.now()
        cookie = new_token()
        session = store_entry.Session(
            token_hash=digest(cookie),
            user_id=user.id,
            created_at=now,
            last_seen=now,
            expires_at=now + timedelta(hours=ground.settings.current.session_hours),
            confirmed_at=now,
            source=source,
            user_agent=(user_agent or "").replace("\x00", "")[:255],
        )
        async with ground.db.transaction(durable=True) as tx:
            await store_entry.delete_old(tx.conn, now)
            await store_entry.add_session(tx.conn, session)
            await store.change_user(tx.conn, user.id, signed_in_at=now)
            opened = Entry(kind="session.opened", who=Who("user", user.id, user.name, source))
            await ground.journal.append(tx, opened)
        ground.throttle.succeeded(user.name, source)
        found = await self.callers.by_cookie(cookie, source)
        if found is None:  # disabled in the same moment
            raise Unauthenticated("session.refused")
        return NewSession(Secret(cookie), msgspec.structs.replace(found, csrf=csrf_of(cookie)))

    async def sign_out(self, actor: Actor) -> None:
        if actor.kind != "user" or actor.session is None:
            return
        session = actor.session
        async with self.ground.db.transaction(durable=True) as tx:
            await store_entry.delete_session(tx.conn, session)
            await self._note(tx, actor, "session.closed", actor.id)
            tx.after_commit(lambda: self.ended([session]))

    def ended(self, sessions: list[str]) -> None:
        """After the commit that ended them."""
        for session in sessions:
            for fn in self._ended:
                fn(session)

    # --- the locked screen, the password again

    async def lock(self, actor: Actor) -> None:
        """Only the password opens it again; streams and consoles of the session end."""
        session = _session_of(actor)
        async with self.ground.db.transaction(durable=True) as tx:
            await store_entry.change_session(tx.conn, session, locked_at=self.ground.clock.now())
            await self._note(tx, actor, "session.locked", actor.id)
            for fn in self._locked:
                tx.after_commit(partial(fn, session))

    async def confirm(self, actor: Actor, password: Secret) -> None:
        """The password shown again: unlocks the screen, and is good for sensitive changes for some minutes. Raises
        Forbidden when it is wrong, TooMany after repeated failures."""
        ground, session, user_id = self.ground, _session_of(actor), require_person(actor)
        ground.wait_turn(actor.name, actor.source)
        async with ground.db.read() as conn:
            user = await self._user(conn, user_id)
        if not await ground.passwords.verify(user.password_hash, password):
            ground.throttle.failed(actor.name, actor.source, ground.clock.monotonic())
            async with ground.db.transaction() as tx:
                refused = Entry(kind="session.refused", who=who(actor), params={"reason": "confirm"})
                await ground.journal.append(tx, refused)
            raise Forbidden("session.password_wrong")
        ground.throttle.succeeded(actor.name, actor.source)
        async with ground.db.transaction(durable=True) as tx:
            await store_entry.change_session(tx.conn, session, locked_at=None, confirmed_at=ground.clock.now())
            await self._note(tx, actor, "session.confirmed", actor.id)

    def is_recent(self, caller: SignedIn) -> bool:
        """Whether the password was shown lately enough for sensitive changes. A token has none to show: what it may
        do was decided when it was made."""
        if caller.actor.kind != "user":
            return True
        if caller.confirmed_at is None:
            return False
        age = self.ground.clock.now() - caller.confirmed_at
        return age <= timedelta(minutes=self.ground.settings.current.reauth_minutes)

    # --- lists

    async def of(self, user_id: int, actor: Actor) -> list[SessionRow]:
        """Those that hold, the last used first."""
        now = self.ground.clock.now()
        async with self.ground.db.read() as conn:
            found = await store_entry.sessions_of(conn, user_id)
        return [
            SessionRow(
                key=one.token_hash[: store_entry.KEY],
                current=one.token_hash == actor.session,
                created_at=one.created_at,
                last_seen=one.last_seen,
                expires_at=one.expires_at,
                source=one.source,
                user_agent=one.user_agent,
                locked=one.locked_at is not None,
            )
            for one in found
            if one.expires_at > now
        ]

    async def end(self, actor: Actor, user_id: int, key: str) -> None:
        """Raises NotFound."""
        async with self.ground.db.transaction(durable=True) as tx:
            ended = await store_entry.delete_session_by_key(tx.conn, user_id, key)
            if ended is None:
                raise NotFound("session.not_found")
            await self._note(tx, actor, "session.ended", user_id)
            tx.after_commit(lambda: self.ended([ended]))

    # --- inside

    async def _note(self, tx: Tx, actor: Actor, kind: str, user_id: int | None) -> None:
        await self.ground.note(tx, actor, kind, user_id)

    async def _user(self, conn: AsyncConnection, user_id: int) -> store.User:
        user = await store.user_by_id(conn, user_id)
        if user is None:
            raise NotFound("access.user_not_found")
        return user


def _session_of(actor: Actor) -> str:
    require_person(actor)
    assert actor.session is not None
    return actor.session
