"""Before a host is saved: who answers there, is it the certificate a person confirmed, does it take the credential?"""

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from pharmq.base.clock import Clock
from pharmq.base.errors import Conflict, FieldError, Invalid, PharmqError
from pharmq.hosts.clients import HostClients
from pharmq.hosts.model import Check, Host, ParamValue, Pin
from pharmq.pve import (
    Certificate,
    CertificateChanged,
    Credential,
    CredentialRefused,
    Endpoint,
    NeedTfa,
    PermissionDenied,
    ProbeResult,
    PveError,
    Resources,
    Timeouts,
    Unreachable,
    normalise_fingerprint,
    probe,
    probe_certificate,
)

PORTS = (8006, 443)
"""Asked in this order when no port was given: Proxmox's own, then what people map it to."""

PROVE_TIMEOUTS = Timeouts(connect=3.0, handshake=3.0, read=8.0)
"""Somebody is waiting; a refused login alone takes the host 3 s."""


class Proof(NamedTuple):
    """``host`` with the port, node and pin that were found; ``check`` says how it stands now."""

    host: Host
    check: Check


async def look(address: str, ports: Sequence[int]) -> ProbeResult:
    """The first port where Proxmox answers, else the first that answers at all. Raises Unreachable."""
    other: ProbeResult | None = None
    failure: PveError | None = None
    for port in ports:
        try:
            found = await probe(Endpoint(address, port))
        except PveError as error:
            failure = failure or error
            continue
        if found.is_proxmox:
            return found
        other = other or found
    if other is not None:
        return other
    assert failure is not None
    raise failure


def confirmed(found: ProbeResult, fingerprint: str | None) -> Pin:
    """The pin a person has confirmed. Raises Conflict when nobody has, or what was confirmed is not what is there."""
    seen: dict[str, ParamValue] = {
        "fingerprint": found.certificate.fingerprint,
        "subject": found.certificate.subject,
        "not_after": found.certificate.not_after,
        "address": found.endpoint.address,
        "port": found.endpoint.port,
    }
    if fingerprint is None:
        raise Conflict("host.fingerprint_unconfirmed", params=seen)
    if fingerprint != found.certificate.fingerprint:
        raise Conflict("host.fingerprint_differs", params={**seen, "confirmed": fingerprint})
    return pin_of(found.certificate)


def pin_of(certificate: Certificate) -> Pin:
    """Proxmox names the node in the certificate that it signs for it."""
    named = re.search(r"(?:^|,)CN=((?:[^,\\]|\\.)+)", certificate.subject)
    return Pin(certificate.fingerprint, moment(certificate.not_after), named[1][:64] if named else None)


class Shown(NamedTuple):
    """What an address shows; no pin: it does not answer."""

    address: str
    pin: Pin | None
    subject: str = ""


async def look_round(addresses: Sequence[str], port: int) -> tuple[Shown, ...]:
    """The certificates of some addresses, asked for at once. Sends no credential."""

    async def one(address: str) -> Shown:
        try:
            found = await probe_certificate(Endpoint(address, port))
        except PveError:
            return Shown(address, None)
        return Shown(address, pin_of(found), found.subject)

    return tuple(await asyncio.gather(*map(one, addresses)))


def pins_after(shown: Sequence[Shown], known: Sequence[Pin], new: Sequence[Pin]) -> tuple[Pin, ...]:
    """The pins of a host once ``new`` ones are confirmed: those, and of the known ones those that an address still
    shows, or that may belong to an address that is silent now, unless their node has another one by now."""
    seen = {one.pin.fingerprint for one in shown if one.pin}
    nodes = {pin.node for pin in new} | {one.pin.node for one in shown if one.pin}
    silent = len(shown) > 1 and any(one.pin is None for one in shown)
    fresh = {pin.fingerprint for pin in new}
    kept = [
        pin
        for pin in known
        if pin.fingerprint not in fresh and (pin.fingerprint in seen or (silent and pin.node not in {None, *nodes}))
    ]
    main = shown[0].pin.fingerprint if shown and shown[0].pin else known[0].fingerprint if known else ""
    return tuple(sorted((*new, *kept), key=lambda pin: pin.fingerprint != main))


async def nodes_pins(draft: Host, port: int, main: Pin, others: frozenset[str]) -> tuple[Pin, ...]:
    """``main`` with the pins of further addresses, which may be other nodes of a cluster with certificates of their
    own. Raises Conflict for one that nobody has confirmed; a silent address gets its pin when it answers."""
    known = {main.fingerprint, *others, *(pin.fingerprint for pin in draft.pins)}
    shown = await look_round(draft.addresses, port)
    new = [main]
    for address, pin, subject in shown:
        if pin is None:
            continue
        if pin.fingerprint not in known:
            ends = pin.not_after.isoformat() if pin.not_after else ""
            found = {"fingerprint": pin.fingerprint, "subject": subject, "not_after": ends}
            raise Conflict("host.fingerprint_unconfirmed", params={**found, "address": address, "port": port})
        if all(pin.fingerprint != one.fingerprint for one in new):
            new.append(pin)
    return pins_after((Shown(draft.host_ip, main), *shown), draft.pins, new)


