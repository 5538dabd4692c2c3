"""Who we are to a host: tickets, tokens, refusals. Each test counts what really reached the host."""

import asyncio
from collections.abc import Callable

import pytest
from raw_host import LOGIN, QUICK, RawHost, ok, reply, reset, silence

from pharmq.base.clock import ManualClock
from pharmq.base.secret import Secret
from pharmq.pve import (
    CertificateChanged,
    CredentialRefused,
    Endpoint,
    Guest,
    NeedTfa,
    OutcomeUnknown,
    PveClient,
    TokenCredential,
    Unreachable,
)

VERSION = ok('{"version":"9.2.11","release":"9.2","repoid":"x"}')
NO_TICKET = reply(401, "No ticket", length=False)
WRONG = reply(401, "authentication failure", '{"data":null,"message":"authentication failure\\n"}')


async def test_a_first_read_logs_in_once_and_sends_the_cookie_percent_encoded(host: RawHost, client: PveClient) -> None:
    host.on("GET /version", VERSION)
    assert (await client.version()).major == 9
    await client.version()
    assert host.calls() == ["POST /access/ticket", "GET /version", "GET /version"]
    assert host.seen[0].body == "username=root%40pam&password=pw+%2B%26%25"
    assert host.seen[1].headers["cookie"] == "PVEAuthCookie=PVE%3Aroot%40pam%3A6B03D9A4%3A%3Aab%2Bc%2Fd%3D%3D"
    assert "csrfpreventiontoken" not in host.seen[1].headers
    assert "accept-encoding" not in host.seen[1].headers


async def test_many_at_once_share_one_login(host: RawHost, client: PveClient) -> None:
    host.on("GET /version", VERSION)
    await asyncio.gather(*(client.version() for _ in range(8)))
    assert host.calls().count("POST /access/ticket") == 1


async def test_a_write_carries_the_csrf_token(host: RawHost, client: PveClient) -> None:
    host.on(
        "POST /nodes/pve/qemu/100/status/start",
        ok('"UPID:pve:000012D8:000243D7:6B03DA39:qmstart:100:root@pam:"'),
    )
    upid = await client.power(Guest("pve", "qemu", 100), "start")
    assert (upid.type, upid.id, upid.pid) == ("qmstart", "100", 0x12D8)
    assert host.seen[-1].headers["csrfpreventiontoken"] == "6B03D9A4:x"


async def test_a_ticket_is_renewed_by_itself_after_an_hour(
    host: RawHost, client: PveClient, clock: ManualClock
) -> None:
    host.on("GET /version", VERSION)
    await client.version()
    await clock.advance(3601)
    await client.version()
    assert host.calls() == ["POST /access/ticket", "GET /version"] * 2
    assert host.seen[2].body.endswith("password=PVE%3Aroot%40pam%3A6B03D9A4%3A%3Aab%2Bc%2Fd%3D%3D")


async def test_a_refused_renewal_falls_back_to_the_password(
    host: RawHost, client: PveClient, clock: ManualClock
) -> None:
    host.on("GET /version", VERSION)
    host.on("POST /access/ticket", ok(LOGIN), WRONG, ok(LOGIN))
    await client.version()
    await clock.advance(3601)
    await client.version()
    assert host.seen[3].body.endswith("password=pw+%2B%26%25")
    assert client.latched is None


async def test_a_ticket_past_its_life_is_not_even_tried(host: RawHost, client: PveClient, clock: ManualClock) -> None:
    host.on("GET /version", VERSION)
    await client.version()
    await clock.advance(7201)
    await client.version()
    assert host.seen[2].body.endswith("password=pw+%2B%26%25")


async def test_a_401_on_a_read_means_one_fresh_login(host: RawHost, client: PveClient) -> None:
    host.on("GET /version", NO_TICKET, VERSION)
    await client.version()
    assert host.calls() == ["POST /access/ticket", "GET /version"] * 2
    assert host.seen[2].body.endswith("password=pw+%2B%26%25")


async def test_a_second_401_ends_it_for_good(host: RawHost, client: PveClient) -> None:
    host.on("GET /version", NO_TICKET)
    with pytest.raises(CredentialRefused):
        await client.version()
    seen = len(host.seen)
    with pytest.raises(CredentialRefused):
        await client.version()
    assert seen == 4
    assert len(host.seen) == seen
    assert client.latched is not None


async def test_a_refused_login_is_never_repeated_until_forgiven(host: RawHost, client: PveClient) -> None:
    host.on("POST /access/ticket", WRONG)
    for _ in range(3):
        with pytest.raises(CredentialRefused):
            await client.version()
    assert host.connections == 1
    host.on("POST /access/ticket", ok(LOGIN))
    host.on("GET /version", VERSION)
    client.forgive()
    assert (await client.version()).version == "9.2.11"


async def test_eight_at_once_cause_one_refused_login(host: RawHost, client: PveClient) -> None:
    host.on("POST /access/ticket", WRONG)
    results = await asyncio.gather(*(client.version() for _ in range(8)), return_exceptions=True)
    assert all(isinstance(result, CredentialRefused) for result in results)
    assert host.connections == 1


async def test_a_second_factor_is_not_taken_for_a_login(host: RawHost, client: PveClient) -> None:
    host.on("POST /access/ticket", ok('{"username":"root@pam","ticket":"PVE:!tfa!x","NeedTFA":1}'))
    for _ in range(2):
        with pytest.raises(NeedTfa):
            await client.version()
    assert host.connections == 1


