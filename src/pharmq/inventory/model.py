"""What PharmQ knows about guests, as immutable values. Sizes in MiB and GiB, CPU a share 0..1, times aware UTC."""

from datetime import datetime
from typing import Any, Literal, TypeAlias

import msgspec

VmKind: TypeAlias = Literal["kiosk", "pos", "server", "backup", "other"]
KINDS: tuple[VmKind, ...] = ("kiosk", "pos", "server", "backup", "other")
KindSource: TypeAlias = Literal["tag", "rule", "hand", "default"]
VmStatus: TypeAlias = Literal["running", "stopped", "suspended", "unknown"]
STATUSES: tuple[VmStatus, ...] = ("running", "stopped", "suspended", "unknown")
GuestKind: TypeAlias = Literal["qemu", "lxc"]
Console: TypeAlias = Literal["vnc", "none", "unknown"]
IpSource: TypeAlias = Literal["agent", "lxc", "hand"]

ID_LIMIT = 2**63 - 1
"""Larger numbers are no id of ours; a database would refuse to even look for them."""


class Vm(msgspec.Struct, frozen=True, gc=False):
    """One incarnation of (host, vmid). ``id`` 0: not stored yet.

    ``status`` of a missing guest is ``unknown``; ``pve_status`` keeps the host's own word. ``last_sync`` is the time
    as last stored: while the guest is listed by its host, the view's time of the last poll is newer.
    ``identity`` tells this guest from a later one with its VMID; None until its configuration was read.
    """

    id: int
    host_id: int
    vmid: int
    guest_type: GuestKind
    name: str
    kind: VmKind
    kind_source: KindSource
    node: str
    status: VmStatus
    pve_status: str
    last_sync: datetime
    created_at: datetime
    cpu_cores: int | None = None
    memory_mb: int | None = None
    disk_gb: float | None = None
    ip: str | None = None
    ip_source: IpSource | None = None
    description: str = ""
    description_source: Literal["pve", "hand"] = "pve"
    tags: tuple[str, ...] = ()
    template: bool = False
    lock: str | None = None
    onboot: bool | None = None
    agent: bool | None = None
    console: Console = "unknown"
    identity: str | None = None
    config_at: datetime | None = None
    missing_since: datetime | None = None
    ended_at: datetime | None = None


class Sample(msgspec.Struct, frozen=True, gc=False):
    """What a guest used at the last poll. Lives in memory only."""

    cpu: float | None = None
    memory_mb: int | None = None
    uptime_s: int | None = None


class Event(msgspec.Struct, frozen=True):
    """Something that happened to a guest, or to a host's guests together (``vmid`` None). ``old``: to the incarnation
    that ended with it."""

    kind: str
    vmid: int | None
    params: dict[str, Any] = {}
    old: bool = False


class Changes(msgspec.Struct, frozen=True):
    """What a snapshot means for the rows of one host. ``added`` have no id yet; ``ended`` carry ``ended_at``."""

    added: tuple[Vm, ...] = ()
    changed: tuple[Vm, ...] = ()
    ended: tuple[Vm, ...] = ()
    events: tuple[Event, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.ended or self.events)


class VmFilter(msgspec.Struct, frozen=True):
    """Which guests. Values of one field are alternatives, fields must all hold; empty means any."""

    pharmacy_id: tuple[int, ...] = ()
    group_id: tuple[int, ...] = ()
    host_id: tuple[int, ...] = ()
    type: tuple[VmKind, ...] = ()
    status: tuple[VmStatus, ...] = ()
    host_status: tuple[Literal["online", "offline", "maintenance"], ...] = ()
    tag: tuple[str, ...] = ()
    missing: bool | None = None
    q: str = ""


class TaskRef(msgspec.Struct, frozen=True, gc=False):
    """The power action a guest is under. Filled in by the room that runs it."""

    job_id: int
    item_id: int
    verb: str
    state: str
    started_at: datetime | None


# --- answers of the API -----------------------------------------------------------------------------------------


ON_THE_WIRE = {
    "name": "vm_name",
    "kind": "vm_type",
    "kind_source": "vm_type_source",
    "node": "node_name",
    "ip": "ip_address",
}
"""Fields of ``Vm`` that people meet under the names of the operators' own plan; events name them so too."""


class VmRow(msgspec.Struct, frozen=True):
    """A guest on the wire. ``stale``: its host is not answering, or the guest is missing; then the values are the
    last known ones and ``last_sync`` says how old they are."""

    id: int
    pharmacy_id: int
    pharmacy_name: str
    host_id: int
    host_status: Literal["online", "offline", "maintenance"]
    vmid: int
    vm_name: str
    vm_type: VmKind
    vm_type_source: KindSource
    guest_type: GuestKind
    status: VmStatus
    pve_status: str
    node_name: str
    cpu_cores: int | None
    memory_mb: int | None
    disk_gb: float | None
    ip_address: str | None
    ip_source: IpSource | None
    description: str
    tags: tuple[str, ...]
    cpu: float | None
    memory_used_mb: int | None
    uptime_s: int | None
    lock: str | None
    template: bool
    last_sync: datetime
    missing_since: datetime | None
    stale: bool
    console: Console
    task: TaskRef | None


class HostCounts(msgspec.Struct, frozen=True):
    total: int = 0
    online: int = 0
    offline: int = 0
    maintenance: int = 0
    reasons: dict[str, int] = {}


class VmCounts(msgspec.Struct, frozen=True):
    """``running_confirmed``: on hosts that answer; ``running_last_known``: were running when last seen."""

    total: int = 0
    running: int = 0
    stopped: int = 0
    suspended: int = 0
    unknown: int = 0
    running_confirmed: int = 0
    running_last_known: int = 0
    missing: int = 0
    types: dict[str, int] = {}


class PharmacyCounts(msgspec.Struct, frozen=True):
    total: int = 0
    open: int = 0
    open_offline: int = 0
    ok: int = 0
    warning: int = 0
    offline: int = 0
    maintenance: int = 0
    empty: int = 0


class ConsoleCounts(msgspec.Struct, frozen=True):
    open: int = 0


class JobCounts(msgspec.Struct, frozen=True):
    running: int = 0


class Summary(msgspec.Struct, frozen=True):
    hosts: HostCounts
    vms: VmCounts
    pharmacies: PharmacyCounts
    consoles: ConsoleCounts
    jobs: JobCounts


class SearchHit(msgspec.Struct, frozen=True):
    type: Literal["pharmacy", "vm", "host"]
    id: int
    pharmacy_id: int
    title: str
    subtitle: str
    status: str
