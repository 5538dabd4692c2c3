"""One-time codes: in force only once shown to work, never twice, and asked for where the rules say so."""

from pathlib import Path

import pyotp
import pytest
from people_rig import PASSWORD, Browser, add, come_in, register, rows, rules

from pharmq.access import SYSTEM, Privilege
from pharmq.access.people import WantedGrant
from pharmq.access.service import AccessService
from pharmq.base.errors import Conflict, Forbidden, Invalid, PharmqError, TooMany, Unauthenticated
from pharmq.base.secret import Secret


async def refused(access: AccessService, code: str | None = None, source: str = "10.0.0.5") -> str:
    with pytest.raises(PharmqError) as caught:
        await come_in(access, "kim", source, code)
    return caught.value.code


async def test_a_key_is_in_force_only_once_a_code_of_it_was_typed(access, clock) -> None:
    await add(access, "kim")
    kim = await come_in(access, "kim")
    begun = await access.own.begin_second_factor(kim)
    assert begun.picture.startswith("<svg")
    assert f"secret={begun.key}" in begun.uri
    with pytest.raises(Invalid):
        await access.own.confirm_second_factor(kim, "000000")
    assert (await come_in(access, "kim")).name == "kim"
    await register(access, kim)
    assert await refused(access) == "session.code_required"
    with pytest.raises(Conflict):
        await access.own.begin_second_factor(kim)


async def test_a_code_works_once_and_only_around_its_time(access, clock) -> None:
    await add(access, "kim")
    totp, _ = await register(access, await come_in(access, "kim"))
    assert await refused(access, totp.at(clock.now())) == "session.code_refused"  # used up by registering
    await clock.advance(60)
    code = totp.at(clock.now())
    assert (await come_in(access, "kim", code=f"{code[:3]} {code[3:]}")).name == "kim"
    assert await refused(access, code) == "session.code_refused"
    await clock.advance(3600)
    assert await refused(access, code) == "session.code_refused"


async def test_a_recovery_code_replaces_the_phone_once(access, db, journal) -> None:
    await add(access, "kim")
    _, codes = await register(access, await come_in(access, "kim"))
    assert len(set(codes)) == 10
    assert (await come_in(access, "kim", code=codes[0].lower())).name == "kim"
    assert await refused(access, codes[0]) == "session.code_refused"
    (used,) = await rows(db, journal, "access.recovery_code_used")
    assert used.params["left"] == 9
    kim = await come_in(access, "kim", code=codes[1])
    fresh = await access.own.renew_recovery_codes(kim)
    assert await refused(access, codes[2]) == "session.code_refused"
    assert (await come_in(access, "kim", code=fresh[0])).name == "kim"


async def test_guessing_codes_is_slowed_down_like_guessing_passwords(access, clock) -> None:
    await add(access, "kim")
    await register(access, await come_in(access, "kim"))
    for _ in range(5):
        assert await refused(access, "123456") == "session.code_refused"
    with pytest.raises(TooMany):
        await come_in(access, "kim", code="123456")


async def test_from_outside_nobody_comes_in_without_one_and_a_thief_cannot_register_it(access) -> None:
    await add(access, "kim")
    await rules(access, inside_networks=("10.0.0.0/8", "2001:db8::/32"))
    assert await refused(access, source="203.0.113.9") == "session.outside"
    assert await refused(access, source="not an address") == "session.outside"
    assert (await come_in(access, "kim", "::ffff:10.1.2.3")).name == "kim"
    _, codes = await register(access, await come_in(access, "kim", "10.0.0.5"))
    assert await refused(access, source="203.0.113.9") == "session.code_required"
    assert (await come_in(access, "kim", "203.0.113.9", codes[0])).name == "kim"


