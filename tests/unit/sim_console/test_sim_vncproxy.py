"""vncproxy and vncwebsocket: what is answered, what is refused, and what is never answered."""

import asyncio
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from console_rig import ROOT, Rig
from console_wire import PATIENCE, Closed, websocket_path
from pharmq_sim.message import ApiError
from pharmq_sim.world import Guest


async def test_the_reply_has_the_recorded_fields(rig: Rig) -> None:
    reply = await rig.vncproxy(rig.pos)
    assert set(reply) == {"user", "ticket", "port", "upid", "cert", "password"}
    assert reply["port"] == "5900"  # a string
    assert reply["user"] == ROOT
    assert reply["ticket"].startswith(f"{reply['password']}:PVEVNC:")
    assert len(reply["password"]) == 8
    assert all("!" <= char <= "`" for char in reply["password"])
    assert reply["upid"].endswith(":vncproxy:100:root@pam:")


async def test_passwords_hold_characters_that_must_be_percent_encoded(rig: Rig) -> None:
    seen = ""
    for _ in range(60):
        seen += (await rig.vncproxy(rig.pos))["password"]
    assert set("%&+#?") <= set(seen)


async def test_upgrade_echoes_the_subprotocol_word_for_word_and_never_agrees_to_deflate(rig: Rig) -> None:
    _, status, reason, headers = await rig.upgrade(
        rig.pos,
        await rig.vncproxy(rig.pos),
        Sec_WebSocket_Protocol="binary, foo",
        Sec_WebSocket_Extensions="permessage-deflate; client_max_window_bits",
    )
    assert (status, reason) == (101, "Switching Protocols")
    assert headers["sec-websocket-protocol"] == "binary, foo"
    assert headers["connection"] == "upgrade"
    assert "sec-websocket-extensions" not in headers


async def test_no_subprotocol_asked_none_sent(rig: Rig) -> None:
    _, status, _, headers = await rig.upgrade(rig.pos, await rig.vncproxy(rig.pos), Sec_WebSocket_Protocol=None)
    assert status == 101
    assert "sec-websocket-protocol" not in headers


async def test_the_accept_key_is_the_one_of_rfc_6455(rig: Rig) -> None:
    _, _, _, headers = await rig.upgrade(
        rig.pos, await rig.vncproxy(rig.pos), Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ=="
    )
    assert headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


async def test_a_plain_get_answers_with_the_port_and_leaves_the_listener_alone(rig: Rig) -> None:
    reply = await rig.vncproxy(rig.pos)
    wire, status, _, headers = await rig.upgrade(rig.pos, reply, Upgrade=None, Connection=None)
    body = json.loads(await wire.reader.readexactly(int(headers["content-length"])))
    assert (status, body) == (200, {"data": {"port": "5900"}})
    await rig.connected(rig.pos, reply)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Sec_WebSocket_Version": "12"}, "unsupported websocket-version '12'"),
        ({"Upgrade": "h2c"}, "unable to upgrade to protocol 'h2c'"),
    ],
)
async def test_a_wrong_upgrade_is_500_with_text(rig: Rig, change: dict[str, str | None], reason: str) -> None:
    wire, status, got, headers = await rig.upgrade(rig.pos, await rig.vncproxy(rig.pos), **change)
    assert (status, got) == (500, reason)
    assert "content-type" not in headers
    assert await wire.reader.read() == f"{reason}\n".encode()


async def test_the_ticket_without_its_password_is_good_too(rig: Rig) -> None:
    reply = await rig.vncproxy(rig.pos)
    reply["ticket"] = reply["ticket"].split(":", 1)[1] if ":" not in reply["password"] else reply["ticket"][9:]
    await rig.connected(rig.pos, reply)


async def refusal(rig: Rig, guest: Guest, reply: dict[str, str], authid: str = ROOT) -> tuple[int, str]:
    _, status, reason, _ = await rig.upgrade(guest, reply, authid)
    return status, reason


async def test_a_ticket_is_bound_to_identity_path_and_port(rig: Rig) -> None:
    invalid = (401, "permission denied - invalid PVEVNC ticket")
    reply = await rig.vncproxy(rig.pos)
    assert await refusal(rig, rig.pos, reply, "root@pam!t0") == invalid
    assert await refusal(rig, rig.kiosk, reply) == invalid
    assert await refusal(rig, rig.pos, reply | {"port": "5901"}) == invalid
    assert await refusal(rig, rig.pos, reply | {"ticket": reply["ticket"][:-4] + "AAA="}) == invalid
    assert await refusal(rig, rig.pos, reply | {"ticket": "nonsense"}) == invalid
    await rig.connected(rig.pos, reply)  # none of those used the listener up


async def test_a_ticket_of_a_token_works_for_the_token(rig: Rig) -> None:
    reply = await rig.vncproxy(rig.pos, "root@pam!t0")
    assert reply["user"] == "root@pam!t0"
    await rig.connected(rig.pos, reply, "root@pam!t0")


async def test_a_ticket_ends_after_40_seconds(rig: Rig) -> None:
    reply = await rig.vncproxy(rig.pos)
    await rig.clock.advance(41)
    assert (await refusal(rig, rig.pos, reply))[0] == 401


