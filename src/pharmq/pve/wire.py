"""HTTP/1.1 exchanges over TLS connections whose leaf is compared with the pins before we send a byte.

A fresh connection each time, as a rule: pveproxy closes idle ones after 5 s and we ask every 10 s. Where more
questions follow within seconds (a task is watched) the request says ``keep``, and the connection waits for the next
GET. Never for a write: on a connection that the host is just closing its outcome would be unknown.
"""

import asyncio
import contextlib
import errno
import hashlib
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar, cast

from pharmq.pve.errors import CertificateChanged, ProtocolError, PveError, Unreachable
from pharmq.pve.http1 import BODY_LIMIT, Reply, ReplyParser
from pharmq.pve.model import Endpoint, Pins, Timeouts

Limiter: TypeAlias = AbstractAsyncContextManager[Any]
"""Entered for the length of one TLS handshake (not of the TCP connect); ``asyncio.Semaphore`` is one."""

P = TypeVar("P", bound=asyncio.BaseProtocol)
T = TypeVar("T")

KEEP_S = 4.0
"""How long a connection waits for its next question; the host waits 5 s."""
KEPT_PER_HOST = 4
MOST_EXCHANGES = 90
"""On one connection; the host ends it after 100."""


class Request(NamedTuple):
    """``path`` is what follows ``/api2/json``, encoded, with its query; ``form`` is an urlencoded body; ``keep``: more
    questions to this host follow within seconds."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    form: str | None = None
    keep: bool = False


class Transport(Protocol):
    """How requests reach a host. The real one is ``TlsTransport``; contract tests put a recording one in its place."""

    async def exchange(self, endpoint: Endpoint, request: Request, timeout: float) -> Reply:
        """Raises Unreachable (``executed`` tells whether the request had been sent), CertificateChanged,
        ProtocolError."""
        ...


def tls_context() -> ssl.SSLContext:
    """No chain and no name is checked: the pin alone decides, since hosts sign their own certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


_CONTEXT = tls_context()


def fingerprint(der: bytes) -> str:
    """SHA-256 in the form Proxmox shows: upper-case hex with colons."""
    return hashlib.sha256(der).digest().hex(":").upper()


class Secured(Protocol):
    """A transport over TLS."""

    def get_extra_info(self, name: str) -> Any: ...


def leaf(transport: Secured) -> bytes:
    """The certificate the other side showed (DER); empty if it showed none."""
    tls = transport.get_extra_info("ssl_object")
    return (tls.getpeercert(binary_form=True) or b"") if tls is not None else b""


def refuse_other_leaf(transport: Secured, pins: Pins) -> None:
    """Raises CertificateChanged unless the leaf is pinned. No pin means that nobody confirmed it: refused."""
    seen = fingerprint(leaf(transport))
    if seen not in pins:
        raise CertificateChanged(pins, seen)


