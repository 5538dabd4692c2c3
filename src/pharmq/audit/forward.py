"""Forwarding the journal to a log server: RFC 5424 over UDP, TCP or TLS (octet counting, RFC 6587 and 5425).

Syslog confirms nothing, so a row counts as delivered only when its connection has lived on for ``SETTLE_S`` after it
was written; the cursor stays behind until then, and after an outage those rows are sent again. A row may therefore
arrive twice, with the same ``seq``, and never not at all. Each message carries the row's hash: the log server holds an
anchor of the chain that nobody here can change.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import select

from pharmq.base.clock import Clock
from pharmq.base.errors import Invalid, invalid_field
from pharmq.base.pacing import back_off
from pharmq.base.spawn import Spawner
from pharmq.db import Database
from pharmq.db.leases import Leases
from pharmq.journal import Journal, Row
from pharmq.journal.tables import journal
from pharmq.settings import RuntimeSettings

log = logging.getLogger(__name__)

READER = "syslog"
BATCH = 200
SETTLE_S = 30.0
IDLE_S = 5.0
CONNECT_S = 10.0
LEASE_S = 60.0
FACILITY = 13
"""log audit"""
_PORTS = {"udp": 514, "tcp": 601, "tls": 6514}


class Target(NamedTuple):
    scheme: str
    host: str
    port: int


class ForwardState(msgspec.Struct, frozen=True):
    """``sent`` is the last row that counts as delivered; ``error`` why nothing is sent now."""

    enabled: bool
    sent: int
    newest: int
    error: str | None
    since: datetime | None


def target_of(url: str) -> Target | None:
    """None for no forwarding. Raises Invalid."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise invalid_field("syslog_url", "audit.syslog_malformed") from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/") or parts.username:
        raise invalid_field("syslog_url", "audit.syslog_malformed")
    return Target(parts.scheme, parts.hostname, port)


def message(row: Row, hash: bytes, hostname: str) -> bytes:
    """One row in RFC 5424's form; what it is about is JSON in the message part."""
    severity = 4 if row.outcome not in (None, "ok") or row.kind.endswith((".refused", ".offline")) else 6
    data = {
        "seq": row.seq,
        "hash": hash.hex(),
        "act": row.act_id,
        "phase": row.phase,
        "actor": row.who.name or row.who.id,
        "source": row.who.source,
        "outcome": row.outcome,
    }
    element = "".join(f' {name}="{_param(value)}"' for name, value in data.items() if value is not None)
    body = msgspec.json.encode(
        {
            "kind": row.kind,
            "pharmacy_id": row.where.pharmacy_id,
            "host_id": row.where.host_id,
            "vm_id": row.where.vm_id,
            "upid": row.upid,
            "params": row.params,
        }
    )
    at = row.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    head = f"<{FACILITY * 8 + severity}>1 {at} {hostname} pharmq - {_token(row.kind)} [pharmq@32473{element}] "
    # The byte order mark says that the message is UTF-8.
    return head.encode() + b"\xef\xbb\xbf" + body


def _param(value: object) -> str:
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")
    return " ".join(text.split())


def _token(text: str) -> str:
    return "".join(c for c in text if 33 <= ord(c) <= 126)[:32] or "-"


class Channel(Protocol):
    async def send(self, message: bytes) -> None: ...
    def broken(self) -> bool: ...
    async def close(self) -> None: ...


