"""Power verbs: what is a task, what is an immediate error, and how the configuration lock bites."""

import asyncio

import pytest
from sim_rig import Client

from pharmq.base.clock import ManualClock
from pharmq_sim.host import SimHost

Q = "/nodes/pve/qemu"
L = "/nodes/pve/lxc"
GOT_TIMEOUT = "can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout"


async def test_start_and_stop_are_tasks_and_current_follows_at_once(client: Client) -> None:
    assert await client.task(f"{Q}/102/status/start") == "OK"
    row = await client.get(f"{Q}/102/status/current")
    assert (row["status"], row["qmpstatus"]) == ("running", "running")
    assert await client.task(f"{Q}/102/status/stop") == "OK"
    row = await client.get(f"{Q}/102/status/current")
    assert (row["status"], row["qmpstatus"], row["uptime"]) == ("stopped", "stopped", 0)


async def test_starting_what_runs_fails_as_a_task_stopping_what_is_stopped_is_ok(client: Client) -> None:
    assert await client.task(f"{Q}/100/status/start") == "VM 100 already running"
    assert await client.task(f"{Q}/102/status/stop") == "OK"
    assert await client.task(f"{Q}/102/status/shutdown") == "OK"


@pytest.mark.parametrize("verb", ["reboot", "reset", "suspend", "resume"])
async def test_verbs_that_need_a_running_guest_refuse_at_once(client: Client, verb: str) -> None:
    got = await client.call("POST", f"{Q}/102/status/{verb}")
    assert (got.status, got.reason) == (500, "VM 102 not running")
    got = await client.call("POST", f"{Q}/999/status/{verb}")
    assert (got.status, got.reason) == (500, "unable to find configuration file for VM 999 on node 'pve'")


async def test_a_missing_guest_fails_start_and_stop_as_tasks(client: Client) -> None:
    missing = "Configuration file 'nodes/pve/qemu-server/999.conf' does not exist"
    assert await client.task(f"{Q}/999/status/start") == missing
    for verb in ("stop", "shutdown"):
        words = "unable to find configuration file for VM 999 on node 'pve'"
        assert await client.task(f"{Q}/999/status/{verb}") == words


async def test_containers_refuse_at_once_and_know_no_reset(client: Client) -> None:
    got = await client.call("POST", f"{L}/200/status/start")
    assert (got.status, got.reason) == (500, "CT 200 already running")
    got = await client.call("POST", f"{L}/200/status/reset")
    assert (got.status, got.reason) == (501, "Method 'POST /nodes/pve/lxc/200/status/reset' not implemented")
    assert await client.task(f"{L}/200/status/shutdown", {"timeout": "5", "forceStop": "1"}) == "OK"
    got = await client.call("POST", f"{L}/200/status/stop")
    assert (got.status, got.reason) == (500, "CT 200 not running")
    assert await client.task(f"{L}/200/status/start") == "OK"


async def test_a_guest_that_ignores_the_power_button(client: Client, host: SimHost) -> None:
    host.world.guests[100].acpi = False
    status = await client.task(f"{Q}/100/status/shutdown", {"timeout": "5"})
    assert status == "VM quit/powerdown failed - got timeout"
    assert host.world.guests[100].running
    upid = await client.start(f"{Q}/100/status/shutdown", {"timeout": "3", "forceStop": "1"})
    await client.clock.advance(5)
    assert await client.log(upid) == ["VM still running - terminating now with SIGTERM", "TASK OK"]
    assert not host.world.guests[100].running


async def test_a_reboot_is_ok_before_the_guest_runs_again(client: Client, host: SimHost, clock: ManualClock) -> None:
    assert await client.task(f"{Q}/100/status/reboot") == "OK"
    assert (await client.get(f"{Q}/100/status/current"))["status"] == "stopped"
    before = len(host.world.tasks)
    await clock.advance(2.5)
    assert (await client.get(f"{Q}/100/status/current"))["status"] == "running"
    assert len(host.world.tasks) == before


async def test_pausing_shows_in_qmpstatus_only(client: Client) -> None:
    assert await client.task(f"{Q}/100/status/suspend") == "OK"
    row = await client.get(f"{Q}/100/status/current")
    assert (row["status"], row["qmpstatus"]) == ("running", "paused")
    assert await client.task(f"{Q}/100/status/start") == "VM 100 already running"
    got = await client.call("POST", f"{Q}/100/status/shutdown")
    assert got.reason == "VM is paused - cannot shutdown"
    assert await client.task(f"{Q}/100/status/resume") == "OK"


