"""Guests as jobs need them, from the inventory's view and the directory of hosts. Nothing here waits."""

from collections.abc import Collection, Sequence

from pharmq.access import Actor, Scope, scope_of
from pharmq.base.clock import Clock
from pharmq.base.errors import NotFound
from pharmq.hosts.directory import Directory
from pharmq.hosts.hours import opening
from pharmq.inventory.model import Vm, VmFilter
from pharmq.inventory.service import InventoryService
from pharmq.jobs.model import Item, Target, VmRef


class InventoryTargets:
    """``planning.Targets`` over what is in memory."""

    def __init__(self, inventory: InventoryService, directory: Directory, clock: Clock) -> None:
        self.inventory = inventory
        self.directory = directory
        self.clock = clock

    def named(self, actor: Actor, refs: Sequence[VmRef]) -> list[Target]:
        """Raises NotFound for one that does not exist or may not be seen."""
        found = self.inventory.resolve(actor, ((ref.host_id, ref.vmid) for ref in refs))
        return [self._target(vm, named=True) for vm in found]

    def matching(self, actor: Actor, wanted: VmFilter) -> list[Target]:
        return [self._target(vm, named=False) for vm in self.inventory.matching(actor, wanted)]

    def scope(self, item: Item) -> Scope:
        """As it is now; when the host has been removed meanwhile, what the item itself remembers."""
        try:
            host = self.directory.scope(item.host_id)
        except NotFound:
            return scope_of(pharmacy_id=item.pharmacy_id, host_id=item.host_id, vm_id=item.vm_id)
        return Scope(host.paths | {f"/vm/{item.vm_id}"}, host.pharmacy_id, item.host_id, item.vm_id)

    def members(self, group_id: int) -> Collection[int]:
        return self.directory.members(group_id)

    def open_now(self, pharmacy_id: int) -> bool:
        pharmacy = self.directory.pharmacy(pharmacy_id)
        return pharmacy is not None and opening(pharmacy, self.clock.now()).state == "open"

    def _target(self, vm: Vm, *, named: bool) -> Target:
        scope = self.inventory.scope(vm)
        pharmacy = None if scope.pharmacy_id is None else self.directory.pharmacy(scope.pharmacy_id)
        state = self.directory.state(vm.host_id)
        return Target(
            vm_id=vm.id,
            host_id=vm.host_id,
            vmid=vm.vmid,
            vm_name=vm.name,
            guest_type=vm.guest_type,
            node_name=vm.node,
            pharmacy_id=scope.pharmacy_id or 0,
            pharmacy_name=pharmacy.name if pharmacy else "",
            status=vm.status,
            pve_status=vm.pve_status,
            scope=scope,
            named=named,
            template=vm.template,
            missing=vm.missing_since is not None,
            lock=vm.lock,
            host_status=self.directory.status(vm.host_id),
            host_reason=state.reason,
            kind=vm.kind,
            onboot=vm.onboot,
        )
