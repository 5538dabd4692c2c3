"""A process that can die at any point where it touches a host or the database: nothing of it takes effect later."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.base.clock import Clock
from pharmq.db import Database, Tx
from pharmq.db.leases import Leases
from pharmq.hosts import Directory, HostClients, HostsService
from pharmq.journal import Journal
from pharmq.provisioning.service import ProvisioningService
from pharmq.pve import PveClient
from pharmq.settings import RuntimeSettings
from pharmq.vault import Vault


class Died(BaseException):
    """The process is no more."""


class Life:
    """``dies_at`` counts the points passed; None for a run that nothing ends."""

    def __init__(self, dies_at: int | None = None) -> None:
        self.dies_at = dies_at
        self.passed = 0
        self.places: list[str] = []

    def point(self, place: str) -> None:
        self.passed += 1
        self.places.append(place)
        if self.dies_at is not None and self.passed >= self.dies_at:
            raise Died(place)


class MortalDatabase(Database):
    def __init__(self, url: str, life: Life) -> None:
        super().__init__(url)
        self.life = life

    @asynccontextmanager
    async def transaction(self, *, durable: bool = False) -> AsyncIterator[Tx]:
        self.life.point("begin")
        async with super().transaction(durable=durable) as tx:
            yield tx
            self.life.point("before the commit")
        self.life.point("after the commit")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        self.life.point("read")
        async with super().read() as conn:
            yield conn


def mortal_clients(life: Life) -> Any:
    class MortalClient(PveClient):
        """Dies before a request leaves, or when its answer comes: the host has done it by then."""

        async def _send(self, request: Any, timeout: float) -> Any:
            life.point(f"before {request.method} {request.path}")
            reply = await super()._send(request, timeout)
            life.point(f"after {request.method} {request.path}")
            return reply

    return MortalClient


class Process:
    """One run: hosts and provisioning over one database, nothing started by itself."""

    def __init__(self, url: str, vault: Vault, clock: Clock, life: Life) -> None:
        self.life = life
        self.db = MortalDatabase(url, life)
        self.journal = Journal(clock)
        self.settings = RuntimeSettings()
        self.directory = Directory()
        self.clients = HostClients(self.directory, vault, clock, factory=mortal_clients(life))
        self.hosts = HostsService(
            self.db, self.journal, vault, self.directory, self.clients, clock, lambda: self.settings
        )
        # One owner for all runs: waiting for a dead run's lease would take a minute of real time.
        self.provisioning = ProvisioningService(self.hosts, Leases(self.db, "owner"), clock, lambda: self.settings)

    async def load(self) -> None:
        await self.hosts.load()
        await self.provisioning.load()

    async def gone(self) -> None:
        self.life.dies_at = None
        await self.provisioning.aclose()
        await self.clients.aclose()
        await self.db.close()
