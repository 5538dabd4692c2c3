"""The wire: what a well-behaved HTTP library would never do, and pveproxy does."""

import asyncio
import gzip

import pytest
from sim_rig import Client, Wire, message, passing

from pharmq.base.clock import ManualClock
from pharmq_sim.host import SimHost
from pharmq_sim.testing import PASSWORD, SimFleet
from pharmq_sim.world import Grant, User

LOGIN = {"username": "root@pam", "password": PASSWORD}


async def test_login_answers_with_two_connection_headers_in_proxmox_order(client: Client) -> None:
    got = await client.login()
    assert (got.status, got.reason) == (200, "OK")
    assert [name for name, _ in got.headers] == [
        "Cache-Control",
        "Connection",
        "Connection",
        "Date",
        "Pragma",
        "Server",
        "Content-Length",
        "Content-Type",
        "Expires",
    ]
    assert got.all("Connection") == ["close", "Keep-Alive"]
    assert set(got.data) == {"username", "ticket", "CSRFPreventionToken", "cap"}
    assert got.data["ticket"].startswith("PVE:root@pam:")


async def test_unprotected_paths_have_one_connection_header(client: Client) -> None:
    got = await client.call("GET", "/cluster/resources")
    assert got.all("Connection") == ["Keep-Alive"]


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "No ticket"),
        ({"Cookie": "PVEAuthCookie=PVE:root@pam:00000000::AAAA"}, "Authentication failed!"),
        ({"Authorization": "PVEAPIToken=root@pam!x=y"}, "Authentication failed!"),
    ],
)
async def test_a_401_before_authentication_takes_three_seconds_and_says_nothing(
    host: SimHost, clock: ManualClock, headers: dict[str, str], reason: str
) -> None:
    client = Client(host, clock)
    client.headers = headers
    before = clock.monotonic()
    got = await client.call("GET", "/version")
    assert (got.status, got.reason, got.body) == (401, reason, b"")
    assert got.all("Content-Length") == []
    assert got.all("Content-Type") == []
    assert got.all("Connection") == ["close"]
    assert clock.monotonic() - before >= 3.0


async def test_a_wrong_password_has_a_body_and_three_seconds(host: SimHost, clock: ManualClock) -> None:
    before = clock.monotonic()
    got = await Client(host, clock).login(password="wrong")
    assert (got.status, got.reason) == (401, "authentication failure")
    assert got.body == b'{"message":"authentication failure\\n","data":null}'
    assert clock.monotonic() - before >= 3.0


@pytest.mark.parametrize("how", ["missing", "wrong"])
async def test_a_write_needs_the_csrf_token(client: Client, how: str) -> None:
    if how == "missing":
        del client.headers["CSRFPreventionToken"]
    else:
        client.headers["CSRFPreventionToken"] = "6B03D9EB:AAAA"
    got = await client.call("POST", "/nodes/pve/qemu/102/status/start")
    assert (got.status, got.reason, got.body) == (401, "Permission denied - invalid csrf token", b"")


@pytest.mark.parametrize(
    ("raw", "status", "reason"),
    [
        (message("HEAD", "/api2/json/version"), 501, "method 'HEAD' not available"),
        (message("PATCH", "/api2/json/version"), 501, "method 'PATCH' not available"),
        (message("GET", "/api2/yaml/version"), 501, "no formatter for uri /version, yaml"),
        (message("GET", "/api2/../pve2/js/x.js"), 501, "no such uri"),
        (
            message("POST", "/api2/json/access/ticket", {"Transfer-Encoding": "chunked"}),
            501,
            "chunked transfer encoding not supported",
        ),
        (
            message("POST", "/api2/json/access/ticket", {"Content-Length": "600000"}),
            501,
            "for data too large",
        ),
        (
            message("POST", "/api2/json/access/ticket", {"Content-Type": "text/xml", "Content-Length": "4"}) + b"<x/>",
            506,
            "upload 'Content-Type 'text/xml' not implemented",
        ),
    ],
)
async def test_malformed_requests_are_refused_without_json(
    host: SimHost, clock: ManualClock, raw: bytes, status: int, reason: str
) -> None:
    wire = await Wire.open(host)
    got = await passing(clock, host, wire.send(raw))
    assert (got.status, got.reason) == (status, reason)
    assert got.all("Content-Type") == []
    assert got.all("Connection") == ["close"]
    assert await wire.closed()


async def test_content_on_a_get_is_refused(client: Client) -> None:
    got = await client.call("GET", "/version", {"x": "1"})
    assert (got.status, got.reason) == (501, "Unexpected content for method 'GET'")


