"""Signing in, knowing who calls, the first administrator, API tokens.

Passwords are argon2id; session ids and tokens are random and kept as SHA-256 only. Lookups are cached for a few
seconds, so a request costs no query, and a session ended by another process is noticed as soon.
"""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.access import store, where, who
from pharmq.access.model import EVERYTHING, Actor, Privilege, require
from pharmq.access.throttle import Throttle
from pharmq.base.clock import Clock
from pharmq.base.errors import Conflict, Forbidden, NotFound, TooMany, Unauthenticated
from pharmq.base.ids import new_act_id, new_token
from pharmq.base.messages import Language
from pharmq.base.secret import Secret
from pharmq.db import Database
from pharmq.journal import Entry, Journal, Who
from pharmq.settings import SettingsService

RECHECK_S = 5.0
TOUCH = timedelta(minutes=1)
SETUP_LINK_LIFE = timedelta(hours=24)
CACHED = 10_000


class SignedIn(msgspec.Struct, frozen=True):
    """A caller whose credential was good. ``csrf`` is empty for API tokens, which no browser sends by itself."""

    actor: Actor
    csrf: str
    expires_at: datetime | None
    display_name: str


class NewSession(msgspec.Struct, frozen=True):
    cookie: Secret
    signed_in: SignedIn


