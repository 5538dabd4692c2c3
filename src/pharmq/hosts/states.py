"""How one look at a host changes what is known of it. Pure."""

from typing import NamedTuple

import msgspec

from pharmq.hosts.model import AT_ONCE, LATCHING, Check, Host, HostState
from pharmq.journal import Entry, Where


class Step(NamedTuple):
    """``durable``: status, reason or version changed and must be written with its ``entries``."""

    state: HostState
    durable: bool
    entries: tuple[Entry, ...]
    latch: bool


def step(host: Host, before: HostState, check: Check, offline_after: int, where: Where) -> Step:
    """Online with the first success; offline with ``offline_after`` failures in a row, or at once where a second
    look would say the same (certificate, credential)."""
    if check.reason is None:
        return _succeeded(before, check, where)
    failures = before.failures + 1
    latch = check.reason in LATCHING and check.credential_revision == host.credential_revision
    if before.online and failures < offline_after and check.reason not in AT_ONCE:
        state = _replaced(before, failures=failures, last_check=check.at, latency_ms=before.latency_ms)
        return Step(state, False, (), latch)
    same = before.reason == check.reason and (before.seen == check.seen or check.reason != "certificate_changed")
    state = _replaced(
        before,
        failures=failures,
        last_check=check.at,
        latency_ms=before.latency_ms,
        reason=check.reason,
        # The first failure's text stays while the reason does: texts with ports or times in them would make
        # every failed poll a change.
        reason_params=before.reason_params if same else check.params,
        since=before.since if same else check.at,
        seen=check.seen,
    )
    if same:
        return Step(state, latch and not host.refused, (), latch)
    return Step(state, True, _offline_entries(before, check, where), latch)


def _succeeded(before: HostState, check: Check, where: Where) -> Step:
    state = HostState(
        reason=None,
        since=before.since if before.online else check.at,
        last_check=check.at,
        last_contact=check.at,
        failures=0,
        version=check.version or before.version,
        latency_ms=check.latency_ms,
        cpu=check.cpu,
        memory_used=check.memory_used,
        memory_total=check.memory_total,
        storage_used=check.storage_used,
        storage_total=check.storage_total,
    )
    entries: tuple[Entry, ...] = ()
    if before.reason not in (None, "never_checked"):
        down_s = round((check.at - before.since).total_seconds()) if before.since else None
        entries = (
            Entry(kind="host.online", where=where, at=check.at, params={"after": before.reason, "offline_s": down_s}),
        )
    return Step(state, not before.online or state.version != before.version, entries, False)


def _offline_entries(before: HostState, check: Check, where: Where) -> tuple[Entry, ...]:
    # Last: a host's own words may carry a parameter of that name.
    params = {**check.params, "reason": check.reason}
    entries = []
    if before.online or before.reason == "never_checked":
        entries.append(Entry(kind="host.offline", where=where, at=check.at, params=params))
    if check.reason == "certificate_changed":
        entries.append(Entry(kind="host.certificate_changed", where=where, at=check.at, params=dict(check.params)))
    elif check.reason in LATCHING:
        entries.append(Entry(kind="host.credential_refused", where=where, at=check.at, params=params))
    if not entries:
        # Offline before and after, for another reason: worth a line of history, not another alarm.
        entries.append(Entry(kind="host.offline", where=where, at=check.at, params={**params, "was": before.reason}))
    return tuple(entries)


def _replaced(state: HostState, **changes: object) -> HostState:
    found: HostState = msgspec.structs.replace(state, **changes)
    return found
