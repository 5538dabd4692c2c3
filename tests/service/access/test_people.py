"""Users, grants and roles: what may be given, what must stay, and how invitations let somebody in."""

import asyncio

import pytest
from people_rig import PASSWORD, Browser, add, come_in, rows

from pharmq.access import SYSTEM, Privilege, Scope, allows, scope_of
from pharmq.access.people import WantedGrant
from pharmq.base.errors import Conflict, Forbidden, Invalid, NotFound, PharmqError
from pharmq.base.secret import Secret

ADMIN = ("/", "administrator")


async def test_an_invitation_lets_one_person_in_once_and_nobody_knew_their_password(access, client, clock) -> None:
    await add(access, "boss", ADMIN)
    boss = Browser(client)
    await boss.sign_in("boss")
    body = {"name": "kim", "display_name": "김약사", "grants": [{"path": "/pharmacy/3", "role": "operator"}]}
    made = (await boss.call("POST", "/api/users", body)).json()
    assert (made["user"]["invited"], made["user"]["grants"][0]["role"]) == (True, "operator")
    address, _, token = made["invitation"]["url"].partition("#")
    assert address == "http://testserver.local/invite"
    assert (await client.post("/api/invitation", json={"token": token})).json() == {
        "name": "kim",
        "display_name": "김약사",
    }
    short = await client.post("/api/invitation/accept", json={"token": token, "password": "short"})
    assert (short.status_code, "password" in short.json()["errors"]) == (400, True)
    accepted = await client.post("/api/invitation/accept", json={"token": token, "password": PASSWORD})
    assert accepted.json()["user"]["name"] == "kim"
    assert "see" in accepted.json()["privileges"]
    again = await client.post("/api/invitation/accept", json={"token": token, "password": PASSWORD})
    assert (again.status_code, again.json()["code"]) == (403, "access.invitation_invalid")


async def test_a_new_invitation_ends_the_old_one_the_password_and_the_sessions(access, clock) -> None:
    kim = await add(access, "kim")
    cookie = (await access.sign_in("kim", Secret(PASSWORD), None, None)).cookie.reveal()
    first = (await access.people.invite_again(SYSTEM, kim)).token.reveal()
    second = (await access.people.invite_again(SYSTEM, kim)).token.reveal()
    assert await access.by_cookie(cookie, None) is None
    for gone in (first, "nonsense"):
        with pytest.raises(Forbidden):
            await access.accept(gone, Secret(PASSWORD), None, None)
    with pytest.raises(PharmqError):
        await come_in(access, "kim")
    await clock.advance(72 * 3600 + 1)
    with pytest.raises(Forbidden):
        await access.accept(second, Secret(PASSWORD), None, None)


async def test_nobody_gives_more_than_they_hold(access) -> None:
    kim, lee = await add(access, "kim"), await add(access, "lee")
    role = await access.people.add_role(SYSTEM, "사람 관리", [Privilege.ACCESS_EDIT, Privilege.SEE, Privilege.POWER])
    await access.people.grant(SYSTEM, kim, WantedGrant("/", role.key))
    manager = await come_in(access, "kim")
    await access.people.grant(manager, lee, WantedGrant("/group/2", "viewer"))
    for wanted in (WantedGrant("/vm/7", "console-only"), WantedGrant("/", "administrator")):
        with pytest.raises(Forbidden) as caught:
            await access.people.grant(manager, lee, wanted)
        assert caught.value.code == "access.more_than_held"
        with pytest.raises(Forbidden):
            await access.people.invite(manager, "new", "new", "ko", [wanted])
    with pytest.raises(Forbidden):
        assert role.id
        await access.people.change_role(manager, role.id, "사람 관리", list(Privilege))
    # Giving back some of it is no gain.
    assert role.id
    await access.people.change_role(manager, role.id, "사람 관리", [Privilege.ACCESS_EDIT])
    with pytest.raises(Forbidden):
        await access.people.grant(await come_in(access, "kim"), lee, WantedGrant("/group/3", "viewer"))


async def test_who_administers_one_pharmacy_administers_no_people(access) -> None:
    kim = await add(access, "kim", ("/pharmacy/1", "administrator"))
    local = await come_in(access, "kim")
    for act in (
        access.people.all(local),
        access.people.get(local, kim),
        access.people.grant(local, kim, WantedGrant("/pharmacy/1", "viewer")),
        access.people.roles(local),
        access.leaving.known_to(local, kim),
        access.leaving.offboard(local, kim, None, ""),
    ):
        with pytest.raises(Forbidden):
            await act


