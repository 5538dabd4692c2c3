"""Is this host well, layer by layer? A live look within a bounded time, else what was last known and how old it is."""

from typing import Literal, TypeAlias

import msgspec

from pharmq.base.clock import Clock, within
from pharmq.base.errors import Conflict, FieldError
from pharmq.hosts.clients import HostClients
from pharmq.hosts.directory import Directory
from pharmq.hosts.model import Check, Host, HostState, HostStatus, ParamValue
from pharmq.hosts.proving import failed, look, succeeded
from pharmq.pve import (
    CertificateChanged,
    CredentialRefused,
    NeedTfa,
    PermissionDenied,
    PveError,
    Realm,
    Unreachable,
)

WITHIN = 4.5
"""Seconds of the whole live look."""

StepName: TypeAlias = Literal["address", "tcp", "certificate", "login", "permission", "api"]
STEPS: tuple[StepName, ...] = ("address", "tcp", "certificate", "login", "permission", "api")


class HealthStep(msgspec.Struct, frozen=True):
    """``ms`` is known only for the whole exchange, and stands on its last step."""

    step: StepName
    state: Literal["ok", "failed", "skipped"]
    ms: int | None = None
    code: str | None = None


class HealthView(msgspec.Struct, frozen=True):
    status: HostStatus
    reason: str | None
    reason_params: dict[str, ParamValue]
    checked: Literal["live", "last_known"]
    age_s: float | None
    latency_ms: int | None
    steps: tuple[HealthStep, ...]


class RealmView(msgspec.Struct, frozen=True):
    realm: str
    comment: str | None
    tfa: str | None


class ProbeView(msgspec.Struct, frozen=True):
    address: str
    port: int
    fingerprint: str
    subject: str
    not_after: str
    is_proxmox: bool
    server: str
    realms: tuple[RealmView, ...]


async def health(
    clients: HostClients, directory: Directory, clock: Clock, host: Host
) -> tuple[HealthView, Check | None]:
    """The view, and the check that came of it for the host's state (None when nothing new was learnt)."""
    began = clock.monotonic()
    try:
        client = clients.get(host.id)
        resources = await within(clock, WITHIN, client.resources())
    except TimeoutError:
        return _last_known(directory, clock, host), None
    except PveError as error:
        ms = round((clock.monotonic() - began) * 1000)
        if host.refused:
            # Nothing was sent: the refusal that stands is what is known.
            view = _last_known(directory, clock, host)
            return msgspec.structs.replace(view, steps=steps(error, None)), None
        check = failed(error, clock.now(), host.credential_revision)
        view = HealthView(
            status="maintenance" if host.maintenance else "offline",
            reason=check.reason,
            reason_params=check.params,
            checked="live",
            age_s=0.0,
            latency_ms=None,
            steps=steps(error, ms),
        )
        return view, check
    check = succeeded(resources, host, clock.now(), clock.monotonic() - began)
    seen_nothing = not resources.guests and not resources.storages
    view = HealthView(
        status="maintenance" if host.maintenance else "online",
        reason=None,
        reason_params={},
        checked="live",
        age_s=0.0,
        latency_ms=check.latency_ms,
        steps=steps(None, check.latency_ms, blind=seen_nothing),
    )
    return view, check


def steps(error: PveError | None, ms: int | None, *, blind: bool = False) -> tuple[HealthStep, ...]:
    """Which layer failed. ``blind``: the host answers but shows us nothing, as it does to an account without rights."""
    if error is None:
        bad: StepName | None = "permission" if blind else None
        code = "host.sees_nothing" if blind else None
    else:
        bad, code = _layer(error), f"pve.{error.code}"
    found, reached = [], False
    for name in STEPS:
        if name == bad:
            found.append(HealthStep(name, "failed", ms, code))
            reached = not blind
        else:
            state: Literal["ok", "skipped"] = "skipped" if reached else "ok"
            found.append(HealthStep(name, state, ms if name == "api" and not reached else None))
    return tuple(found)


def _layer(error: PveError) -> StepName:
    if isinstance(error, CertificateChanged):
        return "certificate"
    if isinstance(error, (CredentialRefused, NeedTfa)):
        return "login"
    if isinstance(error, PermissionDenied):
        return "permission"
    if isinstance(error, Unreachable):
        if error.kind == "dns":
            return "address"
        if error.kind == "tls":
            return "certificate"
        return "api" if error.executed == "unknown" else "tcp"
    return "api"


def _last_known(directory: Directory, clock: Clock, host: Host) -> HealthView:
    state: HostState = directory.state(host.id)
    age = (clock.now() - state.last_check).total_seconds() if state.last_check else None
    return HealthView(
        status=directory.status(host.id),
        reason=state.reason,
        reason_params=state.reason_params,
        checked="last_known",
        age_s=age,
        latency_ms=state.latency_ms,
        steps=tuple(HealthStep(name, "skipped") for name in STEPS),
    )


async def probe_view(address: str, ports: tuple[int, ...]) -> ProbeView:
    """What stands behind an address. Raises Conflict with the reason when nothing answers."""
    try:
        found = await look(address, ports)
    except PveError as error:
        # The state of the world, not a fault of ours: a conflict about the address that was given.
        code = f"pve.{error.code}"
        params = dict(error.params)
        raise Conflict(code, params=params, fields={"address": [FieldError(code, params)]}) from error
    return ProbeView(
        address=found.endpoint.address,
        port=found.endpoint.port,
        fingerprint=found.certificate.fingerprint,
        subject=found.certificate.subject,
        not_after=found.certificate.not_after,
        is_proxmox=found.is_proxmox,
        server=found.server,
        realms=tuple(_realm(realm) for realm in found.realms),
    )


def _realm(realm: Realm) -> RealmView:
    return RealmView(realm.realm, realm.comment, realm.tfa)
