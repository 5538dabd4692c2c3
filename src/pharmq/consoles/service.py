"""Consoles for the routes and the WebSocket: who may open which, and what became of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import msgspec
from sqlalchemy import Connection

from pharmq import pve
from pharmq.access import SYSTEM, Actor, Privilege, Scope, allows, require, scope_of, where, who
from pharmq.base.clock import Clock, within
from pharmq.base.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, Params, PharmqError
from pharmq.base.ids import new_act_id, new_token
from pharmq.base.spawn import Spawner
from pharmq.consoles import store
from pharmq.consoles.browser import Browser, Receive, Send
from pharmq.consoles.check import Check, CheckLine
from pharmq.consoles.claims import Claims
from pharmq.consoles.diagnosis import cause_of, cause_of_host
from pharmq.consoles.live import LiveConsoles, StartVm
from pharmq.consoles.model import (
    Cause,
    ConsoleEnded,
    Host,
    Mode,
    ScreenRow,
    SessionRow,
    Target,
    Targets,
    Ticket,
    Wish,
)
from pharmq.consoles.session import Session, may_open
from pharmq.consoles.terminal import has_serial
from pharmq.consoles.turns import Turns
from pharmq.db import Database, Tx
from pharmq.db.leases import Leases
from pharmq.journal import Entry, Journal
from pharmq.settings import RuntimeSettings

PATH = "/api/vnc/ws/"
MAX_ID = 2**63 - 1
STATUS_SECONDS = 4.0
_MODES: tuple[Mode, ...] = ("control", "view")


class ConsolesService:
    """``host_of(host_id)`` gives that host's client; ``settings()`` those of this moment; ``origin`` is where
    browsers reach us; ``fresh(actor)`` the same caller with the grants of now, None when its session ended;
    ``start_vm`` starts a VM on somebody's behalf."""

    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        journal: Journal,
        leases: Leases,
        targets: Targets,
        host_of: Callable[[int], Host],
        settings: Callable[[], RuntimeSettings],
        origin: str,
        owner: str,
        fresh: Callable[[Actor], Awaitable[Actor | None]] | None = None,
        start_vm: StartVm | None = None,
    ) -> None:
        self.db = db
        self.clock = clock
        self.journal = journal
        self.targets = targets
        self.settings = settings
        self.origin = origin
        self.owner = owner
        self._host_of = host_of
        self._spawner = Spawner("consoles")
        turns = Turns(leases, clock, self._spawner)
        self.live = LiveConsoles(db, clock, journal, turns, targets, host_of, self._spawner, fresh, settings, start_vm)
        self.claims = Claims(db, clock, journal, targets, self.live, owner)

    async def start(self) -> None:
        """Close in the table what an earlier run left open, and begin to look after what is open."""
        now = self.clock.now()

        def close(conn: Connection, tx: Tx) -> None:
            lost = store.orphans(conn, self.owner)
            for row in lost:
                store.closed(conn, row.key, "console.server_restarted", 0, 0, now)
            if lost:
                self.journal.put(conn, tx, *[_closed_by_restart(row) for row in lost])

        await self.db.do(close, durable=True)
        await self.live.forget_old()
        self.live.start()

    async def aclose(self) -> None:
        """End every console with ``console.server_stopping``."""
        await self.live.end_all(Cause("console.server_stopping"))
        await self._spawner.aclose()

    @property
    def open_count(self) -> int:
        return self.live.open_count

    # -- for the routes ----------------------------------------------------------------------------------------

    async def connect(
        self,
        actor: Actor,
        pharmacy_id: int,
        vmid: int,
        vm_type: str | None = None,
        host_id: int | None = None,
        wish: Wish = Wish(),  # noqa: B008 - an immutable value
    ) -> Ticket:
        """A one-time session. Raises NotFound, Forbidden, Invalid (a reason is asked for), Conflict
        (``console.ambiguous`` with candidates, or why there is no screen), Unavailable (the host cannot be reached)."""
        return await self._issue(actor, self._find(actor, pharmacy_id, vmid, vm_type, host_id), wish)

    async def shell(self, actor: Actor, host_id: int, purpose: str = "") -> Ticket:
        """A one-time session of the node's own shell. Raises as ``connect`` does."""
        target = self.targets.node(host_id) if host_id <= MAX_ID else None
        if target is None or not allows(actor, Privilege.SEE, target.scope):
            raise NotFound("host.not_found", params={"id": str(host_id)})
        return await self._issue(actor, target, Wish("shell", "control", purpose=purpose))

    def _find(self, actor: Actor, pharmacy_id: int, vmid: int, vm_type: str | None, host_id: int | None) -> Target:
        found = [
            target
            for target in (self.targets.of_pharmacy(pharmacy_id, vmid) if pharmacy_id <= MAX_ID else ())
            if allows(actor, Privilege.SEE, target.scope)
            and (vm_type is None or target.vm_type == vm_type)
            and (host_id is None or target.host_id == host_id)
        ]
        if not found:
            raise NotFound("console.no_such_vm", params={"pharmacy_id": pharmacy_id, "vmid": vmid})
        if len(found) > 1:
            candidates: list[Params] = [
                {"host_id": one.host_id, "vmid": one.vmid, "vm_name": one.vm_name, "vm_type": one.vm_type}
                for one in found
            ]
            raise Conflict("console.ambiguous", params={"vmid": vmid, "candidates": candidates})
        return found[0]

    async def refresh(self, actor: Actor, session_id: str) -> Ticket:
        """A new one-time session for the same VM, whether the old one still runs or has ended."""
        key = store.key_of(session_id)
        row = await self.db.ask(lambda conn: store.get(conn, key))
        if row is None or row.user_id != actor.id:
            raise NotFound("console.session_unknown")
        target = self.targets.get(row.vm_id) if row.vm_id else self.targets.node(row.host_id)
        if target is None:
            raise Cause("console.vm_gone").error()
        if not allows(actor, Privilege.SEE, target.scope):
            raise NotFound("console.session_unknown")
        mode = row.mode if may_open(actor, row.kind, row.mode, target) else None
        ticket = await self._issue(actor, target, Wish(row.kind, mode, row.starts, row.purpose))
        now = self.clock.now()
        await self.db.do(lambda conn, _tx: store.refreshed(conn, key, now))
        return ticket

    async def _issue(self, actor: Actor, target: Target, wish: Wish) -> Ticket:
        purpose = wish.purpose.strip()
        try:
            mode = self._mode(actor, target, wish)
            starts = await self._openable(actor, target, wish, purpose)
        except PharmqError as error:
            async with self.db.transaction() as tx:
                params = {"code": error.code, "vmid": target.vmid, "kind": wish.kind, **error.params}
                refused = Entry(kind="console.refused", who=who(actor), where=where(target.scope), params=params)
                await self.journal.append(tx, refused)
            raise
        now = self.clock.now()
        session_id = new_token()
        expires_at = now + timedelta(seconds=self.settings().console_claim_s)
        row = store.Stored(
            key=store.key_of(session_id),
            act_id=new_act_id(now),
            host_id=target.host_id,
            pharmacy_id=target.pharmacy_id,
            vm_id=target.vm_id,
            vmid=target.vmid,
            vm_name=target.vm_name,
            user_id=actor.id,
            actor_name=actor.name,
            state="issued",
            expires_at=expires_at,
            kind=wish.kind,
            mode=mode,
            starts=starts,
            purpose=purpose,
        )
        await self.db.do(lambda conn, _tx: store.add(conn, row, now))
        url = self.origin.replace("http", "ws", 1) + PATH + session_id
        return Ticket(session_id, url, expires_at, row.key[:32], wish.kind, mode, starts)

    def _mode(self, actor: Actor, target: Target, wish: Wish) -> Mode:
        """What the actor gets of what it wants. Raises Forbidden."""
        for mode in (wish.mode,) if wish.mode else _MODES:
            if may_open(actor, wish.kind, mode, target):
                return mode
        wanted = {"terminal": Privilege.CONSOLE_TERMINAL, "shell": Privilege.NODE_SHELL}.get(wish.kind)
        wanted = wanted or (Privilege.CONSOLE_VIEW if wish.mode == "view" else Privilege.CONSOLE_CONTROL)
        raise Forbidden("access.forbidden", params={"privilege": wanted.value})

    async def _openable(self, actor: Actor, target: Target, wish: Wish, purpose: str) -> bool:
        """What is known to prevent a console is said before a browser opens a socket for it. Gives whether the VM is
        stopped and has to be started first."""
        if target.contract == "forbidden":
            raise Forbidden("console.contract_forbids", params={"pharmacy": target.pharmacy_name})
        if target.contract == "reason" and not purpose:
            raise Invalid("console.reason_required", fields={"purpose": [FieldError("request.required")]})
        if target.missing:
            raise Cause("console.vm_gone").error()
        if target.host_reason is not None and target.host_reason != "never_checked":
            raise cause_of_host(target.host_reason).error()
        if target.console == "none" and wish.kind == "screen":
            raise Cause("console.no_picture", {"vga": "none"}).error()
        if (full := self.live.full(actor, target.host_id)) is not None:
            raise full.error()
        if wish.kind == "terminal" and not await self._has_serial(target):
            raise Cause("console.no_terminal").error()
        if target.status != "stopped" or not await self._really_stopped(target):
            return False
        if not wish.start:
            raise Cause("console.vm_stopped").error()
        require(actor, Privilege.POWER, target.scope)
        return True

    async def _has_serial(self, target: Target) -> bool:
        try:
            return await has_serial(self._host_of(target.host_id), target.guest, self.clock)
        except pve.PveError as error:
            raise cause_of(error).error() from error

    async def _really_stopped(self, target: Target) -> bool:
        """Our view lags up to 12 s behind the host: a VM that was just started must not be refused."""
        try:
            current = await within(self.clock, STATUS_SECONDS, self._current(target))
        except TimeoutError:
            return True
        except pve.PveError as error:
            raise cause_of(error).error() from error
        return current.status == "stopped"

    async def _current(self, target: Target) -> pve.Current:
        return await self._host_of(target.host_id).current(target.guest)

    def sessions(self, actor: Actor) -> list[SessionRow]:
        """Consoles that are opening or open, oldest first, of VMs the actor may see."""
        return [one.row() for one in self.live.sessions.values() if allows(actor, Privilege.SEE, one.target.scope)]

    async def end(self, actor: Actor, session_id: str) -> None:
        """End one's own console, or anybody's with session.kill. ``session_id``: the one-time id, or the public
        ``session_key`` of the list."""
        key = store.key_of(session_id)
        for session in list(self.live.sessions.values()):
            if session.key == key or session.key[:32] == session_id:
                self._end(actor, session)
                return
        now = self.clock.now()

        def close(conn: Connection, _tx: Tx) -> None:
            row = store.get(conn, key)
            if row is None or row.user_id != actor.id:
                raise NotFound("console.session_unknown")
            store.closed(conn, key, "console.closed_by_user", 0, 0, now)

        await self.db.do(close)

    def _end(self, actor: Actor, session: Session) -> None:
        own = _same(actor, session.actor)
        if not own:
            if not allows(actor, Privilege.SEE, session.target.scope):
                raise NotFound("console.session_unknown")
            require(actor, Privilege.SESSION_KILL, session.target.scope)
        session.end(Cause("console.closed_by_user") if own else Cause("console.ended_by_operator", {"by": actor.name}))

    def close_for(self, actor_session: str) -> None:
        """A sign-in or token was revoked (``AccessService.on_revoked``): its consoles end at once."""
        for session in self.live.sessions.values():
            if session.actor.session == actor_session:
                session.end(Cause("console.revoked"))

    def close_locked(self, actor_session: str) -> None:
        """The screen was locked: what is behind it must not go on arriving."""
        for session in self.live.sessions.values():
            if session.actor.session == actor_session:
                session.end(Cause("console.locked"))

    def recheck(self, user_id: int | None = None) -> None:
        """Rights of a user (None: of anybody) changed: consoles that they no longer cover end, or only watch."""
        self.live.recheck(user_id)

    async def check(self, actor: Actor, vm_id: int) -> AsyncIterator[CheckLine]:
        """Every step of an opening with its time and result. Raises NotFound, Forbidden; then nothing any more."""
        target = self.targets.get(vm_id) if vm_id <= MAX_ID else None
        if target is None or not allows(actor, Privilege.SEE, target.scope):
            raise NotFound("inventory.vm_not_found", params={"id": str(vm_id)})
        if not may_open(actor, "screen", "view", target):
            raise Forbidden("access.forbidden", params={"privilege": Privilege.CONSOLE_VIEW.value})
        if (full := self.live.full(actor, target.host_id)) is not None:
            raise full.error()
        try:
            host = self._host_of(target.host_id)
        except pve.PveError as error:
            raise cause_of(error).error() from error
        params = {"vmid": target.vmid, "vm_name": target.vm_name}
        entry = Entry(kind="console.checked", who=who(actor), where=where(target.scope), params=params)
        async with self.db.transaction() as tx:
            await self.journal.append(tx, entry)
        return Check(host, target, self.live.turns, self.clock).lines()

    # -- who acts on a screen ------------------------------------------------------------------------------------

    def encoded_screen(self, vm_id: int) -> bytes | None:
        """The stream's row of a screen; None when nobody is on it."""
        row = self.live.screens.row(vm_id)
        return None if row is None else msgspec.json.encode(row)

    def scope_of_screen(self, vm_id: int) -> Scope | None:
        target = self.targets.get(vm_id)
        return None if target is None else target.scope

    def viewers(self, actor: Actor, vm_id: int) -> ScreenRow:
        """Who is on a VM's screen. Raises NotFound."""
        target = self.targets.get(vm_id) if vm_id <= MAX_ID else None
        if target is None or not allows(actor, Privilege.SEE, target.scope):
            raise NotFound("inventory.vm_not_found", params={"id": str(vm_id)})
        return self.live.screens.row(vm_id) or ScreenRow(vm_id, [])

    async def set_mode(self, actor: Actor, session_key: str, mode: Mode, *, force: bool = False) -> ScreenRow:
        """Take control of a screen with one's own session, hand it to somebody else's, or let go of it.

        Raises NotFound, Forbidden, Conflict ``console.controlled`` while somebody else controls the screen (``force``
        takes it all the same)."""
        session = self._shown(actor, session_key)
        own = _same(actor, session.actor)
        now = self.live.screens.controller(session.vm_id)
        mine = now is not None and now.person == ("user", actor.id)
        if not own and not (mine and mode == "control"):
            require(actor, Privilege.SESSION_KILL, session.target.scope)
        if mode == "view":
            self.live.screens.withdraw(session)
        else:
            if not may_open(session.actor, "screen", "control", session.target):
                raise Forbidden("access.forbidden", params={"privilege": Privilege.CONSOLE_CONTROL.value})
            if now is not None and now.person != session.person and not mine and not force:
                raise Conflict("console.controlled", params={"by": now.viewer().name})
            self.live.screens.give(session)
        entry = Entry(
            kind="console.control",
            act_id=new_act_id(self.clock.now()),
            who=who(actor),
            where=where(session.target.scope),
            params={
                "vmid": session.target.vmid,
                "vm_name": session.target.vm_name,
                "mode": mode,
                "of_id": session.actor.id,
            },
            private={"of": session.actor.name, "from": now.viewer().name if now is not None else ""},
            about=session.actor.id,
        )
        async with self.db.transaction() as tx:
            await self.journal.append(tx, entry)
        return self.live.screens.row(session.vm_id) or ScreenRow(session.vm_id, [])

    def _shown(self, actor: Actor, session_key: str) -> Session:
        found = next((one for one in self.live.sessions.values() if session_key in (one.key, one.key[:32])), None)
        if found is None or found.kind != "screen" or not allows(actor, Privilege.SEE, found.target.scope):
            raise NotFound("console.session_unknown")
        return found

    # -- for the WebSocket -------------------------------------------------------------------------------------

    async def serve(self, actor: Actor, session_id: str, receive: Receive, send: Send, subprotocols: list[str]) -> None:
        """One browser's WebSocket, from the claim to the end. The connect event was received already."""
        browser = Browser(receive, send, self.clock)
        try:
            session = await self.claims.claim(actor, session_id, browser)
        except ConsoleEnded as refused:
            await browser.accept(subprotocols)
            await browser.close(refused.cause)
            return
        # Accepted only now: servers log the path then, and the id in it is spent.
        await self.live.run(session, subprotocols)


def _same(actor: Actor, other: Actor) -> bool:
    return actor.id is not None and actor.id == other.id


def _closed_by_restart(row: store.Stored) -> Entry:
    return Entry(
        kind="console.closed",
        act_id=row.act_id,
        who=who(SYSTEM),
        where=where(scope_of(pharmacy_id=row.pharmacy_id, host_id=row.host_id, vm_id=row.vm_id)),
        params={"vmid": row.vmid, "vm_name": row.vm_name, "cause": "console.server_restarted"},
        outcome="console.server_restarted",
    )
