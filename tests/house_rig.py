"""The whole product in this process, over real simulated hosts, behind its own HTTP application."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from sqlalchemy import insert

from database_rig import sqlite_database
from pharmq.access import SYSTEM, Actor
from pharmq.access.gate import COOKIE
from pharmq.access.people import WantedGrant
from pharmq.access.tables import grants
from pharmq.base.clock import SystemClock
from pharmq.base.config import Config
from pharmq.base.secret import Secret
from pharmq.bootstrap import ROUTES, Ground, House, open_ground
from pharmq.hosts.forms import CredentialForm, GroupForm, HostForm, PharmacyForm
from pharmq.web.app import create_app
from pharmq_sim.testing import PASSWORD, SimFleet

ORIGIN = "http://testserver.local"
USER_PASSWORD = "correct horse battery"


class Session(NamedTuple):
    actor: Actor
    cookie: str
    csrf: str


class WholeHouse:
    """Two pharmacies, 강남온누리약국 (group 1, host 1) and 마포늘푸른약국 (group 2, host 2), four guests each."""

    def __init__(self, config: Config, ground: Ground, house: House, fleet: SimFleet) -> None:
        self.config = config
        self.ground = ground
        self.house = house
        self.fleet = fleet
        self.app = create_app(config, ground.access, house.services(), ROUTES)

    async def furnish(self) -> None:
        hosts = self.house.hosts
        credential = await hosts.credentials.add(
            SYSTEM, CredentialForm(name="all hosts", username="root@pam", secret=PASSWORD)
        )
        for number, name in enumerate(("강남온누리약국", "마포늘푸른약국"), start=1):
            group = await hosts.pharmacies.add_group(SYSTEM, GroupForm(name=f"지역{number}", kind="region"))
            pharmacy = await hosts.pharmacies.add(
                SYSTEM,
                PharmacyForm(code=f"P-{number:03}", name=name, phone=f"02-000-{number:04}", group_ids=[group.id]),
            )
            sim = self.fleet.hosts[number - 1]
            await hosts.add(
                SYSTEM,
                HostForm(
                    pharmacy_id=pharmacy.id,
                    host_ip=sim.address,
                    host_port=sim.port,
                    fingerprint=sim.fingerprint,
                    credential_id=credential.id,
                ),
            )
        await self.until(lambda: len(self.house.inventory.view) == 8)

    async def until(self, true: Any, tries: int = 3000) -> None:
        for _ in range(tries):
            if true():
                return
            await asyncio.sleep(0.02)
        raise AssertionError("it never became true")

    async def user(self, name: str, *paths: str) -> int:
        """A user who may do everything below ``paths``, and nothing elsewhere."""
        number = await self.ground.access.create_user(
            SYSTEM, name, Secret(USER_PASSWORD), administrator=False, lang="ko"
        )
        async with self.ground.db.transaction() as tx:
            for path in paths:
                await tx.conn.execute(insert(grants).values(user_id=number, path=path, role="administrator"))
        return number

    async def signed_in(self, name: str, grants: Sequence[tuple[str, str]]) -> Session:
        """A new user with those (path, role) grants, signed in."""
        access = self.ground.access
        number = await access.create_user(SYSTEM, name, Secret(USER_PASSWORD), administrator=False, lang="ko")
        for path, role in grants:
            await access.people.grant(SYSTEM, number, WantedGrant(path, role))
        made = await access.sign_in(name, Secret(USER_PASSWORD), "127.0.0.1", None)
        return Session(made.signed_in.actor, made.cookie.reveal(), made.signed_in.csrf)

    async def token(self, name: str) -> str:
        return (await self.ground.access.create_token(SYSTEM, name, "test", None)).reveal()

    def client(self, cookie: str | None = None) -> httpx.AsyncClient:
        """Calls the application in this loop: it may ask simulated hosts, which live here too."""
        transport = httpx.ASGITransport(app=self.app)
        cookies = {} if cookie is None else {COOKIE: cookie}
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, timeout=30, cookies=cookies)


@asynccontextmanager
async def whole_house(folder: Path) -> AsyncIterator[WholeHouse]:
    config = Config(
        data_dir=folder,
        database_url=await sqlite_database(folder / "pharmq.db"),
        key_file=folder / "keys" / "master.key",
        public_url=ORIGIN,
    )
    async with (
        SimFleet(hosts=2, clock=SystemClock()) as fleet,
        open_ground(config) as ground,
        House(config, ground) as house,
    ):
        made = WholeHouse(config, ground, house, fleet)
        await made.furnish()
        yield made
