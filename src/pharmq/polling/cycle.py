"""One look at one host: ask, tell the inventory, record how it went, then at most one slow question."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from pharmq.base.clock import Clock
from pharmq.base.errors import NotFound, PharmqError
from pharmq.hosts import Check, Host, HostClients, HostsService
from pharmq.hosts.clients import client_key
from pharmq.hosts.proving import failed, succeeded
from pharmq.inventory import InventoryService, Vm
from pharmq.polling.cadence import VERSION_EVERY, Ask, SlowMemory, choose
from pharmq.pve import (
    AgentUnavailable,
    Endpoint,
    Guest,
    NoSuchGuest,
    NotRunning,
    NotSupported,
    PermissionDenied,
    PveClient,
    PveError,
    Timeouts,
    Unreachable,
    probe_certificate,
)
from pharmq.settings import RuntimeSettings

log = logging.getLogger(__name__)
T = TypeVar("T")

_ABOUT_THE_GUEST = (AgentUnavailable, NoSuchGuest, NotRunning, NotSupported, PermissionDenied)
_CERTIFICATE_TIMEOUTS = Timeouts(connect=3.0, handshake=3.0)


class Asking:
    """Whether a task waits for a host just now. Only then may it be cancelled: a task that is cut off inside a
    database transaction can leave the connection in it. ``close``: no further question leaves."""

    __slots__ = ("_waiting", "closed")

    def __init__(self) -> None:
        self.closed = False
        self._waiting: asyncio.Task[None] | None = None

    async def answer(self, question: Coroutine[Any, Any, T]) -> T:
        """The answer to a question. Raises Unreachable once closed."""
        if self.closed:
            question.close()
            raise Unreachable("blocked", "polling of this host ends")
        self._waiting = asyncio.current_task()
        try:
            return await question
        finally:
            self._waiting = None

    def close(self) -> None:
        self.closed = True
        if self._waiting is not None:
            self._waiting.cancel()


class Cycle:
    """Stateless but for what it was built with; the fleet keeps each host's ``SlowMemory``."""

    def __init__(
        self,
        hosts: HostsService,
        clients: HostClients,
        inventory: InventoryService,
        clock: Clock,
        settings: Callable[[], RuntimeSettings],
    ) -> None:
        self.hosts = hosts
        self.clients = clients
        self.inventory = inventory
        self.clock = clock
        self.settings = settings

    async def look(self, host: Host, memory: SlowMemory, asking: Asking) -> bool:
        """Poll once; True when the host answered. What goes wrong at the host ends in its state, never here."""
        began = self.clock.monotonic()
        try:
            client = self.clients.get(host.id)
            resources = await asking.answer(client.resources())
        except NotFound:
            return False
        except PveError as error:
            if asking.closed or self._changed(host):
                return False
            await self.hosts.record(host.id, failed(error, self.clock.now(), host.credential_revision))
            return False
        except PharmqError as error:
            # The vault cannot open what is stored: as bad as no credential, and only a person can help.
            check = Check(at=self.clock.now(), reason="credential_unreadable", params={"detail": error.code})
            await self.hosts.record(host.id, check)
            return False
        if self._changed(host):
            return False
        check = succeeded(resources, host, self.clock.now(), self.clock.monotonic() - began)
        await self.hosts.record(host.id, check)
        await self.inventory.apply(host.id, resources, began)
        await self._ask_slowly(host, client, memory, asking)
        return True

    def _changed(self, host: Host) -> bool:
        """The entry was changed while we asked: the answer is about an address or credential of the past."""
        current = self.hosts.directory.host(host.id)
        return current is None or client_key(current) != client_key(host)

    async def look_at(self, host_id: int, vmid: int, asking: Asking) -> None:
        """Ask ``status/current`` of one guest, which is right at once where resources lag up to 12 s."""
        vm = self.inventory.view.at(host_id, vmid)
        if vm is None or not vm.node:
            return
        began = self.clock.monotonic()
        try:
            current = await asking.answer(self.clients.get(host_id).current(_guest(vm)))
        except (PveError, PharmqError) as error:
            # The regular poll will say what is wrong with the host; nothing is known of the guest.
            log.info("host %s guest %s: current state not learnt: %s", host_id, vmid, error)
            return
        await self.inventory.apply_current(host_id, vmid, current, began)

    async def _ask_slowly(self, host: Host, client: PveClient, memory: SlowMemory, asking: Asking) -> None:
        configs = {guest.vmid: guest for guest in self.inventory.configs_due(host.id)}
        addresses = {vm.vmid: _guest(vm) for vm in self.inventory.addresses_due(host.id)}
        days = 0 if host.maintenance else self.settings().purge_missing_days
        gone = {vm.vmid: _guest(vm) for vm in self.inventory.gone_due(host.id, days)}
        ask = choose(
            memory,
            self.clock.monotonic(),
            certificate_unknown=any(pin.not_after is None for pin in host.pins),
            configs=tuple(configs),
            addresses=tuple(addresses),
            gone=tuple(gone),
        )
        if ask is None:
            return
        rare = ask.vmid is None or ask.question == "gone"
        every = VERSION_EVERY if rare else self.settings().slow_interval_s
        try:
            if ask.question == "config":
                await self._config(host, client, configs[ask.vmid or 0], asking)
            elif ask.question == "addresses":
                await self._addresses(host, client, addresses[ask.vmid or 0], asking)
            elif ask.question == "gone":
                await self._is_gone(host, client, gone[ask.vmid or 0], days, asking)
            else:
                await self._of_the_host(host, client, ask, memory, asking)
        except _ABOUT_THE_GUEST as error:
            log.debug("host %s %s: %s", host.id, ask, error)
            memory.failed(ask, self.clock.monotonic(), every)
        except PveError as error:
            # The host answered a moment ago: a stumble, unless the next poll says otherwise.
            log.info("host %s %s: %s", host.id, ask, error)
            memory.failed(ask, self.clock.monotonic(), min(every, 60.0))
        else:
            # The inventory says itself when a configuration is due again: at once when a VMID looks reused.
            memory.answered(ask, self.clock.monotonic(), 0.0 if ask.question == "config" else every)

    async def _config(self, host: Host, client: PveClient, guest: Guest, asking: Asking) -> None:
        await self.inventory.apply_config(host.id, guest.vmid, await asking.answer(client.config(guest)))

    async def _is_gone(self, host: Host, client: PveClient, guest: Guest, days: int, asking: Asking) -> None:
        """A list without a guest proves nothing: without the right to see it, it would look the same. Asked for this
        guest, a host checks the right first, and only then says that there is none."""
        try:
            await asking.answer(client.config(guest))
        except NoSuchGuest:
            await self.inventory.forget_gone(host.id, guest.vmid, days)

    async def _addresses(self, host: Host, client: PveClient, guest: Guest, asking: Asking) -> None:
        if guest.kind == "lxc":
            found = await asking.answer(client.lxc_interfaces(guest))
            await self.inventory.apply_addresses(host.id, guest.vmid, found, "lxc")
        else:
            found = await asking.answer(client.agent_interfaces(guest))
            await self.inventory.apply_addresses(host.id, guest.vmid, found, "agent")

    async def _of_the_host(self, host: Host, client: PveClient, ask: Ask, memory: SlowMemory, asking: Asking) -> None:
        if ask.question == "version":
            memory.forget_guests(list(self.inventory.view.of_host(host.id)))
            version = await asking.answer(client.version())
            await self.hosts.checks.learn_version(host.id, version.version)
            return
        place = Endpoint(host.host_ip, host.host_port)
        seen = await asking.answer(probe_certificate(place, _CERTIFICATE_TIMEOUTS))
        await self.hosts.checks.learn_expiry(host.id, seen.fingerprint, seen.not_after)


def _guest(vm: Vm) -> Guest:
    return Guest(vm.node, vm.guest_type, vm.vmid)
