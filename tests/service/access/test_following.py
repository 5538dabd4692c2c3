"""Two managers over one database: what one revokes, the other feels."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from people_rig import PASSWORD, add

from pharmq.access import SYSTEM
from pharmq.access.follow import POLL_S
from pharmq.access.people import WantedGrant
from pharmq.access.service import AccessService
from pharmq.base.clock import ManualClock
from pharmq.base.secret import Secret
from pharmq.db import Database
from pharmq.journal import Journal
from pharmq.settings import SettingsService
from pharmq.vault import Vault


@pytest.fixture
async def other(db: Database, vault: Vault, clock: ManualClock) -> AsyncIterator[AccessService]:
    """The manager that is not asked: its own caches, and a journal whose bell the first one does not ring."""
    database, journal = Database(db.url), Journal(clock)
    made = AccessService(database, journal, SettingsService(database, journal, clock), vault, clock)
    await made.start()
    yield made
    await made.aclose()
    await database.close()


async def told(clock: ManualClock, heard: list[int | None]) -> list[int | None]:
    for _ in range(3000):
        await asyncio.sleep(0.01)
        await clock.settle()
        if heard:
            return heard
    raise AssertionError("the other manager never heard of it")


@pytest.mark.parametrize("act", ["revoke", "disable", "reset", "sign_out", "lock", "token"])
async def test_the_other_manager_hears_within_its_half_second(access, other, clock, act: str) -> None:
    assert POLL_S <= 0.5
    kim = await add(access, "kim", ("/", "viewer"))
    made = await access.sign_in("kim", Secret(PASSWORD), None, None)
    await clock.advance(POLL_S)
    await asyncio.sleep(0.2)
    cookie, actor = made.cookie.reveal(), made.signed_in.actor
    token = (await access.create_token(SYSTEM, "kim", "t", None)).reveal()
    before = await other.by_cookie(cookie, None)
    by_token = await other.by_token(token, None)
    assert before is not None
    assert before.actor.grants
    assert by_token is not None
    await clock.advance(POLL_S)
    await asyncio.sleep(0.2)
    heard: list[int | None] = []
    other.on_changed(heard.append)
    if act == "revoke":
        (grant,) = (await access.people.get(SYSTEM, kim)).grants
        await access.people.revoke(SYSTEM, kim, grant.id)
    elif act == "disable":
        await access.people.change(SYSTEM, kim, "kim", "ko", disabled=True)
    elif act == "reset":
        await access.reset_password(SYSTEM, "kim", Secret("another long one"))
    elif act == "sign_out":
        await access.sign_out(actor)
    elif act == "lock":
        await access.sessions.lock(actor)
    else:
        (row,) = await access.own.tokens(kim)
        await access.own.remove_token(SYSTEM, kim, row.id)
    await clock.advance(POLL_S)
    assert set(await told(clock, heard)) == {kim}
    if act == "token":
        assert await other.by_token(token, None) is None
        assert await other.fresh(by_token.actor) is None
        return
    after = await other.by_cookie(cookie, None)
    assert after is None or after.actor.grants == ()
    now = await other.fresh(before.actor)
    assert now is None or now.grants == ()


async def test_a_role_that_changes_is_felt_by_all(access, other, clock) -> None:
    role = await access.people.add_role(SYSTEM, "x", [])
    kim = await add(access, "kim")
    await access.people.grant(SYSTEM, kim, WantedGrant("/", role.key))
    await clock.advance(POLL_S)
    await asyncio.sleep(0.2)
    heard: list[int | None] = []
    other.on_changed(heard.append)
    assert role.id
    await access.people.change_role(SYSTEM, role.id, "y", [])
    for _ in range(3000):
        await clock.advance(POLL_S)
        await asyncio.sleep(0.01)  # the database answers in real time
        if None in heard:
            break
    assert None in heard
