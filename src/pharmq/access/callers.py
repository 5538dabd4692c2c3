"""Who stands behind a cookie, a token, a stream that is open, a job that waits.

Answers are kept for a few seconds, so a request costs no query, and are dropped as soon as anything about the person
changes: here at once, in another process when the journal tells of it (``follow``).
"""

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.access import store, store_entry
from pharmq.access.ground import Ground, digest
from pharmq.access.model import SYSTEM, Actor, Privilege, narrowed
from pharmq.access.policy import needs_second_factor
from pharmq.base.messages import Language

RECHECK_S = 5.0
STORED_S = 1.0
"""A thousand items of one job ask within seconds."""
TOUCH = timedelta(minutes=1)
CACHED = 10_000


class SignedIn(msgspec.Struct, frozen=True):
    """A caller whose credential was good. ``csrf`` is empty for API tokens, which no browser sends by itself.

    ``locked`` and ``bare`` (a second factor is asked for, and there is none): the actor holds nothing until that is
    mended. ``confirmed_at``: when the password was last shown.
    """

    actor: Actor
    csrf: str
    expires_at: datetime | None
    display_name: str
    confirmed_at: datetime | None = None
    locked: bool = False
    bare: bool = False
    second_factor: bool = False


class _Kept(NamedTuple):
    at: float
    user_id: int | None
    found: SignedIn


