"""Looking at an address before anything is trusted: its certificate, and whether Proxmox VE stands behind it.
No credential is sent."""

import asyncio
import re
from datetime import UTC, datetime
from typing import cast

from cryptography import x509

from pharmq.pve.decode import decode_realms
from pharmq.pve.errors import ProtocolError, PveError
from pharmq.pve.model import Certificate, Endpoint, ProbeResult, Realm, Timeouts
from pharmq.pve.wire import Request, TlsTransport, connect, fingerprint, leaf

_DEFAULT = Timeouts(connect=2.0, handshake=2.0, read=4.0)
_FINGERPRINT = re.compile(r"[0-9A-F]{64}")


def normalise_fingerprint(text: str) -> str:
    """Any usual way of writing a SHA-256 (case, colons, blanks, a ``SHA256`` label) as a pin. Raises ValueError."""
    plain = re.sub(r"^sha-?256( fingerprint)?\s*[=:]?\s*", "", text.strip(), flags=re.IGNORECASE)
    plain = re.sub(r"[\s:]", "", plain).upper()
    if not _FINGERPRINT.fullmatch(plain):
        raise ValueError("not a SHA-256 fingerprint")
    return ":".join(plain[i : i + 2] for i in range(0, 64, 2))


class _Look(asyncio.Protocol):
    """Takes the leaf and leaves."""

    der = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.der = leaf(transport)
        cast("asyncio.Transport", transport).abort()


async def probe_certificate(endpoint: Endpoint, timeouts: Timeouts = _DEFAULT) -> Certificate:
    """The leaf that ``endpoint`` shows. Raises Unreachable, ProtocolError (not a certificate we can read)."""
    look = await connect(endpoint, _Look, timeouts)
    return read_certificate(look.der)


def read_certificate(der: bytes) -> Certificate:
    try:
        cert = x509.load_der_x509_certificate(der)
        return Certificate(
            fingerprint(der),
            cert.subject.rfc4514_string(),
            cert.issuer.rfc4514_string(),
            _stamp(cert.not_valid_before_utc),
            _stamp(cert.not_valid_after_utc),
        )
    except ValueError as error:
        raise ProtocolError(str(error), "certificate") from None


async def probe(endpoint: Endpoint, timeouts: Timeouts = _DEFAULT) -> ProbeResult:
    """Certificate, then ``GET /access/domains`` without authentication over that very certificate.

    Raises Unreachable. Something else than Proxmox is a result with ``is_proxmox`` False.
    """
    certificate = await probe_certificate(endpoint, timeouts)
    transport = TlsTransport(frozenset({certificate.fingerprint}), timeouts)
    server = ""
    realms: tuple[Realm, ...] = ()
    is_proxmox = False
    try:
        reply = await transport.exchange(endpoint, Request("GET", "/access/domains"), timeouts.read)
        server = reply.headers.get("server", "")
        # A host whose daemon is down answers 595 here; its name in the head still tells what it is.
        is_proxmox = server.startswith("pve-api-daemon")
        if reply.status == 200:
            realms = decode_realms(reply.body)
            is_proxmox = is_proxmox or any(realm.realm in ("pam", "pve") for realm in realms)
    except PveError as error:
        if isinstance(error, ProtocolError):
            return ProbeResult(endpoint, certificate, False, server, ())
        raise
    return ProbeResult(endpoint, certificate, is_proxmox, server, realms)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
