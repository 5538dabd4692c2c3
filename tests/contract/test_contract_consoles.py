"""Console upgrades: our RFB handshake understands what real hosts said, and the simulator answers as they did."""

import asyncio
import base64
import hashlib
import json
import ssl
from typing import Any
from urllib.parse import urlencode

import contract_facts as facts
import pytest
from test_contract_sim import Rig, world  # noqa: F401  (the fixture)

from pharmq.base.secret import Secret
from pharmq.rfb import RfbClientHandshake, RfbError

UPGRADES = {upgrade.name: upgrade for upgrade in facts.load().upgrades}
KEY = "i2CtYlKsYZJ0iuelcnAH9g=="


def host_bytes(rfb: list[Any]) -> bytes:
    """The recorded transcript as the bytes that came over the wire."""
    out = b""
    for what, value in rfb:
        match what.removeprefix("S>C "):
            case "ProtocolVersion":
                out += value.encode()
            case "security types":
                out += bytes.fromhex(value.rpartition(" ")[2])
            case "challenge(16)":
                out += bytes.fromhex(value)
            case "SecurityResult":
                out += value.to_bytes(4, "big")
            case "reason":
                out += len(value).to_bytes(4, "big") + value.encode()
    return out


@pytest.mark.parametrize("name", [name for name, upgrade in UPGRADES.items() if upgrade.rfb])
def test_a_recorded_handshake_is_understood(name: str) -> None:
    said = UPGRADES[name].rfb
    handshake = RfbClientHandshake(Secret("12345678"))
    result = dict(said).get("S>C SecurityResult")
    if result == 0:
        assert handshake.feed(host_bytes(said))[-1:] == b"\x01"
        assert handshake.done
        return
    with pytest.raises(RfbError) as caught:
        handshake.feed(host_bytes(said))
    assert caught.value.failure == ("security_unsupported" if result is None else "auth_failed")
    assert caught.value.reason == ("19" if result is None else "Authentication failed")


#: Left out: node shells, and a VM whose display is its serial port (the rig of the simulator has no such calls).
SIMULATED = [name for name in UPGRADES if name.startswith(("03-", "04-"))]


def test_most_upgrades_are_compared() -> None:
    assert len(SIMULATED) >= 20


@pytest.mark.parametrize("name", SIMULATED)
async def test_the_simulator_upgrades_like_the_recorded_host(name: str, world: Rig) -> None:  # noqa: F811
    recorded = UPGRADES[name]
    ticket, token = await world.headers_for("ticket"), await world.headers_for("t0")
    who = {"ticket": ticket, "token": token, "both": ticket | token, "none": {}}
    opened = await world.ask(
        "POST", "/nodes/pve1/qemu/100/vncproxy", {"websocket": 1, "generate-password": 1}, who[recorded.opened_by]
    )
    data = opened.body["data"]
    tickets = {
        "same": data["ticket"],
        "stripped": data["ticket"].partition(":")[2],
        "wrong": data["ticket"][:-12] + "AAAAAAAAAAA=",
    }
    port = int(data["port"]) if recorded.port == "same" else int(recorded.port)
    if recorded.port != "same" and port == int(data["port"]):
        port += 1
    query: dict[str, Any] = {"port": port}
    if recorded.ticket != "none":
        query["vncticket"] = tickets[recorded.ticket]
    headers = {"Connection": "Upgrade", "Sec-WebSocket-Key": KEY, **recorded.headers}
    headers |= {key: value for key, value in who[recorded.asked_by].items() if key != "CSRFPreventionToken"}
    vmid = 101 if recorded.other_vm else 100
    path = f"/nodes/pve1/qemu/{vmid}/vncwebsocket?{urlencode(query)}"
    head, body = await upgrade(world, path, headers)
    status_line, *rest = recorded.answer
    assert head[0] == status_line
    changing = ("date:", "expires:", "sec-websocket-accept:", "content-length:")
    got = sorted(line for line in head[1:] if not line.lower().startswith(changing))
    assert got == sorted(line for line in rest if not line.lower().startswith(changing))
    if " 101 " in status_line:
        accept = base64.b64encode(hashlib.sha1(KEY.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        assert f"Sec-WebSocket-Accept: {accept.decode()}" in head
    else:
        assert _parsed(body) == _parsed(recorded.body)


async def upgrade(rig: Rig, path: str, headers: dict[str, str]) -> tuple[list[str], str]:
    """The answer's head lines, and its body unless it was a 101, while the simulator's clock runs."""

    async def talk() -> tuple[list[str], str]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        reader, writer = await asyncio.open_connection("127.0.0.1", rig.host.port, ssl=context)
        lines = [f"GET {facts.PREFIX}{path} HTTP/1.1", "Host: 127.0.0.1:8006"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")[:-4].split("\r\n")
        body = "" if " 101 " in head[0] else (await reader.read()).decode()
        writer.transport.abort()
        return head, body

    work = asyncio.ensure_future(talk())
    for _ in range(200):
        if work.done():
            break
        await asyncio.sleep(0.002)
        # Small steps: the listener waits 10 s, a ticket lives 40 s.
        await rig.clock.advance(0.05)
    return await asyncio.wait_for(work, 60)


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body
