"""Guests that their host does not start when it boots: after a power cut they stay off until somebody notices."""

import msgspec

from pharmq.access import Actor
from pharmq.hosts.directory import Directory
from pharmq.inventory.model import Vm, VmFilter, VmKind, VmStatus
from pharmq.inventory.service import InventoryService


class OnbootRow(msgspec.Struct, frozen=True):
    vm_id: int
    host_id: int
    vmid: int
    vm_name: str
    vm_type: VmKind
    status: VmStatus
    pharmacy_id: int
    pharmacy_name: str


class OnbootService:
    """Answers from memory. A guest whose configuration was not read yet is not blamed."""

    def __init__(self, inventory: InventoryService, directory: Directory) -> None:
        self.inventory = inventory
        self.directory = directory

    def missing(self, actor: Actor, pharmacy_id: int | None, limit: int, offset: int) -> tuple[list[OnbootRow], int]:
        """By pharmacy and VMID, and how many there are."""
        wanted = VmFilter(pharmacy_id=() if pharmacy_id is None else (pharmacy_id,), missing=False)
        found = [vm for vm in self.inventory.matching(actor, wanted) if vm.onboot is False and not vm.template]
        rows = sorted((self._row(vm) for vm in found), key=lambda row: (row.pharmacy_name, row.host_id, row.vmid))
        return rows[offset : offset + limit], len(rows)

    def _row(self, vm: Vm) -> OnbootRow:
        host = self.directory.host(vm.host_id)
        pharmacy = None if host is None else self.directory.pharmacy(host.pharmacy_id)
        return OnbootRow(
            vm_id=vm.id,
            host_id=vm.host_id,
            vmid=vm.vmid,
            vm_name=vm.name,
            vm_type=vm.kind,
            status=vm.status,
            pharmacy_id=pharmacy.id if pharmacy else 0,
            pharmacy_name=pharmacy.name if pharmacy else "",
        )
