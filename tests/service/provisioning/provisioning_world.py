"""Simulated hosts, a database of PharmQ that knows them by root's password, and runs of a process that may die."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from provisioning_mortal import Life, Process

from database_rig import sqlite_database
from pharmq.access import SYSTEM
from pharmq.base.clock import SystemClock
from pharmq.db import Database
from pharmq.hosts.forms import CredentialForm, HostForm, PharmacyForm
from pharmq.journal import Row
from pharmq.provisioning.model import Account
from pharmq.provisioning.store import account as stored_account
from pharmq.pve import Endpoint, PveClient, PveError, TokenCredential
from pharmq.vault import MasterKey, Vault
from pharmq_sim.host import SimHost
from pharmq_sim.testing import PASSWORD, SimFleet


class FastClock(SystemClock):
    """Short waits (the simulator's 3 s before a 401) take hardly any time."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds if seconds > 5 else 0.002)


class World:
    def __init__(self, url: str, vault: Vault, clock: FastClock, fleet: SimFleet) -> None:
        self.url, self.vault, self.clock, self.fleet = url, vault, clock, fleet

    @property
    def sim(self) -> SimHost:
        return self.fleet[0]

    @asynccontextmanager
    async def process(self, dies_at: int | None = None) -> AsyncIterator[Process]:
        made = Process(self.url, self.vault, self.clock, Life())
        await made.load()
        made.life.passed, made.life.places, made.life.dies_at = 0, [], dies_at
        try:
            yield made
        finally:
            await made.gone()

    async def account(self, host_id: int = 1) -> Account | None:
        db = Database(self.url)
        async with db.read() as conn:
            found = await stored_account(conn, host_id)
        await db.close()
        return found

    async def rows(self, prefix: str) -> list[Row]:
        async with self.process() as process, process.db.read() as conn:
            return [row for row in await process.journal.read(conn, 0, 1000) if row.kind.startswith(prefix)]

    async def works(self, host_id: int = 1) -> None:
        """The credential that the database holds for the host lets us see its guests. Raises PveError."""
        async with self.process() as process:
            host = process.directory.host(host_id)
            assert host is not None
            client = PveClient(
                Endpoint(host.host_ip, host.host_port),
                process.clients.credential(host),
                frozenset(pin.fingerprint for pin in host.pins),
                clock=self.clock,
            )
            assert len((await client.resources()).guests) == 4
            await client.close()

    def tokens(self, number: int = 0) -> set[str]:
        user = self.fleet[number].world.users.get("pharmq@pve")
        return set() if user is None else set(user.tokens)

    async def no_token_is_forgotten(self) -> None:
        """Whatever stands on the host, we have it written down."""
        account = await self.account()
        known = {account.token, account.token_next, account.token_old} if account else set()
        assert self.tokens() <= known


@asynccontextmanager
async def make_world(folder: Path, version: str, hosts: int = 1) -> AsyncIterator[World]:
    clock = FastClock()
    url = await sqlite_database(folder / "pharmq.db")
    db = Database(url)
    vault = Vault(db, MasterKey.from_text(MasterKey.new_text()), clock)
    await vault.load()
    async with SimFleet(hosts=hosts, clock=clock, version=version) as fleet:
        made = World(url, vault, clock, fleet)
        async with made.process() as process:
            pharmacy = await process.hosts.pharmacies.add(SYSTEM, PharmacyForm(code="P-001", name="강남온누리약국"))
            credential = await process.hosts.credentials.add(
                SYSTEM, CredentialForm(name="all hosts", username="root@pam", secret=PASSWORD)
            )
            for sim in fleet.hosts:
                form = HostForm(
                    pharmacy_id=pharmacy.id,
                    host_ip=sim.address,
                    host_port=sim.port,
                    fingerprint=sim.fingerprint,
                    credential_id=credential.id,
                )
                await process.hosts.add(SYSTEM, form)
        yield made
    await db.close()


__all__ = ["PveError", "TokenCredential", "World", "make_world"]
