"""SQL of this room. Every function works on the caller's connection; nobody here commits."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Row, bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.hosts.model import CredentialKind, CredentialRow, Host, HostState, Hours, Pharmacy, PharmacyGroup, Pin
from pharmq.hosts.tables import credentials, groups, host_pins, pharmacies, pharmacy_groups, proxmox_hosts


class Everything(NamedTuple):
    """What the room keeps in memory. ``sealed`` and ``sealed_sets`` are ciphertext by host and by credential id."""

    groups: list[PharmacyGroup]
    pharmacies: list[Pharmacy]
    hosts: list[tuple[Host, HostState]]
    sealed: dict[int, bytes]
    sealed_sets: dict[int, bytes]


async def everything(conn: AsyncConnection) -> Everything:
    members: dict[int, list[int]] = {}
    for row in await conn.execute(select(pharmacy_groups).order_by(pharmacy_groups.c.group_id)):
        members.setdefault(row.pharmacy_id, []).append(row.group_id)
    pins: dict[int, list[Pin]] = {}
    for row in await conn.execute(select(host_pins).where(host_pins.c.active).order_by(host_pins.c.id)):
        pins.setdefault(row.host_id, []).append(Pin(row.fingerprint, row.not_after, row.node))
    sets = {row.id: row for row in await conn.execute(select(credentials))}
    found_hosts, sealed = [], {}
    for row in await conn.execute(select(proxmox_hosts).order_by(proxmox_hosts.c.id)):
        shared = sets.get(row.credential_id)
        revision = shared.revision if shared is not None else row.credential_revision
        found_hosts.append((_host(row, revision, tuple(pins.get(row.id, ()))), _state(row)))
        if row.password is not None:
            sealed[row.id] = row.password
    return Everything(
        [PharmacyGroup(row.id, row.name, row.kind) for row in await conn.execute(select(groups))],
        [_pharmacy(row, members) for row in await conn.execute(select(pharmacies).order_by(pharmacies.c.pharmacy_id))],
        found_hosts,
        sealed,
        {number: row.secret for number, row in sets.items()},
    )


def _pharmacy(row: Row[Any], members: dict[int, list[int]]) -> Pharmacy:
    return Pharmacy(
        id=row.pharmacy_id,
        code=row.code,
        name=row.name,
        representative=row.representative,
        phone=row.phone,
        address=row.address,
        hours=msgspec.convert(row.hours, Hours),
        closing_days=tuple(row.closing_days),
        note=row.note,
        group_ids=tuple(members.get(row.pharmacy_id, ())),
        screens_allowed=row.screens_allowed,
        screen_reason=row.screen_reason,
    )


def _host(row: Row[Any], revision: int, pins: tuple[Pin, ...]) -> Host:
    return Host(
        id=row.id,
        pharmacy_id=row.pharmacy_id,
        host_ip=row.host_ip,
        addresses=tuple(row.addresses),
        host_port=row.host_port,
        node=row.node,
        credential_id=row.credential_id,
        credential_kind=row.credential_kind,
        username=row.username,
        credential_revision=revision,
        refused_revision=row.refused_revision,
        maintenance=row.maintenance,
        maintenance_note=row.maintenance_note,
        pins=pins,
    )


def _state(row: Row[Any]) -> HostState:
    params = row.reason_params or {}
    return HostState(
        reason=row.reason,
        reason_params=params,
        since=row.since,
        last_check=row.last_check,
        last_contact=row.last_contact,
        version=row.version,
        seen=params.get("seen") if row.reason == "certificate_changed" else None,
    )


# --- pharmacies and groups


def _pharmacy_values(pharmacy: Pharmacy, now: datetime) -> dict[str, Any]:
    return {
        "code": pharmacy.code,
        "name": pharmacy.name,
        "representative": pharmacy.representative,
        "phone": pharmacy.phone,
        "address": pharmacy.address,
        "hours": pharmacy.hours,
        "closing_days": list(pharmacy.closing_days),
        "note": pharmacy.note,
        "screens_allowed": pharmacy.screens_allowed,
        "screen_reason": pharmacy.screen_reason,
        "updated_at": now,
    }


async def insert_pharmacy(conn: AsyncConnection, pharmacy: Pharmacy, now: datetime) -> Pharmacy:
    """``pharmacy`` with the id it got."""
    made = await conn.execute(
        insert(pharmacies).values(**_pharmacy_values(pharmacy, now), created_at=now).returning(pharmacies.c.pharmacy_id)
    )
    stored = msgspec.structs.replace(pharmacy, id=int(made.scalar_one()))
    await set_groups(conn, stored.id, stored.group_ids)
    return stored


async def update_pharmacy(conn: AsyncConnection, pharmacy: Pharmacy, now: datetime) -> None:
    await conn.execute(
        update(pharmacies).where(pharmacies.c.pharmacy_id == pharmacy.id).values(**_pharmacy_values(pharmacy, now))
    )
    await conn.execute(
        update(proxmox_hosts).where(proxmox_hosts.c.pharmacy_id == pharmacy.id).values(pharmacy_name=pharmacy.name)
    )
    await set_groups(conn, pharmacy.id, pharmacy.group_ids)


async def set_groups(conn: AsyncConnection, pharmacy_id: int, group_ids: Sequence[int]) -> None:
    await conn.execute(delete(pharmacy_groups).where(pharmacy_groups.c.pharmacy_id == pharmacy_id))
    if group_ids:
        await conn.execute(
            insert(pharmacy_groups), [{"pharmacy_id": pharmacy_id, "group_id": group} for group in group_ids]
        )


async def delete_pharmacy(conn: AsyncConnection, pharmacy_id: int) -> None:
    await conn.execute(delete(pharmacies).where(pharmacies.c.pharmacy_id == pharmacy_id))


async def insert_group(conn: AsyncConnection, name: str, kind: str) -> int:
    made = await conn.execute(insert(groups).values(name=name, kind=kind).returning(groups.c.id))
    return int(made.scalar_one())


async def update_group(conn: AsyncConnection, group: PharmacyGroup) -> None:
    await conn.execute(update(groups).where(groups.c.id == group.id).values(name=group.name, kind=group.kind))


async def delete_group(conn: AsyncConnection, group_id: int) -> None:
    await conn.execute(delete(groups).where(groups.c.id == group_id))


# --- hosts


def _host_values(host: Host, pharmacy_name: str, now: datetime) -> dict[str, Any]:
    return {
        "pharmacy_id": host.pharmacy_id,
        "pharmacy_name": pharmacy_name,
        "host_ip": host.host_ip,
        "addresses": list(host.addresses),
        "host_port": host.host_port,
        "node": host.node,
        "credential_id": host.credential_id,
        "credential_kind": host.credential_kind,
        "username": host.username,
        "refused_revision": host.refused_revision,
        "maintenance": host.maintenance,
        "maintenance_note": host.maintenance_note,
        "updated_at": now,
    }


def _state_values(host: Host, state: HostState) -> dict[str, Any]:
    return {
        "status": "maintenance" if host.maintenance else "online" if state.online else "offline",
        "reason": state.reason,
        "reason_params": state.reason_params,
        "since": state.since,
        "last_check": state.last_check,
        "last_contact": state.last_contact,
        "version": state.version,
    }


async def insert_host(conn: AsyncConnection, host: Host, state: HostState, pharmacy_name: str, now: datetime) -> Host:
    """``host`` with the id it got. Its own credential is sealed for that id: see ``set_password``."""
    values = {**_host_values(host, pharmacy_name, now), **_state_values(host, state)}
    values["credential_revision"] = host.credential_revision if host.credential_id is None else 1
    made = await conn.execute(insert(proxmox_hosts).values(**values, created_at=now).returning(proxmox_hosts.c.id))
    return msgspec.structs.replace(host, id=int(made.scalar_one()))


async def update_host(conn: AsyncConnection, host: Host, state: HostState, pharmacy_name: str, now: datetime) -> None:
    values = {**_host_values(host, pharmacy_name, now), **_state_values(host, state)}
    if host.credential_id is None:
        values["credential_revision"] = host.credential_revision
    await conn.execute(update(proxmox_hosts).where(proxmox_hosts.c.id == host.id).values(**values))


async def own_revision(conn: AsyncConnection, host_id: int) -> int:
    """The revision of a host's own credential, whether it is in use or not."""
    query = select(proxmox_hosts.c.credential_revision).where(proxmox_hosts.c.id == host_id)
    return int(await conn.scalar(query) or 0)


