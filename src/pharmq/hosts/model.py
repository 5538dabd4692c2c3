"""What PharmQ knows about pharmacies and hosts, as immutable values. Times aware UTC, sizes bytes, CPU a share 0..1."""

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

GroupKind: TypeAlias = Literal["region", "chain", "other"]
CredentialKind: TypeAlias = Literal["password", "token"]
HostStatus: TypeAlias = Literal["online", "offline", "maintenance"]
PharmacyState: TypeAlias = Literal["ok", "warning", "offline", "maintenance", "empty"]
OpeningState: TypeAlias = Literal["open", "before", "after", "closed", "unknown"]
ParamValue: TypeAlias = "str | int | float | bool | None"
Span: TypeAlias = tuple[str, str]
"""Local opening time, ``("09:00", "19:00")``; the end may be ``24:00``, and lies after midnight when it is not
later than the start."""

LATCHING: frozenset[str] = frozenset({"credential_refused", "need_tfa"})
"""Reasons after which no login is tried again until the credential changes."""

AT_ONCE: frozenset[str] = LATCHING | {"certificate_changed"}
"""Reasons that make a host offline with the first failure: a second look would say the same."""


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Opening spans per weekday, local time. A pharmacy without any span has unknown hours."""

    mon: tuple[Span, ...] = ()
    tue: tuple[Span, ...] = ()
    wed: tuple[Span, ...] = ()
    thu: tuple[Span, ...] = ()
    fri: tuple[Span, ...] = ()
    sat: tuple[Span, ...] = ()
    sun: tuple[Span, ...] = ()

    def of(self, weekday: int) -> tuple[Span, ...]:
        """Spans of a weekday, Monday = 0."""
        return (self.mon, self.tue, self.wed, self.thu, self.fri, self.sat, self.sun)[weekday]

    @property
    def known(self) -> bool:
        return any(self.of(day) for day in range(7))


class PharmacyGroup(msgspec.Struct, frozen=True, gc=False):
    id: int
    name: str
    kind: GroupKind


class Pharmacy(msgspec.Struct, frozen=True):
    """``closing_days`` are ISO dates of the pharmacy's own closing days. ``screens_allowed``: its contract lets us
    open its VMs' screens; ``screen_reason``: who opens one must say why."""

    id: int
    code: str
    name: str
    representative: str = ""
    phone: str = ""
    address: str = ""
    hours: Hours = Hours()
    closing_days: tuple[str, ...] = ()
    note: str = ""
    group_ids: tuple[int, ...] = ()
    screens_allowed: bool = True
    screen_reason: bool = False


class Pin(msgspec.Struct, frozen=True, gc=False):
    """A leaf certificate a person has confirmed: SHA-256, upper-case hex with colons."""

    fingerprint: str
    not_after: datetime | None = None
    node: str | None = None


class Host(msgspec.Struct, frozen=True):
    """A Proxmox host as it is set up. ``credential_revision`` is that of the shared set, or of its own credential;
    ``refused_revision`` the one the host has refused."""

    id: int
    pharmacy_id: int
    host_ip: str
    addresses: tuple[str, ...]
    host_port: int
    node: str | None
    credential_id: int | None
    credential_kind: CredentialKind
    username: str
    credential_revision: int
    refused_revision: int | None = None
    maintenance: bool = False
    maintenance_note: str = ""
    pins: tuple[Pin, ...] = ()

    @property
    def refused(self) -> bool:
        """The host has refused the credential we still have."""
        return self.refused_revision == self.credential_revision


class HostState(msgspec.Struct, frozen=True, gc=False):
    """What is known of a host right now. Offline exactly when ``reason`` is set.

    ``failures`` counts consecutive failed checks (a host is offline from the second one); ``latency_ms`` is that of
    the last successful check; ``seen`` the fingerprint it showed instead of the pinned one.
    """

    reason: str | None = "never_checked"
    reason_params: dict[str, ParamValue] = {}
    since: datetime | None = None
    last_check: datetime | None = None
    last_contact: datetime | None = None
    failures: int = 0
    version: str | None = None
    latency_ms: int | None = None
    seen: str | None = None
    cpu: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    storage_used: int | None = None
    storage_total: int | None = None

    @property
    def online(self) -> bool:
        return self.reason is None


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """The result of looking at a host once. ``reason`` None: it answered, and what it said of itself is filled in."""

    at: datetime
    reason: str | None = None
    params: dict[str, ParamValue] = {}
    latency_ms: int | None = None
    version: str | None = None
    node: str | None = None
    seen: str | None = None
    not_after: datetime | None = None
    cpu: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    storage_used: int | None = None
    storage_total: int | None = None
    credential_revision: int | None = None


class GuestFact(msgspec.Struct, frozen=True, gc=False):
    """What a pharmacy's verdict needs to know of a guest; filled in by the floor above."""

    vm_id: int
    name: str
    kind: str
    status: str
    missing: bool = False


# --- answers of the API -----------------------------------------------------------------------------------------


class CertificateView(msgspec.Struct, frozen=True):
    """``fingerprint`` is that of the first address; ``nodes`` are all that are accepted, by node of a cluster."""

    fingerprint: str | None
    seen: str | None
    not_after: datetime | None
    nodes: tuple[Pin, ...] = ()


class HostRow(msgspec.Struct, frozen=True):
    id: int
    pharmacy_id: int
    pharmacy_name: str
    host_ip: str
    addresses: tuple[str, ...]
    host_port: int
    username: str
    credential_id: int | None
    credential_kind: CredentialKind
    node: str | None
    status: HostStatus
    reason: str | None
    reason_params: dict[str, ParamValue]
    since: datetime | None
    last_check: datetime | None
    last_contact: datetime | None
    vm_count: int
    version: str | None
    cpu: float | None
    memory_used: int | None
    memory_total: int | None
    storage_used: int | None
    storage_total: int | None
    latency_ms: int | None
    maintenance: bool
    maintenance_note: str
    certificate: CertificateView


class Opening(msgspec.Struct, frozen=True, gc=False, rename={"start": "from", "end": "to"}):
    """Whether a pharmacy is open, and the span that says so: the current one, the next one of today, or the last."""

    state: OpeningState
    start: str | None = None
    end: str | None = None


class Verdict(msgspec.Struct, frozen=True):
    """One sentence about a pharmacy, as a code and its parameters."""

    code: str
    params: dict[str, ParamValue] = {}


class PharmacyRow(msgspec.Struct, frozen=True):
    id: int
    code: str
    name: str
    representative: str
    phone: str
    address: str
    groups: tuple[PharmacyGroup, ...]
    hours: Hours
    closing_days: tuple[str, ...]
    note: str
    host_ids: tuple[int, ...]
    opening: Opening
    state: PharmacyState
    verdict: Verdict
    screens_allowed: bool = True
    screen_reason: bool = False


class CredentialRow(msgspec.Struct, frozen=True, gc=False):
    id: int
    name: str
    kind: CredentialKind
    username: str
    host_count: int
    updated_at: datetime
