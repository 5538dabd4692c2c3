"""SQL of console sessions. Only the SHA-256 of a session id is kept: the table opens no console.

Functions of a plain connection: callers run several of them in one go (``Database.do``)."""

import hashlib
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, and_, bindparam, delete, insert, or_, select, update

from pharmq.consoles.model import Kind, Mode
from pharmq.consoles.tables import vnc_sessions_extended as table


class Stored(msgspec.Struct, frozen=True):
    key: str
    act_id: str
    host_id: int
    pharmacy_id: int
    vm_id: int
    vmid: int
    vm_name: str
    user_id: int | None
    actor_name: str
    state: str
    expires_at: datetime
    kind: Kind = "screen"
    mode: Mode = "control"
    starts: bool = False
    purpose: str = ""


def key_of(session_id: str) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()


def add(conn: Connection, row: Stored, now: datetime) -> None:
    values = {
        "session_id": row.key,
        "act_id": row.act_id,
        "proxmox_host_id": row.host_id,
        "pharmacy_id": row.pharmacy_id,
        "vm_id": row.vm_id,
        "vmid": row.vmid,
        "vm_name": row.vm_name,
        "user_id": row.user_id,
        "actor_name": row.actor_name[:128],
        "state": "issued",
        "created_at": now,
        "expires_at": row.expires_at,
        "kind": row.kind,
        "mode": row.mode,
        "starts": row.starts,
        "purpose": row.purpose or None,
    }
    conn.execute(_ADD, values)


def get(conn: Connection, key: str) -> Stored | None:
    row = conn.execute(_GET, {"key": key}).one_or_none()
    return None if row is None else _stored(row)


def claim(conn: Connection, key: str, user_id: int | None, owner: str, now: datetime) -> bool:
    """Take an issued session for this process; True for exactly one caller, once."""
    statement = _CLAIM if user_id is not None else _CLAIM_OF_NOBODY
    changed = conn.execute(
        statement, {"key": key, "now": now, "by": owner} | ({} if user_id is None else {"of": user_id})
    )
    return changed.rowcount == 1


def opened(conn: Connection, key: str, upid: str, now: datetime) -> None:
    conn.execute(_OPENED, {"key": key, "at": now, "task": upid[:200]})


def refreshed(conn: Connection, key: str, now: datetime) -> None:
    conn.execute(update(table).where(table.c.session_id == key).values(last_refresh=now))


def closed(conn: Connection, key: str, cause: str, up: int, down: int, now: datetime) -> bool:
    return conn.execute(_CLOSED, {"key": key, "at": now, "why": cause, "up": up, "down": down}).rowcount == 1


def orphans(conn: Connection, owner: str) -> list[Stored]:
    """Sessions that a run other than ``owner`` was relaying."""
    query = select(table).where(table.c.state.in_(("opening", "open")), table.c.owner != owner)
    return [_stored(row) for row in conn.execute(query)]


def forget(conn: Connection, before: datetime) -> None:
    """Drop what ended, or was never claimed, before that time; the journal keeps the acts."""
    stale = or_(
        and_(table.c.state == "closed", table.c.closed_at < before),
        and_(table.c.state == "issued", table.c.expires_at < before),
    )
    conn.execute(delete(table).where(stale))


# Made once: making a statement takes longer than running it.
_ITS_KEY = table.c.session_id == bindparam("key")
_ADD = insert(table)
_GET = select(table).where(_ITS_KEY)
_FREE = update(table).where(_ITS_KEY, table.c.state == "issued", table.c.expires_at > bindparam("now"))
_CLAIM = _FREE.where(table.c.user_id == bindparam("of")).values(state="opening", owner=bindparam("by"))
_CLAIM_OF_NOBODY = _FREE.where(table.c.user_id.is_(None)).values(state="opening", owner=bindparam("by"))
_OPENED = update(table).where(_ITS_KEY).values(state="open", opened_at=bindparam("at"), upid=bindparam("task"))
_CLOSED = (
    update(table)
    .where(_ITS_KEY, table.c.state != "closed")
    .values(
        state="closed",
        closed_at=bindparam("at"),
        cause=bindparam("why"),
        bytes_up=bindparam("up"),
        bytes_down=bindparam("down"),
    )
)


def _stored(row: Row[Any]) -> Stored:
    return Stored(
        key=row.session_id,
        act_id=row.act_id,
        host_id=row.proxmox_host_id,
        pharmacy_id=row.pharmacy_id,
        vm_id=row.vm_id,
        vmid=row.vmid,
        vm_name=row.vm_name,
        user_id=row.user_id,
        actor_name=row.actor_name or "",
        state=row.state,
        expires_at=row.expires_at,
        kind=row.kind,
        mode=row.mode,
        starts=row.starts,
        purpose=row.purpose or "",
    )