async def test_a_session_that_moves_outside_holds_nothing_until_a_factor_is_there(access) -> None:
    await add(access, "kim", ("/", "administrator"))
    made = await access.sign_in("kim", Secret(PASSWORD), "10.0.0.5", None)
    await rules(access, inside_networks=("10.0.0.0/8",))
    outside = await access.by_cookie(made.cookie.reveal(), "203.0.113.9")
    assert outside is not None
    assert (outside.bare, outside.actor.grants) == (True, ())
    assert await access.fresh(outside.actor) is None
    inside = await access.by_cookie(made.cookie.reveal(), "10.0.0.6")
    assert inside is not None
    assert inside.actor.grants


async def test_where_everybody_needs_one_the_first_thing_is_to_register_it(access, client, clock) -> None:
    await add(access, "kim", ("/", "administrator"))
    await rules(access, second_factor_required=True)
    browser = Browser(client)
    session = (await browser.sign_in("kim")).json()
    assert (session["second_factor_needed"], session["privileges"]) == (True, [])
    assert (await browser.call("GET", "/api/users")).json()["code"] == "session.second_factor_needed"
    assert (await browser.call("GET", "/api/me/tokens")).json()["code"] == "session.second_factor_needed"
    begun = (await browser.call("POST", "/api/me/second-factor", {})).json()
    code = pyotp.TOTP(begun["key"]).at(clock.now())
    wrong = await browser.call("PUT", "/api/me/second-factor", {"code": "12345x"})
    assert wrong.json()["errors"]["code"][0]["code"] == "access.code_wrong"
    done = await browser.call("PUT", "/api/me/second-factor", {"code": code})
    assert len(done.json()["recovery_codes"]) == 10
    assert (await browser.call("GET", "/api/users")).json()["total"] == 1
    kept = await browser.call("DELETE", "/api/me/second-factor")
    assert kept.json()["code"] == "access.second_factor_kept"


async def test_its_key_and_codes_are_kept_unreadable_and_bound_to_the_row(access, db) -> None:
    first, second = await add(access, "kim"), await add(access, "lee")
    totp, codes = await register(access, await come_in(access, "kim"))
    path = Path(db.url.removeprefix("sqlite+aiosqlite:///"))
    stored = b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())
    for secret in (totp.secret, codes[0], codes[0].replace("-", "")):
        assert secret.encode() not in stored
    async with db.transaction() as tx:
        await tx.conn.exec_driver_sql(
            "UPDATE users SET second_factor = (SELECT second_factor FROM users WHERE id = ?), "
            "second_factor_at = (SELECT second_factor_at FROM users WHERE id = ?) WHERE id = ?",
            (first, first, second),
        )
    with pytest.raises(PharmqError) as caught:
        await come_in(access, "lee", code=totp.at(access.ground.clock.now()))
    assert caught.value.code == "vault.sealed_unknown"


async def test_the_machine_itself_lets_somebody_in_again(access) -> None:
    await add(access, "kim")
    await register(access, await come_in(access, "kim"))
    assert await refused(access) == "session.code_required"
    await access.reset_password(SYSTEM, "kim", Secret(PASSWORD))
    assert (await come_in(access, "kim")).name == "kim"


async def test_an_administrator_clears_it_only_for_those_who_hold_no_more(access) -> None:
    boss = await add(access, "boss", ("/", "administrator"))
    await add(access, "kim")
    role = await access.people.add_role(SYSTEM, "keeper", [Privilege.ACCESS_EDIT, Privilege.SEE])
    keeper = await add(access, "keeper", ("/", role.key))
    await register(access, await come_in(access, "boss"))
    with pytest.raises(Forbidden) as caught:
        await access.people.clear_second_factor(await come_in(access, "keeper"), boss)
    assert caught.value.code == "access.more_than_held"
    with pytest.raises(Forbidden):
        await access.people.invite_again(await come_in(access, "keeper"), boss)
    with pytest.raises(Forbidden):
        await access.people.grant(await come_in(access, "keeper"), keeper, WantedGrant("/", "administrator"))
    with pytest.raises(Unauthenticated):
        await come_in(access, "boss")