async def test_a_ticket_spoilt_by_missing_percent_encoding_is_refused(rig: Rig) -> None:
    """A "+" in the signature becomes a space when the client forgets to encode it."""
    reply = await rig.vncproxy(rig.pos)
    while "+" not in reply["ticket"][9:]:
        await rig.clock.advance(1)
        reply = await rig.vncproxy(rig.pos)
    wire = await rig.wire()
    path = f"{rig.base(rig.pos)}/vncwebsocket?port={reply['port']}&vncticket={quote(reply['ticket'], safe='+')}"
    wire.send_upgrade(path, {"X-Authid": ROOT})
    assert (await asyncio.wait_for(wire.head(), PATIENCE))[0] == 401


async def test_nobody_came_within_ten_seconds(rig: Rig) -> None:
    await rig.vncproxy(rig.pos)
    await rig.clock.advance(9.9)
    assert rig.host.tasks[0].status == ""
    await rig.clock.advance(0.2)
    assert rig.host.tasks[0].status == "connection timed out"


async def test_a_late_upgrade_is_never_answered(rig: Rig) -> None:
    reply = await rig.vncproxy(rig.pos)
    await rig.clock.advance(11)
    wire = await rig.wire()
    wire.send_upgrade(websocket_path(rig.base(rig.pos), reply), {"X-Authid": ROOT})
    assert await rig.silent(wire, 900)


async def test_a_second_upgrade_is_never_answered_and_the_first_goes_on(rig: Rig) -> None:
    reply = await rig.vncproxy(rig.pos)
    first = await rig.connected(rig.pos, reply)
    await rig.drive(first.connect(reply["password"]))
    second = await rig.wire()
    second.send_upgrade(websocket_path(rig.base(rig.pos), reply), {"X-Authid": ROOT})
    assert await rig.silent(second, 100)
    first.ask()
    assert await asyncio.wait_for(first.update(), PATIENCE)


async def test_a_port_is_given_again_after_its_reservation_and_an_old_ticket_reaches_the_new_listener(
    rig: Rig,
) -> None:
    old = await rig.vncproxy(rig.pos)
    assert (await rig.vncproxy(rig.pos))["port"] == "5901"
    await rig.clock.advance(10.1)
    fresh = await rig.vncproxy(rig.pos)
    assert fresh["port"] == old["port"]
    rfb = await rig.connected(rig.pos, old)
    await rig.drive(rfb.connect(fresh["password"]))


async def test_ports_run_out(rig: Rig) -> None:
    for _ in range(100):
        await rig.vncproxy(rig.pos)
    with pytest.raises(ApiError, match="unable to find free port"):
        await rig.vncproxy(rig.pos)


async def test_a_stopped_vm_upgrades_and_closes_without_a_byte(rig: Rig) -> None:
    rig.pos.running = False
    rfb = await rig.connected(rig.pos)
    with pytest.raises(Closed):
        await rig.drive(rfb.wire.frame())
    await rig.until(lambda: rig.host.tasks[0].status == "Failed to run vncproxy.")
    assert rig.host.tasks[0].log == ["VM 100 not running"]


async def test_a_vm_without_a_display_closes_without_a_byte(rig: Rig) -> None:
    rig.pos.vga = "none"
    rfb = await rig.connected(rig.pos)
    with pytest.raises(Closed):
        await rig.drive(rfb.wire.frame())
    await rig.until(lambda: rig.host.tasks[0].status == "Failed to run vncproxy.")


class TestOlderVersions:
    """Before April 2026: a password only on demand, tickets not bound to the port."""

    @pytest.fixture(params=["7.4", "8.2"])
    async def old(self, request: pytest.FixtureRequest, tmp_path: Path):  # type: ignore[no-untyped-def]
        async with Rig(tmp_path, request.param) as rig:
            yield rig

    async def test_without_a_password_the_first_eight_characters_of_the_ticket_are_it(self, old: Rig) -> None:
        reply = await old.vncproxy(old.pos, websocket="1")
        assert "password" not in reply
        assert reply["ticket"].startswith("PVEVNC:")
        rfb = await old.connected(old.pos, reply)
        await old.drive(rfb.connect(reply["ticket"][:8]))

    async def test_a_password_on_demand_beside_a_bare_ticket(self, old: Rig) -> None:
        reply = await old.vncproxy(old.pos)
        assert len(reply["password"]) == 8
        assert reply["ticket"].startswith("PVEVNC:")
        rfb = await old.connected(old.pos, reply)
        await old.drive(rfb.connect(reply["password"]))

    async def test_a_ticket_is_good_for_another_port(self, old: Rig) -> None:
        first = await old.vncproxy(old.pos)
        second = await old.vncproxy(old.pos)
        await old.connected(old.pos, first | {"port": second["port"]})

    async def test_a_container_refuses_the_parameter(self, old: Rig) -> None:
        with pytest.raises(ApiError) as refused:
            await old.vncproxy(old.ct, websocket="1", generate_password="1")
        assert refused.value.status == 400
        assert list(refused.value.errors or ()) == ["generate-password"]
        reply = await old.vncproxy(old.ct, websocket="1")
        rfb = await old.connected(old.ct, reply)
        await old.drive(rfb.connect(reply["ticket"][:8]))
