"""Each way in which a simulated host fails ends in the client's one right error, and in nothing else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from pharmq.base.clock import ManualClock
from pharmq.base.secret import Secret
from pharmq.pve import (
    CertificateChanged,
    ClusterDown,
    CredentialRefused,
    Endpoint,
    Guest,
    HostFault,
    NeedTfa,
    OutcomeUnknown,
    PasswordCredential,
    PermissionDenied,
    ProtocolError,
    PveClient,
    PveError,
    Timeouts,
    TokenCredential,
    Unreachable,
    exit_ok,
)
from pharmq_sim.host import SimHost
from pharmq_sim.testing import PASSWORD, SimFleet
from pharmq_sim.world import User

QUICK = Timeouts(connect=0.4, handshake=0.4, read=3.0, write=3.0, websocket=0.5)
SHORT = QUICK._replace(read=0.4, write=0.4)
POS, SERVER = Guest("pve", "qemu", 100), Guest("pve", "qemu", 102)


class Bench:
    def __init__(self, host: SimHost, clock: ManualClock) -> None:
        self.host, self.clock = host, clock

    def client(self, timeouts: Timeouts = QUICK, user: str = "root@pam") -> PveClient:
        return PveClient(
            Endpoint(self.host.address, self.host.port),
            PasswordCredential(user, Secret(PASSWORD)),
            frozenset({self.host.fingerprint}),
            clock=self.clock,
            timeouts=timeouts,
        )

    async def run(self, call: Awaitable[Any]) -> Any:
        """The call's result while the simulator's clock runs (a 401 takes 3 s of it, a 596 takes 30)."""
        work = asyncio.ensure_future(call)
        while not work.done():
            await asyncio.sleep(0.002)
            await self.clock.advance(0.5)
        return work.result()

    async def failure(self, call: Awaitable[Any]) -> PveError:
        with pytest.raises(PveError) as caught:
            await self.run(call)
        return caught.value


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    clock = ManualClock()
    async with SimFleet(1, clock=clock) as fleet:
        yield Bench(fleet[0], clock)


Case = tuple[str, dict[str, Any], Timeouts, type[PveError], str]
READS: list[Case] = [
    ("hang", {}, SHORT, Unreachable, "timeout"),
    ("refused", {}, SHORT, Unreachable, "refused"),
    ("blackhole", {}, SHORT, Unreachable, "timeout"),
    ("reset", {}, SHORT, Unreachable, "unreachable"),
    ("http_401", {}, QUICK, CredentialRefused, "credential_refused"),
    ("http_403", {}, QUICK, PermissionDenied, "permission_denied"),
    ("http_5xx", {}, QUICK, HostFault, "host_fault"),
    ("pmxcfs_down", {}, QUICK, ClusterDown, "cluster_down"),
    ("garbage_json", {}, QUICK, ProtocolError, "protocol_error"),
    ("half_json", {}, QUICK, ProtocolError, "protocol_error"),
    ("wrong_types", {}, QUICK, ProtocolError, "protocol_error"),
    ("huge_json", {"mb": 20}, QUICK._replace(read=20.0), ProtocolError, "protocol_error"),
    ("credential_revoked", {}, QUICK, CredentialRefused, "credential_refused"),
    ("changed_certificate", {}, QUICK, CertificateChanged, "certificate_changed"),
]


@pytest.mark.parametrize("case", READS, ids=lambda case: case[0])
async def test_a_read_under_a_fault(case: Case, bench: Bench) -> None:
    name, params, timeouts, kind, code = case
    client = bench.client(timeouts)
    if name not in ("credential_revoked", "http_401"):
        await bench.run(client.resources())
    bench.host.faults.set(name, **params)
    failure = await bench.failure(client.resources())
    assert isinstance(failure, kind)
    assert failure.code == code


@pytest.mark.parametrize("name", ["latency", "jitter", "clock_skew", "half_open", "595", "pvedaemon_hung"])
async def test_what_a_read_survives(name: str, bench: Bench) -> None:
    client = bench.client()
    await bench.run(client.resources())
    bench.host.faults.set(name)
    assert (await bench.run(client.resources())).guests


async def test_lost_rights_are_an_empty_answer_not_an_error(bench: Bench) -> None:
    client = bench.client()
    bench.host.faults.set("acl_lost")
    assert (await bench.run(client.resources())).guests == ()


async def test_a_revoked_credential_costs_the_host_two_requests_and_then_none(bench: Bench) -> None:
    client = bench.client()
    await bench.run(client.resources())
    bench.host.faults.set("credential_revoked")
    before = bench.host.requests
    for _ in range(4):
        assert isinstance(await bench.failure(client.resources()), CredentialRefused)
    assert bench.host.requests - before == 2  # the read, and the one fresh login


async def test_a_start_that_answers_596_and_was_executed_is_unknown(bench: Bench) -> None:
    client = bench.client()
    await bench.run(client.login())
    bench.host.faults.set("596_executed")
    failure = await bench.failure(client.power(SERVER, "start"))
    assert isinstance(failure, OutcomeUnknown)
    bench.host.faults.clear()
    rows = await bench.run(client.tasks("pve", vmid=102))
    assert [row.type for row in rows] == ["qmstart"]


async def test_a_write_to_a_dead_daemon_was_not_executed(bench: Bench) -> None:
    client = bench.client()
    await bench.run(client.login())
    bench.host.faults.set("595")
    failure = await bench.failure(client.power(SERVER, "start"))
    assert isinstance(failure, HostFault)
    assert (failure.status, failure.executed) == (595, "no")


async def test_a_second_factor_is_named(bench: Bench) -> None:
    bench.host.world.users["root@pam"] = User("root@pam", PASSWORD, tfa=True)
    assert isinstance(await bench.failure(bench.client().resources()), NeedTfa)


async def test_a_wrong_token_is_refused_once(bench: Bench) -> None:
    client = PveClient(
        Endpoint(bench.host.address, bench.host.port),
        TokenCredential("root@pam!none", Secret("x")),
        frozenset({bench.host.fingerprint}),
        clock=bench.clock,
        timeouts=QUICK,
    )
    before = bench.host.requests
    for _ in range(3):
        assert isinstance(await bench.failure(client.resources()), CredentialRefused)
    assert bench.host.requests - before == 1


async def test_a_ticket_outlives_its_two_hours_by_renewal(bench: Bench) -> None:
    client = bench.client()
    for _ in range(5):
        assert (await bench.run(client.resources())).guests
        await bench.clock.advance(3000)


@pytest.mark.parametrize("verb", ["start", "reset", "suspend", "resume", "stop"])
async def test_a_verb_runs_to_its_end(verb: Any, bench: Bench) -> None:
    client = bench.client()
    upid = await bench.run(client.power(SERVER if verb == "start" else POS, verb))
    await bench.clock.advance(30)
    status = await bench.run(client.task_status(upid))
    assert not status.running
    assert exit_ok(status.exitstatus)
    assert (await bench.run(client.task_log(upid))).total >= 1


@pytest.mark.parametrize("version", ["9.2", "8.2", "7.4"])
async def test_a_console_opens_on_every_version(version: str) -> None:
    from pharmq.rfb import RfbClientHandshake

    clock = ManualClock()
    async with SimFleet(1, clock=clock, version=version) as fleet:
        bench = Bench(fleet[0], clock)
        client = bench.client()
        vnc = await bench.run(client.vncproxy(POS))

        async def handshake() -> bytes:
            stream = await client.open_websocket(POS, vnc)
            rfb = RfbClientHandshake(vnc.password)
            while not rfb.done:
                data = await stream.recv()
                assert data is not None, rfb.ended()
                await stream.send(rfb.feed(data))
            first = rfb.rest or await stream.recv()
            await stream.close()
            return first or b""

        assert b"QEMU (POS-1)" in await bench.run(handshake())
