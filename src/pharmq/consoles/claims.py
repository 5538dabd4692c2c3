"""Taking up a session that was issued: once, by whom it was issued to, while rights and limits still allow it."""

from pharmq.access import Actor, scope_of, where, who
from pharmq.base.clock import Clock
from pharmq.consoles import store
from pharmq.consoles.browser import Browser
from pharmq.consoles.live import LiveConsoles, told
from pharmq.consoles.model import Cause, ConsoleEnded, Target, Targets
from pharmq.consoles.session import Session, may_open
from pharmq.db import Database
from pharmq.journal import Entry, Journal


class Claims:
    """``owner``: this run of the process."""

    def __init__(
        self, db: Database, clock: Clock, journal: Journal, targets: Targets, live: LiveConsoles, owner: str
    ) -> None:
        self.db = db
        self.clock = clock
        self.journal = journal
        self.targets = targets
        self.live = live
        self.owner = owner

    async def claim(self, actor: Actor, session_id: str, browser: Browser) -> Session:
        """The session, added to those that are live. Raises ConsoleEnded; a refusal is in the journal then."""
        added: list[Session] = []
        try:
            return await self._claimed(actor, session_id, browser, added)
        except BaseException:
            for session in added:
                self.live.drop(session)
            raise

    async def _claimed(self, actor: Actor, session_id: str, browser: Browser, added: list[Session]) -> Session:
        key = store.key_of(session_id)
        now = self.clock.now()
        async with self.db.transaction(durable=True) as tx:
            row = await store.get(tx.conn, key)
            if row is None or row.user_id != actor.id:
                raise ConsoleEnded(Cause("console.session_unknown"))
            if not await store.claim(tx.conn, key, actor.id, self.owner, now):
                expired = row.state == "issued"
                raise ConsoleEnded(Cause("console.session_expired" if expired else "console.session_used"))
            target = self.targets.get(row.vm_id) if row.vm_id else self.targets.node(row.host_id)
            scope = target.scope if target else scope_of(pharmacy_id=row.pharmacy_id, host_id=row.host_id)
            request = Entry(
                kind="console.opened",
                phase="request",
                act_id=row.act_id,
                who=who(actor),
                where=where(scope),
                params=told(row.kind, row.mode, row.purpose, row.vmid, row.vm_name),
            )
            await self.journal.append(tx, request)
            refusal = self._refusal(actor, target, row)
            if refusal is not None or target is None:
                refusal = refusal or Cause("console.vm_gone")
                await store.closed(tx.conn, key, refusal.code, 0, 0, now)
                params = told(row.kind, row.mode, row.purpose, row.vmid, row.vm_name) | dict(refusal.params)
                outcome = Entry(
                    kind="console.opened",
                    phase="outcome",
                    act_id=row.act_id,
                    who=who(actor),
                    where=where(scope),
                    params=params,
                    outcome=refusal.code,
                )
                await self.journal.append(tx, outcome)
                session = None
            else:
                session = Session(
                    key, row.act_id, target, actor, browser, now,
                    kind=row.kind, wants=row.mode, starts=row.starts, purpose=row.purpose,
                )  # fmt: skip
                # Before the commit, so that the next claim counts it.
                self.live.add(session)
                added.append(session)
        if session is None:
            raise ConsoleEnded(refusal or Cause("console.vm_gone"))
        return session

    def _refusal(self, actor: Actor, target: Target | None, row: store.Stored) -> Cause | None:
        """Asked again at the claim: rights and limits may have changed since the session was issued."""
        if self.live.closing:
            return Cause("console.server_stopping")
        if target is None or target.missing:
            return Cause("console.vm_gone")
        if target.contract == "forbidden":
            return Cause("console.contract_forbids")
        if not may_open(actor, row.kind, row.mode, target):
            return Cause("console.not_allowed")
        return self.live.full(actor, target.host_id)
