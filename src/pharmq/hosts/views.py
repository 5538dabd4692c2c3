"""Rows of the API, put together from the directory. Pure over its current content."""

from collections.abc import Sequence
from datetime import datetime

from pharmq.hosts.directory import Directory
from pharmq.hosts.hours import opening
from pharmq.hosts.model import CertificateView, GuestFact, HostRow, Pharmacy, PharmacyRow
from pharmq.hosts.verdict import HostFact, judge


def host_row(directory: Directory, host_id: int, vm_count: int) -> HostRow:
    """Raises KeyError for an unknown host."""
    host = directory.host(host_id)
    if host is None:
        raise KeyError(host_id)
    state = directory.state(host_id)
    pharmacy = directory.pharmacy(host.pharmacy_id)
    pin = host.pins[0] if host.pins else None
    return HostRow(
        id=host.id,
        pharmacy_id=host.pharmacy_id,
        pharmacy_name=pharmacy.name if pharmacy else "",
        host_ip=host.host_ip,
        addresses=host.addresses,
        host_port=host.host_port,
        username=host.username,
        credential_id=host.credential_id,
        credential_kind=host.credential_kind,
        node=host.node,
        status=directory.status(host_id),
        reason=state.reason,
        reason_params=state.reason_params,
        since=state.since,
        last_check=state.last_check,
        last_contact=state.last_contact,
        vm_count=vm_count,
        version=state.version,
        cpu=state.cpu,
        memory_used=state.memory_used,
        memory_total=state.memory_total,
        storage_used=state.storage_used,
        storage_total=state.storage_total,
        latency_ms=state.latency_ms,
        maintenance=host.maintenance,
        maintenance_note=host.maintenance_note,
        certificate=CertificateView(
            pin.fingerprint if pin else None, state.seen, pin.not_after if pin else None, host.pins
        ),
    )


def pharmacy_row(
    directory: Directory, pharmacy: Pharmacy, guests: Sequence[GuestFact], now: datetime, warn_days: int
) -> PharmacyRow:
    host_ids = directory.hosts_of(pharmacy.id)
    facts = [HostFact(host, directory.state(host.id)) for number in host_ids if (host := directory.host(number))]
    open_now = opening(pharmacy, now)
    state, verdict = judge(facts, guests, open_now.state, now, warn_days)
    found = [directory.group(number) for number in pharmacy.group_ids]
    return PharmacyRow(
        id=pharmacy.id,
        code=pharmacy.code,
        name=pharmacy.name,
        representative=pharmacy.representative,
        phone=pharmacy.phone,
        address=pharmacy.address,
        groups=tuple(group for group in found if group is not None),
        hours=pharmacy.hours,
        closing_days=pharmacy.closing_days,
        note=pharmacy.note,
        host_ids=host_ids,
        opening=open_now,
        state=state,
        verdict=verdict,
        screens_allowed=pharmacy.screens_allowed,
        screen_reason=pharmacy.screen_reason,
    )
