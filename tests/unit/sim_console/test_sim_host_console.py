"""Consoles of a whole simulated host: login, permission, vncproxy, upgrade, typing, and power through its API."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar
from urllib.parse import quote

import pytest

from console_wire import PATIENCE, Closed, Rfb, Wire, websocket_path
from pharmq.base.clock import ManualClock
from pharmq_sim.testing import PASSWORD, SimFleet

T = TypeVar("T")
POS = "/nodes/pve/qemu/100"
FORM = {"websocket": "1", "generate-password": "1"}
HEADS = {"vncproxy": FORM, "termproxy": {}}


class Client:
    """Speaks to one host as root@pam, with a ticket or with a token."""

    def __init__(self, fleet: SimFleet, clock: ManualClock) -> None:
        self.host = fleet[0]
        self.clock = clock
        self.headers: dict[str, str] = {}
        self.wires: list[Wire] = []

    async def wire(self) -> Wire:
        wire = await Wire.open(self.host.address, self.host.port)
        self.wires.append(wire)
        return wire

    async def drive(self, work: Awaitable[T], most: float = 60.0) -> T:
        """The result of ``work`` while the clock runs in steps of 0.1 s."""
        task = asyncio.ensure_future(work)
        for _ in range(int(most * 10)):
            for _ in range(5):
                await asyncio.sleep(0.002)
            if task.done():
                return task.result()
            await self.clock.advance(0.1)
        task.cancel()
        raise AssertionError(f"nothing after {most} s")

    async def call(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str, Any]:
        wire = await self.wire()
        return await self.drive(wire.call(method, path, self.headers, form))

    async def login(self) -> None:
        _, _, body = await self.call("POST", "/access/ticket", {"username": "root@pam", "password": PASSWORD})
        ticket = body["data"]
        self.headers = {
            "Cookie": f"PVEAuthCookie={quote(ticket['ticket'], safe='')}",
            "CSRFPreventionToken": ticket["CSRFPreventionToken"],
        }

    async def open(self, base: str = POS, action: str = "vncproxy") -> dict[str, Any]:
        status, reason, body = await self.call("POST", f"{base}/{action}", HEADS[action])
        assert status == 200, reason
        return dict(body["data"])

    async def upgrade(self, path: str, **change: str | None) -> tuple[Wire, int, str]:
        wire = await self.wire()
        wire.send_upgrade(path, self.headers, **change)
        status, reason, _ = await self.drive(wire.head())
        return wire, status, reason

    async def console(self, base: str = POS) -> Rfb:
        reply = await self.open(base)
        wire, status, _ = await self.upgrade(websocket_path(base, reply))
        assert status == 101
        rfb = Rfb(wire)
        await self.drive(rfb.connect(reply["password"]))
        return rfb

    def screen(self, vmid: int = 100) -> dict[str, Any]:
        return self.host.consoles.screen(self.host.world.guests[vmid])


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    clock = ManualClock()
    async with SimFleet(clock=clock) as fleet:
        made = Client(fleet, clock)
        await made.login()
        yield made
        for wire in made.wires:
            wire.close()


async def test_typing_through_the_whole_host(client: Client) -> None:
    rfb = await client.console()
    for char in "약국 1":
        rfb.key(ord(char) if ord(char) < 256 else 0x01000000 + ord(char))
    rfb.click(40, 50)
    rfb.ask()
    await asyncio.wait_for(rfb.update(), PATIENCE)
    assert client.screen() == {"typed": "약국 1", "clicks": [[40, 50, 1]], "sessions": 1}


async def test_a_token_has_its_consoles_too_but_not_those_of_a_ticket(client: Client) -> None:
    _, _, body = await client.call("POST", "/access/users/root@pam/token/t0", {"privsep": "0"})
    cookie, token = client.headers, {"Authorization": f"PVEAPIToken=root@pam!t0={body['data']['value']}"}
    client.headers = token
    reply = await client.open()
    assert reply["user"] == "root@pam!t0"
    client.headers = cookie
    _, status, reason = await client.upgrade(websocket_path(POS, reply))
    assert (status, reason) == (401, "permission denied - invalid PVEVNC ticket")
    client.headers = token
    _, status, _ = await client.upgrade(websocket_path(POS, reply))
    assert status == 101


async def test_an_invalid_ticket_takes_three_seconds(client: Client) -> None:
    reply = await client.open()
    start = client.clock.monotonic()
    _, status, _ = await client.upgrade(websocket_path(POS, reply, ticket="PVEVNC:00000000::x"))
    assert status == 401
    assert 2.9 <= client.clock.monotonic() - start <= 3.3


async def test_without_credentials_no_upgrade(client: Client) -> None:
    reply = await client.open()
    client.headers = {}
    _, status, reason = await client.upgrade(websocket_path(POS, reply))
    assert (status, reason) == (401, "No ticket")


@pytest.mark.parametrize(
    ("query", "field"),
    [("port=22&vncticket=x", "port"), ("port=6000&vncticket=x", "port"), ("port=5900", "vncticket")],
)
async def test_parameters_are_verified_first(client: Client, query: str, field: str) -> None:
    status, reason, body = await client.call("GET", f"{POS}/vncwebsocket?{query}")
    assert (status, reason) == (400, "Parameter verification failed.")
    assert list(body["errors"]) == [field]


async def test_a_container_refuses_generate_password(client: Client) -> None:
    base = "/nodes/pve/lxc/200"
    status, _, body = await client.call("POST", f"{base}/vncproxy", FORM)
    assert status == 400
    assert list(body["errors"]) == ["generate-password"]
    status, _, body = await client.call("POST", f"{base}/vncproxy", {"websocket": "1"})
    assert (status, len(body["data"]["password"])) == (200, 8)


async def test_stopping_the_vm_takes_the_console_along(client: Client) -> None:
    rfb = await client.console()
    status, _, _ = await client.call("POST", f"{POS}/status/stop", {})
    assert status == 200

    async def ended() -> None:
        while True:
            await rfb.wire.frame()

    with pytest.raises(Closed):
        await client.drive(ended())
    assert client.screen()["sessions"] == 0


async def test_a_reset_keeps_the_console(client: Client) -> None:
    rfb = await client.console()
    status, _, _ = await client.call("POST", f"{POS}/status/reset", {})
    assert status == 200
    await client.clock.advance(3)
    rfb.ask()
    assert await asyncio.wait_for(rfb.update(), PATIENCE)


async def test_the_task_of_a_stopped_vm_tells_why(client: Client) -> None:
    base = "/nodes/pve/qemu/102"
    reply = await client.open(base)
    wire, status, _ = await client.upgrade(websocket_path(base, reply))
    assert status == 101
    with pytest.raises(Closed):
        await client.drive(wire.frame())
    path = f"/nodes/pve/tasks/{quote(reply['upid'], safe='')}"
    _, _, body = await client.call("GET", f"{path}/status")
    assert body["data"]["exitstatus"] == "Failed to run vncproxy."
    _, _, body = await client.call("GET", f"{path}/log")
    assert [row["t"] for row in body["data"]] == ["VM 102 not running", "TASK ERROR: Failed to run vncproxy."]


async def test_a_container_terminal(client: Client) -> None:
    base = "/nodes/pve/lxc/200"
    reply = await client.open(base, "termproxy")
    wire, status, _ = await client.upgrade(websocket_path(base, reply))
    assert status == 101
    wire.send(f"{reply['user']}:{reply['ticket']}\n".encode(), 1)
    assert await asyncio.wait_for(wire.frame(), PATIENCE) == (2, b"OK")