def fingerprint_of(text: str, field: str = "fingerprint") -> str:
    """Any usual way of writing a SHA-256. Raises Invalid, naming ``field``."""
    try:
        return normalise_fingerprint(text)
    except ValueError:
        raise Invalid("request.invalid", fields={field: [FieldError("host.fingerprint_malformed")]}) from None


def moment(text: str) -> datetime | None:
    """A certificate's time, None when it cannot be read."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def as_problem(error: PveError, credential_field: str) -> PharmqError:
    """A failure while proving, as the error of the field that a person would correct."""
    field = "host_ip"
    if isinstance(error, (CredentialRefused, NeedTfa, PermissionDenied)):
        field = credential_field
    return Invalid("host.not_proved", fields={field: [FieldError(f"pve.{error.code}", dict(error.params))]})


async def prove(
    clients: HostClients,
    clock: Clock,
    draft: Host,
    ports: Sequence[int],
    credential: Credential,
    fingerprint: str | None,
    credential_field: str,
    *,
    force: bool,
    others: frozenset[str] = frozenset(),
) -> Proof:
    """Probe without any credential, compare with what was confirmed, then log in and ask.

    With ``force`` a host that does not answer, or does not accept us, is kept as offline with the reason; a
    certificate that nobody confirmed is never accepted. ``others``: fingerprints a person has confirmed for further
    addresses. Raises Invalid, Conflict.
    """
    try:
        found = await look(draft.host_ip, ports)
    except PveError as error:
        if not force:
            raise as_problem(error, credential_field) from error
        known = {pin.fingerprint for pin in draft.pins}
        pins = draft.pins if fingerprint is None or fingerprint in known else (Pin(fingerprint),)
        host = msgspec.structs.replace(draft, pins=pins, host_port=ports[0])
        return Proof(host, failed(error, clock.now(), None))
    if not found.is_proxmox and not force:
        raise Invalid("host.not_proved", fields={"host_ip": [FieldError("host.not_proxmox", {"server": found.server})]})
    pin = confirmed(found, fingerprint)
    pins = await nodes_pins(draft, found.endpoint.port, pin, others)
    host = msgspec.structs.replace(draft, host_port=found.endpoint.port, pins=pins)
    client = clients.make(host, credential, PROVE_TIMEOUTS)
    began = clock.monotonic()
    try:
        version = await client.version()
        resources = await client.resources()
    except PveError as error:
        if not force:
            raise as_problem(error, credential_field) from error
        return Proof(host, failed(error, clock.now(), host.credential_revision))
    finally:
        await client.close()
    check = succeeded(resources, host, clock.now(), clock.monotonic() - began)
    check = msgspec.structs.replace(check, version=version.version)
    return Proof(msgspec.structs.replace(host, node=host.node or check.node), check)


def succeeded(resources: Resources, host: Host, at: datetime, took: float) -> Check:
    """What ``/cluster/resources`` says of the host itself.

    A host on its own has one node, which is the one we talk to; in a cluster the certificate names it.
    """
    node = host.node
    if node is None:
        names = [row.node for row in resources.nodes]
        named = host.pins[0].node if host.pins else None
        node = names[0] if len(names) == 1 else named if named in names else None
    row = next((row for row in resources.nodes if row.node == node), None)
    storages = [row for row in resources.storages if row.node == node and row.maxdisk]
    return Check(
        at=at,
        latency_ms=round(took * 1000),
        node=node,
        cpu=row.cpu if row else None,
        memory_used=row.mem if row else None,
        memory_total=row.maxmem if row else None,
        storage_used=sum(row.disk or 0 for row in storages) if storages else None,
        storage_total=sum(row.maxdisk or 0 for row in storages) if storages else None,
    )


def failed(error: PveError, at: datetime, revision: int | None) -> Check:
    """A failure as the host's state; ``revision`` is that of the credential it was tried with."""
    params: dict[str, ParamValue] = {name: value for name, value in error.params.items() if value not in ("", None)}
    code, seen = error.code, error.seen if isinstance(error, CertificateChanged) else None
    if isinstance(error, Unreachable) and error.kind == "timeout" and error.executed == "unknown":
        # Connected, asked, no answer: the host lives, its service is too slow.
        code = "too_slow"
    return Check(at=at, reason=code, params=params, seen=seen, credential_revision=revision)
