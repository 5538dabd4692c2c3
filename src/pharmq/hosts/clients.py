"""One Proxmox client per host, made when first needed and made anew when its address, credential or pins change."""

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple

from pharmq.base.clock import Clock
from pharmq.base.errors import NotFound
from pharmq.base.secret import Secret
from pharmq.base.spawn import Spawner
from pharmq.hosts.directory import Change, Directory, ObjectKind
from pharmq.hosts.model import CredentialKind, Host
from pharmq.pve import (
    Credential,
    CredentialRefused,
    Endpoint,
    PasswordCredential,
    PveClient,
    Timeouts,
    TokenCredential,
)
from pharmq.vault import Vault

HOSTS_TABLE, SETS_TABLE = "proxmox_hosts", "credentials"
HOSTS_COLUMN, SETS_COLUMN = "password", "secret"
ClientFactory = Callable[..., PveClient]


LONGEST_HOLD = 0.25
"""Seconds (of the network, not of the injected clock) after which a handshake gives its place away."""


class Handshakes:
    """How many TLS handshakes may compute at once over all hosts; ``limit`` may change at any time.

    A handshake is what costs us CPU per poll: without a cap, an outage's end would make all hosts' polls, and then
    whoever uses the screen, wait for thousands of them. One that is not done after ``LONGEST_HOLD`` waits for a
    silent host and costs nothing: its place goes to the next. Else hosts that hang would fill the gate, and those
    behind them would be cut off: Proxmox closes a connection that stays silent for 5 s.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timers: dict[object, asyncio.TimerHandle] = {}

    async def __aenter__(self) -> None:
        if self.held < self.limit and not self._waiting:
            self.held += 1
        else:
            await self._wait()
        task = asyncio.current_task()
        self._timers[task] = asyncio.get_running_loop().call_later(LONGEST_HOLD, self._let_go, task)

    async def _wait(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._free()
            elif turn in self._waiting:
                self._waiting.remove(turn)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._let_go(asyncio.current_task())

    def _let_go(self, task: object) -> None:
        timer = self._timers.pop(task, None)
        if timer is not None:
            timer.cancel()
            self._free()

    def _free(self) -> None:
        self.held -= 1
        while self._waiting and self.held < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self.held += 1
                turn.set_result(None)


class _HostGate:
    """A host's way to a handshake. Failing hosts queue apart: a third of the fleet hanging must not make the
    others wait."""

    def __init__(self, host_id: int, directory: Directory, healthy: Handshakes, failing: Handshakes) -> None:
        self._host_id = host_id
        self._directory = directory
        self._gates = (healthy, failing)
        self._entered: dict[object, Handshakes] = {}

    async def __aenter__(self) -> None:
        gate = self._gates[self._directory.state(self._host_id).failures > 0]
        await gate.__aenter__()
        self._entered[asyncio.current_task()] = gate

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._entered.pop(asyncio.current_task()).__aexit__(kind, error, trace)


class _Made(NamedTuple):
    key: tuple[object, ...]
    client: PveClient


class HostClients:
    """``get`` is synchronous and cheap. Sealed credentials are kept here, as sealed as in the database."""

    def __init__(
        self,
        directory: Directory,
        vault: Vault,
        clock: Clock,
        *,
        handshakes: Handshakes | None = None,
        timeouts: Timeouts | None = None,
        factory: ClientFactory = PveClient,
    ) -> None:
        self.directory = directory
        self.vault = vault
        self.clock = clock
        self.handshakes = handshakes or Handshakes(20)
        self.failing_handshakes = Handshakes(self.handshakes.limit)
        self.timeouts = timeouts or Timeouts()
        self._factory = factory
        self._made: dict[int, _Made] = {}
        self._sealed: dict[int, bytes] = {}
        self._sealed_sets: dict[int, bytes] = {}
        self._spawner = Spawner("host-clients")
        directory.listen(self._follow)

    def get(self, host_id: int) -> PveClient:
        """The host's client. Raises NotFound; CredentialRefused while the host has refused what we have (also
        after a restart: no login is tried again until the credential changes)."""
        host = self.directory.host(host_id)
        if host is None:
            raise NotFound("host.not_found", params={"id": str(host_id)})
        if host.refused:
            raise CredentialRefused("refused before; waiting for another credential")
        key = client_key(host)
        made = self._made.get(host_id)
        if made is None or made.key != key:
            self._forget(host_id)
            made = _Made(key, self.make(host, self.credential(host)))
            self._made[host_id] = made
        return made.client

    def make(self, host: Host, credential: Credential, timeouts: Timeouts | None = None) -> PveClient:
        """A client outside the register: to try a host or a credential before it is saved."""
        return self._factory(
            Endpoint(host.host_ip, host.host_port),
            credential,
            frozenset(pin.fingerprint for pin in host.pins),
            clock=self.clock,
            timeouts=timeouts or self.timeouts,
            handshakes=_HostGate(host.id, self.directory, self.handshakes, self.failing_handshakes),
            alternates=tuple(Endpoint(address, host.host_port) for address in host.addresses),
        )

    def credential(self, host: Host) -> Credential:
        """Open the sealed credential of a host. Raises VaultError."""
        if host.credential_id is None:
            sealed, table, row, column = self._sealed[host.id], HOSTS_TABLE, host.id, HOSTS_COLUMN
        else:
            row = host.credential_id
            sealed, table, column = self._sealed_sets[row], SETS_TABLE, SETS_COLUMN
        return as_credential(host.credential_kind, host.username, self.vault.open(sealed, table, row, column))

    def set_credential(self, credential_id: int) -> Secret:
        """The secret of a shared set. Raises VaultError."""
        sealed = self._sealed_sets[credential_id]
        return self.vault.open(sealed, SETS_TABLE, credential_id, SETS_COLUMN)

    def limit_handshakes(self, limit: int) -> None:
        """Takes effect with the next handshake."""
        self.handshakes.limit = self.failing_handshakes.limit = limit

    # --- told by the service after its commit

    def keep(self, host_id: int, sealed: bytes | None) -> None:
        """A host's own sealed credential; None when it uses a shared set."""
        if sealed is None:
            self._sealed.pop(host_id, None)
        else:
            self._sealed[host_id] = sealed

    def keep_set(self, credential_id: int, sealed: bytes | None) -> None:
        if sealed is None:
            self._sealed_sets.pop(credential_id, None)
        else:
            self._sealed_sets[credential_id] = sealed

    def _follow(self, kind: ObjectKind, number: int, change: Change) -> None:
        if kind != "host" or change not in ("changed", "removed"):
            return
        host = self.directory.host(number)
        made = self._made.get(number)
        if host is None:
            self._sealed.pop(number, None)
        if made is not None and (host is None or made.key != client_key(host)):
            # At once, not at the next get: a console of a host whose pin was taken away must not stay usable.
            self._forget(number)

    def _forget(self, host_id: int) -> None:
        made = self._made.pop(host_id, None)
        if made is not None:
            self._spawner.spawn(made.client.close(), f"close-{host_id}")

    async def aclose(self) -> None:
        for made in list(self._made.values()):
            await made.client.close()
        self._made.clear()
        await self._spawner.aclose()


def as_credential(kind: CredentialKind, username: str, secret: Secret) -> Credential:
    return PasswordCredential(username, secret) if kind == "password" else TokenCredential(username, secret)


def client_key(host: Host) -> tuple[object, ...]:
    """What a client is made from: when none of it changed, its ticket stays good."""
    return (
        host.host_ip,
        host.addresses,
        host.host_port,
        host.credential_id,
        host.credential_kind,
        host.username,
        host.credential_revision,
        frozenset(pin.fingerprint for pin in host.pins),
    )