async def set_password(conn: AsyncConnection, host_id: int, sealed: bytes | None) -> None:
    await conn.execute(update(proxmox_hosts).where(proxmox_hosts.c.id == host_id).values(password=sealed))


async def write_state(conn: AsyncConnection, host: Host, state: HostState) -> None:
    """What a check changed for good: status and reason, the learned node, the refused revision."""
    await conn.execute(
        update(proxmox_hosts)
        .where(proxmox_hosts.c.id == host.id)
        .values(**_state_values(host, state), node=host.node, refused_revision=host.refused_revision)
    )


async def write_checks(conn: AsyncConnection, checks: Iterable[tuple[int, datetime | None, datetime | None]]) -> None:
    """When hosts were last asked and last answered: (host id, last check, last contact), in one statement."""
    rows = [{"host": host, "checked": checked, "contact": contact} for host, checked, contact in checks]
    if rows:
        statement = (
            update(proxmox_hosts)
            .where(proxmox_hosts.c.id == bindparam("host"))
            .values(last_check=bindparam("checked"), last_contact=bindparam("contact"))
        )
        await conn.execute(statement, rows)


async def delete_host(conn: AsyncConnection, host_id: int) -> None:
    await conn.execute(delete(proxmox_hosts).where(proxmox_hosts.c.id == host_id))


