"""Sessions: one-time, bound to a person, ended by rights that go; and how consoles in use end."""

import asyncio

import pytest
from consoles_rig import ADMIN, OPERATOR, VIEWER, Closed, Rig, Viewer, person

from pharmq.access import Privilege
from pharmq.base.errors import Forbidden, NotFound
from pharmq.consoles.open import open_screen
from pharmq.consoles.service import ConsolesService
from pharmq_sim.api.power import power_off


async def why(rig: Rig, session_id: str, cookie: str = "admin", **headers: str) -> Closed:
    try:
        await (await rig.socket(session_id, cookie, **headers)).greet()
    except Closed as end:
        return end
    raise AssertionError("the console opened")


async def last_cause(rig: Rig) -> str | None:
    await rig.idle()
    return (await rig.journalled("console.closed"))[-1].outcome


async def test_a_session_opens_once(rig: Rig) -> None:
    ticket = await rig.connect()
    await (await rig.socket(ticket.session_id)).greet()
    end = await why(rig, ticket.session_id)
    assert (end.code, end.cause) == (4407, "console.session_used")


async def test_a_session_that_was_not_claimed_in_time(rig: Rig) -> None:
    ticket = await rig.connect()
    await rig.clock.advance(31)
    assert (await why(rig, ticket.session_id)).cause == "console.session_expired"


async def test_a_session_belongs_to_the_person_it_was_issued_to(rig: Rig) -> None:
    ticket = await rig.connect()
    assert (await why(rig, ticket.session_id, "operator")).cause == "console.session_unknown"
    assert (await why(rig, "never-issued")).cause == "console.session_unknown"
    with pytest.raises(NotFound):
        await rig.service.refresh(OPERATOR, ticket.session_id)
    await (await rig.socket(ticket.session_id)).greet()  # the attempt of another spent nothing


async def test_two_claims_at_once_give_one_console(rig: Rig) -> None:
    ticket = await rig.connect()
    viewers = await asyncio.gather(*[rig.socket(ticket.session_id) for _ in range(4)])
    ends = await asyncio.gather(*[viewer.greet() for viewer in viewers], return_exceptions=True)
    assert sum(isinstance(end, Viewer) for end in ends) == 1
    assert {end.cause for end in ends if isinstance(end, Closed)} == {"console.session_used"}


async def test_who_may_not_come_at_all(rig: Rig) -> None:
    ticket = await rig.connect()
    assert (await why(rig, ticket.session_id, cookie="")).cause == "console.not_signed_in"
    assert (await why(rig, ticket.session_id, cookie="forged")).cause == "console.not_signed_in"
    evil = await why(rig, ticket.session_id, origin="https://evil.test")
    assert (evil.code, evil.cause) == (4405, "console.origin_refused")
    assert (await why(rig, ticket.session_id, origin="http://pharmq.test.evil.test")).code == 4405
    assert (await why(rig, ticket.session_id, origin=None)).code == 4405
    token = {"cookie": "", "origin": None, "Authorization": "Bearer admin"}
    assert await (await rig.socket(ticket.session_id, **token)).greet()  # type: ignore[arg-type]


async def test_rights_are_asked_again_at_the_claim(rig: Rig) -> None:
    ticket = await rig.connect(100, OPERATOR)
    rig.callers.known["operator"] = type(rig.callers.known["viewer"])(
        "user", OPERATOR.id, "operator", VIEWER.grants, None, session=OPERATOR.session
    )
    assert (await why(rig, ticket.session_id, "operator")).cause == "console.not_allowed"
    assert (await rig.journalled("console.opened"))[-1].outcome == "console.not_allowed"


async def test_a_console_ends_with_the_sign_in(rig: Rig) -> None:
    first, second = await rig.open(100), await rig.open(101)
    rig.service.close_for("session-admin")
    for viewer in (first, second):
        assert (await viewer.closed()).cause == "console.revoked"


async def test_a_console_ends_when_the_session_expired_by_itself(rig: Rig) -> None:
    viewer = await rig.open(100)
    del rig.callers.known["admin"]
    await rig.clock.advance(35)
    assert (await viewer.closed()).cause == "console.revoked"


async def test_a_console_ends_when_the_certificate_is_found_changed(rig: Rig) -> None:
    viewer = await rig.open(100)
    rig.targets.change(1100, host_reason="certificate_changed")
    assert (await viewer.closed()).cause == "console.certificate_changed"


