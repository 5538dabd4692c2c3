"""Guests as they go over the wire. Encoded once until something about them changes: pages and streams share it."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

import msgspec

from pharmq.hosts.directory import Directory
from pharmq.inventory.model import TaskRef, Vm, VmRow
from pharmq.inventory.view import View

TaskOf = Callable[[int], TaskRef | None]
_KEEP_AT_MOST = 20_000


class Rows:
    """``task_of``: the power action a guest is under, from the room that runs it."""

    def __init__(self, directory: Directory, view: View) -> None:
        self.directory = directory
        self.view = view
        self.task_of: TaskOf = no_task
        self._encoder = msgspec.json.Encoder()
        self._encoded: dict[int, bytes] = {}
        view.listen(self.forget)

    def row(self, vm: Vm) -> VmRow:
        host = self.directory.host(vm.host_id)
        pharmacy = None if host is None else self.directory.pharmacy(host.pharmacy_id)
        host_status = self.view.host_status(vm.host_id)
        sample = self.view.sample(vm.id)
        stale = host_status != "online" and not self._answers(vm.host_id)
        return VmRow(
            id=vm.id,
            pharmacy_id=0 if host is None else host.pharmacy_id,
            pharmacy_name="" if pharmacy is None else pharmacy.name,
            host_id=vm.host_id,
            host_status=host_status,
            vmid=vm.vmid,
            vm_name=vm.name,
            vm_type=vm.kind,
            vm_type_source=vm.kind_source,
            guest_type=vm.guest_type,
            status=vm.status,
            pve_status=vm.pve_status,
            node_name=vm.node,
            cpu_cores=vm.cpu_cores,
            memory_mb=vm.memory_mb,
            disk_gb=vm.disk_gb,
            ip_address=vm.ip,
            ip_source=vm.ip_source,
            description=vm.description,
            tags=vm.tags,
            cpu=None if sample.cpu is None else round(sample.cpu, 4),
            memory_used_mb=sample.memory_mb,
            uptime_s=sample.uptime_s,
            lock=vm.lock,
            template=vm.template,
            last_sync=whole_second(self.view.synced(vm)),
            missing_since=vm.missing_since,
            stale=stale or vm.missing_since is not None,
            console=vm.console,
            task=self.task_of(vm.id),
        )

    def _answers(self, host_id: int) -> bool:
        # A host in maintenance is still polled.
        return self.directory.state(host_id).online

    def encoded(self, vm_id: int) -> bytes | None:
        """The row as JSON; None for a guest that is gone."""
        found = self._encoded.get(vm_id)
        if found is None:
            vm = self.view.get(vm_id)
            if vm is None:
                return None
            if len(self._encoded) >= _KEEP_AT_MOST:
                self._encoded.clear()
            found = self._encoded[vm_id] = self._encoder.encode(self.row(vm))
        return found

    def page(self, vm_ids: Iterable[int], total: int) -> bytes:
        """A list answer as JSON."""
        items = b",".join(row for vm_id in vm_ids if (row := self.encoded(vm_id)) is not None)
        return b'{"items":[%b],"total":%d}' % (items, total)

    def forget(self, vm_ids: Iterable[int], _host_ids: Collection[int] = ()) -> None:
        """These guests look different now."""
        for vm_id in vm_ids:
            self._encoded.pop(vm_id, None)


def whole_second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def no_task(_vm_id: int) -> TaskRef | None:
    return None
