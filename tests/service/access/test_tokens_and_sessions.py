"""API tokens reach no further than their owner; sessions are listed, locked, confirmed and ended."""

from datetime import timedelta

import msgspec
import pytest
from people_rig import PASSWORD, Browser, add, come_in

from pharmq.access import SYSTEM, Privilege, Scope, allows, allows_anywhere, allows_everywhere, scope_of
from pharmq.access.people import WantedGrant
from pharmq.base.errors import Forbidden, Invalid, NotFound, TooMany
from pharmq.base.secret import Secret

ADMIN = ("/", "administrator")
WEEK = timedelta(days=7)


async def test_a_token_holds_what_its_owner_holds_within_its_limits_at_the_moment_of_use(access) -> None:
    kim = await add(access, "kim", ("/group/1", "operator"), ("/pharmacy/9", "viewer"))
    actor = await come_in(access, "kim")
    token = await access.own.add_token(actor, "POS", WEEK, [Privilege.SEE, Privilege.POWER, Privilege.HOST_EDIT])
    found = await access.by_token(token.reveal(), None)
    assert found is not None
    in_group = scope_of(groups=[1], pharmacy_id=5)
    assert allows(found.actor, Privilege.POWER, in_group)
    assert not allows(found.actor, Privilege.CONSOLE_CONTROL, in_group)
    assert not allows_anywhere(found.actor, Privilege.HOST_EDIT)
    held = (await access.people.get(SYSTEM, kim)).grants
    await access.people.revoke(SYSTEM, kim, next(grant.id for grant in held if grant.path == "/group/1"))
    found = await access.by_token(token.reveal(), None)
    assert found is not None
    assert not allows(found.actor, Privilege.SEE, in_group)
    assert allows(found.actor, Privilege.SEE, scope_of(pharmacy_id=9))


async def test_a_token_for_one_place_stays_there_also_when_its_owner_may_everywhere(access) -> None:
    await add(access, "kim", ADMIN)
    actor = await come_in(access, "kim")
    token = await access.own.add_token(actor, "one", WEEK, None, ["/pharmacy/3"])
    found = await access.by_token(token.reveal(), None)
    assert found is not None
    assert allows(found.actor, Privilege.POWER, scope_of(groups=[1], pharmacy_id=3, host_id=2, vm_id=1))
    assert not allows(found.actor, Privilege.SEE, scope_of(groups=[1], pharmacy_id=4))
    assert not allows_everywhere(found.actor, Privilege.SEE)
    access.ground.place = lambda path: None if path == "/pharmacy/99" else Scope(frozenset({"/", path}))
    with pytest.raises(Invalid):
        await access.own.add_token(actor, "nowhere", WEEK, None, ["/pharmacy/99"])


async def test_a_token_changes_nothing_of_its_owners_own(access, client) -> None:
    await add(access, "kim", ADMIN)
    made = await access.own.add_token(await come_in(access, "kim"), "t", WEEK)
    bearer = {"Authorization": f"Bearer {made.reveal()}"}
    for method, path, body in (
        ("GET", "/api/me", None),
        ("POST", "/api/me/tokens", {"name": "more", "days": 1}),
        ("POST", "/api/me/password", {"old": PASSWORD, "new": "another long one"}),
        ("POST", "/api/me/second-factor", {}),
        ("POST", "/api/session/confirm", {"password": PASSWORD}),
        ("POST", "/api/session/lock", {}),
        ("GET", "/api/me/sessions", None),
    ):
        answer = await client.request(method, path, json=body, headers=bearer)
        assert (answer.status_code, answer.json()["code"]) == (403, "session.only_person"), path


async def test_a_removed_token_ends_at_once_and_tells_who_held_it_open(access) -> None:
    kim = await add(access, "kim", ADMIN)
    actor = await come_in(access, "kim")
    token = (await access.own.add_token(actor, "t", WEEK)).reveal()
    found = await access.by_token(token, None)
    assert found is not None
    ended: list[str] = []
    access.on_revoked(ended.append)
    (row,) = await access.own.tokens(kim)
    assert row.last_used is not None
    await access.own.remove_token(actor, kim, row.id)
    assert await access.by_token(token, None) is None
    assert await access.fresh(found.actor) is None
    assert await access.stored("token", kim, row.id) is None
    assert ended == [found.actor.session]
    with pytest.raises(NotFound):
        await access.own.remove_token(actor, kim, row.id)


async def test_a_locked_screen_opens_only_with_the_password(access, client) -> None:
    await add(access, "kim", ADMIN)
    browser = Browser(client)
    await browser.sign_in("kim")
    locked: list[str] = []
    access.on_locked(locked.append)
    assert (await browser.call("POST", "/api/session/lock", {})).status_code == 204
    assert len(locked) == 1
    assert (await browser.call("GET", "/api/users")).json()["code"] == "session.locked"
    assert (await browser.call("GET", "/api/me")).json()["code"] == "session.locked"
    session = (await browser.call("GET", "/api/session")).json()
    assert (session["locked"], session["privileges"]) == (True, [])
    wrong = await browser.call("POST", "/api/session/confirm", {"password": "wrong password"})
    assert wrong.json()["code"] == "session.password_wrong"
    assert (await browser.call("POST", "/api/session/confirm", {"password": PASSWORD})).status_code == 204
    assert (await browser.call("GET", "/api/users")).status_code == 200


