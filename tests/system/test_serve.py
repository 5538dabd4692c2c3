"""``pharmq serve`` and ``pharmq doctor`` as processes: first start, TLS, a lost key, an end without loss."""

import asyncio
import re
import signal
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from system_rig import SETUP, alive_with, free_port, listening, running

PASSWORD = "a long enough password"


def serve(folder: Path, port: int, *more: str) -> list[str]:
    return ["-m", "pharmq", "serve", "--data-dir", str(folder / "data"), "--port", str(port), *more]


def key_of(folder: Path) -> dict[str, str]:
    return {"PHARMQ_KEY_FILE": str(folder / "keys" / "master.key")}


def certificate(folder: Path, name: str, days: int = 30) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "cert.pem", folder / "key.pem"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_file, key_file


async def until_up(port: int) -> None:
    for _ in range(2400):
        if listening(port):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never listened")


async def test_the_first_start_offers_one_link_and_only_the_given_address_listens(tmp_path: Path) -> None:
    port = free_port()
    async with running(serve(tmp_path, port), **key_of(tmp_path)) as server:
        link = urlsplit((await server.wait_for(SETUP, 120))[1])
        await until_up(port)
        url = f"http://127.0.0.1:{port}"
        # A second start on the same address must not take the first one's link away.
        async with running(serve(tmp_path, port), **key_of(tmp_path)) as second:
            await second.wait_for(re.compile("cannot listen on"), 120)
            assert SETUP.search(second.text) is None
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            body = {"token": link.fragment, "username": "kim", "password": PASSWORD}
            async with session.post(f"{url}/api/setup", json=body) as answer:
                assert answer.status == 200
            async with session.get(f"{url}/api/session") as answer:
                assert (await answer.json())["user"]["name"] == "kim"
            async with session.get(url) as page:
                assert page.status == 200
                assert "PharmQ" in await page.text()
        for kept in (tmp_path / "data").iterdir():
            assert stat.S_IMODE(kept.stat().st_mode) & 0o077 == 0, kept
        assert link.fragment not in (tmp_path / "data" / "pharmq.db").read_bytes().decode("latin-1")
        sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        at_port = [row[1] for row in sockets if row[3] == "0A" and row[1].endswith(f":{port:04X}")]
        assert at_port == [f"0100007F:{port:04X}"]
        assert await server.end(signal.SIGTERM) == 0
    async with running(serve(tmp_path, port), **key_of(tmp_path)) as server:
        await until_up(port)
        assert SETUP.search(server.text) is None


async def test_another_key_is_refused_with_a_remedy(tmp_path: Path) -> None:
    port = free_port()
    async with running(serve(tmp_path, port), **key_of(tmp_path)) as server:
        await until_up(port)
        await server.end()
    (tmp_path / "keys" / "master.key").rename(tmp_path / "keys" / "kept")
    async with running(serve(tmp_path, port), **key_of(tmp_path), LC_ALL="C.UTF-8") as server:
        assert await server.ended(120) == 1
        assert "Put the key file back" in server.text
    async with running(
        ["-m", "pharmq", "doctor", "--lang", "ko", "--data-dir", str(tmp_path / "data")],
        **key_of(tmp_path),
        COLUMNS="200",
    ) as doctor:
        assert await doctor.ended(120) == 1
        assert "암호화 키가 없습니다." in doctor.text
        assert "백업한 키 파일을 되돌려 놓으세요." in doctor.text


async def test_tls_by_files_and_a_renewed_certificate_without_a_restart(tmp_path: Path) -> None:
    port = free_port()
    files = certificate(tmp_path, "one")
    options = ["--tls-certificate", str(files[0]), "--tls-key", str(files[1])]
    trust = ssl.create_default_context()
    trust.check_hostname = False
    trust.verify_mode = ssl.CERT_NONE

    async def leaf() -> bytes:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
        found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return found

    async with running(serve(tmp_path, port, *options), **key_of(tmp_path)) as server:
        await until_up(port)
        before = await leaf()
        certificate(tmp_path, "two")
        server.process.send_signal(signal.SIGHUP)
        for _ in range(1200):
            if await leaf() != before:
                break
            await asyncio.sleep(0.05)
        assert await leaf() != before
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"https://127.0.0.1:{port}/healthz", ssl=False) as ok,
        ):
            assert ok.headers["Strict-Transport-Security"]
        assert await server.end() == 0


@pytest.mark.parametrize("pull", [signal.SIGTERM, signal.SIGINT])
async def test_an_open_stream_does_not_hold_up_the_end(tmp_path: Path, pull: signal.Signals) -> None:
    port = free_port()
    async with running(serve(tmp_path, port), **key_of(tmp_path)) as server:
        link = urlsplit((await server.wait_for(SETUP, 120))[1])
        await until_up(port)
        url = f"http://127.0.0.1:{port}"
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            body = {"token": link.fragment, "username": "kim", "password": PASSWORD}
            async with session.post(f"{url}/api/setup", json=body):
                pass
            async with session.get(f"{url}/api/stream") as stream:
                assert b"snapshot" in await stream.content.readuntil(b"\n\n") + await stream.content.readuntil(b"\n\n")
                assert await server.end(pull, seconds=10) == 0
    assert alive_with(str(tmp_path)) == []
