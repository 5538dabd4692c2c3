"""VMs as consoles need them, from the inventory's view and the directory of hosts."""

from collections.abc import Sequence
from typing import Literal

from pharmq.access import scope_of
from pharmq.consoles.model import Target
from pharmq.hosts.directory import Directory
from pharmq.hosts.model import Pharmacy
from pharmq.inventory.model import Vm
from pharmq.inventory.view import View
from pharmq.pve import Guest


class InventoryTargets:
    """``model.Targets`` over what is in memory; nothing here waits."""

    def __init__(self, view: View, directory: Directory) -> None:
        self.view = view
        self.directory = directory

    def of_pharmacy(self, pharmacy_id: int, vmid: int) -> Sequence[Target]:
        found = (self.view.at(host_id, vmid) for host_id in self.directory.hosts_of(pharmacy_id))
        made = (self._target(vm) for vm in found if vm is not None)
        return [target for target in made if target is not None]

    def get(self, vm_id: int) -> Target | None:
        vm = self.view.get(vm_id)
        return None if vm is None else self._target(vm)

    def node(self, host_id: int) -> Target | None:
        host = self.directory.host(host_id)
        pharmacy = self.directory.pharmacy(host.pharmacy_id) if host else None
        if host is None or pharmacy is None:
            return None
        node = host.node or next((vm.node for vm in self.view.of_host(host_id).values()), "")
        if not node:
            return None
        return Target(
            vm_id=0,
            host_id=host_id,
            pharmacy_id=pharmacy.id,
            pharmacy_name=pharmacy.name,
            vmid=0,
            vm_name=node,
            vm_type="other",
            guest=Guest(node, "qemu", 0),
            status="running",
            console="unknown",
            missing=False,
            host_status=self.directory.status(host_id),
            host_reason=self.directory.state(host_id).reason,
            scope=scope_of(groups=pharmacy.group_ids, pharmacy_id=pharmacy.id, host_id=host_id),
            contract=_contract(pharmacy),
        )

    def _target(self, vm: Vm) -> Target | None:
        host = self.directory.host(vm.host_id)
        pharmacy = self.directory.pharmacy(host.pharmacy_id) if host else None
        if host is None or pharmacy is None:
            return None
        return Target(
            vm_id=vm.id,
            host_id=vm.host_id,
            pharmacy_id=pharmacy.id,
            pharmacy_name=pharmacy.name,
            vmid=vm.vmid,
            vm_name=vm.name,
            vm_type=vm.kind,
            guest=Guest(vm.node, vm.guest_type, vm.vmid),
            status=vm.status,
            console=vm.console,
            missing=vm.missing_since is not None,
            host_status=self.directory.status(vm.host_id),
            host_reason=self.directory.state(vm.host_id).reason,
            scope=scope_of(groups=pharmacy.group_ids, pharmacy_id=pharmacy.id, host_id=vm.host_id, vm_id=vm.id),
            contract=_contract(pharmacy),
        )


def _contract(pharmacy: Pharmacy) -> Literal["open", "reason", "forbidden"]:
    if not pharmacy.screens_allowed:
        return "forbidden"
    return "reason" if pharmacy.screen_reason else "open"
