"""Every fault does what its description says, and stops doing it when it is cleared."""

import asyncio
import hashlib
import json
import re
import socket
import ssl
from pathlib import Path

import pytest
from sim_rig import Client, Wire, message

import pharmq_sim
from pharmq.base.clock import ManualClock
from pharmq_sim.faults import CATALOGUE, UnknownFault
from pharmq_sim.host import SimHost

SOURCE = Path(pharmq_sim.__file__).parent
V = "/version"
START = "/nodes/pve/qemu/102/status/start"


async def test_latency_delays_every_answer(client: Client, host: SimHost, clock: ManualClock) -> None:
    host.faults.set("latency", ms=1500)
    before = clock.monotonic()
    await client.get(V)
    assert clock.monotonic() - before >= 1.5


async def test_jitter_and_stall_delay_some(client: Client, host: SimHost, clock: ManualClock) -> None:
    for name, params in (("jitter", {"ms": 4000}), ("stall", {"p": 0.5, "s": 4})):
        host.faults.set(name, **params)
        took = []
        for _ in range(12):
            before = clock.monotonic()
            await client.get(V)
            took.append(clock.monotonic() - before)
        host.faults.clear(name)
        assert len(set(took)) > 1
        assert max(took) >= 1.0


async def test_hang_accepts_and_stays_silent(client: Client, host: SimHost, clock: ManualClock) -> None:
    old = await Wire.open(host)
    await old.send(message("GET", "/api2/json/version", client.headers))
    host.faults.set("hang")
    opening = asyncio.ensure_future(Wire.open(host))
    old.writer.write(message("GET", "/api2/json/version", client.headers))
    answer = asyncio.ensure_future(old.reader.read(1))
    async with asyncio.timeout(60):
        while not host.listener._held:
            await asyncio.sleep(0.005)
    done, _ = await asyncio.wait([opening, answer], timeout=0.2)
    assert not done
    host.faults.clear()
    with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
        await opening
    assert await answer == b""
    await client.get(V)


async def test_refused_cuts_and_refuses_and_comes_back_on_the_same_port(client: Client, host: SimHost) -> None:
    old = await Wire.open(host)
    await old.send(message("GET", "/api2/json/version", client.headers))
    host.faults.set("refused")
    assert await old.closed()
    with pytest.raises(ConnectionRefusedError):
        await Wire.open(host)
    host.faults.clear()
    for _ in range(4000):
        await asyncio.sleep(0.005)
        try:
            await client.get(V)
        except ConnectionRefusedError:
            continue
        return
    raise AssertionError("the listener did not come back")


async def test_reset(client: Client, host: SimHost) -> None:
    host.faults.set("reset")
    with pytest.raises(ConnectionResetError):
        await client.get(V)


async def test_half_open_silences_old_connections_only(client: Client, host: SimHost) -> None:
    old = await Wire.open(host)
    await old.send(message("GET", "/api2/json/version", client.headers))
    host.faults.set("half_open")
    old.writer.write(message("GET", "/api2/json/version", client.headers))
    answer = asyncio.ensure_future(old.reader.read(1))
    await client.get(V)
    assert not answer.done()
    host.faults.clear()
    with pytest.raises(ConnectionError):
        await answer


async def test_blackhole_drops_new_connections(client: Client, host: SimHost) -> None:
    host.faults.set("blackhole")
    loop = asyncio.get_running_loop()
    with socket.socket() as probe:
        probe.setblocking(False)
        connecting = asyncio.ensure_future(loop.sock_connect(probe, (host.address, host.port)))
        done, _ = await asyncio.wait([connecting], timeout=0.3)
        assert not done
        connecting.cancel()
        await asyncio.wait([connecting])
    host.faults.clear()
    await client.get(V)


@pytest.mark.parametrize(
    ("name", "params", "status", "reason", "empty"),
    [
        ("http_401", {}, 401, "Authentication failed!", True),
        ("http_403", {}, 403, "Permission check failed (/, Sys.Audit)", False),
        ("http_5xx", {"status": 503, "reason": "service unavailable"}, 503, "service unavailable", False),
        (
            "pmxcfs_down",
            {},
            500,
            "RPCEnvironment init request failed: Unable to load access control list: Connection refused",
            True,
        ),
        ("credential_revoked", {}, 401, "Authentication failed!", True),
    ],
)
async def test_whole_hosts_fail_with_a_status(
    client: Client, host: SimHost, name: str, params: dict[str, object], status: int, reason: str, empty: bool
) -> None:
    host.faults.set(name, **params)
    got = await client.call("GET", V)
    assert (got.status, got.reason, got.body == b"") == (status, reason, empty)
    host.faults.clear()
    await client.get(V)


async def test_a_revoked_credential_cannot_log_in(client: Client, host: SimHost) -> None:
    host.faults.set("credential_revoked")
    got = await client.login()
    assert (got.status, got.reason) == (401, "authentication failure")


async def test_595_closes_protected_paths_only(client: Client, host: SimHost) -> None:
    host.faults.set("595")
    for method, path in (("GET", "/nodes/pve/qemu/100/status/current"), ("POST", START)):
        got = await client.call(method, path)
        assert (got.status, got.reason, got.body) == (595, "Connection refused", b"")
    assert (await client.login()).status == 595
    assert (await client.call("GET", "/cluster/resources")).status == 200


