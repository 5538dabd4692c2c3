"""The consoles of this process: opening, piping, looking after them, and writing down how each ended."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from functools import partial
from typing import Any, Literal, TypeAlias, TypeVar

from pharmq.access import Actor, Privilege, allows
from pharmq.base.clock import Clock, within
from pharmq.base.errors import PharmqError
from pharmq.base.spawn import Spawner
from pharmq.consoles import store
from pharmq.consoles.diagnosis import cause_of, cause_of_host, why_ended
from pharmq.consoles.greeting import Greeting
from pharmq.consoles.meter import Meter
from pharmq.consoles.model import Cause, ConsoleEnded, Host, Started, Target, Targets
from pharmq.consoles.open import Opened, examine, open_screen
from pharmq.consoles.records import Records
from pharmq.consoles.relay import HostClosed, Relay, TerminalRefused, settled
from pharmq.consoles.session import Session, may_open
from pharmq.consoles.sharing import Screens
from pharmq.consoles.splice import Pipe, Splice
from pharmq.consoles.terminal import GREETING, Patience, draws_serial, open_terminal
from pharmq.consoles.turns import Turn, Turns
from pharmq.db import Database
from pharmq.journal import Journal
from pharmq.pve import ConsoleStream, PveError
from pharmq.settings import RuntimeSettings

log = logging.getLogger(__name__)
T = TypeVar("T")

WATCH_SECONDS = 2.0
RECHECK_SECONDS = 30.0
CLEAN_SECONDS = 3600.0
KEPT = timedelta(days=7)
START_SECONDS = 120.0
"""How long a VM that is started may take until its host says that it runs."""
FRESH_SECONDS = 30.0
"""How long one that was just started may take until it shows a picture."""
FRESH_PAUSE_S = 1.0
NOT_YET = frozenset({
    "console.vm_stopped", "console.task_failed", "console.no_answer", "console.closed_by_host", "console.too_late",
})  # fmt: skip

StartVm: TypeAlias = Callable[[Actor, int, int], Coroutine[Any, Any, Started]]
"""Starts a VM (host id, VMID) on somebody's behalf and waits for the outcome; raises PharmqError."""


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
        settings: Callable[[], RuntimeSettings],
        start_vm: StartVm | None,
    ) -> None:
        self.db = db
        self.clock = clock
        self.journal = journal
        self.turns = turns
        self.targets = targets
        self.host_of = host_of
        self.sessions: dict[str, Session] = {}
        self._records = Records(db, clock, journal)
        self._spawner = spawner
        self._fresh = fresh
        self.settings = settings
        self.start_vm = start_vm
        self.screens = Screens(lambda _vm_id: None)
        self.closing = False
        self._empty = asyncio.Event()
        self._empty.set()

    def start(self) -> None:
        self._spawner.spawn(self._watch(), "watch")

    @property
    def open_count(self) -> int:
        return sum(session.state == "open" for session in self.sessions.values())

    def full(self, actor: Actor, host_id: int) -> Cause | None:
        """Which limit one more console would exceed."""
        limits, sessions = self.settings(), self.sessions.values()
        if sum(one.actor.id == actor.id for one in sessions) >= limits.consoles_per_user:
            return Cause("console.user_full", {"limit": limits.consoles_per_user})
        if sum(one.target.host_id == host_id for one in sessions) >= limits.consoles_per_host:
            return Cause("console.host_busy", {"limit": limits.consoles_per_host})
        if len(sessions) >= limits.consoles_total:
            return Cause("console.server_full", {"limit": limits.consoles_total})
        return None

    def add(self, session: Session) -> None:
        self.sessions[session.key] = session
        self.screens.join(session)
        self._empty.clear()

    def turn_at_once(self, session: Session) -> Turn | None:
        """The VM's turn, to be taken in the transaction of the claim; None when it must be waited for, or comes later:
        a VM that is only started may take minutes."""
        turn = self.turns.turn(session.target.host_id, session.target.vmid)
        if session.kind != "screen" or session.starts or not turn.reserve():
            return None
        session.turn = turn
        return turn

    async def give_back(self, session: Session) -> None:
        """What is left of the VM's turn, once the session no longer opens."""
        if session.turn is not None:
            await session.turn.give_back()

    def drop(self, session: Session) -> None:
        if self.sessions.pop(session.key, None) is not None:
            self.screens.leave(session)
        if not self.sessions:
            self._empty.set()

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
            await self.give_back(session)
            await self._records.ended(session, cause)
        finally:
            self.drop(session)

    async def _console(self, session: Session) -> Cause:
        if session.kind != "screen":
            try:
                return await self._terminal(session)
            except TerminalRefused:
                if not await self._same_as_picture(session):
                    return Cause("console.terminal_refused")
        return await self._screen(session)

    async def _same_as_picture(self, session: Session) -> bool:
        """Whether the guest's picture shows the same as its terminal: a container's does, a VM's only where its
        display is a serial port."""
        target = session.target
        if not target.vm_id or target.guest.kind == "lxc":
            return bool(target.vm_id)
        return await draws_serial(self.host_of(target.host_id), target.guest, self.clock)

    async def _screen(self, session: Session) -> Cause:
        greeting = Greeting(session.browser)
        greet = self._spawner.spawn(settled(greeting.run()), f"greet {session.key[:8]}")
        opened: Opened | None = None
        try:
            opened = await self._meanwhile(self._open(session, greeting.done), greet, session)
            await self._meanwhile(_wait(greeting.done), greet, session)
            await _stop(greet)
            await self._records.opened(session, opened.upid)
            return await self._pipe(session, opened, greeting.early, picture=True)
        finally:
            await _stop(greet)
            if opened is not None:
                await opened.stream.close()

    async def _terminal(self, session: Session) -> Cause:
        """Raises TerminalRefused before anything was said to the browser."""
        patience = Patience(session.browser)
        patient = self._spawner.spawn(settled(patience.run()), f"patience {session.key[:8]}")
        opened: Opened | None = None
        try:
            opened = await self._meanwhile(self._open(session, None), patient, session)
            await _stop(patient)
            await self._records.opened(session, opened.upid)
            await session.browser.write(GREETING)
            return await self._pipe(session, opened, patience.early, picture=False)
        finally:
            await _stop(patient)
            if opened is not None:
                await opened.stream.close()

    async def _meanwhile(self, work: Coroutine[Any, Any, T], greet: "asyncio.Task[Any]", session: Session) -> T:
        """The result of ``work``, unless the browser leaves or somebody ends the session before: ConsoleEnded."""
        task = self._spawner.spawn(settled(work), f"open {session.key[:8]}")
        try:
            await asyncio.wait([task, greet, session.ended], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                found: T | ConsoleEnded | HostClosed | TerminalRefused = task.result()
                if isinstance(found, ConsoleEnded | HostClosed | TerminalRefused):
                    raise found
                return found
            if session.ended.done():
                raise ConsoleEnded(session.ended.result())
            raise greet.result()
        finally:
            await _stop(task)

    async def _open(self, session: Session, greeted: "asyncio.Future[None] | None") -> Opened:
        """``greeted``: done when the browser has said its part of a picture's greeting; None for a terminal."""
        target = session.target
        try:
            host = self.host_of(target.host_id)
        except PveError as error:
            raise ConsoleEnded(cause_of(error)) from error
        if session.starts:
            await self._start(session, host)
            self._moved(session, "connecting")
        if greeted is None:
            return await open_terminal(host, target.place, self.clock)
        deadline = self.clock.monotonic() + (FRESH_SECONDS if session.starts else 0)
        while True:
            turn = session.turn = session.turn or self.turns.turn(target.host_id, target.vmid)
            try:
                async with turn:
                    return await open_screen(host, target.guest, self.clock, partial(_authenticated, turn, greeted))
            except ConsoleEnded as end:
                if end.cause.code not in NOT_YET or self.clock.monotonic() >= deadline:
                    raise
            # A VM that was just told to start has no picture yet.
            await self.clock.sleep(FRESH_PAUSE_S)

    async def _start(self, session: Session, host: Host) -> None:
        """Have a stopped VM started and wait until the host says that it runs. Raises ConsoleEnded."""
        target = session.target
        try:
            if (await host.current(target.guest)).status != "stopped":
                return
        except PveError as error:
            raise ConsoleEnded(cause_of(error)) from error
        if self.start_vm is None:
            raise ConsoleEnded(Cause("console.vm_stopped"))
        try:
            started = await within(self.clock, START_SECONDS, self.start_vm(session.actor, target.host_id, target.vmid))
        except TimeoutError:
            raise ConsoleEnded(Cause("console.start_late", {"seconds": int(START_SECONDS)})) from None
        except PharmqError as error:
            raise ConsoleEnded(Cause("console.start_failed", {"reason": error.code})) from error
        if not started.ok:
            raise ConsoleEnded(Cause("console.start_failed", {"reason": started.code} | dict(started.params)))

    def _moved(self, session: Session, phase: Literal["connecting", "open"]) -> None:
        session.phase = phase
        self.screens.touch(session.vm_id)

    async def _pipe(self, session: Session, opened: Opened, early: bytes, *, picture: bool) -> Cause:
        gates = session.make_gates(picture=picture)
        meter = Meter(self.clock.monotonic())
        taken, stream = session.browser.taken, opened.stream
        pipe: Pipe
        if isinstance(stream, ConsoleStream):
            session.stream = stream
        if taken is not None and isinstance(stream, ConsoleStream):
            pipe = Splice(taken, stream, self.clock, meter, gates)
        else:
            pipe = Relay(session.browser, stream, self.clock, meter, gates)
        session.pipe = pipe
        session.begin(meter, self.clock.monotonic())
        self.screens.touch(session.vm_id)
        end = await pipe.run(opened.first, early, session.ended)
        if isinstance(end, Cause):
            return end
        return await self._why(session, end, self.clock.monotonic() - meter.last)

    async def _why(self, session: Session, end: HostClosed, idle_s: float) -> Cause:
        target = session.target
        if not target.vm_id:
            return Cause("console.closed_by_host")
        try:
            seen = await examine(self.host_of(target.host_id), target.guest, None, None, self.clock)
        except PveError as error:
            return cause_of(error)
        return why_ended(idle_s, end.error, seen)

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

    def recheck(self, user_id: int | None = None) -> None:
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
                self._check_rights(session, self.targets.get(session.vm_id) if session.vm_id else session.target)

    async def forget_old(self) -> None:
        """Drop the rows of sessions that ended, or were never claimed, a week ago."""
        before = self.clock.now() - KEPT
        await self.db.do(lambda conn, _tx: store.forget(conn, before))

    def _look_after(self, session: Session, now: float) -> None:
        if (cause := session.tick(now, self.settings())) is not None:
            session.end(cause)
        elif session.pipe is not None and session.pipe.keepalive_due(now):
            self._spawner.spawn(settled(session.pipe.keep_alive()), f"keep-alive {session.key[:8]}")
        target = self.targets.get(session.vm_id) if session.vm_id else self.targets.node(session.target.host_id)
        self._check_rights(session, target)

    def _check_rights(self, session: Session, target: Target | None) -> None:
        """As things stand now: a right that has gone ends the console, or leaves it to watch."""
        if target is None:
            session.end(Cause("console.vm_gone"))
        elif target.host_reason == "certificate_changed":
            session.end(cause_of_host("certificate_changed"))
        elif target.contract == "forbidden":
            session.end(Cause("console.contract_forbids"))
        elif not may_open(session.actor, session.kind, "view", target) or (
            session.clipboard and not allows(session.actor, Privilege.CONSOLE_CLIPBOARD, target.scope)
        ):
            session.end(Cause("console.revoked"))
        elif session.wants == "control" and not may_open(session.actor, session.kind, "control", target):
            self.screens.withdraw(session)


async def _authenticated(turn: Turn, greeted: "asyncio.Future[None]") -> None:
    """From here another may open this VM. Where the browser is ready too, its turn ends with what is written down of
    the opening, which is now; else it is not made to wait for this browser."""
    if greeted.done():
        turn.lasts = True
    else:
        await turn.give_back()


async def _wait(future: "asyncio.Future[None]") -> None:
    await asyncio.shield(future)


async def _stop(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    await asyncio.wait([task])
