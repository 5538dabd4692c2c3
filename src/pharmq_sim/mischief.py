"""Faults that change the world at the moment they are set, and the one that mixes up types."""

from typing import TYPE_CHECKING, Any

import msgspec

from pharmq_sim.faults import Params
from pharmq_sim.world import Guest

if TYPE_CHECKING:
    from pharmq_sim.host import SimHost


def apply(host: "SimHost", name: str, params: Params) -> None:
    """Act on the world for ``name``; faults without a moment of their own do nothing here."""
    if name == "config_lock":
        only = params.get("vmid")
        for vmid in [int(only)] if only else list(host.world.guests):
            host.spawn(host.locks.hold_for(vmid, float(params.get("s", 30))), f"lock {vmid}")
    elif name == "vm_migrated":
        guest = _target(host, params)
        guest.node = str(params.get("to", "pve2"))
        host.dirty = True
    elif name == "vmid_reused":
        reuse_vmid(host, _target(host, params))


def _target(host: "SimHost", params: Params) -> Guest:
    vmid = params.get("vmid")
    return host.world.guests[int(vmid)] if vmid else next(iter(host.world.guests.values()))


def reuse_vmid(host: "SimHost", old: Guest) -> Guest:
    """Delete ``old`` and create another guest with its number: other name, disk, uuid, creation time."""
    host.tell(old, "removed")
    fresh = Guest(
        vmid=old.vmid,
        kind="qemu",
        name=f"NEW-{old.vmid}",
        ctime=int(host.epoch()),
        uuid=f"{host.random.getrandbits(32):08x}-0000-4000-8000-{host.random.getrandbits(48):012x}",
        cores=1,
        memory=1 << 30,
        disk=8 << 30,
    )
    host.world.guests[old.vmid] = fresh
    host.dirty = True
    return fresh


def wrong_types(body: bytes) -> bytes:
    """The same JSON with numbers as objects and texts as numbers, one level below ``data``."""
    shape: Any = msgspec.json.decode(body)
    data = shape.get("data") if isinstance(shape, dict) else None
    if isinstance(data, list):
        shape["data"] = [_twist(row) for row in data]
    elif isinstance(data, dict):
        shape["data"] = _twist(data)
    else:
        shape["data"] = {"unexpected": data}
    return msgspec.json.encode(shape)


def _twist(row: Any) -> Any:
    if not isinstance(row, dict):
        return {"value": row}
    twisted: dict[str, Any] = {}
    for key, value in row.items():
        twisted[key] = {"value": value} if isinstance(value, int | float) else 17
    return twisted
