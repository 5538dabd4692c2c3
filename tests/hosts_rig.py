"""Hosts, inventory and polling put together over a database, for tests against simulated hosts."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from pharmq.access import SYSTEM, Actor, Grant, Privilege
from pharmq.base.clock import ManualClock
from pharmq.db import Database
from pharmq.hosts import Directory, HostClients, HostsService
from pharmq.hosts.forms import CredentialForm, HostForm, OwnCredential, PharmacyForm
from pharmq.hosts.model import CredentialRow, HostRow, PharmacyRow
from pharmq.inventory import InventoryService
from pharmq.journal import Journal, Row
from pharmq.polling import Fleet
from pharmq.pve import Timeouts
from pharmq.settings import RuntimeSettings
from pharmq.vault import Vault
from pharmq_sim.host import SimHost
from pharmq_sim.testing import PASSWORD

TIMEOUTS = Timeouts(connect=1.0, handshake=1.0, read=4.0, write=4.0)
"""Short ones: silence on a real socket takes real time."""

ADMIN = Actor("user", 1, "admin", (Grant("/", frozenset(Privilege)),))
NOBODY = Actor("user", 2, "nobody", ())


def grant(path: str, *privileges: Privilege) -> Actor:
    return Actor("user", 3, "someone", (Grant(path, frozenset(privileges)),))


class Rig:
    """``draw`` is fixed in the middle, so no jitter moves polls."""

    def __init__(self, db: Database, journal: Journal, vault: Vault, clock: ManualClock) -> None:
        self.db, self.journal, self.vault, self.clock = db, journal, vault, clock
        self.settings = RuntimeSettings()
        self.build()

    def build(self) -> None:
        self.directory = Directory()
        self.clients = HostClients(self.directory, self.vault, self.clock, timeouts=TIMEOUTS)
        self.hosts = HostsService(
            self.db, self.journal, self.vault, self.directory, self.clients, self.clock, lambda: self.settings
        )
        self.inventory = InventoryService(self.db, self.journal, self.directory, self.clock)
        self.hosts.guest_facts = self.inventory.guest_facts
        self.fleet = Fleet(
            self.hosts, self.clients, self.inventory, self.clock, lambda: self.settings, draw=lambda: 0.5
        )

    async def load(self) -> None:
        await self.hosts.load()
        await self.inventory.load()

    async def restart(self) -> None:
        """Everything in memory is lost; the database stays."""
        await self.aclose()
        self.build()
        await self.load()

    async def aclose(self) -> None:
        await self.fleet.aclose()
        await self.hosts.aclose()
        await self.inventory.aclose()
        await self.clients.aclose()

    async def __aenter__(self) -> Self:
        await self.load()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    # --- making things

    async def pharmacy(self, code: str = "P-001", name: str = "강남온누리약국") -> PharmacyRow:
        return await self.hosts.pharmacies.add(ADMIN, PharmacyForm(code=code, name=name))

    async def credential(self, secret: str = PASSWORD) -> CredentialRow:
        form = CredentialForm(name="all hosts", username="root@pam", secret=secret)
        return await self.hosts.credentials.add(ADMIN, form)

    def form(self, host: SimHost, pharmacy_id: int, *, secret: str = PASSWORD, **more: object) -> HostForm:
        values: dict[str, object] = {
            "pharmacy_id": pharmacy_id,
            "host_ip": host.address,
            "host_port": host.port,
            "fingerprint": host.fingerprint,
            "credential": OwnCredential(username="root@pam", secret=secret),
        }
        if "credential_id" in more:
            del values["credential"]
        return HostForm(**{**values, **more})

    async def add(self, host: SimHost, pharmacy_id: int | None = None, **more: object) -> HostRow:
        """Add a simulated host; the clock is moved meanwhile, for answers that it delays."""
        number = pharmacy_id or (await self.pharmacy()).id
        return await self.moving(self.hosts.add(ADMIN, self.form(host, number, **more)))

    # --- time and truth

    async def moving(self, work, step: float = 0.25):  # type: ignore[no-untyped-def]
        """The result of ``work`` while the clock runs, slowly: the simulator delays some answers by it."""
        task = asyncio.ensure_future(work)
        while not task.done():
            await asyncio.wait([task], timeout=0.02)
            if not task.done():
                await self.clock.advance(step)
        return task.result()

    async def until(self, true: Callable[[], object], step: float = 0.25, limit: float = 300.0) -> None:
        """Let the clock run until ``true()``; fails after ``limit`` seconds of it."""
        end = self.clock.monotonic() + limit
        while not true():
            assert self.clock.monotonic() < end, "it never became true"
            await asyncio.sleep(0.02)
            await self.clock.advance(step)

    async def history(self, prefix: str = "") -> list[Row]:
        async with self.db.read() as conn:
            return [row for row in await self.journal.read(conn, 0, 1000) if row.kind.startswith(prefix)]


__all__ = ["ADMIN", "NOBODY", "PASSWORD", "SYSTEM", "Rig", "grant"]
