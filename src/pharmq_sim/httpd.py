"""pveproxy's HTTP as seen on the wire: written by hand because a library would put its wrongs right.

Observed [01-login/err-*, 06-limits]: reasons carry the message, no chunking, 5 s of idle, 100 requests a
connection, everything >= 400 closes, two ``Connection`` headers on protected paths, 401 after 3 s without
Content-Length, headers over 8 KiB or 64 lines closed silently.
"""

import asyncio
import gzip
import socket
import struct
from email.utils import format_datetime
from typing import TYPE_CHECKING

from pharmq.base.clock import within
from pharmq_sim.dispatch import Answer, answer, failure, split_target
from pharmq_sim.message import ApiError, Hijacked, Request

if TYPE_CHECKING:
    from pharmq_sim.host import SimHost

IDLE_SECONDS = 5.0
MAX_REQUESTS = 100
MAX_HEADER_BYTES = 8192
MAX_HEADER_LINES = 64
MAX_BODY = 512 * 1024
HEADER_LIMIT = 64 * 1024
GZIP_FROM = 1024


class Close(Exception):
    """Close without (further) answer."""


def head_bytes(host: "SimHost", reply: Answer, connection: list[str], extra: list[tuple[str, str]]) -> bytes:
    """Status line and headers in the order Proxmox sends them."""
    date = format_datetime(host.now(), usegmt=True)
    lines = [f"HTTP/1.1 {reply.status} {reply.reason}", "Cache-Control: max-age=0"]
    lines += [f"Connection: {value}" for value in connection]
    lines += [f"Date: {date}", "Pragma: no-cache", "Server: pve-api-daemon/3.0"]
    lines += [f"{name}: {value}" for name, value in extra]
    if reply.body is not None:
        lines.append(f"Content-Length: {len(reply.body)}")
    if reply.content_type is not None:
        lines.append(f"Content-Type: {reply.content_type}")
    lines.append(f"Expires: {date}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


class Connection:
    """One client connection after the TLS handshake."""

    def __init__(self, host: "SimHost", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.host = host
        self.reader = reader
        self.writer = writer
        #: set by the fault half_open: from now on nothing is answered, nothing is closed
        self.frozen = asyncio.Event()
        self.served = 0

    async def run(self) -> None:
        """Serve until either side ends the connection."""
        try:
            while await self._one():
                pass
        except (Close, ConnectionError, asyncio.IncompleteReadError, TimeoutError, BrokenPipeError):
            pass
        except Hijacked:
            pass
        finally:
            self.writer.close()

    def abort(self) -> None:
        """Reset the connection: the peer sees ECONNRESET, not an orderly end."""
        sock = self.writer.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def _one(self) -> bool:
        """Read and answer one request; whether another may follow."""
        head = await within(self.host.clock, IDLE_SECONDS, self.reader.readuntil(b"\r\n\r\n"))
        started = self.host.clock.monotonic()
        self.served += 1
        self.host.requests += 1
        request, segments, reply, body = await self._parse(head)
        await self._silences()
        if reply is None:
            reply = await answer(self.host, request, segments, body)
        wait = reply.not_before - (self.host.clock.monotonic() - started)
        if wait > 0:
            await self.host.clock.sleep(wait)
        return await self._send(request, reply)

    async def _parse(self, head: bytes) -> tuple[Request, list[str], Answer | None, bytes]:
        """The request; a ready Answer instead of a route where the request itself is at fault."""
        if len(head) > MAX_HEADER_BYTES:
            raise Close
        lines = head[:-4].decode("latin-1").split("\r\n")
        if len(lines) - 1 > MAX_HEADER_LINES:
            raise Close
        parts = lines[0].split(" ")
        if len(parts) != 3:
            raise Close
        headers: dict[str, str] = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        request = Request(parts[0], parts[1], "", "json", headers, reader=self.reader, writer=self.writer)
        try:
            segments = self._check_request(request, parts[2])
            body = await self._body(request)
        except ApiError as error:
            return request, [], failure(error, protected=False, format_=request.format), b""
        return request, segments, None, body

    def _check_request(self, request: Request, version: str) -> list[str]:
        if not version.startswith("HTTP/1."):
            raise ApiError(506, f"http protocol version {version.removeprefix('HTTP/')} not supported", bare=True)
        if request.method not in ("GET", "POST", "PUT", "DELETE"):
            raise ApiError(501, f"method '{request.method}' not available", bare=True)
        if request.headers.get("transfer-encoding", "").lower() == "chunked":
            raise ApiError(501, "chunked transfer encoding not supported", text=True)
        request.format, segments, _ = split_target(request.target)
        return segments

    async def _body(self, request: Request) -> bytes:
        length = request.headers.get("content-length", "0")
        if not length.isdigit():
            raise ApiError(506, "invalid Content-Length", bare=True)
        if int(length) > MAX_BODY:
            raise ApiError(501, "for data too large", text=True)
        if not int(length):
            return b""
        return await within(self.host.clock, IDLE_SECONDS * 6, self.reader.readexactly(int(length)))

    async def _silences(self) -> None:
        """Faults that play between request and answer."""
        host, faults = self.host, self.host.faults
        if self.frozen.is_set():
            await asyncio.Event().wait()
        for name in ("hang", "blackhole"):
            if name in faults:
                await faults.cleared(name)
                raise Close
        if "reset" in faults:
            self.abort()
            raise Close
        delay = 0.0
        if (fault := faults.get("latency")) is not None:
            delay += float(fault.get("ms", 400)) / 1000
        if (fault := faults.get("jitter")) is not None:
            delay += host.random.uniform(0, float(fault.get("ms", 800))) / 1000
        if (fault := faults.get("stall")) is not None and host.random.random() < float(fault.get("p", 0.3)):
            delay += float(fault.get("s", 3))
        if delay:
            await host.clock.sleep(delay)

    async def _send(self, request: Request, reply: Answer) -> bool:
        extra: list[tuple[str, str]] = []
        reply = self.host.spoil(reply)
        keep = reply.status < 400 and self.served < MAX_REQUESTS
        if request.headers.get("connection", "").lower() == "close":
            keep = False
        if (
            reply.body is not None
            and len(reply.body) > GZIP_FROM
            and "gzip" in request.headers.get("accept-encoding", "")
        ):
            reply.body = gzip.compress(reply.body, 6)
            extra.append(("Content-Encoding", "gzip"))
        # the first one is pvedaemon's own, passed on by pveproxy: common clients close because of it
        connection = ["close"] if reply.protected and reply.status < 400 else []
        connection.append("Keep-Alive" if keep else "close")
        self.writer.write(head_bytes(self.host, reply, connection, extra))
        if reply.body:
            if "half_json" in self.host.faults:
                self.writer.write(reply.body[: len(reply.body) // 2])
                await self.writer.drain()
                raise Close
            self.writer.write(reply.body)
        await self.writer.drain()
        return keep


REDIRECT = (
    b"HTTP/1.1 301 Moved Permanently\r\nConnection: close\r\nServer: pve-api-daemon/3.0\r\n"
    b"Location: https://%s\r\nContent-Length: 0\r\n\r\n"
)


async def redirect_plain_http(sock: socket.socket) -> None:
    """Somebody speaks HTTP on the TLS port: 301 to https for GET, 308 for the rest."""
    loop = asyncio.get_running_loop()
    head = await loop.sock_recv(sock, MAX_HEADER_BYTES)
    lines = head.split(b"\r\n")
    parts = lines[0].split(b" ")
    if len(parts) < 3:
        return
    name = next((x.split(b":", 1)[1].strip() for x in lines[1:] if x.lower().startswith(b"host:")), b"localhost")
    reply = REDIRECT % (name + parts[1])
    if parts[0] not in (b"GET", b"HEAD"):
        reply = reply.replace(b"301 Moved Permanently", b"308 Permanent Redirect")
    await loop.sock_sendall(sock, reply)
