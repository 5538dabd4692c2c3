"""A host written by hand: real TLS on loopback, answers scripted byte by byte. It knows no HTTP library."""

import asyncio
import datetime
import ssl
import tempfile
from collections.abc import Awaitable, Callable
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pharmq.pve import Endpoint, Timeouts
from pharmq.pve.wire import fingerprint

LOGIN = '{"username":"root@pam","ticket":"PVE:root@pam:6B03D9A4::ab+c/d==","CSRFPreventionToken":"6B03D9A4:x"}'
QUICK = Timeouts(connect=2.0, handshake=2.0, read=2.0, write=2.0, websocket=2.0)


class Seen:
    """One request as it arrived."""

    def __init__(self, head: bytes, body: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = lines[0].split(" ", 2)
        self.path = self.target.partition("?")[0].removeprefix("/api2/json")
        self.query = self.target.partition("?")[2]
        self.headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        self.body = body.decode()


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Answer = bytes | Callable[[Seen, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def reply(status: int, reason: str, body: str = "", *, headers: tuple[str, ...] = (), length: bool = True) -> bytes:
    data = body.encode()
    lines = [f"HTTP/1.1 {status} {reason}", "Server: pve-api-daemon/3.0", *headers]
    if length:
        lines.append(f"Content-Length: {len(data)}")
    return "\r\n".join([*lines, "", ""]).encode() + data


def ok(data: str) -> bytes:
    # Protected paths really send both.
    return reply(200, "OK", f'{{"data":{data}}}', headers=("Connection: close", "Connection: Keep-Alive"))


@lru_cache(maxsize=2)
def tls(name: str = "pve") -> tuple[ssl.SSLContext, str]:
    """A server context and its leaf's fingerprint."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=730))
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pem"
        path.write_bytes(
            cert.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context.load_cert_chain(path)
    return context, fingerprint(cert.public_bytes(serialization.Encoding.DER))


class RawHost:
    """``answers`` maps ``METHOD /path`` to a list of answers; the last one stays. ``seen`` keeps every request,
    ``bytes_in`` counts what came after TLS, whatever it was."""

    def __init__(self, name: str = "pve") -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.seen: list[Seen] = []
        self.connections = 0
        self.bytes_in = 0
        self.stays = False
        """Takes further requests on a connection, as pveproxy does for 5 s."""
        self._context, self.pin = tls(name)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def endpoint(self) -> Endpoint:
        assert self._server is not None
        return Endpoint("127.0.0.1", self._server.sockets[0].getsockname()[1])

    @property
    def pins(self) -> frozenset[str]:
        return frozenset({self.pin})

    def on(self, call: str, *answers: Answer) -> None:
        self.answers[call] = list(answers)

    def calls(self) -> list[str]:
        return [f"{seen.method} {seen.path}" for seen in self.seen]

    async def __aenter__(self) -> "RawHost":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client left: some tests want just that
        finally:
            self._open.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether another request may follow on this connection."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.bytes_in += len(head)
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        body = await reader.readexactly(length)
        self.bytes_in += len(body)
        seen = Seen(head[:-4], body)
        self.seen.append(seen)
        script = self.answers.get(f"{seen.method} {seen.path}")
        if not script:
            writer.write(reply(501, f"Method '{seen.method} {seen.path}' not implemented"))
        else:
            answer = script.pop(0) if len(script) > 1 else script[0]
            if isinstance(answer, bytes):
                writer.write(answer)
            else:
                await answer(seen, reader, writer)
        await writer.drain()
        return self.stays and seen.headers.get("connection") != "close"


async def silence(_seen: Seen, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Takes the request, says nothing until the client leaves."""
    await reader.read()


async def reset(_seen: Seen, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