async def test_596_on_a_write_was_executed(client: Client, host: SimHost, clock: ManualClock) -> None:
    host.faults.set("596_executed")
    before = clock.monotonic()
    got = await client.call("POST", START)
    assert (got.status, got.reason, got.body) == (596, "Connection timed out", b"")
    assert clock.monotonic() - before >= 30
    assert host.world.guests[102].running
    assert (await client.get("/nodes/pve/tasks?vmid=102"))[0]["status"] == "OK"
    assert (await client.call("GET", "/nodes/pve/qemu/102/status/current")).status == 200


async def test_a_hung_daemon_executes_when_it_wakes(client: Client, host: SimHost, clock: ManualClock) -> None:
    host.faults.set("pvedaemon_hung")
    got = await client.call("POST", START)
    assert (got.status, got.reason) == (596, "Connection timed out")
    assert (await client.call("GET", "/cluster/resources")).status == 200
    assert host.world.tasks == []
    host.faults.clear()
    await clock.advance(1)
    assert host.world.guests[102].running


async def test_the_config_lock(client: Client, host: SimHost, clock: ManualClock) -> None:
    host.faults.set("config_lock", vmid=102, s=30)
    assert "got timeout" in await client.task(START)
    await clock.advance(30)
    assert await client.task(START) == "OK"


async def seen(host: SimHost) -> str:
    wire = await Wire.open(host)
    leaf = wire.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    wire.close()
    return hashlib.sha256(leaf).digest().hex(":").upper()


async def test_a_changed_certificate_and_back(client: Client, host: SimHost) -> None:
    first = host.fingerprint
    assert await seen(host) == first
    host.faults.set("changed_certificate")
    assert await seen(host) == host.fingerprint != first
    nodes = await client.get("/nodes")
    assert nodes[0]["ssl_fingerprint"] == host.fingerprint
    host.faults.clear()
    assert await seen(host) == first


async def test_clock_skew_moves_the_host_alone(client: Client, host: SimHost, clock: ManualClock) -> None:
    host.faults.set("clock_skew", s=-600)
    assert host.epoch() == clock.now().timestamp() - 600
    # the ticket comes 600 s from the future now, which is too far
    assert (await client.call("GET", V)).status == 401
    await client.login()
    await client.get(V)


async def test_garbage_half_huge_and_wrong_types(client: Client, host: SimHost, clock: ManualClock) -> None:
    host.faults.set("garbage_json")
    got = await client.call("GET", "/cluster/resources")
    assert got.status == 200
    with pytest.raises(ValueError):
        json.loads(got.body)
    host.faults.clear()
    host.faults.set("half_json")
    with pytest.raises(asyncio.IncompleteReadError):
        await client.call("GET", "/cluster/resources")
    host.faults.clear()
    host.faults.set("huge_json", mb=2)
    got = await client.call("GET", "/cluster/resources")
    assert len(got.body) > 2_000_000
    host.faults.clear()
    host.faults.set("wrong_types")
    rows = await client.get("/cluster/resources")
    assert rows[0]["name"] == 17
    assert isinstance(rows[0]["cpu"], dict)


async def test_a_migrated_guest_is_on_another_node(client: Client, host: SimHost) -> None:
    host.faults.set("vm_migrated", vmid=100)
    got = await client.call("GET", "/nodes/pve/qemu/100/status/current")
    assert got.reason == "Configuration file 'nodes/pve/qemu-server/100.conf' does not exist"
    rows = {r["id"]: r for r in await client.get("/cluster/resources")}
    assert rows["qemu/100"]["node"] == "pve2"
    assert "node/pve2" in rows
    assert (await client.get("/nodes/pve2/qemu/100/status/current"))["name"] == "POS-1"


async def test_a_reused_vmid_is_another_guest(client: Client, host: SimHost) -> None:
    before = await client.get("/nodes/pve/qemu/100/config")
    host.faults.set("vmid_reused", vmid=100)
    after = await client.get("/nodes/pve/qemu/100/config")
    assert after["name"] != before["name"]
    assert after["smbios1"] != before["smbios1"]
    assert after["meta"] != before["meta"]
    rows = {r["id"]: r for r in await client.get("/cluster/resources")}
    assert rows["qemu/100"]["status"] == "unknown"
    assert "name" not in rows["qemu/100"]


async def test_a_lost_acl_is_an_empty_host_with_status_200(client: Client, host: SimHost) -> None:
    host.faults.set("acl_lost")
    rows = await client.get("/cluster/resources")
    assert [r["id"] for r in rows] == ["node/pve"]
    assert (await client.call("GET", "/nodes/pve/qemu/100/config")).status == 403
    assert (await client.login()).data["cap"]["vms"] == {}
    host.faults.clear()
    assert len(await client.get("/cluster/resources")) > 4


def test_unknown_faults_are_refused(host: SimHost) -> None:
    with pytest.raises(UnknownFault, match="no fault 'nonsense'"):
        host.faults.set("nonsense")


def test_every_fault_is_played_somewhere() -> None:
    source = "".join(p.read_text() for p in SOURCE.rglob("*.py") if p.name not in ("faults.py", "mix.py"))
    missing = [name for name in CATALOGUE if not re.search(rf'"{name}"', source)]
    assert missing == []


async def test_a_client_that_hangs_up_in_the_handshake_harms_nobody(client: Client, host: SimHost) -> None:
    _, writer = await asyncio.open_connection(host.address, host.port)
    writer.write(b"\x16\x03\x01")
    await writer.drain()
    writer.close()
    assert (await client.call("GET", V)).status == 200
