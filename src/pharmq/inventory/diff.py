"""What a host's answer means for the guests we know: a pure function from known rows and a snapshot to changes.

Disappearance is not deletion: a token without ACL sees an empty host with status 200, and after 300 s without
pvestatd every row has lost its name. So nothing is ever erased here: guests become missing, attributes stay.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from pharmq.inventory.model import ON_THE_WIRE, Changes, Event, Sample, Vm, VmKind
from pharmq.inventory.rules import Kinds, bounded, clean, console_of, identity_of, same_guest, split_tags, status_of
from pharmq.pve import Current, GuestConfig, GuestRow

MIB = 2**20
GIB = 2**30
_TOLD = ("node", "cpu_cores", "memory_mb", "disk_gb", "template", "tags", "kind")
"""Attributes whose change is worth an event; locks come and go with each backup."""


def listed(rows: Iterable[GuestRow]) -> dict[int, GuestRow]:
    """A snapshot's usable guests by VMID; a VMID named twice counts once."""
    return {row.vmid: row for row in rows if 0 < row.vmid < 2**31 and row.kind in ("qemu", "lxc")}


def vanished(known: Mapping[int, Vm], rows: Mapping[int, GuestRow]) -> bool:
    """True when every guest that was there is gone at once: more often a lost permission than a deletion."""
    present = [vmid for vmid, vm in known.items() if vm.missing_since is None]
    return bool(present) and not any(vmid in rows for vmid in present)


def diff(
    host_id: int,
    known: Mapping[int, Vm],
    rows: Mapping[int, GuestRow],
    now: datetime,
    kinds: Kinds,
    *,
    confirmed: bool = True,
    held: Collection[int] = (),
    last_seen: datetime | None = None,
) -> Changes:
    """Compare the living rows of one host with a snapshot (``listed``).

    ``confirmed``: an earlier poll has seen the same if everything vanished. ``held``: VMIDs whose run state we know
    from a later question. ``last_seen``: the previous poll, written to guests that go missing.
    """
    added: list[Vm] = []
    changed: list[Vm] = []
    ended: list[Vm] = []
    events: list[Event] = []
    for vmid, row in rows.items():
        old = known.get(vmid)
        if old is not None and _reincarnated(old, row):
            ended.append(replace(old, ended_at=now))
            events.append(Event("vm.replaced", vmid, {"name": old.name, "by": clean(row.name, 255)}, old=True))
            old = None
        if old is None:
            fresh = new_vm(host_id, row, now, kinds)
            added.append(fresh)
            events.append(Event("vm.added", vmid, {"name": fresh.name, "vm_type": fresh.kind}))
            continue
        new = merge(old, row, kinds, hold=vmid in held)
        if new is not old:
            changed.append(replace(new, last_sync=now))
            events.extend(_told(old, new))
    if confirmed or not vanished(known, rows):
        for vmid, vm in known.items():
            if vmid not in rows and vm.missing_since is None:
                changed.append(replace(vm, status="unknown", missing_since=now, last_sync=last_seen or now))
                events.append(Event("vm.missing", vmid, {"name": vm.name}))
    return Changes(tuple(added), tuple(changed), tuple(ended), _together(known, events))


def new_vm(host_id: int, row: GuestRow, now: datetime, kinds: Kinds) -> Vm:
    """A guest seen for the first time; a young one has neither name nor sizes yet."""
    bare = Vm(
        id=0,
        host_id=host_id,
        vmid=row.vmid,
        guest_type="lxc" if row.kind == "lxc" else "qemu",
        name="",
        kind="other",
        kind_source="default",
        node="",
        status="unknown",
        pve_status="unknown",
        last_sync=now,
        created_at=now,
    )
    return merge(bare, row, kinds)


def merge(old: Vm, row: GuestRow, kinds: Kinds, *, hold: bool = False) -> Vm:
    """``old`` with what the row says; the same object when it says nothing new. A row without a name never blanks."""
    whole = bool(row.name)
    if old.missing_since is not None and not whole and old.name:
        # A VMID that comes back nameless is often a new guest: who it is shows in some seconds.
        return old
    name = clean(row.name, 255) or old.name
    tags = split_tags(row.tags) if whole else old.tags
    kind, source = classify(old, name, tags, kinds)
    run_state = old.pve_status if hold else clean(row.status, 32) or "unknown"
    renamed = bool(old.name) and name != old.name
    young = not whole and bool(old.name) and old.status != "unknown" and status_of(run_state) == "unknown"
    new = replace(
        old,
        name=name,
        kind=kind,
        kind_source=source,
        node=clean(row.node, 100) or old.node,
        status=old.status if hold else status_of(run_state),
        pve_status=run_state,
        cpu_cores=bounded(row.maxcpu) or old.cpu_cores,
        memory_mb=_scaled(row.maxmem, MIB) or old.memory_mb,
        disk_gb=_gib(row.maxdisk, old.disk_gb),
        tags=tags,
        template=bool(row.template) if row.template is not None or whole else old.template,
        lock=(clean(row.lock, 32) or None) if whole else old.lock,
        missing_since=None,
        # Another name, or a row that lost its name alone, may be another guest: its configuration will tell.
        config_at=None if renamed or young else old.config_at,
    )
    return old if new == old else new


def classify(vm: Vm, name: str, tags: tuple[str, ...], kinds: Kinds) -> tuple[VmKind, Any]:
    """Kind and where it comes from. What was set by hand stays."""
    if vm.kind_source == "hand":
        return vm.kind, "hand"
    if (by_tag := kinds.by_tags(tags)) is not None:
        return by_tag, "tag"
    by_name = kinds.by_name(name)
    return ("other", "default") if by_name is None else (by_name, "rule")


