"""/cluster/resources is always a little old; configuration and snapshots are not."""

from typing import Any

from sim_rig import Client

from pharmq.base.clock import ManualClock
from pharmq_sim.host import SimHost
from pharmq_sim.world import Guest

Q = "/nodes/pve/qemu"


async def row(client: Client, vmid: int) -> dict[str, Any] | None:
    rows: list[dict[str, Any]] = await client.get("/cluster/resources")
    return next((r for r in rows if r.get("vmid") == vmid), None)


async def test_a_power_change_shows_only_with_the_next_publication(client: Client, clock: ManualClock) -> None:
    await clock.advance(11)
    await client.task(f"{Q}/102/status/start")
    before = await row(client, 102)
    assert before is not None
    waited = 0.0
    while (now := await row(client, 102)) is not None and now["status"] == "stopped":
        await clock.advance(0.5)
        waited += 0.5
        assert waited <= 12
    assert (await row(client, 102) or {})["status"] == "running"


async def test_paused_is_published_as_qemu_calls_it(client: Client, clock: ManualClock) -> None:
    await client.task(f"{Q}/100/status/suspend")
    await clock.advance(11)
    assert (await row(client, 100) or {})["status"] == "paused"


async def test_a_new_guest_shows_at_once_without_a_name(client: Client, host: SimHost, clock: ManualClock) -> None:
    host.world.guests[160] = Guest(160, "qemu", "new160", ctime=5)
    assert await row(client, 160) == {
        "type": "qemu",
        "node": "pve",
        "status": "unknown",
        "id": "qemu/160",
        "vmid": 160,
    }
    await clock.advance(11)
    assert (await row(client, 160) or {})["name"] == "new160"
    del host.world.guests[160]
    assert await row(client, 160) is None


async def test_a_dead_pvestatd_leaves_old_rows_for_five_minutes_then_unknown(
    client: Client, host: SimHost, clock: ManualClock
) -> None:
    await clock.advance(11)
    host.faults.set("pvestatd_dead")
    await clock.advance(280)
    assert (await row(client, 100) or {})["name"] == "POS-1"
    await clock.advance(25)
    rows = await client.get("/cluster/resources")
    for found in rows:
        if found["type"] != "network":
            assert found["status"] == "unknown"
            assert "name" not in found
            assert "maxmem" not in found
            assert "maxdisk" not in found
    host.faults.clear()
    await clock.advance(11)
    assert (await row(client, 100) or {})["status"] == "running"


async def test_types_filter_the_rows(client: Client) -> None:
    rows = await client.get("/cluster/resources?type=vm")
    assert {r["type"] for r in rows} == {"qemu", "lxc"}
    assert await client.get("/cluster/resources?type=sdn") == []
    got = await client.call("GET", "/cluster/resources?type=bogus")
    assert b"value 'bogus' does not have a value in the enumeration 'vm, storage, node, sdn'" in got.body


async def test_configuration_types_and_pending_values(client: Client, host: SimHost) -> None:
    values = await client.get(f"{Q}/100/config")
    assert (values["memory"], values["cores"]) == ("2048", 2)
    assert (await client.call("PUT", f"{Q}/100/config", {"tags": "b,a;c", "description": "x"})).data is None
    assert (await client.get(f"{Q}/100/config"))["tags"] == "a;b;c"
    await client.call("PUT", f"{Q}/100/config", {"cores": "4"})
    assert (await client.get(f"{Q}/100/config?current=1"))["cores"] == 2
    assert (await client.get(f"{Q}/100/config"))["cores"] == 4
    pending = {r["key"]: r for r in await client.get(f"{Q}/100/pending")}
    assert pending["cores"] == {"key": "cores", "value": 2, "pending": 4}
    await client.task(f"{Q}/100/status/stop")
    await client.clock.advance(2)
    await client.task(f"{Q}/100/status/start")
    assert host.world.guests[100].cores == 4


async def test_configuration_refusals(client: Client, host: SimHost) -> None:
    got = await client.call("PUT", f"{Q}/100/config", {"description": "y", "digest": "0" * 40})
    assert got.reason == "checksum mismatch (file change by other user?)"
    host.world.guests[100].lock = "snapshot"
    got = await client.call("PUT", f"{Q}/100/config", {"description": "y"})
    assert got.reason == "VM is locked (snapshot)"
    got = await client.call("PUT", f"{Q}/100/config", {"delete": "lock", "skiplock": "1"})
    assert got.status == 200
    assert host.world.guests[100].lock == ""


async def test_snapshots_from_first_to_last(client: Client) -> None:
    base = f"{Q}/102/snapshot"
    rows = await client.get(base)
    assert [(r["name"], r["description"], r["running"]) for r in rows] == [("current", "You are here!", 0)]
    assert await client.task(base, {"snapname": "s1", "description": "first"}) == "OK"
    assert await client.task(base, {"snapname": "s1"}) == "snapshot name 's1' already used"
    got = await client.call("POST", base, {"snapname": "current"})
    assert got.reason == "unable to use snapshot name 'current' (reserved name)"
    got = await client.call("POST", base, {"snapname": "1 bad"})
    assert got.status == 400
    rows = await client.get(base)
    assert [r["name"] for r in rows] == ["s1", "current"]
    assert rows[1]["parent"] == "s1"
    upid = await client.start(f"{base}/s1/rollback", {"start": "1"})
    await client.clock.advance(0.6)
    assert (await client.get(f"/nodes/pve/tasks/{upid}/status"))["exitstatus"] == "OK"
    assert (await client.get(f"{Q}/102/status/current"))["status"] == "stopped"
    await client.clock.advance(1)
    assert (await client.get(f"{Q}/102/status/current"))["status"] == "running"
    assert await client.task(f"{base}/s1", method="DELETE") == "OK"
    assert await client.task(f"{base}/nope", method="DELETE") == "snapshot 'nope' does not exist"


async def test_a_backup_of_several_fails_as_a_whole(client: Client) -> None:
    assert await client.task("/nodes/pve/vzdump", {"vmid": "100", "storage": "local"}) == "OK"
    assert await client.task("/nodes/pve/vzdump", {"vmid": "200,999"}) == "job errors"


async def test_deletion(client: Client, host: SimHost) -> None:
    got = await client.call("DELETE", f"{Q}/100")
    assert got.reason == "VM 100 is running - destroy failed"
    assert await client.task(f"{Q}/102?purge=1", method="DELETE") == "OK"
    assert 102 not in host.world.guests
    got = await client.call("DELETE", f"{Q}/102")
    assert got.reason == "Configuration file 'nodes/pve/qemu-server/102.conf' does not exist"


async def test_round_robin_data_starts_with_the_guest(client: Client, host: SimHost) -> None:
    host.world.guests[100].ctime = int(host.epoch()) - 600
    points = await client.get(f"{Q}/100/rrddata?timeframe=hour")
    assert len(points) == 60
    assert points[0].keys() == {"time"}
    assert points[-1]["maxcpu"] == 2
    got = await client.call("GET", f"{Q}/100/rrddata?timeframe=decade")
    assert got.status == 400
