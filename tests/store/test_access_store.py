"""People on both databases: the acts whose SQL is more than a row, and two that come at once."""

import asyncio
from datetime import timedelta

import pyotp
import pytest

from pharmq.access import SYSTEM, Privilege
from pharmq.access.people import WantedGrant
from pharmq.access.service import AT_HOME, AccessService
from pharmq.access.throttle import FREE_TRIES_ADDRESS
from pharmq.base.clock import ManualClock
from pharmq.base.errors import Conflict, PharmqError
from pharmq.base.secret import Secret
from pharmq.db import Database
from pharmq.journal import Journal
from pharmq.settings import SettingsService
from pharmq.vault import MasterKey, Vault

PASSWORD = Secret("correct horse battery")


@pytest.fixture
async def access(db: Database, clock: ManualClock) -> AccessService:
    vault = Vault(db, MasterKey.from_text(MasterKey.new_text()), clock)
    await vault.load()
    journal = Journal(clock)
    return AccessService(db, journal, SettingsService(db, journal, clock), vault, clock)


async def test_a_person_from_the_invitation_to_the_farewell(access: AccessService, clock: ManualClock) -> None:
    role = await access.people.add_role(SYSTEM, "야간 당직", [Privilege.SEE, Privilege.POWER])
    number, link = await access.people.invite(SYSTEM, "kim", "김약사", "ko", [WantedGrant("/group/1", role.key)])
    with pytest.raises(Conflict):
        await access.people.invite(SYSTEM, "kim", "again", "ko", [])
    with pytest.raises(Conflict):
        await access.people.grant(SYSTEM, number, WantedGrant("/group/1", role.key))
    made = await access.accept(link.token.reveal(), PASSWORD, "10.0.0.1", "agent\x00")
    kim = made.signed_in.actor
    assert [grant.privileges for grant in kim.grants] == [{Privilege.SEE, Privilege.POWER}]
    begun = await access.own.begin_second_factor(kim)
    totp = pyotp.TOTP(begun.key)
    codes = await access.own.confirm_second_factor(kim, totp.at(clock.now()))
    token = await access.own.add_token(kim, "t", timedelta(days=1), [Privilege.SEE], ["/group/1"])
    found = await access.by_token(token.reveal(), None)
    assert found is not None
    assert [grant.privileges for grant in found.actor.grants] == [{Privilege.SEE}]
    await clock.advance(60)
    tries = [access.sign_in("kim", PASSWORD, None, None, totp.at(clock.now())) for _ in range(3)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(not isinstance(result, BaseException) for result in done) == 1  # a code is taken once
    tries = [access.sign_in("kim", PASSWORD, "10.0.0.2", None, codes[0]) for _ in range(3)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(not isinstance(result, BaseException) for result in done) == 1
    sessions = await access.sessions.of(number, kim)
    assert len(sessions) == 3
    await access.sessions.end(SYSTEM, number, sessions[0].key)
    farewell = await access.leaving.offboard(SYSTEM, number, None, "left")
    assert (farewell.sessions, farewell.tokens, farewell.second_factor, farewell.grants) == (2, 1, True, 1)
    await access.people.remove(SYSTEM, number)
    assert role.id
    await access.people.remove_role(SYSTEM, role.id)
    assert await access.people.all(SYSTEM) == []


async def test_two_administrators_never_remove_one_another(access: AccessService) -> None:
    ids = [await access.create_user(SYSTEM, name, PASSWORD, administrator=True, lang="ko") for name in ("one", "two")]
    actors = [(await access.sign_in(name, PASSWORD, None, None)).signed_in.actor for name in ("one", "two")]
    done = await asyncio.gather(
        access.people.remove(actors[0], ids[1]),
        access.leaving.offboard(actors[1], ids[0], None, ""),
        return_exceptions=True,
    )
    assert sum(isinstance(result, PharmqError) for result in done) == 1
    rows = await access.people.all(SYSTEM)
    assert sum(not row.disabled and bool(row.grants) for row in rows) == 1


async def test_an_invitation_is_accepted_once_also_by_two_at_once(access: AccessService) -> None:
    _, link = await access.people.invite(SYSTEM, "kim", "kim", "ko", [])
    done = await asyncio.gather(
        *(access.accept(link.token.reveal(), PASSWORD, None, None) for _ in range(3)), return_exceptions=True
    )
    assert sum(not isinstance(result, BaseException) for result in done) == 1


async def test_whoever_came_in_from_there_before_a_restart_is_not_held_up_by_others_there(
    db: Database, access: AccessService, clock: ManualClock
) -> None:
    async def came(name: str, source: str | None) -> int:
        number = await access.create_user(SYSTEM, name, PASSWORD, administrator=False, lang="ko")
        await access.sign_in(name, PASSWORD, source, None)
        return number

    office, elsewhere = "10.0.0.1", "10.0.0.9"
    await came("long ago", office)
    await clock.advance(AT_HOME.total_seconds() + 60)
    await came("kim", office)
    await came("lee", elsewhere)
    disabled, removed = await came("disabled", office), await came("removed", office)
    await came("nowhere", None)
    await access.people.change(SYSTEM, disabled, "x", "ko", disabled=True)
    await access.people.remove(SYSTEM, removed)

    ground = access.ground
    after = AccessService(db, Journal(clock), ground.settings, ground.vault, clock)
    await after.start()
    try:
        for number in range(FREE_TRIES_ADDRESS + 5):
            after.ground.throttle.failed(f"guess{number}", office, clock.monotonic())
        await after.sign_in("kim", PASSWORD, office, None)
        for name in ("lee", "long ago", "disabled", "removed", "nowhere"):
            with pytest.raises(PharmqError) as held_up:
                await after.sign_in(name, PASSWORD, office, None)
            assert held_up.value.code == "session.too_many", name
    finally:
        await after.aclose()