def encode(endpoint: Endpoint, request: Request, *, close: bool = True) -> bytes:
    lines = [f"{request.method} /api2/json{request.path} HTTP/1.1", f"Host: {endpoint.authority}"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    body = b""
    if request.form is not None:
        body = request.form.encode()
        lines.append("Content-Type: application/x-www-form-urlencoded")
        lines.append(f"Content-Length: {len(body)}")
    if close:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body


class _Line(asyncio.Protocol):
    """One connection: exchanges one after another, the first as soon as the leaf is checked."""

    def __init__(self, payload: bytes, pins: Pins) -> None:
        self.done: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.sent = self.heard = self.lost = False
        self.exchanges = 1
        self._payload = payload
        self._pins = pins
        self._parser = ReplyParser(BODY_LIMIT)
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        try:
            refuse_other_leaf(transport, self._pins)
        except CertificateChanged as changed:
            self._fail(changed)
            return
        self.sent = True
        self._transport.write(self._payload)

    def ask(self, payload: bytes) -> None:
        """The next exchange; only a question may wait for its answer here, since it can be asked again elsewhere."""
        assert self._transport is not None
        self.done = asyncio.get_running_loop().create_future()
        self._parser = ReplyParser(BODY_LIMIT)
        self.heard = False
        self.exchanges += 1
        self._transport.write(payload)

    def keep(self) -> bool:
        """Wait for another exchange, if this line may: True; ``take`` ends the wait."""
        if self.lost or not self._parser.keeps or self._parser.rest or self.exchanges >= MOST_EXCHANGES:
            return False
        self._waiting = asyncio.get_running_loop().call_later(KEEP_S, self.abort)
        return True

    def take(self) -> bool:
        """False when it ended meanwhile."""
        if self._waiting is not None:
            self._waiting.cancel()
        return not self.lost

    def data_received(self, data: bytes) -> None:
        if self.done.done():
            # Nobody has asked: whatever this is, it must not be taken for the next answer.
            self.abort()
            return
        self.heard = True
        try:
            reply = self._parser.feed(data)
        except ProtocolError as error:
            self._fail(error)
            return
        if reply is not None:
            self.done.set_result(reply)

    def eof_received(self) -> None:
        self._ended("the host closed the connection without an answer")

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended(str(exc or "the connection was lost"))

    def _ended(self, why: str) -> None:
        self.lost = True
        if self.done.done():
            self.abort()
            return
        try:
            reply = self._parser.eof()
        except ProtocolError as error:
            self._fail(error)
            return
        if reply is None:
            self._fail(Unreachable("reset", why, executed="unknown" if self.sent else "no"))
        else:
            self.done.set_result(reply)
            self.abort()

    def _fail(self, error: PveError) -> None:
        if not self.done.done():
            self.done.set_exception(error)
        self.abort()

    def abandon(self) -> None:
        """Nobody waits for the reply any more."""
        if not self.done.cancel() and not self.done.cancelled():
            self.done.exception()  # fetched, else the loop complains about it
        self.abort()

    def abort(self) -> None:
        self.lost = True
        # Not close(): that would wait for the other side's close_notify, up to 30 s of a silent host.
        if self._transport is not None:
            self._transport.abort()


class TlsTransport:
    """The real transport of one host."""

    def __init__(self, pins: Pins, timeouts: Timeouts, handshakes: Limiter | None = None) -> None:
        self.pins = pins
        self.timeouts = timeouts
        self.handshakes = handshakes
        self._kept: dict[Endpoint, list[_Line]] = {}

    async def exchange(self, endpoint: Endpoint, request: Request, timeout: float) -> Reply:
        payload = encode(endpoint, request, close=not request.keep)
        if request.method == "GET" and (line := self._waiting(endpoint)) is not None:
            line.ask(payload)
            try:
                return await self._reply(line, endpoint, request, timeout)
            except Unreachable as error:
                if line.heard or error.kind != "reset":
                    raise
            # It ended before a word of an answer: as if we had not had it.
        line = await connect(endpoint, lambda: _Line(payload, self.pins), self.timeouts, self.handshakes)
        return await self._reply(line, endpoint, request, timeout)

    async def _reply(self, line: _Line, endpoint: Endpoint, request: Request, timeout: float) -> Reply:
        kept = False
        try:
            async with asyncio.timeout(timeout):
                reply = await line.done
            kept = request.keep and self._keep(endpoint, line)
            return reply
        except TimeoutError:
            raise Unreachable("timeout", f"no answer within {timeout:g} s", executed="unknown") from None
        finally:
            if not kept:
                line.abandon()

    def _keep(self, endpoint: Endpoint, line: _Line) -> bool:
        lines = self._kept.setdefault(endpoint, [])
        lines[:] = [each for each in lines if not each.lost]
        if len(lines) >= KEPT_PER_HOST or not line.keep():
            return False
        lines.append(line)
        return True

    def _waiting(self, endpoint: Endpoint) -> _Line | None:
        """The one that was used last, so that others run out."""
        lines = self._kept.get(endpoint, [])
        while lines:
            if (line := lines.pop()).take():
                return line
        return None

    def forget(self) -> None:
        """Let go of what waits."""
        for lines in self._kept.values():
            for line in lines:
                if line.take():
                    line.abort()
        self._kept.clear()


async def connect(
    endpoint: Endpoint, factory: Callable[[], P], timeouts: Timeouts, handshakes: Limiter | None = None
) -> P:
    """A protocol whose TLS handshake is done. Raises Unreachable with ``executed="no"``."""

    async def secure(sock: socket.socket) -> P:
        _, protocol = await asyncio.get_running_loop().create_connection(
            factory, sock=sock, ssl=_CONTEXT, server_hostname="", ssl_shutdown_timeout=1.0
        )
        return protocol

    return await reached(endpoint, secure, timeouts, handshakes)


async def reached(
    endpoint: Endpoint, secure: Callable[[socket.socket], Awaitable[T]], timeouts: Timeouts, handshakes: Limiter | None
) -> T:
    """What ``secure`` makes of a connected socket. Raises Unreachable with ``executed="no"``.

    TCP and TLS are separate steps so that a host that drops packets holds no place of ``handshakes``.
    """
    with _as_unreachable():
        async with asyncio.timeout(timeouts.connect):
            sock = await _tcp(endpoint)
    try:
        with _as_unreachable():
            async with handshakes or _no_limit(), asyncio.timeout(timeouts.handshake):
                return await secure(sock)
    except BaseException:
        sock.close()
        raise


@asynccontextmanager
async def _no_limit() -> AsyncIterator[None]:
    yield


async def _tcp(endpoint: Endpoint) -> socket.socket:
    loop = asyncio.get_running_loop()
    targets: list[tuple[socket.AddressFamily, Any]]
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(endpoint.address).version == 6 else socket.AF_INET
        targets = [(family, (endpoint.address, endpoint.port))]
    except ValueError:
        found = await loop.getaddrinfo(endpoint.address, endpoint.port, type=socket.SOCK_STREAM)
        targets = [(family, address) for family, _, _, _, address in found]
    failure: OSError = OSError(errno.EHOSTUNREACH, "the name has no address")
    for family, address in targets:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(sock, address)
        except RuntimeError as stale:
            # asyncio (not uvloop) may still know a dying transport by this descriptor's number; nothing was sent.
            sock.close()
            failure = ConnectionResetError(str(stale))
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


@contextlib.contextmanager
def _as_unreachable() -> Iterator[None]:
    try:
        yield
    except PveError:
        raise
    except TimeoutError:
        raise Unreachable("timeout", "no connection in time") from None
    except (socket.gaierror, UnicodeError) as error:
        raise Unreachable("dns", str(error)) from None
    except ConnectionRefusedError as error:
        raise Unreachable("refused", str(error)) from None
    except ssl.SSLError as error:
        raise Unreachable("tls", error.reason or str(error)) from None
    except ConnectionError as error:
        raise Unreachable("reset", str(error)) from None
    except OSError as error:
        raise Unreachable(_KINDS.get(error.errno or 0, "blocked"), str(error)) from None


_KINDS: dict[int, Any] = {errno.ETIMEDOUT: "timeout", errno.ECONNREFUSED: "refused", errno.ECONNRESET: "reset"}