async def test_guessing_at_a_locked_screen_is_slowed_down(access) -> None:
    await add(access, "kim")
    actor = await come_in(access, "kim")
    await access.sessions.lock(actor)
    for _ in range(5):
        with pytest.raises(Forbidden):
            await access.sessions.confirm(actor, Secret("wrong password"))
    with pytest.raises(TooMany):
        await access.sessions.confirm(actor, Secret(PASSWORD))


async def test_sensitive_changes_need_a_password_shown_lately(access, client, clock) -> None:
    await add(access, "kim", ADMIN)
    browser = Browser(client)
    await browser.sign_in("kim")
    role = {"name": "a", "privileges": ["see"]}
    assert (await browser.call("POST", "/api/roles", role)).status_code == 201
    await clock.advance(15 * 60 + 1)
    late = await browser.call("POST", "/api/roles", {"name": "b", "privileges": []})
    assert (late.status_code, late.json()["code"]) == (403, "session.reauth")
    assert (await browser.call("GET", "/api/roles")).status_code == 200
    await browser.call("POST", "/api/session/confirm", {"password": PASSWORD})
    assert (await browser.call("POST", "/api/roles", {"name": "b", "privileges": []})).status_code == 201


async def test_sessions_are_listed_and_ended_one_by_one(access, client, clock) -> None:
    kim = await add(access, "kim", ADMIN)
    elsewhere = await come_in(access, "kim", "10.9.9.9")
    await clock.advance(60)
    browser = Browser(client)
    await browser.sign_in("kim")
    items = (await browser.call("GET", "/api/me/sessions")).json()["items"]
    assert [(one["current"], one["source"]) for one in items][1] == (False, "10.9.9.9")
    assert elsewhere.session is not None
    assert elsewhere.session not in str(items)
    key = items[1]["key"]
    assert (await browser.call("DELETE", f"/api/me/sessions/{key}")).status_code == 204
    assert await access.fresh(elsewhere) is None
    assert (await browser.call("DELETE", f"/api/me/sessions/{key}")).status_code == 404
    stranger = await add(access, "stranger")
    with pytest.raises(NotFound):
        await access.sessions.end(SYSTEM, stranger, items[0]["key"])
    assert (await browser.call("GET", f"/api/users/{kim}/sessions")).json()["total"] == 1


async def test_a_new_password_ends_all_other_sessions(access) -> None:
    await add(access, "kim")
    here, there = await come_in(access, "kim"), await come_in(access, "kim")
    with pytest.raises(Forbidden):
        await access.own.change_password(here, Secret("wrong password"), Secret("another long one"))
    await access.own.change_password(here, Secret(PASSWORD), Secret("another long one"))
    assert await access.fresh(here) is not None
    assert await access.fresh(there) is None


async def test_whoever_asked_earlier_acts_with_the_grants_of_now(access) -> None:
    kim = await add(access, "kim", ("/pharmacy/1", "operator"))
    actor = await access.stored("user", kim)
    assert actor is not None
    assert allows(actor, Privilege.POWER, scope_of(pharmacy_id=1))
    assert await access.stored("system", None) is SYSTEM
    await access.people.change(SYSTEM, await add(access, "boss", ADMIN), "boss", "ko", disabled=False)
    await access.people.change(SYSTEM, kim, "kim", "ko", disabled=True)
    assert await access.stored("user", kim) is None
    assert await access.stored("user", 999) is None


async def test_rules_that_would_lock_their_author_out_are_refused(access) -> None:
    await add(access, "kim", ADMIN)
    made = await access.sign_in("kim", Secret(PASSWORD), "203.0.113.9", None)
    wanted = msgspec.structs.replace(access.ground.settings.current, inside_networks=("10.0.0.0/8",))
    with pytest.raises(Invalid) as caught:
        access.check_settings(made.signed_in, wanted)
    assert caught.value.code == "settings.locks_you_out"
    access.check_settings(made.signed_in, msgspec.structs.replace(wanted, inside_networks=("203.0.113.0/24",)))


async def test_grants_given_or_taken_are_felt_at_the_next_request(access) -> None:
    kim = await add(access, "kim")
    made = await access.sign_in("kim", Secret(PASSWORD), None, None)
    cookie = made.cookie.reveal()
    before = await access.by_cookie(cookie, None)
    assert before is not None
    assert before.actor.grants == ()
    await access.people.grant(SYSTEM, kim, WantedGrant("/vm/5", "viewer"))
    after = await access.by_cookie(cookie, None)
    assert after is not None
    assert after.actor.grants
