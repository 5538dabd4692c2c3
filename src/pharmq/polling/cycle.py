"""One look at one host: ask, tell the inventory, record how it went, then at most one slow question."""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from pharmq.base.clock import Clock
from pharmq.base.errors import NotFound, PharmqError
from pharmq.hosts import Check, Host, HostClients, HostsService
from pharmq.hosts.proving import failed, succeeded
from pharmq.polling.cadence import VERSION_EVERY, Ask, SlowMemory, choose
from pharmq.pve import (
    AgentUnavailable,
    Current,
    Endpoint,
    Guest,
    GuestConfig,
    Interface,
    NoSuchGuest,
    NotRunning,
    NotSupported,
    PermissionDenied,
    PveClient,
    PveError,
    Resources,
    Timeouts,
    probe_certificate,
)
from pharmq.settings import RuntimeSettings

log = logging.getLogger(__name__)

_ABOUT_THE_GUEST = (AgentUnavailable, NoSuchGuest, NotRunning, NotSupported, PermissionDenied)
_CERTIFICATE_TIMEOUTS = Timeouts(connect=3.0, handshake=3.0)


class Guests(Protocol):
    """What polling tells and asks the room that knows guests. ``began``: monotonic time when the question left."""

    async def apply(self, host_id: int, resources: Resources, began: float) -> None: ...
    async def apply_current(self, host_id: int, vmid: int, current: Current, began: float) -> None: ...
    async def apply_config(self, host_id: int, vmid: int, config: GuestConfig) -> None: ...
    async def apply_addresses(
        self, host_id: int, vmid: int, interfaces: tuple[Interface, ...], source: str
    ) -> None: ...
    def configs_due(self, host_id: int) -> Sequence[Guest]: ...
    def addresses_due(self, host_id: int) -> Sequence[Guest]: ...
    def guest(self, host_id: int, vmid: int) -> Guest | None: ...


class Cycle:
    """Stateless but for what it was built with; the fleet keeps each host's ``SlowMemory``."""

    def __init__(
        self,
        hosts: HostsService,
        clients: HostClients,
        guests: Guests,
        clock: Clock,
        settings: Callable[[], RuntimeSettings],
    ) -> None:
        self.hosts = hosts
        self.clients = clients
        self.guests = guests
        self.clock = clock
        self.settings = settings

    async def look(self, host: Host, memory: SlowMemory) -> bool:
        """Poll once; True when the host answered. What goes wrong at the host ends in its state, never here."""
        began = self.clock.monotonic()
        try:
            client = self.clients.get(host.id)
            resources = await client.resources()
        except NotFound:
            return False
        except PveError as error:
            await self.hosts.record(host.id, failed(error, self.clock.now(), host.credential_revision))
            return False
        except PharmqError as error:
            # The vault cannot open what is stored: as bad as no credential, and only a person can help.
            check = Check(at=self.clock.now(), reason="credential_unreadable", params={"detail": error.code})
            await self.hosts.record(host.id, check)
            return False
        check = succeeded(resources, host, self.clock.now(), self.clock.monotonic() - began)
        await self.hosts.record(host.id, check)
        await self.guests.apply(host.id, resources, began)
        await self._ask_slowly(host, client, memory)
        return True

    async def look_at(self, host_id: int, vmid: int) -> None:
        """Ask ``status/current`` of one guest, which is right at once where resources lag up to 12 s."""
        guest = self.guests.guest(host_id, vmid)
        if guest is None:
            return
        began = self.clock.monotonic()
        try:
            current = await self.clients.get(host_id).current(guest)
        except (PveError, PharmqError) as error:
            # The regular poll will say what is wrong with the host; nothing is known of the guest.
            log.info("host %s guest %s: current state not learnt: %s", host_id, vmid, error)
            return
        await self.guests.apply_current(host_id, vmid, current, began)

    async def _ask_slowly(self, host: Host, client: PveClient, memory: SlowMemory) -> None:
        configs = {guest.vmid: guest for guest in self.guests.configs_due(host.id)}
        addresses = {guest.vmid: guest for guest in self.guests.addresses_due(host.id)}
        ask = choose(
            memory,
            self.clock.monotonic(),
            certificate_unknown=any(pin.not_after is None for pin in host.pins),
            configs=tuple(configs),
            addresses=tuple(addresses),
        )
        if ask is None:
            return
        every = VERSION_EVERY if ask.vmid is None else self.settings().slow_interval_s
        try:
            if ask.question == "config":
                await self._config(host, client, configs[ask.vmid or 0])
            elif ask.question == "addresses":
                await self._addresses(host, client, addresses[ask.vmid or 0])
            else:
                await self._of_the_host(host, client, ask)
        except _ABOUT_THE_GUEST as error:
            log.debug("host %s %s: %s", host.id, ask, error)
            memory.failed(ask, self.clock.monotonic(), every)
        except PveError as error:
            # The host answered a moment ago: a stumble, unless the next poll says otherwise.
            log.info("host %s %s: %s", host.id, ask, error)
            memory.failed(ask, self.clock.monotonic(), min(every, 60.0))
        else:
            memory.answered(ask, self.clock.monotonic(), every)

    async def _config(self, host: Host, client: PveClient, guest: Guest) -> None:
        await self.guests.apply_config(host.id, guest.vmid, await client.config(guest))

    async def _addresses(self, host: Host, client: PveClient, guest: Guest) -> None:
        if guest.kind == "lxc":
            found, source = await client.lxc_interfaces(guest), "lxc"
        else:
            found, source = await client.agent_interfaces(guest), "agent"
        await self.guests.apply_addresses(host.id, guest.vmid, found, source)

    async def _of_the_host(self, host: Host, client: PveClient, ask: Ask) -> None:
        if ask.question == "version":
            version = await client.version()
            await self.hosts.checks.learn_version(host.id, version.version)
            return
        seen = await probe_certificate(Endpoint(host.host_ip, host.host_port), _CERTIFICATE_TIMEOUTS)
        await self.hosts.checks.learn_expiry(host.id, seen.fingerprint, seen.not_after)