async def test_a_grant_needs_a_place_and_a_role_that_exist(access) -> None:
    kim = await add(access, "kim", ("/pharmacy/1", "viewer"))
    access.ground.place = lambda path: Scope(frozenset({"/", path})) if path != "/pharmacy/99" else None
    for wanted, field in ((WantedGrant("/pharmacy/99", "viewer"), "path"), (WantedGrant("/", "nothing"), "role")):
        with pytest.raises(Invalid) as caught:
            await access.people.grant(SYSTEM, kim, wanted)
        assert list(caught.value.fields) == [field]
    with pytest.raises(Conflict):
        await access.people.grant(SYSTEM, kim, WantedGrant("/pharmacy/1", "viewer"))
    with pytest.raises(NotFound):
        await access.people.revoke(SYSTEM, kim, 999)
    with pytest.raises(NotFound):
        await access.people.grant(SYSTEM, 2**70, WantedGrant("/", "viewer"))


async def test_a_role_of_ones_own_holds_for_all_who_have_it_as_it_changes(access) -> None:
    role = await access.people.add_role(SYSTEM, "야간 당직", [Privilege.SEE, Privilege.POWER])
    await add(access, "kim", ("/group/1", role.key))
    kim = await come_in(access, "kim")
    scope = scope_of(groups=[1], pharmacy_id=5)
    assert allows(kim, Privilege.POWER, scope)
    assert role.id
    await access.people.change_role(SYSTEM, role.id, "야간 당직", [Privilege.SEE])
    now = await access.fresh(kim)
    assert now is not None
    assert not allows(now, Privilege.POWER, scope)
    with pytest.raises(Conflict) as caught:
        await access.people.remove_role(SYSTEM, role.id)
    assert caught.value.code == "access.role_in_use"
    with pytest.raises(Conflict):
        await access.people.add_role(SYSTEM, "야간 당직", [])
    with pytest.raises(Conflict):
        await access.people.add_role(SYSTEM, "administrator", [])


async def test_the_last_administrator_stays_whatever_is_tried(access) -> None:
    boss = await add(access, "boss", ADMIN)
    other = await add(access, "other", ADMIN)
    await access.people.change(SYSTEM, other, "other", "ko", disabled=True)
    held = (await access.people.get(SYSTEM, boss)).grants[0].id
    for act in (
        lambda: access.people.revoke(SYSTEM, boss, held),
        lambda: access.people.change(SYSTEM, boss, "boss", "ko", disabled=True),
        lambda: access.people.remove(SYSTEM, boss),
        lambda: access.people.invite_again(SYSTEM, boss),
        lambda: access.leaving.offboard(SYSTEM, boss, None, ""),
        lambda: access.leaving.lost_device(SYSTEM, boss, ""),
    ):
        with pytest.raises(Conflict) as caught:
            await act()
        assert caught.value.code == "access.last_administrator"
    assert (await come_in(access, "boss")).grants
    await access.people.change(SYSTEM, other, "other", "ko", disabled=False)
    await access.people.revoke(SYSTEM, boss, held)


async def test_two_administrators_who_remove_one_another_at_once_leave_one(access) -> None:
    first, second = await add(access, "first", ADMIN), await add(access, "second", ADMIN)
    one, two = await come_in(access, "first"), await come_in(access, "second")
    done = await asyncio.gather(
        access.people.remove(one, second), access.people.remove(two, first), return_exceptions=True
    )
    assert [type(result) for result in done].count(type(None)) == 1
    assert [user.name for user in await access.users(SYSTEM)] in (["first"], ["second"])


async def test_nobody_disables_or_removes_themselves(access) -> None:
    boss = await add(access, "boss", ADMIN)
    await add(access, "other", ADMIN)
    actor = await come_in(access, "boss")
    for act in (
        access.people.remove(actor, boss),
        access.people.change(actor, boss, "x", "ko", disabled=True),
        access.leaving.offboard(actor, boss, None, ""),
        access.leaving.lost_device(actor, boss, ""),
    ):
        with pytest.raises(Conflict) as caught:
            await act
        assert caught.value.code == "access.not_yourself"


async def test_every_act_is_in_the_journal_with_who_did_it_and_to_whom(access, db, journal) -> None:
    await add(access, "boss", ADMIN)
    boss = await come_in(access, "boss")
    number, _ = await access.people.invite(boss, "kim", "Kim", "en", [WantedGrant("/pharmacy/3", "viewer")])
    grant_id = (await access.people.get(boss, number)).grants[0].id
    await access.people.revoke(boss, number, grant_id)
    (taken,) = await rows(db, journal, "access.grant_removed")
    assert (taken.who.id, taken.params["user_id"], taken.params["role"]) == (boss.id, number, "viewer")
    assert taken.act_id
    assert "/pharmacy/3" in taken.where.paths
