"""Looking at an address: what is learnt, and that nothing secret is said."""

import asyncio

import pytest
from raw_host import RawHost, ok, reply

from pharmq.pve import Endpoint, Timeouts, Unreachable, normalise_fingerprint, probe, probe_certificate

QUICK = Timeouts(connect=1.0, handshake=0.3, read=1.0)
REALMS = ok('[{"realm":"pam","type":"pam","comment":"Linux PAM"},{"realm":"pve","type":"pve","tfa":"oath"}]')


async def test_the_leaf_is_read_without_a_request(host: RawHost) -> None:
    found = await probe_certificate(host.endpoint, QUICK)
    assert found.fingerprint == host.pin
    assert (found.subject, found.issuer) == ("CN=pve", "CN=pve")
    assert (found.not_before, found.not_after) == ("2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z")
    assert host.bytes_in == 0


async def test_a_probe_tells_realms_and_carries_no_credential(host: RawHost) -> None:
    host.on("GET /access/domains", REALMS)
    found = await probe(host.endpoint, QUICK)
    assert found.is_proxmox
    assert found.server == "pve-api-daemon/3.0"
    assert [(realm.realm, realm.tfa) for realm in found.realms] == [("pam", None), ("pve", "oath")]
    assert found.certificate.fingerprint == host.pin
    assert not {"authorization", "cookie"} & set(host.seen[0].headers)


async def test_a_host_whose_daemon_is_down_is_still_known_as_proxmox(host: RawHost) -> None:
    host.on("GET /access/domains", reply(595, "Connection refused"))
    found = await probe(host.endpoint, QUICK)
    assert (found.is_proxmox, found.realms) == (True, ())


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 404 Not Found\r\nServer: nginx\r\nContent-Length: 0\r\n\r\n",
        b"220 mail.example ESMTP\r\n",
    ],
)
async def test_something_else_is_a_result_not_an_error(host: RawHost, answer: bytes) -> None:
    host.on("GET /access/domains", answer)
    found = await probe(host.endpoint, QUICK)
    assert not found.is_proxmox
    assert found.certificate.fingerprint == host.pin


async def test_a_listener_that_never_speaks_ends_by_our_own_time() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    async with server:
        with pytest.raises(Unreachable) as caught:
            await probe_certificate(Endpoint("127.0.0.1", server.sockets[0].getsockname()[1]), QUICK)
    assert caught.value.kind == "timeout"


HEX = "AB" * 32
COLONS = ":".join(["AB"] * 32)


@pytest.mark.parametrize(
    "text", [HEX, HEX.lower(), COLONS, f" {COLONS.lower()} ", f"SHA256 Fingerprint={COLONS}", f"sha256:{HEX}"]
)
def test_every_usual_way_of_writing_a_fingerprint_is_one_pin(text: str) -> None:
    assert normalise_fingerprint(text) == COLONS


@pytest.mark.parametrize("text", ["", "AB", HEX + "AB", "G" * 64, "SHA1 Fingerprint=" + COLONS[:59]])
def test_what_is_no_sha256_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256"):
        normalise_fingerprint(text)
