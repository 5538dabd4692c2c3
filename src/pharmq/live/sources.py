"""Ties the stream to pharmacies, hosts and guests: where rows come from, and who tells when they change."""

from collections.abc import Collection, Iterable

import msgspec

from pharmq.access import Scope
from pharmq.base.errors import NotFound
from pharmq.hosts import HostsService
from pharmq.hosts.directory import Change, ObjectKind
from pharmq.inventory import InventoryService
from pharmq.live.service import LiveService, Measured


def connect(live: LiveService, hosts: HostsService, inventory: InventoryService) -> None:
    """Register the kinds ``pharmacies``, ``hosts`` and ``vms`` and follow their changes."""
    sources = _Sources(live, hosts, inventory)
    directory = inventory.directory
    live.register(
        "pharmacies",
        sources.pharmacy,
        lambda: [p.id for p in directory.pharmacies],
        sources.scope_of_pharmacy,
        row=sources.pharmacy_row,
    )
    live.register(
        "hosts",
        sources.host,
        lambda: [host.id for host in directory.hosts],
        sources.scope_of_host,
        row=sources.host_row,
    )
    live.register(
        "vms", inventory.rows.encoded, lambda: list(inventory.view.all_ids()), sources.scope_of_vm, row=sources.vm_row
    )
    live.measured = Measured(sources.vm_samples, sources.host_samples)
    directory.listen(sources.directory_changed)
    inventory.view.listen(sources.guests_changed)
    inventory.listen_samples(sources.guests_sampled)
    inventory.standings.listen(lambda pharmacy_id: live.touch("pharmacies", pharmacy_id))


class _Sources:
    def __init__(self, live: LiveService, hosts: HostsService, inventory: InventoryService) -> None:
        self.live = live
        self.hosts = hosts
        self.inventory = inventory
        self.directory = inventory.directory
        self._home: dict[int, int] = {}
        self._sent: dict[int, tuple[float | None, int | None]] = {}

    # --- rows

    def pharmacy_row(self, number: int) -> msgspec.Struct | None:
        return None if self.directory.pharmacy(number) is None else self.hosts.pharmacies.row(number)

    def host_row(self, number: int) -> msgspec.Struct | None:
        return None if self.directory.host(number) is None else self.hosts.row(number)

    def vm_row(self, number: int) -> msgspec.Struct | None:
        vm = self.inventory.view.get(number)
        return None if vm is None else self.inventory.row(vm)

    def pharmacy(self, number: int) -> bytes | None:
        row = self.pharmacy_row(number)
        return None if row is None else msgspec.json.encode(row)

    def host(self, number: int) -> bytes | None:
        row = self.host_row(number)
        return None if row is None else msgspec.json.encode(row)

    def scope_of_pharmacy(self, number: int) -> Scope | None:
        try:
            return self.directory.scope_of_pharmacy(number)
        except NotFound:
            return None

    def scope_of_host(self, number: int) -> Scope | None:
        try:
            return self.directory.scope(number)
        except NotFound:
            return None

    def scope_of_vm(self, number: int) -> Scope | None:
        vm = self.inventory.view.get(number)
        return None if vm is None else self.inventory.scope(vm)

    # --- measurements

    def vm_samples(self, numbers: Iterable[int]) -> list[list[object]]:
        """``[id, cpu, memory_mb, uptime_s]`` of guests whose load differs from what was last sent."""
        found: list[list[object]] = []
        for number in numbers:
            sample = self.inventory.view.sample(number)
            load = (None if sample.cpu is None else round(sample.cpu, 3), sample.memory_mb)
            if self._sent.get(number) != load:
                self._sent[number] = load
                found.append([number, *load, sample.uptime_s])
        return found

    def host_samples(self, numbers: Iterable[int]) -> list[list[object]]:
        """``[id, last_contact, cpu, memory_used, storage_used, last_check]``; guests of a host are as old as its last
        contact."""
        found: list[list[object]] = []
        for number in numbers:
            if self.directory.host(number) is not None:
                state = self.directory.state(number)
                cpu = None if state.cpu is None else round(state.cpu, 3)
                found.append([number, state.last_contact, cpu, state.memory_used, state.storage_used, state.last_check])
        return found

    # --- changes

    def directory_changed(self, kind: ObjectKind, number: int, change: Change) -> None:
        if change == "sample":
            self.live.sampled(hosts=(number,))
        elif kind == "host":
            self.live.touch("hosts", number)
            # A pharmacy's row names its hosts and says how they are; also the one a host was taken from.
            if (home := self._home.pop(number, None)) is not None:
                self.live.touch("pharmacies", home)
            if (host := self.directory.host(number)) is not None:
                self._home[number] = host.pharmacy_id
                self.live.touch("pharmacies", host.pharmacy_id)
        elif kind == "pharmacy":
            self.live.touch("pharmacies", number)
            self.live.touch_all("hosts", self.directory.hosts_of(number))
        elif change != "removed":
            self.live.touch_all("pharmacies", self.directory.members(number))

    def guests_changed(self, vm_ids: Collection[int], host_ids: Collection[int]) -> None:
        self.live.touch_all("vms", vm_ids)
        self.live.touch_all("hosts", host_ids)
        for vm_id in vm_ids:
            self._sent.pop(vm_id, None)
        found = (self.directory.host(host_id) for host_id in host_ids)
        self.live.touch_all("pharmacies", (host.pharmacy_id for host in found if host is not None))

    def guests_sampled(self, host_id: int, vm_ids: Collection[int]) -> None:
        self.live.sampled(vms=vm_ids)