async def test_a_second_operation_waits_ten_seconds_for_the_lock(client: Client, host: SimHost) -> None:
    host.world.guests[100].acpi = False
    first = await client.start(f"{Q}/100/status/shutdown", {"timeout": "60"})
    second = await client.start(f"{Q}/100/status/stop")
    await client.clock.advance(9)
    assert (await client.get(f"/nodes/pve/tasks/{second}/status"))["status"] == "running"
    await client.clock.advance(2)
    assert (await client.get(f"/nodes/pve/tasks/{second}/status"))["exitstatus"] == GOT_TIMEOUT
    assert await client.log(second) == ["trying to acquire lock...", f"TASK ERROR: {GOT_TIMEOUT}"]
    third = await client.start(f"{Q}/100/status/stop", {"overrule-shutdown": "1"})
    await client.clock.advance(1)
    row = await client.get(f"/nodes/pve/tasks/{first}/status")
    assert row["exitstatus"] == "received interrupt"
    assert (await client.log(third))[0] == f"overruled qmshutdown tasks: {first}"
    assert (await client.get(f"/nodes/pve/tasks/{third}/status"))["exitstatus"] == "OK"


async def test_start_right_after_stop_leaves_the_lock_held_for_half_a_minute(
    client: Client, host: SimHost, clock: ManualClock
) -> None:
    await client.start(f"{Q}/100/status/stop")
    await clock.advance(0.15)
    assert not host.world.guests[100].running
    await client.start(f"{Q}/100/status/start")
    await clock.advance(1)
    assert host.world.guests[100].running
    assert await client.task(f"{Q}/100/status/shutdown") == GOT_TIMEOUT
    await clock.advance(30)
    assert await client.task(f"{Q}/100/status/shutdown") == "OK"


async def test_stop_and_a_later_start_hold_nothing(client: Client, clock: ManualClock) -> None:
    await client.task(f"{Q}/100/status/stop")
    await clock.advance(2)
    await client.task(f"{Q}/100/status/start")
    await clock.advance(1)
    assert await client.task(f"{Q}/100/status/stop") == "OK"


async def test_config_locks_and_templates_fail_the_task(client: Client, host: SimHost) -> None:
    host.world.guests[102].lock = "backup"
    assert await client.task(f"{Q}/102/status/start") == "VM is locked (backup)"
    host.world.guests[102].lock = ""
    host.world.guests[102].template = True
    assert await client.task(f"{Q}/102/status/start") == "you can't start a vm if it's a template"


async def test_deleting_a_task_interrupts_it(client: Client, host: SimHost) -> None:
    host.world.guests[100].acpi = False
    upid = await client.start(f"{Q}/100/status/shutdown", {"timeout": "60"})
    assert await client.log(upid) == ["no content"]
    assert (await client.call("DELETE", f"/nodes/pve/tasks/{upid}")).status == 200
    row = await client.get(f"/nodes/pve/tasks/{upid}/status")
    assert row["exitstatus"] == "received interrupt"
    # its lock went with it
    assert await client.task(f"{Q}/100/status/stop") == "OK"


async def test_task_lists(client: Client) -> None:
    await client.task(f"{Q}/102/status/start")
    await client.task(f"{Q}/102/status/start")
    running = await client.start(f"{Q}/100/status/shutdown")
    rows = await client.get("/nodes/pve/tasks?source=active")
    assert [(r["upid"], r["status"]) for r in rows] == [(running, "RUNNING")]
    assert "endtime" not in rows[0]
    assert [r["status"] for r in await client.get("/nodes/pve/tasks?errors=1")] == ["VM 102 already running"]
    assert len(await client.get("/nodes/pve/tasks?vmid=102")) == 2
    got = await client.call("GET", "/nodes/pve/tasks?limit=1")
    assert b'"total":2' in got.body
    mine = {r["upid"]: r for r in await client.get("/cluster/tasks")}
    assert "status" not in mine[running]
    unknown = running.replace("qmshut", "qmsh")
    for upid, why in (("UPID:bogus", "unable to parse worker upid"), (unknown, "no such task")):
        got = await client.call("GET", f"/nodes/pve/tasks/{upid}/status")
        assert (got.status, why.encode() in got.body) == (400, True)


async def test_agents(client: Client, host: SimHost, clock: ManualClock) -> None:
    found = await client.get(f"{Q}/100/agent/network-get-interfaces")
    assert [i["name"] for i in found["result"]] == ["lo", "eth0"]
    got = await client.call("GET", f"{Q}/101/agent/network-get-interfaces")
    assert (got.status, got.reason) == (500, "No QEMU guest agent configured")
    host.world.guests[100].agent = "silent"
    before = clock.monotonic()
    got = await client.call("GET", f"{Q}/100/agent/network-get-interfaces")
    assert (got.status, got.reason) == (500, "QEMU guest agent is not running")
    assert clock.monotonic() - before >= 3


async def test_three_silent_agents_block_the_daemon_but_not_resources(
    client: Client, host: SimHost, clock: ManualClock
) -> None:
    host.faults.set("agent_starvation")
    ask = [asyncio.ensure_future(client.call("GET", f"{Q}/100/agent/get-host-name")) for _ in range(3)]
    while not host.workers.locked():
        await asyncio.sleep(0.001)
    assert await client.get("/cluster/resources")
    row = asyncio.ensure_future(client.call("GET", f"{Q}/100/status/current"))
    assert (await row).status == 200
    assert {(await task).reason for task in ask} == {"QEMU guest agent is not running"}
