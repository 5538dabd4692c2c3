"""One small fleet: two pharmacies, three hosts, in a real database and directory."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from pharmq.access import Actor, Grant, Privilege
from pharmq.db import Database
from pharmq.hosts.directory import Directory
from pharmq.hosts.model import Host, HostState, Pharmacy, PharmacyGroup
from pharmq.hosts.tables import groups, pharmacies, pharmacy_groups, proxmox_hosts
from pharmq.pve import GuestRow, Resources

GIB = 2**30
ADMIN = Actor("user", 1, "admin", (Grant("/", frozenset(Privilege)),), source="127.0.0.1")
NOBODY = Actor("user", 2, "nobody")
OF_GANGNAM = Actor("user", 3, "gangnam", (Grant("/pharmacy/1", frozenset({Privilege.SEE})),))
OF_SEOUL = Actor("user", 4, "seoul", (Grant("/group/1", frozenset({Privilege.SEE})),))


def guest(vmid: int, name: str | None = None, status: str = "running", **more: Any) -> GuestRow:
    """A whole row when named, the bare one of a young guest otherwise."""
    if name is None:
        return GuestRow(kind=more.pop("kind", "qemu"), node="pve", vmid=vmid, status="unknown", **more)
    whole = {"maxcpu": 2, "maxmem": 4 * GIB, "maxdisk": 32 * GIB, "cpu": 0.25, "mem": GIB, "uptime": 60, "template": 0}
    return GuestRow(kind=more.pop("kind", "qemu"), node="pve", vmid=vmid, name=name, status=status, **{**whole, **more})


def answer(*rows: GuestRow) -> Resources:
    return Resources(tuple(rows), (), ())


async def fill_database(db: Database, directory: Directory, now: datetime) -> None:
    async with db.transaction() as tx:
        await tx.conn.execute(insert(groups), [{"id": g.id, "name": g.name, "kind": g.kind} for g in directory.groups])
        for found in directory.pharmacies:
            await tx.conn.execute(
                insert(pharmacies).values(
                    pharmacy_id=found.id, code=found.code, name=found.name, hours={}, closing_days=[],
                    created_at=now, updated_at=now,
                )
            )  # fmt: skip
            for group in found.group_ids:
                await tx.conn.execute(insert(pharmacy_groups).values(pharmacy_id=found.id, group_id=group))
        for host in directory.hosts:
            await tx.conn.execute(
                insert(proxmox_hosts).values(
                    id=host.id, pharmacy_id=host.pharmacy_id, pharmacy_name="", host_ip=host.host_ip, addresses=[],
                    host_port=8006, credential_kind="password", username="root@pam", status="online",
                    created_at=now, updated_at=now,
                )
            )  # fmt: skip


def make_directory(
    hosts: Iterable[tuple[int, int, str]] = ((1, 1, "10.0.0.1"), (2, 2, "10.0.0.2"), (3, 2, "10.0.0.3")),
) -> Directory:
    directory = Directory()
    directory.fill(
        [PharmacyGroup(1, "서울", "region")],
        [
            Pharmacy(1, "P001", "강남온누리약국", phone="02-555-1234", address="서울시 강남구", group_ids=(1,)),
            Pharmacy(2, "P002", "해운대바다약국", phone="051-777-9876", address="부산시 해운대구"),
        ],
        [
            (Host(number, pharmacy, ip, (), 8006, "pve", None, "password", "root@pam", 1), HostState(reason=None))
            for number, pharmacy, ip in hosts
        ],
    )
    return directory