async def test_a_token_needs_neither_login_nor_csrf(host: RawHost, make: Callable[..., PveClient]) -> None:
    host.on("GET /version", VERSION, reply(401, "Authentication failed!", length=False))
    client = make(TokenCredential("pharmq@pve!main", Secret("1-2-3")))
    await client.version()
    assert host.seen[0].headers["authorization"] == "PVEAPIToken=pharmq@pve!main=1-2-3"
    for _ in range(2):
        with pytest.raises(CredentialRefused):
            await client.version()
    assert host.connections == 2


@pytest.mark.parametrize("secret", ["1\r\nX-Evil: 1", "비밀", ""])
async def test_a_token_never_becomes_another_header(host: RawHost, make: Callable[..., PveClient], secret: str) -> None:
    host.on("GET /version", VERSION)
    client = make(TokenCredential("pharmq@pve!main", Secret(secret)))
    if secret:
        with pytest.raises(CredentialRefused):
            await client.version()
        assert host.connections == 0
    else:
        await client.version()
        assert host.seen[0].headers["authorization"] == "PVEAPIToken=pharmq@pve!main="


async def test_a_name_that_is_no_name_is_a_dns_failure(make: Callable[..., PveClient]) -> None:
    with pytest.raises(Unreachable) as caught:
        await make(endpoint=Endpoint("약국..invalid", 8006)).version()
    assert (caught.value.kind, caught.value.code) == ("dns", "unreachable")


async def test_another_certificate_gets_not_one_byte(host: RawHost, make: Callable[..., PveClient]) -> None:
    async with RawHost("impostor") as other:
        assert other.pin != host.pin
        client = make(endpoint=other.endpoint)
        with pytest.raises(CertificateChanged) as caught:
            await client.version()
        assert caught.value.seen == other.pin
        assert caught.value.expected == host.pins
        assert other.bytes_in == 0


async def test_no_pin_means_no_traffic(host: RawHost, make: Callable[..., PveClient]) -> None:
    with pytest.raises(CertificateChanged):
        await make(pins=frozenset()).version()
    assert host.bytes_in == 0


async def test_one_of_several_pins_is_enough(host: RawHost, make: Callable[..., PveClient]) -> None:
    host.on("GET /version", VERSION)
    await make(pins=host.pins | {"AA:BB"}).version()


async def test_an_alternate_address_is_asked_when_the_first_is_not_there(
    host: RawHost, make: Callable[..., PveClient], clock: ManualClock
) -> None:
    gone = RawHost()
    async with gone:
        dead = gone.endpoint
    host.on("GET /version", VERSION)
    client = make(endpoint=dead, alternates=(host.endpoint,))
    await client.version()
    assert client.endpoint == host.endpoint
    await clock.advance(301)
    await client.version()


async def test_when_no_address_answers_the_main_one_says_why(make: Callable[..., PveClient]) -> None:
    async with RawHost() as gone:
        dead = gone.endpoint
    with pytest.raises(Unreachable) as caught:
        await make(endpoint=dead, alternates=(Endpoint("no..name", 8006),)).version()
    assert caught.value.kind == "refused"


async def test_an_impostor_on_the_first_address_stops_everything(host: RawHost, make: Callable[..., PveClient]) -> None:
    async with RawHost("impostor") as other:
        with pytest.raises(CertificateChanged):
            await make(endpoint=other.endpoint, alternates=(host.endpoint,)).version()
        assert host.connections == 0


async def test_a_silent_read_is_a_timeout_and_a_silent_write_an_unknown_outcome(
    host: RawHost, make: Callable[..., PveClient]
) -> None:
    client = make(timeouts=QUICK._replace(read=0.2, write=0.2))
    host.on("GET /version", silence)
    host.on("POST /nodes/pve/qemu/100/status/start", silence)
    with pytest.raises(Unreachable) as read:
        await client.version()
    assert (read.value.kind, read.value.code) == ("timeout", "timeout")
    with pytest.raises(OutcomeUnknown) as write:
        await client.power(Guest("pve", "qemu", 100), "start")
    assert write.value.executed == "unknown"


async def test_a_reset_after_the_request_leaves_a_write_unknown(host: RawHost, client: PveClient) -> None:
    host.on("GET /version", reset)
    host.on("POST /nodes/pve/lxc/200/status/stop", reset)
    with pytest.raises(Unreachable) as read:
        await client.version()
    assert read.value.kind == "reset"
    with pytest.raises(OutcomeUnknown):
        await client.power(Guest("pve", "lxc", 200), "stop")


async def test_nobody_listening_is_refused_and_certainly_not_executed(make: Callable[..., PveClient]) -> None:
    async with RawHost() as gone:
        dead = gone.endpoint
    with pytest.raises(Unreachable) as caught:
        await make(endpoint=dead).version()
    assert (caught.value.kind, caught.value.code, caught.value.executed) == ("refused", "refused", "no")


async def test_something_without_tls_is_told_as_such(make: Callable[..., PveClient]) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.9\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        with pytest.raises(Unreachable) as caught:
            await make(endpoint=Endpoint("127.0.0.1", server.sockets[0].getsockname()[1])).version()
    assert (caught.value.kind, caught.value.code) == ("tls", "tls_failed")


async def test_a_closed_client_sends_nothing(host: RawHost, client: PveClient) -> None:
    await client.close()
    with pytest.raises(Unreachable):
        await client.version()
    assert host.connections == 0
