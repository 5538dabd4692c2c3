"""A connection that is kept for seconds carries further questions, and never a request that changes anything."""

import asyncio
from collections.abc import Callable

import pytest
from raw_host import RawHost, Seen, ok, reply

from pharmq.pve import Guest, OutcomeUnknown, PveClient, Unreachable, Upid, wire

GUEST = Guest("pve", "qemu", 100)
UPID = "UPID:pve:00001234:00ABCDEF:6B03D9A4:qmstart:100:root@pam:"
START = "POST /nodes/pve/qemu/100/status/start"
TASK = f"GET /nodes/pve/tasks/{UPID.replace(':', '%3A').replace('@', '%40')}/status"
RUNNING = ok('{"status":"running"}')


@pytest.fixture
async def client(host: RawHost, make: Callable[..., PveClient]) -> PveClient:
    host.stays = True
    host.on(TASK, RUNNING)
    host.on(START, ok(f'"{UPID}"'))
    client = make()
    await client.login()
    host.connections = 0
    return client


async def test_questions_share_a_connection_and_a_request_that_acts_has_its_own(
    host: RawHost, client: PveClient
) -> None:
    upid = await client.power(GUEST, "start")
    for _ in range(5):
        await client.task_status(upid)
    assert host.connections == 1
    await client.power(GUEST, "start")
    assert host.connections == 2


async def test_a_poll_leaves_no_connection_behind(host: RawHost, client: PveClient) -> None:
    host.on("GET /version", ok('{"version":"9.2","release":"9.2","repoid":"x"}'))
    for _ in range(2):
        await client.version()
    assert host.connections == 2
    assert host.seen[-1].headers["connection"] == "close"


async def test_a_question_whose_connection_ended_is_asked_again(host: RawHost, client: PveClient) -> None:
    async def gone(_seen: Seen, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    upid = Upid.parse(UPID)
    host.on(TASK, RUNNING, gone, RUNNING)
    assert (await client.task_status(upid)).running
    assert (await client.task_status(upid)).running
    assert host.connections == 2
    assert host.calls().count(TASK) == 3


async def test_half_an_answer_is_an_error_on_a_kept_connection_too(host: RawHost, client: PveClient) -> None:
    async def half(_seen: Seen, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(RUNNING[:-5])
        await writer.drain()
        writer.close()

    upid = Upid.parse(UPID)
    host.on(TASK, RUNNING, half, RUNNING)
    await client.task_status(upid)
    with pytest.raises(Exception, match="ended inside the body"):
        await client.task_status(upid)
    assert host.connections == 1


async def test_a_request_that_acts_and_gets_no_answer_is_never_sent_again(host: RawHost, client: PveClient) -> None:
    async def gone(_seen: Seen, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    await client.task_status(Upid.parse(UPID))
    host.on(START, gone)
    with pytest.raises(OutcomeUnknown):
        await client.power(GUEST, "start")
    assert host.calls().count(START) == 1


async def test_a_host_that_says_close_is_believed(host: RawHost, client: PveClient) -> None:
    upid = Upid.parse(UPID)
    host.on(TASK, reply(200, "OK", '{"data":{"status":"running"}}', headers=("Connection: close",)))
    for _ in range(3):
        await client.task_status(upid)
    assert host.connections == 3


async def test_what_waits_ends_by_itself_and_with_its_client(
    host: RawHost, client: PveClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    upid = Upid.parse(UPID)
    monkeypatch.setattr(wire, "KEEP_S", 0.01)
    await client.task_status(upid)
    while host._open:
        await asyncio.sleep(0.005)
    monkeypatch.undo()
    await client.task_status(upid)
    assert host.connections == 2
    await client.close()
    while host._open:
        await asyncio.sleep(0.005)
    with pytest.raises(Unreachable):
        await client.task_status(upid)


async def test_no_more_than_a_hundred_questions_on_one_connection(host: RawHost, client: PveClient) -> None:
    upid = Upid.parse(UPID)
    for _ in range(wire.MOST_EXCHANGES + 1):
        await client.task_status(upid)
    assert host.connections == 2
