"""Taking up a session that was issued: once, by whom it was issued to, while rights and limits still allow it."""

from datetime import datetime
from functools import partial
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection

from pharmq.access import Actor, Scope, scope_of, where, who
from pharmq.base.clock import Clock
from pharmq.consoles import store
from pharmq.consoles.browser import Browser
from pharmq.consoles.live import LiveConsoles
from pharmq.consoles.model import Cause, ConsoleEnded, Target, Targets
from pharmq.consoles.records import told
from pharmq.consoles.session import Session, may_open
from pharmq.consoles.turns import Turn
from pharmq.db import Database, Tx
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
        now = self.clock.now()
        session: Session | None = None
        try:
            async with self.db.transaction(durable=True) as tx:
                row = await tx.conn.run_sync(self._own, store.key_of(session_id), actor, now)
                target = self.targets.get(row.vm_id) if row.vm_id else self.targets.node(row.host_id)
                refusal = self._refusal(actor, target, row)
                if refusal is None and target is not None:
                    session = Session(
                        row.key, row.act_id, target, actor, browser, now,
                        kind=row.kind, wants=row.mode, starts=row.starts, purpose=row.purpose,
                    )  # fmt: skip
                    # Before the commit, so that the next claim counts it.
                    self.live.add(session)
                    begun = partial(self._begun, tx=tx, session=session, turn=self.live.turn_at_once(session))
                    tx.before_commit(begun)
                else:
                    cause = refusal or Cause("console.vm_gone")
                    tx.before_commit(partial(self._refused, tx=tx, actor=actor, row=row, target=target, cause=cause))
        except BaseException:
            if session is not None:
                await self.live.give_back(session)
                self.live.drop(session)
            raise
        if session is None:
            raise ConsoleEnded(cause)
        return session

    def _own(self, conn: Connection, key: str, actor: Actor, now: datetime) -> store.Stored:
        """The row, which is ours from now on. Raises ConsoleEnded."""
        row = store.get(conn, key)
        if row is None or row.user_id != actor.id:
            raise ConsoleEnded(Cause("console.session_unknown"))
        if not store.claim(conn, key, actor.id, self.owner, now):
            expired = row.state == "issued"
            raise ConsoleEnded(Cause("console.session_expired" if expired else "console.session_used"))
        return row

    def _begun(self, conn: Connection, *, tx: Tx, session: Session, turn: Turn | None) -> None:
        if turn is not None:
            ours = turn.take(conn)
            tx.after_commit(lambda: turn.taken(ours=ours))
        facts = told(session.kind, session.wants, session.purpose, session.target.vmid, session.target.vm_name)
        self.journal.put(conn, tx, _request(session.act_id, session.actor, session.target.scope, facts))

    def _refused(
        self, conn: Connection, *, tx: Tx, actor: Actor, row: store.Stored, target: Target | None, cause: Cause
    ) -> None:
        store.closed(conn, row.key, cause.code, 0, 0, self.clock.now())
        scope = target.scope if target else scope_of(pharmacy_id=row.pharmacy_id, host_id=row.host_id)
        request = _request(row.act_id, actor, scope, told(row.kind, row.mode, row.purpose, row.vmid, row.vm_name))
        params = request.params | dict(cause.params)
        self.journal.put(conn, tx, request, replace(request, phase="outcome", params=params, outcome=cause.code))

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


def _request(act_id: str, actor: Actor, scope: Scope, params: dict[str, Any]) -> Entry:
    return Entry(
        kind="console.opened", phase="request", act_id=act_id, who=who(actor), where=where(scope), params=params
    )
