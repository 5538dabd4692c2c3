"""What the calls say, and how they share the machine."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from raw_host import QUICK, RawHost, ok, reply

from pharmq.pve import Guest, NoSuchGuest, NotSupported, ParameterRefused, PveClient, Unreachable, Upid

QEMU, LXC = Guest("pve", "qemu", 100), Guest("pve", "lxc", 200)
UPID = "UPID:pve:000012D8:000243D7:6B03DA39:qmstart:100:root@pam:"
TASK = "GET /nodes/pve/tasks/UPID%3Apve%3A000012D8%3A000243D7%3A6B03DA39%3Aqmstart%3A100%3Aroot%40pam%3A"


@pytest.mark.parametrize(
    ("guest", "verb", "options", "form"),
    [
        (QEMU, "start", {}, {}),
        (QEMU, "start", {"timeout_s": 60}, {"timeout": "60"}),
        (LXC, "start", {"timeout_s": 60}, {}),
        (QEMU, "shutdown", {"timeout_s": 30, "force_stop": True}, {"timeout": "30", "forceStop": "1"}),
        (LXC, "shutdown", {"timeout_s": 30}, {"timeout": "30"}),
        (QEMU, "stop", {"timeout_s": 5, "overrule_shutdown": True}, {"timeout": "5", "overrule-shutdown": "1"}),
        (LXC, "stop", {"timeout_s": 5}, {}),
        (QEMU, "stop", {"force_stop": True}, {}),
        (QEMU, "reset", {"timeout_s": 5, "force_stop": True}, {}),
        (LXC, "suspend", {}, {}),
    ],
)
async def test_a_verb_sends_only_what_its_kind_of_guest_takes(
    guest: Guest, verb: Any, options: dict[str, Any], form: dict[str, str], host: RawHost, client: PveClient
) -> None:
    host.on(f"POST {guest.path}/status/{verb}", ok(f'"{UPID}"'))
    assert str(await client.power(guest, verb, **options)) == UPID
    assert dict(parse_qsl(host.seen[-1].body)) == form


async def test_a_container_has_no_reset_and_the_host_is_not_asked(host: RawHost, client: PveClient) -> None:
    with pytest.raises(NotSupported):
        await client.power(LXC, "reset")
    assert host.connections == 0


async def test_a_task_is_asked_by_its_encoded_name(host: RawHost, client: PveClient) -> None:
    upid = Upid.parse(UPID)
    host.on(
        f"{TASK}/status", ok('{"status":"running","upid":"x","pid":1}'), ok('{"status":"stopped","exitstatus":"OK"}')
    )
    host.on(f"{TASK}/log", reply(200, "OK", '{"total":1,"data":[{"n":1,"t":"TASK OK"}]}'))
    assert (await client.task_status(upid)).running
    assert (await client.task_status(upid)).exitstatus == "OK"
    assert [line.t for line in (await client.task_log(upid, 5, 10)).lines] == ["TASK OK"]
    assert host.seen[-1].query == "start=5&limit=10"


async def test_a_task_list_sends_only_the_filters_that_are_set(host: RawHost, client: PveClient) -> None:
    host.on("GET /nodes/pve/tasks", ok("[]"))
    await client.tasks("pve", vmid=100, since=1795414584)
    assert dict(parse_qsl(host.seen[-1].query)) == {
        "vmid": "100", "since": "1795414584", "source": "all", "start": "0", "limit": "50",
    }  # fmt: skip


async def test_a_node_name_cannot_leave_its_place_in_the_path(host: RawHost, client: PveClient) -> None:
    with pytest.raises(NotSupported):
        await client.node_status("../../access/users?x=")
    assert host.seen[-1].target == "/api2/json/nodes/..%2F..%2Faccess%2Fusers%3Fx%3D/status"


async def test_a_missing_guest_and_an_unknown_task_have_their_own_errors(host: RawHost, client: PveClient) -> None:
    reason = "Configuration file 'nodes/pve/qemu-server/100.conf' does not exist"
    host.on("GET /nodes/pve/qemu/100/status/current", reply(500, reason, f'{{"data":null,"message":"{reason}\\n"}}'))
    host.on(f"{TASK}/status", reply(400, "Parameter verification failed.", '{"errors":{"upid":"no such task"}}'))
    with pytest.raises(NoSuchGuest):
        await client.current(QEMU)
    with pytest.raises(ParameterRefused) as caught:
        await client.task_status(Upid.parse(UPID))
    assert caught.value.errors == {"upid": "no such task"}


class Gate:
    """A limiter that remembers how many were inside at once, and that it was left."""

    def __init__(self) -> None:
        self.inside = self.most = self.entered = 0

    async def __aenter__(self) -> None:
        self.inside += 1
        self.entered += 1
        self.most = max(self.most, self.inside)

    async def __aexit__(self, *_: object) -> None:
        self.inside -= 1


async def test_the_limiter_is_held_for_the_handshake_only(host: RawHost, make: Callable[..., PveClient]) -> None:
    gate = Gate()
    client = make(handshakes=gate)
    inside_while_waiting: list[int] = []

    async def slow(_seen: object, _reader: object, writer: asyncio.StreamWriter) -> None:
        inside_while_waiting.append(gate.inside)
        writer.write(ok('{"version":"9.2.11"}'))

    host.on("GET /version", slow)  # type: ignore[arg-type]
    await client.version()
    assert inside_while_waiting == [0]
    assert (gate.entered, gate.inside) == (2, 0)  # the login and the read


async def test_a_host_that_cannot_be_reached_takes_no_place(make: Callable[..., PveClient]) -> None:
    async with RawHost() as gone:
        dead = gone.endpoint
    gate = Gate()
    with pytest.raises(Unreachable):
        await make(endpoint=dead, handshakes=gate).version()
    assert gate.entered == 0


async def test_a_cancelled_call_leaves_nothing_behind(host: RawHost, make: Callable[..., PveClient]) -> None:
    gate = Gate()
    arrived = asyncio.Event()

    async def never(_seen: object, reader: asyncio.StreamReader, _writer: object) -> None:
        arrived.set()
        await reader.read()
        left.set()

    left = asyncio.Event()
    host.on("GET /version", never)  # type: ignore[arg-type]
    client = make(handshakes=gate, timeouts=QUICK._replace(read=30.0))
    call = asyncio.ensure_future(client.version())
    await arrived.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.wait_for(left.wait(), 30)  # the host saw us go
    assert gate.inside == 0