async def test_consoles_are_listed_and_ended_by_those_who_may(rig: Rig) -> None:
    viewer = await rig.open(100, OPERATOR)
    [row] = rig.service.sessions(VIEWER)
    assert rig.service.sessions(person(9, "elsewhere", "/host/2")) == []
    with pytest.raises(Forbidden):
        await rig.service.end(VIEWER, row.session_key)
    with pytest.raises(NotFound):
        await rig.service.end(person(9, "elsewhere", "/host/2"), row.session_key)
    killer = person(8, "killer", "/", Privilege.SEE, Privilege.SESSION_KILL)
    await rig.service.end(killer, row.session_key)
    assert (await viewer.closed()).reason == "console.ended_by_operator?by=killer"
    assert await last_cause(rig) == "console.ended_by_operator"


async def test_ones_own_console_is_ended_by_its_session_id(rig: Rig) -> None:
    ticket = await rig.connect(100, OPERATOR)
    viewer = await (await rig.socket(ticket.session_id, "operator")).greet()
    await rig.service.end(OPERATOR, ticket.session_id)
    assert (await viewer.closed()).cause == "console.closed_by_user"


async def test_a_session_that_is_ended_before_it_was_claimed(rig: Rig) -> None:
    ticket = await rig.connect()
    await rig.service.end(ADMIN, ticket.session_id)
    assert (await why(rig, ticket.session_id)).cause == "console.session_used"


async def test_refresh_gives_a_new_session_for_the_same_vm(rig: Rig) -> None:
    ticket = await rig.connect(101)
    viewer = await (await rig.socket(ticket.session_id)).greet()
    while_open = await rig.service.refresh(ADMIN, ticket.session_id)
    assert while_open.session_id != ticket.session_id
    assert (await (await rig.socket(while_open.session_id)).greet()).name == viewer.name
    await viewer.ws.close()
    after = await rig.service.refresh(ADMIN, ticket.session_id)
    assert (await (await rig.socket(after.session_id)).greet()).name == "QEMU (KIOSK-1)"


async def test_the_vm_stops_during_a_console(rig: Rig) -> None:
    rig.fleet[0].faults.set("vm_stopped_during_console", s=4)
    viewer = await rig.open(100)
    end = await viewer.closed()
    assert (end.code, end.cause) == (4414, "console.vm_stopped_during")
    await rig.idle()
    [closed] = await rig.journalled("console.closed")
    assert closed.params["cause"] == "console.vm_stopped_during"
    assert closed.params["seconds"] >= 0


async def test_the_host_cuts_a_console_whose_vm_still_runs(rig: Rig) -> None:
    viewer = await rig.open(100)
    host = rig.fleet[0]
    [task] = [t for t in host.world.tasks if t.type == "vncproxy"]
    host.interrupted(task).set()
    assert (await viewer.closed()).cause == "console.closed_by_host"


async def test_the_vm_is_deleted_during_a_console(rig: Rig) -> None:
    viewer = await rig.open(101)
    host = rig.fleet[0]
    guest = host.world.guests[101]
    power_off(host, guest)
    del host.world.guests[101]
    assert (await viewer.closed()).cause == "console.vm_gone"


async def test_the_host_is_lost_during_a_console(rig: Rig) -> None:
    viewer = await rig.open(100)
    rig.fleet[0].faults.set("refused")
    assert (await viewer.closed()).cause == "console.host_unreachable"


async def test_a_console_left_alone_stays_open(rig: Rig) -> None:
    viewer = await rig.open(100)
    await viewer.picture()
    for _ in range(16 * 4):
        await rig.clock.advance(15)
        await asyncio.sleep(0.01)
    assert [row.state for row in rig.service.sessions(ADMIN)] == ["open"]
    await viewer.type("x")
    host = rig.fleet[0]
    await rig.until(lambda: host.consoles.screen(host.world.guests[100])["typed"] == "x", "a key after 16 minutes")


async def test_a_console_that_cannot_be_kept_alive_is_cut_and_said_so(rig: Rig) -> None:
    viewer = await rig.open(100)
    await viewer.ws.send_bytes(b"\x04\x01")  # half a message: nothing may be put after it
    await asyncio.sleep(0.1)
    for _ in range(61):
        await rig.clock.advance(15)
        await asyncio.sleep(0.01)
    assert (await viewer.closed()).cause == "console.idle_cut"


async def test_a_browser_that_breaks_the_rules(rig: Rig) -> None:
    for words in ("text", b"GET / HTTP/1.1\r\n"):
        viewer = await rig.socket((await rig.connect()).session_id)
        await (viewer.ws.send_str(words) if isinstance(words, str) else viewer.ws.send_bytes(words))
        end = await viewer.closed()
        assert (end.code, end.cause) == (4400, "console.protocol_error")


