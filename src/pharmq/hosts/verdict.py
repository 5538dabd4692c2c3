"""One pharmacy's state and the one sentence about it. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from pharmq.hosts.model import GuestFact, Host, HostState, OpeningState, ParamValue, PharmacyState, Verdict

NEEDED_WHILE_OPEN = frozenset({"kiosk", "pos"})
"""Kinds whose standing still stops the counter."""


class HostFact(NamedTuple):
    host: Host
    state: HostState


def judge(
    hosts: Sequence[HostFact],
    guests: Sequence[GuestFact],
    opening: OpeningState,
    now: datetime,
    warn_days: int = 30,
) -> tuple[PharmacyState, Verdict]:
    """The worst thing first: an offline host, a kiosk or till that stands while the pharmacy is (or may be) open,
    a vanished VM, a certificate about to end, maintenance, all well."""
    if not hosts:
        return "empty", Verdict("verdict.no_host")
    for host, state in hosts:
        if not state.online and not host.maintenance:
            return "offline", _offline(host, state)
    watched = [fact for fact in hosts if not fact.host.maintenance]
    if not watched:
        return "maintenance", Verdict("verdict.maintenance", {"note": hosts[0].host.maintenance_note})
    standing = [g for g in guests if _needed(g) and not g.missing and g.status != "running"]
    if standing and opening not in ("closed", "after"):
        worst = standing[0]
        code = "verdict.vm_unknown" if worst.status == "unknown" else "verdict.vm_not_running"
        params: dict[str, ParamValue] = {
            "vm": worst.name,
            "vm_id": worst.vm_id,
            "status": worst.status,
            "count": len(standing),
        }
        return "warning", Verdict(code, params)
    if gone := [g for g in guests if g.missing]:
        return "warning", Verdict("verdict.vm_missing", {"vm": gone[0].name, "count": len(gone)})
    for host, _ in watched:
        if (days := expiry_days(host, now)) is not None and days <= warn_days:
            return "warning", Verdict("verdict.certificate_expiring", {"host": host.host_ip, "days": days})
    running = sum(1 for g in guests if g.status == "running")
    return "ok", Verdict("verdict.ok", {"running": running, "total": len(guests)})


def expiry_days(host: Host, now: datetime) -> int | None:
    """Whole days until the first pinned certificate ends; negative when it has; None when that is unknown."""
    ends = [pin.not_after for pin in host.pins if pin.not_after is not None]
    return min((end - now).days for end in ends) if ends else None


def _needed(guest: GuestFact) -> bool:
    return guest.kind in NEEDED_WHILE_OPEN


def _offline(host: Host, state: HostState) -> Verdict:
    since = state.since.isoformat().replace("+00:00", "Z") if state.since else None
    if state.reason == "never_checked":
        return Verdict("verdict.host_never_checked", {"host": host.host_ip})
    return Verdict("verdict.host_offline", {"host": host.host_ip, "reason": state.reason, "since": since})
