"""People for the tests of this room."""

from typing import Any

import msgspec
import pyotp
from litestar.testing import AsyncTestClient

from pharmq.access import SYSTEM, Actor
from pharmq.access.people import WantedGrant
from pharmq.access.service import AccessService
from pharmq.base.secret import Secret
from pharmq.db import Database
from pharmq.journal import Journal, Row

PASSWORD = "correct horse battery"


async def add(access: AccessService, name: str, *grants: tuple[str, str]) -> int:
    """A user with that password and those (path, role) grants."""
    number = await access.create_user(SYSTEM, name, Secret(PASSWORD), administrator=False, lang="ko")
    for path, role in grants:
        await access.people.grant(SYSTEM, number, WantedGrant(path, role))
    return number


async def come_in(access: AccessService, name: str, source: str | None = "10.0.0.5", code: str | None = None) -> Actor:
    made = await access.sign_in(name, Secret(PASSWORD), source, "test browser", code)
    return made.signed_in.actor


async def register(access: AccessService, actor: Actor) -> tuple[pyotp.TOTP, list[str]]:
    """A second factor in force: what makes its codes, and the recovery codes."""
    begun = await access.own.begin_second_factor(actor)
    totp = pyotp.TOTP(begun.key)
    codes = await access.own.confirm_second_factor(actor, totp.at(access.ground.clock.now()))
    return totp, codes


async def rules(access: AccessService, **changed: Any) -> None:
    settings = access.ground.settings
    settings.current = msgspec.structs.replace(settings.current, **changed)


class Browser:
    """A signed-in client that sends its CSRF token."""

    def __init__(self, client: AsyncTestClient[Any]) -> None:
        self.client = client
        self.csrf = ""

    async def sign_in(self, name: str, **more: str) -> Any:
        body = {"username": name, "password": PASSWORD} | more
        answer = await self.client.post("/api/session", json=body)
        self.csrf = answer.json().get("csrf", "")
        return answer

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        return await self.client.request(method, path, json=body, headers={"X-CSRF-Token": self.csrf})


async def rows(db: Database, journal: Journal, kind: str) -> list[Row]:
    async with db.read() as conn:
        return [row for row in await journal.read(conn, 0) if row.kind == kind]
