"""The consoles of this process: opening, piping, looking after them, and writing down how each ended."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from pharmq.access import Actor, Privilege, allows, where, who
from pharmq.base.clock import Clock
from pharmq.base.spawn import Spawner
from pharmq.consoles import store
from pharmq.consoles.diagnosis import cause_of, cause_of_host, why_ended
from pharmq.consoles.greeting import Greeting
from pharmq.consoles.meter import Meter
from pharmq.consoles.model import Cause, ConsoleEnded, Host, Targets
from pharmq.consoles.open import Opened, examine, open_screen
from pharmq.consoles.relay import HostClosed, Relay, first_end, settled
from pharmq.consoles.session import Session
from pharmq.consoles.turns import Turns
from pharmq.db import Database
from pharmq.journal import Entry, Journal
from pharmq.pve import PveError

log = logging.getLogger(__name__)
T = TypeVar("T")

WATCH_SECONDS = 2.0
RECHECK_SECONDS = 30.0
CLEAN_SECONDS = 3600.0
KEPT = timedelta(days=7)


class LiveConsoles:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        journal: Journal,
        turns: Turns,
        targets: Targets,
        host_of: Callable[[int], Host],
        spawner: Spawner,
        fresh: Callable[[Actor], Awaitable[Actor | None]] | None,
    ) -> None:
        self.db = db
        self.clock = clock
        self.journal = journal
        self.turns = turns
        self.targets = targets
        self.host_of = host_of
        self.sessions: dict[str, Session] = {}
        self._spawner = spawner
        self._fresh = fresh
        self.closing = False
        self._empty = asyncio.Event()
        self._empty.set()

    def start(self) -> None:
        self._spawner.spawn(self._watch(), "watch")

    @property
    def open_count(self) -> int:
        return sum(session.state == "open" for session in self.sessions.values())

    def count(self, host_id: int | None = None) -> int:
        if host_id is None:
            return len(self.sessions)
        return sum(session.target.host_id == host_id for session in self.sessions.values())

    def add(self, session: Session) -> None:
        self.sessions[session.key] = session
        self._empty.clear()

    async def end_all(self, cause: Cause) -> None:
        """For good: no console opens any more."""
        self.closing = True
        for session in self.sessions.values():
            session.end(cause)
        await self._empty.wait()

    # -- one console -------------------------------------------------------------------------------------------

    async def run(self, session: Session, subprotocols: list[str]) -> None:
        """From the accepted WebSocket to its close; every end is written down."""
        cause = Cause("console.internal")
        try:
            await session.browser.accept(subprotocols)
            cause = await self._console(session)
        except ConsoleEnded as ended:
            cause = ended.cause
        except OSError:
            cause = Cause("console.browser_lost")  # gone before it was accepted
        except asyncio.CancelledError:
            cause = Cause("console.server_stopping")
            raise
        finally:
            try:
                await session.browser.close(cause)
            finally:
                await self._written_down(session, cause)

    async def _written_down(self, session: Session, cause: Cause) -> None:
        try:
            await self._record_end(session, cause)
        finally:
            self.sessions.pop(session.key, None)
            if not self.sessions:
                self._empty.set()

    async def _console(self, session: Session) -> Cause:
        greeting = Greeting(session.browser)
        greet = self._spawner.spawn(settled(greeting.run()), f"greet {session.key[:8]}")
        opened: Opened | None = None
        try:
            opened = await self._meanwhile(self._open(session), greet, session)
            await self._meanwhile(_wait(greeting.done), greet, session)
            await _stop(greet)
            await self._record_open(session, opened.upid)
            return await self._pipe(session, opened, greeting.early)
        finally:
            await _stop(greet)
            if opened is not None:
                await opened.stream.close()

    async def _meanwhile(self, work: Coroutine[Any, Any, T], greet: "asyncio.Task[Any]", session: Session) -> T:
        """The result of ``work``, unless the browser leaves or somebody ends the session before: ConsoleEnded."""
        task = self._spawner.spawn(settled(work), f"open {session.key[:8]}")
        try:
            await asyncio.wait([task, greet, session.ended], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                found: T | ConsoleEnded | HostClosed = task.result()
                if isinstance(found, ConsoleEnded | HostClosed):
                    raise found
                return found
            if session.ended.done():
                raise ConsoleEnded(session.ended.result())
            raise greet.result()
        finally:
            await _stop(task)

    async def _open(self, session: Session) -> Opened:
        target = session.target
        try:
            host = self.host_of(target.host_id)
        except PveError as error:
            raise ConsoleEnded(cause_of(error)) from error
        async with self.turns.turn(target.host_id, target.vmid) as turn:
            return await open_screen(host, target.guest, self.clock, turn.give_back)

    async def _pipe(self, session: Session, opened: Opened, early: bytes) -> Cause:
        session.meter = meter = Meter(self.clock.monotonic())
        relay = session.relay = Relay(session.browser, opened.stream, self.clock, meter)
        session.state = "open"
        down = self._spawner.spawn(settled(relay.down(opened.first)), f"down {session.key[:8]}")
        up = self._spawner.spawn(settled(relay.up(early)), f"up {session.key[:8]}")
        end = await first_end((down, up), session.ended)
        if isinstance(end, Cause):
            return end
        target = session.target
        idle_s = self.clock.monotonic() - meter.last
        try:
            seen = await examine(self.host_of(target.host_id), target.guest, None, None, self.clock)
        except PveError as error:
            return cause_of(error)
        return why_ended(idle_s, end.error, seen)

    # -- what is written down ----------------------------------------------------------------------------------

    async def _record_open(self, session: Session, upid: str) -> None:
        now = self.clock.now()
        session.upid, session.opened_at = upid, now
        async with self.db.transaction(durable=True) as tx:
            await store.opened(tx.conn, session.key, upid, now)
            await self.journal.append(tx, self._entry(session, "console.opened", outcome="ok"))

    async def _record_end(self, session: Session, cause: Cause) -> None:
        now = self.clock.now()
        meter = session.meter
        up, down = (meter.up, meter.down) if meter else (0, 0)
        if session.opened_at is None:
            entry = self._entry(session, "console.opened", outcome=cause.code, params=dict(cause.params))
        else:
            seconds = int((now - session.opened_at).total_seconds())
            facts = {"cause": cause.code, "bytes_up": up, "bytes_down": down, "seconds": seconds}
            entry = self._entry(session, "console.closed", outcome=cause.code, params=facts | dict(cause.params))
        session.state = "closed"
        async with self.db.transaction(durable=True) as tx:
            if await store.closed(tx.conn, session.key, cause.code, up, down, now):
                await self.journal.append(tx, entry)

    def _entry(self, session: Session, kind: str, *, outcome: str, params: dict[str, Any] | None = None) -> Entry:
        target = session.target
        return Entry(
            kind=kind,
            phase="outcome" if kind == "console.opened" else "event",
            act_id=session.act_id,
            who=who(session.actor),
            where=where(target.scope),
            params={"vmid": target.vmid, "vm_name": target.vm_name} | (params or {}),
            outcome=outcome,
            upid=session.upid,
        )

    # -- looking after all of them -----------------------------------------------------------------------------

    async def _watch(self) -> None:
        """One loop for all consoles: rates, keep-alive bytes, stalled browsers, rights that have gone."""
        checked = cleaned = self.clock.monotonic()
        while True:
            await self.clock.sleep(WATCH_SECONDS)
            now = self.clock.monotonic()
            for session in list(self.sessions.values()):
                self._look_after(session, now)
            # What asks the database runs beside this loop: its failure must not end the keep-alives.
            if now - checked >= RECHECK_SECONDS:
                checked = now
                self._spawner.spawn(self._recheck(), "recheck")
            if now - cleaned >= CLEAN_SECONDS:
                cleaned = now
                self._spawner.spawn(self.forget_old(), "forget")

    def recheck(self, user_id: int | None) -> None:
        """Somebody's rights changed (None: anybody's): look at once."""
        self._spawner.spawn(self._recheck(user_id), "recheck")

    async def _recheck(self, user_id: int | None = None) -> None:
        for session in list(self.sessions.values()):
            if self._fresh is None or (user_id is not None and session.actor.id != user_id):
                continue
            actor = await self._fresh(session.actor)
            if actor is None:
                session.end(Cause("console.revoked"))
            else:
                session.actor = actor
                self._look_after(session, self.clock.monotonic())

    async def forget_old(self) -> None:
        """Drop the rows of sessions that ended, or were never claimed, a week ago."""
        async with self.db.transaction() as tx:
            await store.forget(tx.conn, self.clock.now() - KEPT)

    def _look_after(self, session: Session, now: float) -> None:
        if session.meter is not None:
            session.meter.sample(now)
        if session.stalled(now):
            session.end(Cause("console.browser_stalled"))
        elif session.relay is not None and session.relay.keepalive_due(now):
            self._spawner.spawn(settled(session.relay.keep_alive()), f"keep-alive {session.key[:8]}")
        target = self.targets.get(session.target.vm_id)
        if target is None:
            session.end(Cause("console.vm_gone"))
        elif target.host_reason == "certificate_changed":
            session.end(cause_of_host("certificate_changed"))
        elif not allows(session.actor, Privilege.CONSOLE_CONTROL, target.scope):
            session.end(Cause("console.revoked"))


async def _wait(future: "asyncio.Future[None]") -> None:
    await asyncio.shield(future)


async def _stop(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    await asyncio.wait([task])