async def test_what_does_not_exist_is_501_and_closes(client: Client, host: SimHost, clock: ManualClock) -> None:
    got = await client.call("GET", "/nope")
    assert (got.status, got.reason) == (501, "Method 'GET /nope' not implemented")
    assert got.body == b'{"message":"Method \'GET /nope\' not implemented","data":null}'
    assert got.all("Connection") == ["close"]


async def test_refused_parameters_are_named(client: Client) -> None:
    got = await client.call("POST", "/nodes/pve/qemu/100/status/start", {"timeout": "x", "skiplock": "maybe"})
    assert (got.status, got.reason) == (400, "Parameter verification failed.")
    assert b"type check ('integer') failed - got 'x'" in got.body
    assert b"type check ('boolean') failed - got 'maybe'" in got.body


async def test_an_unknown_node_is_a_name_that_does_not_resolve(client: Client) -> None:
    got = await client.call("GET", "/nodes/nonode/status")
    assert got.status == 500
    assert got.reason.startswith("hostname lookup 'nonode' failed - ")


async def test_extjs_is_always_200(client: Client, host: SimHost, clock: ManualClock) -> None:
    wire = await Wire.open(host)
    got = await passing(clock, host, wire.send(message("GET", "/api2/extjs/nope", client.headers)))
    assert got.status == 200
    assert b'"success":0' in got.body
    assert b'"status":"501"' in got.body


async def test_a_connection_serves_a_hundred_requests(client: Client, host: SimHost, clock: ManualClock) -> None:
    wire = await Wire.open(host)
    seen = []
    for _ in range(100):
        got = await wire.send(message("GET", "/api2/json/version", client.headers))
        seen.append(got.all("Connection"))
    assert seen[:99] == [["Keep-Alive"]] * 99
    assert seen[99] == ["close"]
    assert await wire.closed()


async def test_an_idle_connection_ends_after_five_seconds(client: Client, host: SimHost, clock: ManualClock) -> None:
    wire = await Wire.open(host)
    await wire.send(message("GET", "/api2/json/version", client.headers))
    await asyncio.sleep(0.01)
    await clock.advance(4.9)
    got = await wire.send(message("GET", "/api2/json/version", client.headers))
    assert got.status == 200
    await asyncio.sleep(0.01)
    await clock.advance(5.1)
    assert await wire.closed()


async def test_large_answers_are_compressed_when_asked(client: Client) -> None:
    client.headers["Accept-Encoding"] = "gzip"
    got = await client.call("GET", "/cluster/resources")
    assert got.all("Content-Encoding") == ["gzip"]
    assert b"POS-1" in gzip.decompress(got.body)


async def test_headers_beyond_eight_kilobytes_end_the_connection_silently(host: SimHost) -> None:
    wire = await Wire.open(host)
    wire.writer.write(message("GET", "/api2/json/version", {"X": "y" * 9000}))
    assert await wire.closed()


async def test_plain_http_is_redirected(host: SimHost) -> None:
    reader, writer = await asyncio.open_connection(host.address, host.port)
    writer.write(b"GET /x HTTP/1.1\r\nHost: pve.example:8006\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 301")
    assert b"Location: https://pve.example:8006/x" in head
    writer.close()


@pytest.mark.parametrize(("version", "release"), [("9.2", "9.2"), ("8.4", "8.4"), ("7.4", "7.4")])
async def test_older_versions_say_so(clock: ManualClock, version: str, release: str) -> None:
    async with SimFleet(clock=clock, version=version) as fleet:
        client = Client(fleet[0], clock)
        await client.login()
        assert (await client.get("/version"))["release"] == release
        got = await client.call("POST", "/access/roles", {"roleid": "R", "privs": "VM.Monitor"})
        assert got.status == (400 if version == "9.2" else 200)
        await client.call("POST", "/access/users/root@pam/token/t0", {})
        got = await client.call("PUT", "/access/users/root@pam/token/t0", {"regenerate": "1"})
        assert got.status == (200 if version == "9.2" else 400)
        fleet[0].world.users["op@pve"] = User("op@pve", "pw")
        fleet[0].world.grants = [Grant("/", "user", "op@pve", "PVEVMUser")]
        await client.login("op@pve", "pw")
        got = await client.call("GET", "/nodes/pve/qemu/100/agent/get-host-name")
        wanted = (200, "OK") if version == "9.2" else (403, "Permission check failed (/vms/100, VM.Monitor)")
        assert (got.status, got.reason) == wanted
