"""What is written down of a console: that it opened, how it ended."""

from typing import Any

from sqlalchemy import Connection

from pharmq.access import where, who
from pharmq.base.clock import Clock
from pharmq.consoles import store
from pharmq.consoles.model import Cause
from pharmq.consoles.session import Session
from pharmq.db import Database, Tx
from pharmq.journal import Entry, Journal


class Records:
    def __init__(self, db: Database, clock: Clock, journal: Journal) -> None:
        self.db = db
        self.clock = clock
        self.journal = journal

    async def opened(self, session: Session, upid: str) -> None:
        """With it the VM's turn is given back, if it lasted until now."""
        now = self.clock.now()
        session.upid, session.opened_at = upid, now
        entry = _entry(session, "console.opened", outcome="ok")

        def write(conn: Connection, tx: Tx) -> None:
            store.opened(conn, session.key, upid, now)
            if (turn := session.turn) is not None:
                turn.drop(conn)
                tx.after_commit(turn.dropped)
            self.journal.put(conn, tx, entry)

        await self.db.do(write, durable=True)

    async def ended(self, session: Session, cause: Cause) -> None:
        now = self.clock.now()
        meter = session.meter
        up, down = (meter.up, meter.down) if meter else (0, 0)
        if session.opened_at is None:
            entry = _entry(session, "console.opened", outcome=cause.code, params=dict(cause.params))
        else:
            seconds = int((now - session.opened_at).total_seconds())
            facts = {"cause": cause.code, "bytes_up": up, "bytes_down": down, "seconds": seconds}
            entry = _entry(session, "console.closed", outcome=cause.code, params=facts | dict(cause.params))
        session.state = "closed"

        def write(conn: Connection, tx: Tx) -> None:
            if store.closed(conn, session.key, cause.code, up, down, now):
                self.journal.put(conn, tx, entry)

        await self.db.do(write, durable=True)


def _entry(session: Session, kind: str, *, outcome: str, params: dict[str, Any] | None = None) -> Entry:
    target = session.target
    return Entry(
        kind=kind,
        phase="outcome" if kind == "console.opened" else "event",
        act_id=session.act_id,
        who=who(session.actor),
        where=where(target.scope),
        params=told(session.kind, session.wants, session.purpose, target.vmid, target.vm_name) | (params or {}),
        outcome=outcome,
        upid=session.upid,
    )


def told(kind: str, mode: str, purpose: str, vmid: int, vm_name: str) -> dict[str, Any]:
    """What the journal says of a console."""
    facts: dict[str, Any] = {"vmid": vmid, "vm_name": vm_name, "kind": kind, "mode": mode}
    return facts | ({"purpose": purpose} if purpose else {})