class Callers:
    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self._kept: dict[tuple[str, str | None], _Kept] = {}
        self._stored: dict[tuple[str, int, int | None], tuple[float, Actor]] = {}
        self._changes = 0
        ground.listeners.append(self.forget)

    def forget(self, user_id: int | None) -> None:
        """What was read before must not be used, nor kept when it is only now on its way."""
        self._changes += 1
        self._stored.clear()
        if user_id is None:
            self._kept.clear()
        else:
            self._kept = {key: kept for key, kept in self._kept.items() if kept.user_id != user_id}

    async def by_cookie(self, cookie: str, source: str | None) -> SignedIn | None:
        """None when the session is unknown, expired or idle for too long."""
        key = digest(cookie)
        if found := self._cached(key, source):
            return found
        changes, now = self._changes, self.ground.clock.now()
        async with self.ground.db.read() as conn:
            session = await store_entry.session_by_hash(conn, key)
            found = await self._of_session(conn, session, source) if session else None
        if session is None or found is None:
            return None
        if now - session.last_seen > TOUCH:
            async with self.ground.db.transaction() as tx:
                await store_entry.change_session(tx.conn, key, last_seen=now)
        found = msgspec.structs.replace(found, csrf=csrf_of(cookie))
        self._keep(key, source, found, changes)
        return found

    async def by_token(self, token: str, source: str | None) -> SignedIn | None:
        """None when the token is unknown or expired."""
        key = digest(token)
        if found := self._cached(key, source):
            return found
        changes, now = self._changes, self.ground.clock.now()
        async with self.ground.db.read() as conn:
            row = await store_entry.token_by_hash(conn, key)
            found = await self._of_token(conn, row, source) if row else None
        if row is None or found is None:
            return None
        if row.last_used is None or now - row.last_used > TOUCH:
            async with self.ground.db.transaction() as tx:
                await store_entry.touch_token(tx.conn, row.id, now)
        self._keep(key, source, found, changes)
        return found

    async def fresh(self, actor: Actor) -> Actor | None:
        """The same caller as of now, for what stays open: with the grants of this moment, None when the session or
        token has ended, the screen is locked or the person may not come in any more."""
        if actor.session is None:
            return actor if actor.kind == "system" else None
        async with self.ground.db.read() as conn:
            if actor.kind == "token":
                row = await store_entry.token_by_hash(conn, actor.session)
                found = await self._of_token(conn, row, actor.source) if row else None
            else:
                session = await store_entry.session_by_hash(conn, actor.session)
                found = await self._of_session(conn, session, actor.source) if session else None
        return None if found is None or found.locked or found.bare else found.actor

    async def stored(self, kind: str, user_id: int | None, token_id: int | None = None) -> Actor | None:
        """Whoever asked for something earlier (a job, a schedule), with the grants of now; None when they may not act
        any more. It does not need a session: work goes on when its owner goes home."""
        if kind == "system":
            return SYSTEM
        if user_id is None:
            return None
        key, now = (kind, user_id, token_id), self.ground.clock.monotonic()
        if (known := self._stored.get(key)) is not None and now - known[0] <= STORED_S:
            return known[1]
        changes = self._changes
        actor = await self._of_stored(*key)
        if actor is not None and changes == self._changes:
            self._stored[key] = (now, actor)
        return actor

    async def _of_stored(self, kind: str, user_id: int, token_id: int | None) -> Actor | None:
        async with self.ground.db.read() as conn:
            if kind == "token" and token_id is not None:
                row = await store_entry.token_by_id(conn, token_id)
                found = await self._of_token(conn, row, None) if row else None
                return found.actor if found else None
            user = await store.user_by_id(conn, user_id)
            if user is None or user.disabled:
                return None
            return Actor("user", user.id, user.name, await store.grants_of(conn, user.id), None, _lang(user))

    # --- inside

    async def _of_session(
        self, conn: AsyncConnection, session: store_entry.Session, source: str | None
    ) -> SignedIn | None:
        settings, now = self.ground.settings.current, self.ground.clock.now()
        user = await store.user_by_id(conn, session.user_id)
        if user is None or user.disabled or session.expires_at <= now:
            return None
        if now - session.last_seen > timedelta(hours=settings.session_idle_hours):
            return None
        factor = user.second_factor_at is not None
        bare = not factor and needs_second_factor(settings, source)
        locked = session.locked_at is not None
        held = () if bare or locked else await store.grants_of(conn, user.id)
        return SignedIn(
            actor=Actor("user", user.id, user.name, held, source, _lang(user), session.token_hash),
            csrf="",
            expires_at=session.expires_at,
            display_name=user.display_name,
            confirmed_at=session.confirmed_at,
            locked=locked,
            bare=bare,
            second_factor=factor,
        )

    async def _of_token(self, conn: AsyncConnection, row: store_entry.Token, source: str | None) -> SignedIn | None:
        user = await store.user_by_id(conn, row.user_id)
        if user is None or user.disabled or (row.expires_at and row.expires_at <= self.ground.clock.now()):
            return None
        known = set(Privilege)
        privileges = None if row.privileges is None else frozenset(Privilege(p) for p in row.privileges if p in known)
        paths = None if row.paths is None else frozenset(row.paths)
        held = narrowed(await store.grants_of(conn, user.id), privileges, paths)
        actor = Actor("token", user.id, user.name, held, source, _lang(user), row.token_hash, row.id)
        return SignedIn(actor, "", row.expires_at, user.display_name)

    def _cached(self, key: str, source: str | None) -> SignedIn | None:
        kept = self._kept.get((key, source))
        if kept is None or self.ground.clock.monotonic() - kept.at > RECHECK_S:
            return None
        expires_at = kept.found.expires_at
        return None if expires_at is not None and expires_at <= self.ground.clock.now() else kept.found

    def _keep(self, key: str, source: str | None, found: SignedIn, changes: int) -> None:
        if changes != self._changes:
            return
        if len(self._kept) >= CACHED:
            self._kept.clear()
        self._kept[key, source] = _Kept(self.ground.clock.monotonic(), found.actor.id, found)


def csrf_of(cookie: str) -> str:
    """Known only to who can read the cookie or our answers, and no use for finding the cookie."""
    return digest(f"csrf:{cookie}")[:43]


def _lang(user: store.User) -> Language:
    return "en" if user.lang == "en" else "ko"
