"""A console from the click to the last byte."""

from consoles_rig import ADMIN, ORIGIN, Rig


async def test_a_screen_opens_and_takes_keys(rig: Rig) -> None:
    ticket = await rig.connect(100)
    assert ticket.websocket_url == f"ws://pharmq.test/api/vnc/ws/{ticket.session_id}"
    assert (ticket.expires_at - rig.clock.now()).total_seconds() <= 30
    assert ORIGIN == "http://pharmq.test"

    viewer = await (await rig.socket(ticket.session_id)).greet()
    assert viewer.name == "QEMU (POS-1)"
    assert await viewer.picture() == viewer.width * viewer.height * 4

    host = rig.fleet[0]
    await viewer.type("약 7")
    await rig.until(lambda: host.consoles.screen(host.world.guests[100])["typed"] == "약 7", "the keys in the guest")

    [row] = rig.service.sessions(ADMIN)
    assert (row.vm_name, row.state, row.actor_name) == ("POS-1", "open", "admin")
    assert row.bytes_down > viewer.width * viewer.height * 4
    assert row.session_key not in ticket.session_id
    assert rig.service.open_count == 1

    await viewer.ws.close()
    await rig.idle()
    request, outcome, closed = await rig.journalled()
    assert (request.kind, request.phase, request.who.name) == ("console.opened", "request", "admin")
    assert (outcome.kind, outcome.phase, outcome.outcome) == ("console.opened", "outcome", "ok")
    assert request.act_id == outcome.act_id == closed.act_id
    assert outcome.upid
    assert outcome.upid.startswith("UPID:")
    assert (closed.kind, closed.outcome) == ("console.closed", "console.closed_by_user")
    assert closed.params["bytes_down"] == row.bytes_down
    [stored] = await rig.stored()
    assert (stored.state, stored.cause) == ("closed", "console.closed_by_user")
    assert ticket.session_id not in str(stored)
