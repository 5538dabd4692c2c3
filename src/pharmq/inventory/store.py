"""The SQL of this room: rows in and out of ``vm_inventory``."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.inventory.model import Vm
from pharmq.inventory.tables import vm_inventory

_COLUMNS = {
    "id": "id",
    "host_id": "proxmox_host_id",
    "vmid": "vmid",
    "guest_type": "guest_type",
    "name": "vm_name",
    "kind": "vm_type",
    "kind_source": "vm_type_source",
    "node": "node_name",
    "status": "status",
    "pve_status": "pve_status",
    "last_sync": "last_sync",
    "created_at": "created_at",
    "cpu_cores": "cpu_cores",
    "memory_mb": "memory_mb",
    "disk_gb": "disk_gb",
    "ip": "ip_address",
    "ip_source": "ip_source",
    "description": "description",
    "description_source": "description_source",
    "tags": "tags",
    "template": "template",
    "lock": "lock",
    "onboot": "onboot",
    "agent": "agent",
    "console": "console",
    "identity": "identity",
    "config_at": "config_at",
    "missing_since": "missing_since",
    "ended_at": "ended_at",
}
"""Fields of ``Vm`` and their columns, whose names come from the operators' own plan."""

_FIXED = frozenset({"id", "host_id", "vmid", "guest_type", "created_at"})
_UPDATE = (
    update(vm_inventory)
    .where(vm_inventory.c.id == bindparam("row_id"))
    .values({column: bindparam(column) for field, column in _COLUMNS.items() if field not in _FIXED})
)


async def living(conn: AsyncConnection) -> list[Vm]:
    """Every incarnation that has not ended."""
    found = await conn.execute(select(vm_inventory).where(vm_inventory.c.ended_at.is_(None)))
    return [_vm(row) for row in found]


def add(conn: Connection, vms: Sequence[Vm]) -> list[int]:
    """Insert and return the new ids, in the order given."""
    if not vms:
        return []
    statement = insert(vm_inventory).returning(vm_inventory.c.id, sort_by_parameter_order=True)
    values = [{column: value for column, value in _values(vm).items() if column != "id"} for vm in vms]
    return [int(number) for number in conn.scalars(statement, values)]


def save(conn: Connection, vms: Iterable[Vm]) -> None:
    """Write rows that exist; one whose host was removed meanwhile is gone with it."""
    values = [
        {column: value for column, value in _values(vm).items() if column != "id"} | {"row_id": vm.id} for vm in vms
    ]
    if values:
        conn.execute(_UPDATE, values)


async def synced(conn: AsyncConnection, hosts: Mapping[int, datetime]) -> None:
    """Write when hosts last told of their guests."""
    if hosts:
        await conn.execute(
            update(vm_inventory)
            .where(
                vm_inventory.c.proxmox_host_id == bindparam("host"),
                vm_inventory.c.ended_at.is_(None),
                vm_inventory.c.missing_since.is_(None),
            )
            .values(last_sync=bindparam("at")),
            [{"host": host, "at": at} for host, at in hosts.items()],
        )


def _values(vm: Vm) -> dict[str, Any]:
    return {column: getattr(vm, field) for field, column in _COLUMNS.items()}


def _vm(row: Row[Any]) -> Vm:
    values = {field: getattr(row, column) for field, column in _COLUMNS.items()}
    values["tags"] = tuple(values["tags"])
    return Vm(**values)
