"""SQL of console sessions. Only the SHA-256 of a session id is kept: the table opens no console."""

import hashlib
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, and_, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

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


async def add(conn: AsyncConnection, row: Stored, now: datetime) -> None:
    await conn.execute(
        insert(table).values(
            session_id=row.key,
            act_id=row.act_id,
            proxmox_host_id=row.host_id,
            pharmacy_id=row.pharmacy_id,
            vm_id=row.vm_id,
            vmid=row.vmid,
            vm_name=row.vm_name,
            user_id=row.user_id,
            actor_name=row.actor_name[:128],
            state="issued",
            created_at=now,
            expires_at=row.expires_at,
            kind=row.kind,
            mode=row.mode,
            starts=row.starts,
            purpose=row.purpose or None,
        )
    )


async def get(conn: AsyncConnection, key: str) -> Stored | None:
    row = (await conn.execute(select(table).where(table.c.session_id == key))).one_or_none()
    return None if row is None else _stored(row)


async def claim(conn: AsyncConnection, key: str, user_id: int | None, owner: str, now: datetime) -> bool:
    """Take an issued session for this process; True for exactly one caller, once."""
    changed = await conn.execute(
        update(table)
        .where(
            table.c.session_id == key,
            table.c.state == "issued",
            table.c.expires_at > now,
            table.c.user_id == user_id if user_id is not None else table.c.user_id.is_(None),
        )
        .values(state="opening", owner=owner)
    )
    return bool(changed.rowcount == 1)


async def opened(conn: AsyncConnection, key: str, upid: str, now: datetime) -> None:
    await conn.execute(
        update(table).where(table.c.session_id == key).values(state="open", opened_at=now, upid=upid[:200])
    )


async def refreshed(conn: AsyncConnection, key: str, now: datetime) -> None:
    await conn.execute(update(table).where(table.c.session_id == key).values(last_refresh=now))


async def closed(conn: AsyncConnection, key: str, cause: str, up: int, down: int, now: datetime) -> bool:
    changed = await conn.execute(
        update(table)
        .where(table.c.session_id == key, table.c.state != "closed")
        .values(state="closed", closed_at=now, cause=cause, bytes_up=up, bytes_down=down)
    )
    return bool(changed.rowcount == 1)


async def orphans(conn: AsyncConnection, owner: str) -> list[Stored]:
    """Sessions that a run other than ``owner`` was relaying."""
    query = select(table).where(table.c.state.in_(("opening", "open")), table.c.owner != owner)
    return [_stored(row) for row in await conn.execute(query)]


async def forget(conn: AsyncConnection, before: datetime) -> None:
    """Drop what ended, or was never claimed, before that time; the journal keeps the acts."""
    stale = or_(
        and_(table.c.state == "closed", table.c.closed_at < before),
        and_(table.c.state == "issued", table.c.expires_at < before),
    )
    await conn.execute(delete(table).where(stale))


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