class Stream:
    """TCP or TLS."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, message: bytes) -> None:
        self._writer.write(f"{len(message)} ".encode() + message)
        async with asyncio.timeout(CONNECT_S):
            await self._writer.drain()

    def broken(self) -> bool:
        """Log servers say nothing: an end of their side is the end."""
        return self._reader.at_eof() or self._reader.exception() is not None or self._writer.is_closing()

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(2):
                await self._writer.wait_closed()


class Datagrams:
    """UDP: nothing says whether they arrive."""

    def __init__(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    async def send(self, message: bytes) -> None:
        self._transport.sendto(message[:65000])

    def broken(self) -> bool:
        return self._transport.is_closing()

    async def close(self) -> None:
        self._transport.close()


async def connect(target: Target, tls: ssl.SSLContext | None = None) -> Channel:
    """Raises OSError, TimeoutError."""
    async with asyncio.timeout(CONNECT_S):
        if target.scheme == "udp":
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(
                asyncio.DatagramProtocol, remote_addr=(target.host, target.port)
            )
            return Datagrams(transport)
        context = (tls or ssl.create_default_context()) if target.scheme == "tls" else None
        return Stream(*await asyncio.open_connection(target.host, target.port, ssl=context))


class Forwarder:
    def __init__(
        self,
        db: Database,
        journal: Journal,
        leases: Leases,
        clock: Clock,
        settings: Callable[[], RuntimeSettings],
    ) -> None:
        self.db = db
        self.journal = journal
        self.leases = leases
        self.clock = clock
        self.settings = settings
        self.tls: ssl.SSLContext | None = None
        self.hostname = _token(socket.gethostname())[:255]
        self.error: str | None = None
        self.since: datetime | None = None
        self._spawner = Spawner("syslog")

    async def start(self) -> None:
        self._spawner.spawn(self._keep(), "forward")

    async def aclose(self) -> None:
        await self._spawner.aclose()

    async def state(self) -> ForwardState:
        async with self.db.read() as conn:
            sent, newest = await self.journal.cursor(conn, READER), await self.journal.head(conn)
        return ForwardState(bool(self.settings().syslog_url), sent, newest, self.error, self.since)

    async def _keep(self) -> None:
        failures = 0
        while True:
            target = self._target()
            if target is None or not await self.leases.acquire("syslog", LEASE_S):
                await self.clock.sleep(IDLE_S)
                continue
            try:
                await self._forward(target)
                failures = 0
            except (OSError, TimeoutError) as error:
                failures += 1
                self._say(str(error) or type(error).__name__)
                await self.clock.sleep(back_off(failures, base=1.0, ceiling=60.0))

    def _target(self) -> Target | None:
        try:
            return target_of(self.settings().syslog_url)
        except Invalid as error:
            self._say(error.code)
            return None

    def _say(self, error: str) -> None:
        if self.error is None:
            self.since = self.clock.now()
            log.warning("the log server is not reached: %s", error)
        self.error = error

    async def _forward(self, target: Target) -> None:
        """Until the target changes, or the connection breaks (OSError)."""
        channel = await connect(target, self.tls)
        try:
            async with self.db.read() as conn:
                at = await self.journal.cursor(conn, READER)
            written: list[tuple[float, int]] = []
            while self._target() == target:
                seen = self.journal.bell.count
                if channel.broken():
                    raise ConnectionResetError("the log server closed the connection")
                rows = await self._rows(at)
                for row, hash in rows:
                    await channel.send(message(row, hash, self.hostname))
                    at = row.seq
                if rows:
                    written.append((self.clock.monotonic(), at))
                    self.error = self.since = None
                await self._settle(written)
                if not await self.leases.renew("syslog", LEASE_S):
                    return
                if not rows:
                    await self._wait(seen)
        finally:
            await channel.close()

    async def _rows(self, after: int) -> list[tuple[Row, bytes]]:
        async with self.db.read() as conn:
            rows = await self.journal.read(conn, after, BATCH)
            wanted = [row.seq for row in rows]
            query = select(journal.c.seq, journal.c.hash).where(journal.c.seq.in_(wanted))
            hashes = {row.seq: row.hash for row in await conn.execute(query)}
        return [(row, hashes[row.seq]) for row in rows]

    async def _settle(self, written: list[tuple[float, int]]) -> None:
        """Move the cursor over what was written long enough ago."""
        now, done = self.clock.monotonic(), 0
        while written and now - written[0][0] >= SETTLE_S:
            done = written.pop(0)[1]
        if done:
            async with self.db.transaction() as tx:
                await self.journal.advance(tx, READER, done)

    async def _wait(self, seen: int) -> None:
        timer = asyncio.ensure_future(self.clock.sleep(IDLE_S))
        bell = asyncio.ensure_future(self.journal.bell.wait(seen))
        try:
            await asyncio.wait([timer, bell], return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            bell.cancel()