class AccessService:
    def __init__(self, db: Database, journal: Journal, settings: SettingsService, clock: Clock) -> None:
        self.db = db
        self.journal = journal
        self.settings = settings
        self.clock = clock
        self.throttle = Throttle()
        self._hashing = asyncio.Semaphore(2)
        self._cache: dict[str, tuple[float, SignedIn]] = {}
        self._revoked_listeners: list[Callable[[str], None]] = []

    def on_revoked(self, fn: Callable[[str], None]) -> None:
        """``fn(session)`` is called when a session ends, so that its streams and consoles end too."""
        self._revoked_listeners.append(fn)

    # -- signing in and out ---------------------------------------------------------------------------

    async def sign_in(self, name: str, password: Secret, source: str | None, user_agent: str | None) -> NewSession:
        """A new session, or Unauthenticated; TooMany after repeated failures from the same address."""
        if wait := self.throttle.wait_s(name, source, self.clock.monotonic()):
            raise TooMany("session.too_many", params={"retry_after_s": wait})
        async with self.db.read() as conn:
            user = await store.user_by_name(conn, name)
        good = await self._verify(user.password_hash if user else None, password)
        if user is None or not good or user.disabled:
            self.throttle.failed(name, source, self.clock.monotonic())
            async with self.db.transaction() as tx:
                refused = Entry(kind="session.refused", who=Who("user", None, name[:64], source))
                await self.journal.append(tx, refused)
            raise Unauthenticated("session.refused")
        self.throttle.succeeded(name, source)
        return await self._open_session(user, source, user_agent)

    async def _open_session(self, user: store.User, source: str | None, user_agent: str | None) -> NewSession:
        now = self.clock.now()
        cookie = new_token()
        session = store.Session(
            token_hash=_digest(cookie),
            user_id=user.id,
            created_at=now,
            last_seen=now,
            expires_at=now + timedelta(hours=self.settings.current.session_hours),
        )
        async with self.db.transaction(durable=True) as tx:
            await store.delete_old_sessions(tx.conn, now)
            await store.add_session(tx.conn, session, source, (user_agent or "")[:255])
            actor = await self._actor(tx.conn, user, source, session.token_hash)
            await self.journal.append(tx, Entry(kind="session.opened", who=who(actor)))
        signed_in = SignedIn(actor, csrf_of(cookie), session.expires_at, user.display_name)
        self._remember(session.token_hash, signed_in)
        return NewSession(Secret(cookie), signed_in)

    async def sign_out(self, actor: Actor) -> None:
        if actor.session is None:
            return
        async with self.db.transaction(durable=True) as tx:
            await store.delete_session(tx.conn, actor.session)
            await self.journal.append(tx, Entry(kind="session.closed", who=who(actor)))
        self._revoked(actor.session)

    # -- knowing who calls ----------------------------------------------------------------------------

    async def by_cookie(self, cookie: str, source: str | None) -> SignedIn | None:
        """The caller behind a session cookie; None when it is unknown, expired or idle for too long."""
        key = _digest(cookie)
        if found := self._cached(key):
            return _from(found, source)
        now = self.clock.now()
        async with self.db.read() as conn:
            session = await store.session_by_hash(conn, key)
            user = await store.user_by_id(conn, session.user_id) if session else None
            if session is None or user is None or user.disabled or session.expires_at <= now:
                return None
            if now - session.last_seen > timedelta(hours=self.settings.current.session_idle_hours):
                return None
            actor = await self._actor(conn, user, source, key)
        if now - session.last_seen > TOUCH:
            async with self.db.transaction() as tx:
                await store.touch_session(tx.conn, key, now)
        signed_in = SignedIn(actor, csrf_of(cookie), session.expires_at, user.display_name)
        self._remember(key, signed_in)
        return signed_in

    async def by_token(self, token: str, source: str | None) -> SignedIn | None:
        """The caller behind an API token; None when it is unknown or expired."""
        key = _digest(token)
        if found := self._cached(key):
            return _from(found, source)
        now = self.clock.now()
        async with self.db.read() as conn:
            row = await store.token_by_hash(conn, key)
            user = await store.user_by_id(conn, row.user_id) if row else None
            if row is None or user is None or user.disabled or (row.expires_at and row.expires_at <= now):
                return None
            actor = await self._actor(conn, user, source, key)
        if row.last_used is None or now - row.last_used > TOUCH:
            async with self.db.transaction() as tx:
                await store.touch_token(tx.conn, row.id, now)
        signed_in = SignedIn(msgspec.structs.replace(actor, kind="token"), "", row.expires_at, user.display_name)
        self._remember(key, signed_in)
        return signed_in

    async def is_live(self, actor: Actor) -> bool:
        """Whether the session or token behind an actor still holds; long-lived streams ask from time to time."""
        if actor.session is None:
            return actor.kind == "system"
        if self._cached(actor.session):
            return True
        now = self.clock.now()
        async with self.db.read() as conn:
            if actor.kind == "token":
                row = await store.token_by_hash(conn, actor.session)
                return row is not None and (row.expires_at is None or row.expires_at > now)
            session = await store.session_by_hash(conn, actor.session)
            return session is not None and session.expires_at > now

    # -- the first administrator, users and tokens made on the machine ---------------------------------

    async def needs_setup(self) -> bool:
        async with self.db.read() as conn:
            return await store.count_users(conn) == 0

    async def new_setup_link(self) -> Secret:
        """The token of a fresh one-time link; an earlier one stops working."""
        token = new_token()
        now = self.clock.now()
        async with self.db.transaction(durable=True) as tx:
            await store.replace_setup_link(tx.conn, _digest(token), now, now + SETUP_LINK_LIFE)
        return Secret(token)

    async def set_up(
        self, token: str, name: str, password: Secret, source: str | None, user_agent: str | None
    ) -> NewSession:
        """Use the one-time link to create the first administrator and sign in."""
        password_hash = await self._hash(password)
        now = self.clock.now()
        async with self.db.transaction(durable=True) as tx:
            if await store.count_users(tx.conn):
                raise Conflict("setup.done")
            if not await store.take_setup_link(tx.conn, _digest(token), now):
                raise Forbidden("setup.link_invalid")
            user_id = await store.add_user(tx.conn, name, name, password_hash, "ko", now)
            await store.add_grant(tx.conn, user_id, "/", "administrator")
            made = Entry(kind="access.setup", who=Who("user", user_id, name, source), act_id=new_act_id(now))
            await self.journal.append(tx, made)
        return await self._open_session(store.User(user_id, name, name, "ko", password_hash, False), source, user_agent)

    async def create_user(
        self, actor: Actor, name: str, password: Secret, *, administrator: bool, lang: Language
    ) -> int:
        """The new user's id; Conflict when the name is taken."""
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        password_hash = await self._hash(password)
        try:
            async with self.db.transaction(durable=True) as tx:
                user_id = await store.add_user(tx.conn, name, name, password_hash, lang, self.clock.now())
                if administrator:
                    await store.add_grant(tx.conn, user_id, "/", "administrator")
                made = Entry(
                    kind="access.user_added",
                    who=who(actor),
                    where=where(EVERYTHING),
                    params={"user_id": user_id, "name": name, "administrator": administrator},
                )
                await self.journal.append(tx, made)
        except IntegrityError:
            raise Conflict("access.user_exists", params={"name": name}) from None
        return user_id

    async def reset_password(self, actor: Actor, name: str, password: Secret) -> None:
        """A new password on the machine itself; every session of the user ends."""
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        password_hash = await self._hash(password)
        async with self.db.transaction(durable=True) as tx:
            user = await store.user_by_name(tx.conn, name)
            if user is None:
                raise NotFound("access.user_unknown", params={"name": name})
            await store.set_password(tx.conn, user.id, password_hash)
            ended = await store.delete_sessions_of(tx.conn, user.id)
            reset = Entry(kind="access.password_reset", who=who(actor), params={"user_id": user.id, "name": name})
            await self.journal.append(tx, reset)
        for session in ended:
            self._revoked(session)

    async def create_token(self, actor: Actor, user_name: str, name: str, life: timedelta | None) -> Secret:
        """An API token for a user; shown this once."""
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        token = "pq_" + new_token()
        now = self.clock.now()
        async with self.db.transaction(durable=True) as tx:
            user = await store.user_by_name(tx.conn, user_name)
            if user is None:
                raise NotFound("access.user_unknown", params={"name": user_name})
            expires_at = now + life if life else None
            token_id = await store.add_token(tx.conn, user.id, name, _digest(token), now, expires_at)
            made = Entry(
                kind="access.token_added",
                who=who(actor),
                params={"token_id": token_id, "user_id": user.id, "name": name},
            )
            await self.journal.append(tx, made)
        return Secret(token)

    async def users(self, actor: Actor) -> list[store.User]:
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        async with self.db.read() as conn:
            return await store.all_users(conn)

    # -- inside ----------------------------------------------------------------------------------------

    async def _actor(self, conn: AsyncConnection, user: store.User, source: str | None, session: str) -> Actor:
        grants = await store.grants_of(conn, user.id)
        lang: Language = "en" if user.lang == "en" else "ko"
        return Actor("user", user.id, user.name, grants, source, lang, session)

    async def _verify(self, password_hash: str | None, password: Secret) -> bool:
        """False after the same work for an unknown name, so that names cannot be told by the time it takes."""
        async with self._hashing:
            return await asyncio.to_thread(_matches, password_hash or _nobody(), password.reveal()) and bool(
                password_hash
            )

    async def _hash(self, password: Secret) -> str:
        async with self._hashing:
            return await asyncio.to_thread(PasswordHasher().hash, password.reveal())

    def _cached(self, key: str) -> SignedIn | None:
        found = self._cache.get(key)
        if found is None or self.clock.monotonic() - found[0] > RECHECK_S:
            return None
        if found[1].expires_at is not None and found[1].expires_at <= self.clock.now():
            return None
        return found[1]

    def _remember(self, key: str, signed_in: SignedIn) -> None:
        if len(self._cache) >= CACHED:
            self._cache.clear()
        self._cache[key] = (self.clock.monotonic(), signed_in)

    def _revoked(self, session: str) -> None:
        self._cache.pop(session, None)
        for fn in self._revoked_listeners:
            fn(session)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_of(cookie: str) -> str:
    """Known only to who can read the cookie or our answers, and no use for finding the cookie."""
    return hashlib.sha256(b"csrf:" + cookie.encode()).hexdigest()[:43]


def _matches(password_hash: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    return PasswordHasher().hash(new_token())


def _from(found: SignedIn, source: str | None) -> SignedIn:
    if found.actor.source == source:
        return found
    return msgspec.structs.replace(found, actor=msgspec.structs.replace(found.actor, source=source))