async def set_pins(conn: AsyncConnection, host_id: int, pins: Sequence[Pin], by: int | None, now: datetime) -> None:
    """Make ``pins`` the only active ones; earlier ones stay as history. One that was active already keeps who
    confirmed it."""
    mine = (host_pins.c.host_id == host_id) & host_pins.c.active
    wanted = [pin.fingerprint for pin in pins]
    await conn.execute(update(host_pins).where(mine, host_pins.c.fingerprint.not_in(wanted)).values(active=False))
    active = set(await conn.scalars(select(host_pins.c.fingerprint).where(mine)))
    new = [pin for pin in pins if pin.fingerprint not in active]
    if new:
        await conn.execute(
            insert(host_pins),
            [
                {
                    "host_id": host_id,
                    "node": pin.node,
                    "fingerprint": pin.fingerprint,
                    "not_after": pin.not_after,
                    "confirmed_by": by,
                    "confirmed_at": now,
                    "active": True,
                }
                for pin in new
            ],
        )


async def note_expiry(conn: AsyncConnection, host_id: int, pin: Pin) -> None:
    """A pin was confirmed before its certificate's end was known."""
    await conn.execute(
        update(host_pins)
        .where(host_pins.c.host_id == host_id, host_pins.c.active, host_pins.c.fingerprint == pin.fingerprint)
        .values(not_after=pin.not_after)
    )


# --- credential sets


class StoredSet(NamedTuple):
    id: int
    name: str
    kind: CredentialKind
    username: str
    revision: int


async def credential_rows(conn: AsyncConnection) -> list[CredentialRow]:
    used = (
        select(proxmox_hosts.c.credential_id, func.count().label("hosts"))
        .group_by(proxmox_hosts.c.credential_id)
        .subquery()
    )
    query = (
        select(credentials, func.coalesce(used.c.hosts, 0).label("host_count"))
        .outerjoin(used, used.c.credential_id == credentials.c.id)
        .order_by(credentials.c.name)
    )
    return [
        CredentialRow(row.id, row.name, row.kind, row.username, row.host_count, row.updated_at)
        for row in await conn.execute(query)
    ]


async def credential_set(conn: AsyncConnection, credential_id: int) -> StoredSet | None:
    row = (await conn.execute(select(credentials).where(credentials.c.id == credential_id))).first()
    return None if row is None else StoredSet(row.id, row.name, row.kind, row.username, row.revision)


async def insert_set(conn: AsyncConnection, name: str, kind: str, username: str, now: datetime) -> int:
    made = await conn.execute(
        insert(credentials)
        .values(name=name, kind=kind, username=username, secret=b"", revision=1, created_at=now, updated_at=now)
        .returning(credentials.c.id)
    )
    return int(made.scalar_one())


async def update_set(conn: AsyncConnection, stored: StoredSet, now: datetime) -> None:
    await conn.execute(
        update(credentials)
        .where(credentials.c.id == stored.id)
        .values(name=stored.name, kind=stored.kind, username=stored.username, revision=stored.revision, updated_at=now)
    )
    await conn.execute(
        update(proxmox_hosts)
        .where(proxmox_hosts.c.credential_id == stored.id)
        .values(username=stored.username, credential_kind=stored.kind)
    )


async def set_secret(conn: AsyncConnection, credential_id: int, sealed: bytes) -> None:
    await conn.execute(update(credentials).where(credentials.c.id == credential_id).values(secret=sealed))


async def delete_set(conn: AsyncConnection, credential_id: int) -> None:
    await conn.execute(delete(credentials).where(credentials.c.id == credential_id))