async def test_a_browser_that_leaves_while_its_console_opens(rig: Rig) -> None:
    rig.fleet[0].faults.set("slow_rfb", seconds=6)
    viewer = await rig.socket((await rig.connect()).session_id)
    await rig.until(lambda: rig.service.sessions(ADMIN), "the opening")
    assert rig.service.sessions(ADMIN)[0].state == "opening"
    await viewer.ws.close()
    await rig.idle()
    assert (await rig.journalled("console.opened"))[-1].outcome == "console.closed_by_user"
    assert not rig.service.live.turns.held


async def test_a_browser_whose_line_is_cut(rig: Rig) -> None:
    viewer = await rig.open(100)
    connection = viewer.ws._response.connection
    assert connection is not None
    assert connection.transport is not None
    connection.transport.abort()
    assert await last_cause(rig) == "console.browser_lost"
    host = rig.fleet[0]
    await rig.until(lambda: host.consoles.screen(host.world.guests[100])["sessions"] == 0, "the host's session ended")


async def test_a_stopping_server_says_so(rig: Rig) -> None:
    viewer, late = await rig.open(100), await rig.connect(101)
    ending = asyncio.create_task(rig.service.aclose())
    assert (await viewer.closed()).cause == "console.server_stopping"
    await ending
    assert (await rig.stored())[0].cause == "console.server_stopping"
    assert (await why(rig, late.session_id)).cause == "console.server_stopping"


async def test_what_a_dead_server_left_open_is_closed_at_the_next_start(rig: Rig) -> None:
    viewer = await rig.open(100)
    after = rig.make_service("run-2")
    await after.start()
    [stored] = await rig.stored()
    assert (stored.state, stored.cause) == ("closed", "console.server_restarted")
    [row] = await rig.journalled("console.closed")
    assert row.outcome == "console.server_restarted"
    await viewer.ws.close()
    await rig.idle()
    assert len(await rig.journalled("console.closed")) == 1, "an end is written down once"
    await after.aclose()


async def test_many_openings_of_one_vm_take_turns(rig: Rig) -> None:
    viewers = await asyncio.gather(*[rig.open(100) for _ in range(5)])
    assert {viewer.name for viewer in viewers} == {"QEMU (POS-1)"}
    assert all([await viewer.picture() for viewer in viewers])
    outcomes = [row.outcome for row in await rig.journalled("console.opened") if row.phase == "outcome"]
    assert outcomes == ["ok"] * 5
    starts = [task for task in rig.fleet[0].world.tasks if task.type == "vncproxy"]
    assert len(starts) == 5, "no opening had to be repeated"


async def test_a_paste_larger_than_a_frame_of_the_host(rig: Rig) -> None:
    viewer = await rig.open(100)
    text = b"a" * 300_000
    await viewer.ws.send_bytes(b"\x06\0\0\0" + len(text).to_bytes(4, "big") + text)
    await viewer.type("!")
    host = rig.fleet[0]
    await rig.until(lambda: host.consoles.screen(host.world.guests[100])["typed"].endswith("!"), "the key after it")


async def test_a_containers_terminal_is_a_screen_too(rig: Rig) -> None:
    viewer = await rig.open(200)
    assert viewer.name == "VNC Command Terminal"


async def test_a_browser_that_takes_nothing_for_a_minute_is_given_up(rig: Rig) -> None:
    viewer = await rig.open(100)
    size = viewer.width.to_bytes(2, "big") + viewer.height.to_bytes(2, "big")
    await viewer.freeze()
    [session] = rig.service.live.sessions.values()
    for _ in range(100):  # far more pixels than sockets and buffers hold; nobody reads them
        await viewer.ws.send_bytes(b"\x03\0\0\0\0\0" + size)
        await asyncio.sleep(0.02)
        if session.browser.blocked_since is not None:
            break
    await rig.until(lambda: session.browser.blocked_since is not None, "the stall")
    before = session.meter
    assert before is not None
    seen = before.down
    await rig.clock.advance(20)
    assert before.down == seen, "the host is not read either"
    for _ in range(40):
        await rig.clock.advance(1)
        await asyncio.sleep(0.002)
    assert await last_cause(rig) == "console.browser_stalled"


async def test_two_processes_open_the_same_vm_in_turn(rig: Rig) -> None:
    other = rig.make_service("run-2")
    target = rig.targets.rows[1100]

    async def through(service: ConsolesService) -> str:
        async with service.live.turns.turn(1, 100) as turn:
            found = await open_screen(rig.clients[1], target.guest, rig.clock, turn.give_back)
            await found.stream.close()
            return found.upid

    upids = await asyncio.gather(*[through(service) for service in (rig.service, other) * 2])
    assert len(set(upids)) == 4
    assert len([task for task in rig.fleet[0].world.tasks if task.type == "vncproxy"]) == 4
    await other.aclose()