def with_current(old: Vm, current: Current) -> Vm:
    """``old`` with the run state of ``status/current``, which is right within 0.4 s."""
    run_state = clean(current.run_state, 32) or "unknown"
    new = replace(
        old,
        status=status_of(run_state),
        pve_status=run_state,
        name=clean(current.name, 255) or old.name,
        lock=clean(current.lock, 32) or None,
        missing_since=None,
    )
    return old if new == old else new


def with_config(old: Vm, config: GuestConfig, now: datetime, kinds: Kinds) -> tuple[Vm, bool]:
    """``old`` with its configuration, and whether it turned out to be another guest, which then inherits nothing."""
    identity = identity_of(config)
    replaced = not same_guest(old.identity, identity)
    base = old
    if replaced:
        base = replace(
            old,
            id=0,
            name=clean(config.name, 255),
            tags=split_tags(";".join(config.tags)),
            cpu_cores=bounded(config.cores * config.sockets) or None,
            memory_mb=bounded(config.memory_mb) or None,
            disk_gb=None,
            kind="other",
            kind_source="default",
            ip=None,
            ip_source=None,
            description="",
            description_source="pve",
            created_at=now,
            missing_since=None,
        )
    kind, source = classify(base, base.name, base.tags, kinds)
    new = replace(
        base,
        kind=kind,
        kind_source=source,
        identity=identity if replaced or base.identity is None or identity is not None else base.identity,
        description=clean(config.description, 8192) if base.description_source == "pve" else base.description,
        onboot=config.onboot,
        agent=config.agent,
        console=console_of(config),
        config_at=now,
    )
    return new, replaced


def rejudged(known: Mapping[int, Vm], kinds: Kinds) -> Changes:
    """Guests whose tags and name mean another kind by these rules; what a person said stays."""
    changed, events = [], []
    for vm in known.values():
        kind, source = classify(vm, vm.name, vm.tags, kinds)
        if (kind, source) != (vm.kind, vm.kind_source):
            new = replace(vm, kind=kind, kind_source=source)
            changed.append(new)
            events.extend(_told(vm, new))
    return Changes(changed=tuple(changed), events=tuple(events))


def told(old: Vm, new: Vm) -> tuple[Event, ...]:
    """Events of a change that did not come from a snapshot."""
    return tuple(_told(old, new))


def _reincarnated(old: Vm, row: GuestRow) -> bool:
    """A container and a virtual machine are never the same guest; nor are two containers of different names with an
    absence in between (a container's configuration carries no identity that could tell)."""
    if (row.kind == "lxc") != (old.guest_type == "lxc"):
        return True
    away = old.missing_since is not None and old.guest_type == "lxc" and bool(row.name) and bool(old.name)
    return away and clean(row.name, 255) != old.name


def _told(old: Vm, new: Vm) -> list[Event]:
    events = []
    if old.missing_since is not None and new.missing_since is None:
        events.append(Event("vm.returned", new.vmid, {"name": new.name}))
    if old.name and new.name != old.name:
        events.append(Event("vm.renamed", new.vmid, {"from": old.name, "to": new.name}))
    # A guest that was never seen whole has not been switched, it has only become visible.
    if new.status != old.status and old.name and old.missing_since is None:
        params = {"from": old.status, "to": new.status, "pve_status": new.pve_status}
        events.append(Event("vm.status", new.vmid, params))
    fields = {
        ON_THE_WIRE.get(field, field): [getattr(old, field), getattr(new, field)]
        for field in _TOLD
        # What was not known yet has been learnt, not changed.
        if old.name and getattr(old, field) not in (None, getattr(new, field))
    }
    if fields:
        events.append(Event("vm.changed", new.vmid, {"fields": fields}))
    return events


def _together(known: Mapping[int, Vm], events: list[Event]) -> tuple[Event, ...]:
    """When all guests of a host appear, vanish or return at once, that is one event of the host."""
    found = list(events)
    for kind in ("vm.added", "vm.missing", "vm.returned"):
        same = [event for event in found if event.kind == kind]
        if len(same) > 1 and len(same) == (len(found) if kind == "vm.added" else len(known)):
            if kind == "vm.added" and known:
                continue
            found = [event for event in found if event.kind != kind]
            found.insert(0, Event(kind, None, {"count": len(same)}))
    return tuple(found)


def _scaled(value: float | None, unit: int) -> int | None:
    return None if value is None else bounded(value / unit)


def _gib(value: float | None, before: float | None) -> float | None:
    return before if value is None or not 0 <= value < 2**63 else round(value / GIB, 2)


def durable(row: GuestRow) -> tuple[object, ...]:
    """What of a row can change a stored one; the rest are measurements."""
    return (
        row.status,
        row.name,
        row.node,
        row.tags,
        row.lock,
        row.template,
        row.maxcpu,
        row.maxmem,
        row.maxdisk,
        row.kind,
    )


_OFF = Sample()


def sample_of(status: str, cpu: float | None, memory: int | None, uptime: int | None) -> Sample:
    """Measurements as they are shown: nothing of a guest that is off, nonsense left out. Bytes and seconds."""
    if status not in ("running", "suspended"):
        return _OFF
    share = None if cpu is None or not 0 <= cpu <= 1000 else min(cpu, 1.0)
    return Sample(share, None if memory is None else bounded(memory / MIB), bounded(uptime))
