"""Inventory events as journal entries."""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from pharmq.access import Scope, where
from pharmq.inventory.model import Event, Vm
from pharmq.journal import Entry


def below(host: Scope, vm_id: int) -> Scope:
    """The scope of a guest on that host."""
    return replace(host, paths=host.paths | {f"/vm/{vm_id}"}, vm_id=vm_id)


def entries(
    events: tuple[Event, ...], host: Scope, living: Mapping[int, Vm], old: Callable[[int], Vm | None]
) -> list[Entry]:
    """``living`` by VMID after the change (ids known), ``old`` the incarnation before it."""
    found = []
    for event in events:
        scope, params = host, event.params
        if event.vmid is not None:
            vm = old(event.vmid) if event.old else living.get(event.vmid)
            if vm is not None:
                scope = below(host, vm.id)
                params = {"name": vm.name, "vmid": vm.vmid, **event.params}
        found.append(Entry(kind=event.kind, where=where(scope), params=params))
    return found
