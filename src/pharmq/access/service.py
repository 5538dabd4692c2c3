"""The room's door: who calls, the first administrator, and the parts that do the rest.

Passwords are argon2id; session ids, tokens and links are random and kept as SHA-256 only; the keys of one-time codes
are sealed in the vault.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.access import store, store_entry
from pharmq.access.callers import Callers, SignedIn
from pharmq.access.follow import Follower
from pharmq.access.ground import Ground, digest
from pharmq.access.leaving import Leaving
from pharmq.access.model import ADMINISTRATOR, EVERYTHING, Actor, Privilege, require
from pharmq.access.own import Own, clear_second_factor
from pharmq.access.people import People, user_exists
from pharmq.access.policy import needs_second_factor
from pharmq.access.refusals import Refusals
from pharmq.access.sessions import NewSession, Sessions
from pharmq.access.throttle import REMEMBERED
from pharmq.base.clock import Clock
from pharmq.base.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from pharmq.base.ids import new_act_id, new_token
from pharmq.base.messages import Language
from pharmq.base.secret import Secret
from pharmq.db import Database
from pharmq.journal import Entry, Journal, Who
from pharmq.settings import RuntimeSettings, SettingsService
from pharmq.vault import Vault

SETUP_LINK_LIFE = timedelta(hours=24)
AT_HOME = timedelta(days=30)
"""How long ago somebody may have come in from an address to be known there after a restart."""


class AccessService:
    """``callers`` who stands behind what; ``sessions`` in and out; ``own`` one's own security; ``people`` users,
    grants, roles; ``leaving`` offboarding and lost devices."""

    def __init__(self, db: Database, journal: Journal, settings: SettingsService, vault: Vault, clock: Clock) -> None:
        self.ground = Ground(db, journal, settings, vault, clock)
        self.callers = Callers(self.ground)
        self.sessions = Sessions(self.ground, self.callers)
        self.own = Own(self.ground, self.sessions)
        self.people = People(self.ground, self.sessions)
        self.leaving = Leaving(self.ground, self.people, self.sessions)
        self.refusals = Refusals(self.ground)
        self._follower = Follower(self.ground)

    async def start(self) -> None:
        """Begin to hear of what other processes change; know who came in from where before."""
        async with self.ground.db.read() as conn:
            since = self.ground.clock.now() - AT_HOME
            self.ground.throttle.remember(await store_entry.came_in(conn, since, REMEMBERED))
        await self._follower.start()

    async def aclose(self) -> None:
        await self._follower.aclose()

    # --- who calls, for gates, sockets, streams, consoles, jobs

    async def by_cookie(self, cookie: str, source: str | None) -> SignedIn | None:
        return await self.callers.by_cookie(cookie, source)

    async def by_token(self, token: str, source: str | None) -> SignedIn | None:
        return await self.callers.by_token(token, source)

    async def fresh(self, actor: Actor) -> Actor | None:
        """``Callers.fresh``: the same caller with the grants of now, or None."""
        return await self.callers.fresh(actor)

    async def stored(self, kind: str, user_id: int | None, token_id: int | None = None) -> Actor | None:
        """``Callers.stored``: who asked earlier, with the grants of now, or None."""
        return await self.callers.stored(kind, user_id, token_id)

    def on_revoked(self, fn: Callable[[str], None]) -> None:
        """``fn(session)`` at once when a session or token ends here."""
        self.sessions.on_ended(fn)

    def on_changed(self, fn: Callable[[int | None], None]) -> None:
        """``fn(user_id)`` when what somebody holds changed, anywhere; None: anybody. Ask ``fresh`` again then."""
        self.ground.listeners.append(fn)

    def on_locked(self, fn: Callable[[str], None]) -> None:
        """``fn(session)`` at once when a screen is locked here."""
        self.sessions.on_locked(fn)

    def hand_over(self, what: str, fn: Callable[..., Awaitable[int]]) -> None:
        """``fn(tx, from_user, to_user | None)`` gives what a leaving person owns to the heir; how many it was."""
        self.ground.heirlooms[what] = fn

    async def sign_in(
        self, name: str, password: Secret, source: str | None, user_agent: str | None, code: str | None = None
    ) -> NewSession:
        return await self.sessions.sign_in(name, password, source, user_agent, code)

    async def sign_out(self, actor: Actor) -> None:
        await self.sessions.sign_out(actor)

    def check_settings(self, signed_in: SignedIn, wanted: RuntimeSettings) -> None:
        """Raises Invalid when the new rules would lock their own author out."""
        if signed_in.actor.kind != "user" or signed_in.second_factor:
            return
        source = signed_in.actor.source
        if needs_second_factor(wanted, source) and not wanted.second_factor_required:
            locked_out = FieldError("settings.locks_you_out", {"source": source})
            raise Invalid("settings.locks_you_out", params={"source": source}, fields={"inside_networks": [locked_out]})

    # --- the first administrator

    async def needs_setup(self) -> bool:
        async with self.ground.db.read() as conn:
            return await store.count_users(conn) == 0

    async def new_setup_link(self) -> Secret:
        """The token of a fresh one-time link; an earlier one stops working."""
        token = new_token()
        now = self.ground.clock.now()
        async with self.ground.db.transaction(durable=True) as tx:
            await store_entry.replace_setup_link(tx.conn, digest(token), now, now + SETUP_LINK_LIFE)
        return Secret(token)

    async def set_up(
        self, token: str, name: str, password: Secret, source: str | None, user_agent: str | None
    ) -> NewSession:
        """Use the one-time link to create the first administrator and sign in."""
        password_hash = await self.ground.passwords.hash(password)
        now = self.ground.clock.now()
        async with self.ground.db.transaction(durable=True) as tx:
            if await store.count_users(tx.conn):
                raise Conflict("setup.done")
            if not await store_entry.take_setup_link(tx.conn, digest(token), now):
                raise Forbidden("setup.link_invalid")
            user_id = await store.add_user(tx.conn, name, name, password_hash, "ko", now)
            await store.add_grant(tx.conn, user_id, "/", ADMINISTRATOR)
            made = Entry(kind="access.setup", who=Who("user", user_id, name, source), act_id=new_act_id(now))
            await self.ground.journal.append(tx, made)
        return await self._enter(user_id, source, user_agent)

    # --- invitations

    async def invited(self, token: str) -> store.User:
        """Whom an invitation is for. Raises Forbidden when it is unknown, used or too old."""
        async with self.ground.db.read() as conn:
            user_id = await store_entry.invited(conn, digest(token), self.ground.clock.now())
            user = None if user_id is None else await store.user_by_id(conn, user_id)
        if user is None or user.disabled:
            raise Forbidden("access.invitation_invalid")
        return user

    async def accept(self, token: str, password: Secret, source: str | None, user_agent: str | None) -> NewSession:
        """Choose the password and come in. The link proves the person once; from outside, a second factor is then
        the first thing asked for."""
        await self.invited(token)
        password_hash = await self.ground.passwords.hash(password)
        now = self.ground.clock.now()
        async with self.ground.db.transaction(durable=True) as tx:
            user_id = await store_entry.take_invitation(tx.conn, digest(token), now)
            user = None if user_id is None else await store.user_by_id(tx.conn, user_id)
            if user is None or user.disabled:
                raise Forbidden("access.invitation_invalid")
            await store.set_password(tx.conn, user.id, password_hash)
            actor = Actor("user", user.id, user.name, (), source)
            await self.ground.note(tx, actor, "access.invitation_accepted", user.id)
        return await self._enter(user.id, source, user_agent)

    async def _enter(self, user_id: int, source: str | None, user_agent: str | None) -> NewSession:
        async with self.ground.db.read() as conn:
            user = await store.user_by_id(conn, user_id)
        if user is None:
            raise NotFound("access.user_not_found")
        return await self.sessions.open(user, source, user_agent)

    # --- made on the machine itself

    async def create_user(
        self, actor: Actor, name: str, password: Secret, *, administrator: bool, lang: Language
    ) -> int:
        """The new user's id; Conflict when the name is taken."""
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        password_hash = await self.ground.passwords.hash(password)
        try:
            async with self.ground.db.transaction(durable=True) as tx:
                user_id = await store.add_user(tx.conn, name, name, password_hash, lang, self.ground.clock.now())
                if administrator:
                    await store.add_grant(tx.conn, user_id, "/", ADMINISTRATOR)
                given = [{"path": "/", "role": ADMINISTRATOR}] if administrator else []
                await self.ground.note(tx, actor, "access.user_added", user_id, private={"name": name}, grants=given)
        except IntegrityError:
            raise user_exists(name) from None
        return user_id

    async def reset_password(self, actor: Actor, name: str, password: Secret) -> None:
        """On the machine itself, for who cannot come in: a new password, no second factor, enabled again; every
        session of the user ends."""
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        password_hash = await self.ground.passwords.hash(password)
        async with self.ground.db.transaction(durable=True) as tx:
            user = await self._named(tx.conn, name)
            await store.change_user(tx.conn, user.id, password_hash=password_hash, disabled_at=None)
            await clear_second_factor(tx, user.id)
            await store_entry.delete_invitations_of(tx.conn, user.id)
            ended = await store_entry.delete_sessions_of(tx.conn, user.id)
            await self.ground.note(
                tx, actor, "access.password_reset", user.id, private={"name": name}, sessions=len(ended)
            )
            tx.after_commit(lambda: self.sessions.ended(ended))

    async def create_token(self, actor: Actor, user_name: str, name: str, life: timedelta | None) -> Secret:
        """An API token for a user with all they hold; shown this once."""
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        async with self.ground.db.read() as conn:
            user = await self._named(conn, user_name)
        return await self.own.make_token(actor, user.id, name, life)

    async def users(self, actor: Actor) -> list[store.User]:
        require(actor, Privilege.ACCESS_EDIT, EVERYTHING)
        async with self.ground.db.read() as conn:
            return await store.all_users(conn)

    async def _named(self, conn: AsyncConnection, name: str) -> store.User:
        user = await store.user_by_name(conn, name)
        if user is None:
            raise NotFound("access.user_unknown", params={"name": name})
        return user


__all__ = ["AccessService", "NewSession", "SignedIn"]
