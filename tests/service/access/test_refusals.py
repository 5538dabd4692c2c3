"""What somebody was not allowed to do is recorded, without letting them fill the journal."""

from people_rig import Browser, add, rows

from pharmq.access.refusals import AT_MOST, WINDOW_S


async def test_a_refused_write_is_recorded_with_what_it_lacked(access, client, db, journal) -> None:
    await add(access, "kim", ("/", "viewer"))
    kim = Browser(client)
    await kim.sign_in("kim")
    body = {"name": "eve", "display_name": "eve", "grants": []}
    assert (await kim.call("POST", "/api/users", body)).status_code == 403
    assert (await kim.call("GET", "/api/users")).status_code == 403, "a read leaves no row"
    (told,) = await rows(db, journal, "access.refused")
    assert (told.who.name, told.outcome) == ("kim", "access.forbidden")
    assert told.params == {"privilege": "access.edit", "method": "POST", "path": "/api/users"}


async def test_nobody_fills_the_journal_by_being_refused(access, client, clock, db, journal) -> None:
    await add(access, "kim", ("/", "viewer"))
    kim = Browser(client)
    await kim.sign_in("kim")
    for _ in range(AT_MOST + 7):
        await kim.call("DELETE", "/api/users/9/second-factor")
    assert len(await rows(db, journal, "access.refused")) == AT_MOST
    await clock.advance(WINDOW_S + 1)
    await kim.call("DELETE", "/api/users/9/second-factor")
    *_, last = await rows(db, journal, "access.refused")
    assert last.params["unsaid"] == 7
