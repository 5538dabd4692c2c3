"""The current view: every living guest in memory, with the postings, counters and orders that answer any list at once.

Only the service writes here, after its transaction has committed; everything is synchronous and runs on the event
loop. A page of 120,000 guests costs what a page of 1,000 costs: filters are intersections of kept sets, orders stay
sorted.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Set
from datetime import datetime
from typing import Any, Literal, TypeAlias, get_args

from pharmq.access import Actor, Privilege, allows_everywhere
from pharmq.hosts.directory import Change, Directory, ObjectKind
from pharmq.hosts.model import HostStatus
from pharmq.inventory.model import Sample, Vm, VmCounts
from pharmq.inventory.order import Order, attention, ip_order, natural
from pharmq.inventory.search import SearchIndex

SortKey: TypeAlias = Literal[
    "pharmacy", "attention", "vm_name", "vmid", "status", "type", "ip", "cpu", "memory", "uptime"
]
Sort: TypeAlias = Literal[
    "pharmacy",
    "attention",
    "vm_name",
    "vmid",
    "status",
    "type",
    "ip",
    "cpu",
    "memory",
    "uptime",
    "-pharmacy",
    "-attention",
    "-vm_name",
    "-vmid",
    "-status",
    "-type",
    "-ip",
    "-cpu",
    "-memory",
    "-uptime",
]
_LIVE: Mapping[str, Callable[[Sample], float | None]] = {
    "cpu": lambda sample: sample.cpu,
    "memory": lambda sample: sample.memory_mb,
    "uptime": lambda sample: sample.uptime_s,
}
SORTS: tuple[str, ...] = get_args(Sort)
NO_SAMPLE = Sample()
_STATUS_RANK = {"running": 0, "suspended": 1, "stopped": 2, "unknown": 3}

VmListener: TypeAlias = Callable[[Collection[int], Collection[int]], None]
"""Told the ids of guests that look different or are gone, and the ids of their hosts."""


class View:
    """What is known of every guest right now."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.by_type: dict[str, set[int]] = {}
        self.by_status: dict[str, set[int]] = {}
        self.by_tag: dict[str, set[int]] = {}
        self.by_host_status: dict[HostStatus, set[int]] = {"online": set(), "offline": set(), "maintenance": set()}
        self.missing: set[int] = set()
        self.search = SearchIndex(self.ids_of_host, directory.hosts_of)
        self._vms: dict[int, Vm] = {}
        self._hosts: dict[int, dict[int, Vm]] = {}
        self._ids: dict[int, tuple[int, ...]] = {}
        self._samples: dict[int, Sample] = {}
        self._synced: dict[int, datetime] = {}
        self._host_status: dict[int, HostStatus] = {}
        self._hosts_by_status: Counter[HostStatus] = Counter()
        self._reasons: Counter[str] = Counter()
        self._host_reason: dict[int, str | None] = {}
        self._orders: dict[str, Order] = {}
        self._listeners: list[VmListener] = []
        for pharmacy in directory.pharmacies:
            self.search.put_pharmacy(pharmacy)
        for host in directory.hosts:
            self.search.put_host(host)
            self._follow_host(host.id)
        directory.listen(self._directory_changed)

    # --- reading

    def __len__(self) -> int:
        return len(self._vms)

    def get(self, vm_id: int) -> Vm | None:
        return self._vms.get(vm_id)

    def at(self, host_id: int, vmid: int) -> Vm | None:
        """The living incarnation of a VMID on a host."""
        return self._hosts.get(host_id, {}).get(vmid)

    def of_host(self, host_id: int) -> Mapping[int, Vm]:
        """A host's guests by VMID."""
        return self._hosts.get(host_id, {})

    def ids_of_host(self, host_id: int) -> tuple[int, ...]:
        return self._ids.get(host_id, ())

    def of_pharmacy(self, pharmacy_id: int) -> list[Vm]:
        return [vm for host_id in self.directory.hosts_of(pharmacy_id) for vm in self.of_host(host_id).values()]

    def ids_of_pharmacy(self, pharmacy_id: int) -> Iterable[int]:
        return (vm_id for host_id in self.directory.hosts_of(pharmacy_id) for vm_id in self.ids_of_host(host_id))

    def all_ids(self) -> Set[int]:
        return self._vms.keys()

    def sample(self, vm_id: int) -> Sample:
        return self._samples.get(vm_id, NO_SAMPLE)

    def synced(self, vm: Vm) -> datetime:
        """When the guest's host last told of it."""
        if vm.missing_since is not None:
            return vm.last_sync
        return max(vm.last_sync, self._synced.get(vm.host_id, vm.last_sync))

    def host_synced(self, host_id: int) -> datetime | None:
        return self._synced.get(host_id)

    def visible(self, actor: Actor) -> Set[int] | None:
        """Ids the actor may see; None means all. Built from the grants' postings, not by looking at each row."""
        if allows_everywhere(actor, Privilege.SEE):
            return None
        found: set[int] = set()
        for grant in actor.grants:
            if Privilege.SEE not in grant.privileges:
                continue
            below = self._below(grant.path)
            if grant.within:
                found.update(below & set().union(*map(self._below, grant.within)))
            else:
                found |= below
        return found

    def _below(self, path: str) -> Set[int]:
        if path == "/":
            return self._vms.keys()
        _, kind, number = (path + "//").split("/")[:3]
        return set(self._under(kind, int(number))) if number.isdecimal() else set()

    def _under(self, kind: str, number: int) -> Iterable[int]:
        match kind:
            case "group":
                return (vm for member in self.directory.members(number) for vm in self.ids_of_pharmacy(member))
            case "pharmacy":
                return self.ids_of_pharmacy(number)
            case "host":
                return self.ids_of_host(number)
            case "vm" if number in self._vms:
                return (number,)
        return ()

    # --- pages

    def page(self, within: Set[int] | None, sort: str, limit: int, offset: int) -> list[int]:
        """Ids of one page; ``within`` None means all guests, ``-`` before the key sorts descending."""
        descending = sort.startswith("-")
        key = sort.removeprefix("-")
        if key in _LIVE:
            return self._live_page(within, _LIVE[key], limit, offset, descending)
        order = self._orders.get(key)
        if order is None:
            order = self._orders[key] = Order(getattr(self, f"_by_{key}"), self._vms.keys())
        return order.page(within, limit, offset, descending=descending)

    def _live_page(
        self,
        within: Set[int] | None,
        value: Callable[[Sample], float | None],
        limit: int,
        offset: int,
        descending: bool,
    ) -> list[int]:
        # These values change with every poll: no order would last, and only the page's end of it is needed.
        samples = self._samples

        def key(vm_id: int) -> tuple[float, int]:
            found = value(samples.get(vm_id, NO_SAMPLE))
            return (-1.0 if found is None else found, vm_id)

        choose = heapq.nlargest if descending else heapq.nsmallest
        return choose(offset + limit, self._vms.keys() if within is None else within, key=key)[offset:]

    def _place(self, vm: Vm) -> tuple[str, int, int]:
        host = self.directory.host(vm.host_id)
        pharmacy = None if host is None else self.directory.pharmacy(host.pharmacy_id)
        return (pharmacy.code if pharmacy else "", vm.host_id, vm.vmid)

    def _by_pharmacy(self, vm_id: int) -> Any:
        return self._place(self._vms[vm_id])

    def _by_attention(self, vm_id: int) -> Any:
        vm = self._vms[vm_id]
        return (attention(vm, self._host_status.get(vm.host_id, "offline")), *self._place(vm))

    def _by_vm_name(self, vm_id: int) -> Any:
        return natural(self._vms[vm_id].name)

    def _by_vmid(self, vm_id: int) -> Any:
        vm = self._vms[vm_id]
        return (vm.vmid, vm.host_id)

    def _by_status(self, vm_id: int) -> Any:
        vm = self._vms[vm_id]
        return (_STATUS_RANK[vm.status], *self._place(vm))

    def _by_type(self, vm_id: int) -> Any:
        vm = self._vms[vm_id]
        return (vm.kind, *self._place(vm))

    def _by_ip(self, vm_id: int) -> Any:
        return ip_order(self._vms[vm_id].ip)

    # --- counting

    def counts(self, within: Set[int] | None) -> VmCounts:
        def size(ids: Set[int]) -> int:
            return len(ids) if within is None else len(ids & within)

        running = self.by_status.get("running", set())
        running_here: Set[int] = running if within is None else running & within
        # The smaller side is walked: normally few hosts are away.
        away = [self.by_host_status["offline"], self.by_host_status["maintenance"]]
        last_known = sum(len(running_here & ids) for ids in away)
        return VmCounts(
            total=len(self._vms) if within is None else len(within),
            running=len(running_here),
            stopped=size(self.by_status.get("stopped", set())),
            suspended=size(self.by_status.get("suspended", set())),
            unknown=size(self.by_status.get("unknown", set())),
            running_confirmed=len(running_here) - last_known,
            running_last_known=last_known,
            missing=size(self.missing),
            types={kind: size(ids) for kind, ids in sorted(self.by_type.items()) if ids},
        )

    # --- following

    def listen(self, listener: VmListener) -> None:
        self._listeners.append(listener)

    def touch(self, vm_ids: Iterable[int]) -> None:
        """Rows of these guests look different for a reason outside the inventory, such as a power action."""
        known = [vm for vm_id in vm_ids if (vm := self._vms.get(vm_id)) is not None]
        self._tell([vm.id for vm in known], {vm.host_id for vm in known})

    def _tell(self, vm_ids: Collection[int], host_ids: Collection[int]) -> None:
        if vm_ids:
            for listener in self._listeners:
                listener(vm_ids, host_ids)

    # --- writing (the service only, after its commit)

    def take(self, changed: Collection[Vm], ended: Collection[Vm] = ()) -> None:
        """Swap in rows; ended incarnations leave the view."""
        told = [*ended, *changed]
        for vm in ended:
            self._drop(vm.id)
        for vm in changed:
            self._put(vm)
        self._tell([vm.id for vm in told], {vm.host_id for vm in told})

    def sampled(self, host_id: int, at: datetime, samples: Mapping[int, Sample]) -> None:
        """Values of one poll, by guest id; guests it does not name used nothing."""
        self._synced[host_id] = at
        self._samples.update(samples)

    def _put(self, vm: Vm) -> None:
        before = self._vms.get(vm.id)
        if before is not None:
            self._unlink(before)
        else:
            self._ids[vm.host_id] = (*self.ids_of_host(vm.host_id), vm.id)
        self._vms[vm.id] = vm
        self._hosts.setdefault(vm.host_id, {})[vm.vmid] = vm
        self.by_type.setdefault(vm.kind, set()).add(vm.id)
        self.by_status.setdefault(vm.status, set()).add(vm.id)
        for tag in vm.tags:
            self.by_tag.setdefault(tag.lower(), set()).add(vm.id)
        if vm.missing_since is not None:
            self.missing.add(vm.id)
        self.by_host_status[self._host_status.get(vm.host_id, "offline")].add(vm.id)
        self.search.put_vm(vm)
        for order in self._orders.values():
            order.note(vm.id)

    def _unlink(self, vm: Vm) -> None:
        self.by_type[vm.kind].discard(vm.id)
        self.by_status[vm.status].discard(vm.id)
        for tag in vm.tags:
            ids = self.by_tag.get(tag.lower())
            if ids is not None:
                ids.discard(vm.id)
                if not ids:
                    del self.by_tag[tag.lower()]
        self.missing.discard(vm.id)

    def _drop(self, vm_id: int) -> None:
        vm = self._vms.pop(vm_id, None)
        if vm is None:
            return
        self._unlink(vm)
        for ids in self.by_host_status.values():
            ids.discard(vm_id)
        self._samples.pop(vm_id, None)
        left = tuple(other for other in self.ids_of_host(vm.host_id) if other != vm_id)
        if left:
            self._ids[vm.host_id] = left
        else:
            self._ids.pop(vm.host_id, None)
        rest = self._hosts.get(vm.host_id, {})
        if rest.get(vm.vmid) is not None and rest[vm.vmid].id == vm_id:
            del rest[vm.vmid]
        if not rest:
            self._hosts.pop(vm.host_id, None)
        self.search.drop("vm", vm_id)
        for order in self._orders.values():
            order.note(vm_id, gone=True)

    # --- following the directory

    def _directory_changed(self, kind: ObjectKind, number: int, change: Change) -> None:
        if change == "sample" or kind == "group":
            return
        if kind == "host":
            self._host_changed(number, change)
        elif change == "removed":
            self.search.drop("pharmacy", number)
        else:
            pharmacy = self.directory.pharmacy(number)
            if pharmacy is not None:
                self.search.put_pharmacy(pharmacy)
            for host_id in self.directory.hosts_of(number):
                self._moved(host_id)

    def _host_changed(self, host_id: int, change: Change) -> None:
        host = self.directory.host(host_id)
        if change == "removed" or host is None:
            self.search.drop("host", host_id)
            self._forget_host(host_id)
            gone = self.ids_of_host(host_id)
            for vm_id in gone:
                self._drop(vm_id)
            self._tell(gone, (host_id,))
            return
        if change == "changed":
            self.search.put_host(host)
        self._follow_host(host_id)
        self._moved(host_id)

    def _follow_host(self, host_id: int) -> None:
        status = self.directory.status(host_id)
        reason = self.directory.state(host_id).reason if status == "offline" else None
        self._forget_host(host_id)
        self._host_status[host_id] = status
        self._host_reason[host_id] = reason
        self._hosts_by_status[status] += 1
        if reason is not None:
            self._reasons[reason] += 1
        ids = self.ids_of_host(host_id)
        for other, known in self.by_host_status.items():
            if other != status:
                known.difference_update(ids)
        self.by_host_status[status].update(ids)

    def _forget_host(self, host_id: int) -> None:
        before = self._host_status.pop(host_id, None)
        if before is not None:
            self._hosts_by_status[before] -= 1
        reason = self._host_reason.pop(host_id, None)
        if reason is not None:
            self._reasons[reason] -= 1

    def host_totals(self) -> tuple[Mapping[HostStatus, int], Mapping[str, int]]:
        """Hosts by status, and the offline ones by reason."""
        return self._hosts_by_status, self._reasons

    def host_status(self, host_id: int) -> HostStatus:
        return self._host_status.get(host_id, "offline")

    def _moved(self, host_id: int) -> None:
        vm_ids = self.ids_of_host(host_id)
        for vm_id in vm_ids:
            for order in self._orders.values():
                order.note(vm_id)
        self._tell(vm_ids, (host_id,))
