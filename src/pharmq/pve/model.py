"""What we say to and hear from a Proxmox host, typed. Sizes in bytes, times in seconds, CPU as a share 0..1.

Fields are optional where recorded answers leave them out: a young guest has neither name nor sizes, and after
300 s without pvestatd every row loses them.
"""

import re
from typing import Annotated, Literal, NamedTuple, TypeAlias

import msgspec

from pharmq.base.secret import Secret

GuestKind: TypeAlias = Literal["qemu", "lxc"]
Verb: TypeAlias = Literal["start", "shutdown", "stop", "reboot", "reset", "suspend", "resume"]
VERBS: tuple[Verb, ...] = ("start", "shutdown", "stop", "reboot", "reset", "suspend", "resume")


Count: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
"""A number of a host's: small enough for a database column and for a browser; a mad one is refused by name."""
Vmid: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=999_999_999)]


class Endpoint(NamedTuple):
    """Where a host listens; ``address`` is an IPv4, an IPv6 (no brackets) or a name."""

    address: str
    port: int = 8006

    @property
    def authority(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


class PasswordCredential(NamedTuple):
    """``username`` with its realm: ``root@pam``."""

    username: str
    password: Secret


class TokenCredential(NamedTuple):
    """``tokenid`` is ``user@realm!name``; ``secret`` is the UUID shown once when the token was made."""

    tokenid: str
    secret: Secret


Credential: TypeAlias = PasswordCredential | TokenCredential
Pins: TypeAlias = frozenset[str]
"""SHA-256 of acceptable leaf certificates: upper-case hex with colons, as Proxmox shows it."""


class Timeouts(NamedTuple):
    """Seconds. ``read`` exceeds the 3 s that every 401 takes (twice: two refused logins queue up); ``write``
    exceeds the 30 s after which pveproxy answers 596, so that its own verdict is seen."""

    connect: float = 4.0
    handshake: float = 4.0
    read: float = 8.0
    write: float = 35.0
    websocket: float = 9.0


class Guest(NamedTuple):
    node: str
    kind: GuestKind
    vmid: int

    @property
    def path(self) -> str:
        return f"/nodes/{self.node}/{self.kind}/{self.vmid}"


class Version(msgspec.Struct, frozen=True, gc=False):
    version: str
    release: str = ""
    repoid: str = ""

    @property
    def major(self) -> int:
        head = self.version.partition(".")[0]
        return int(head) if head.isdecimal() else 0


class GuestRow(msgspec.Struct, frozen=True, gc=False, rename={"kind": "type"}):
    """One QEMU or LXC row of ``/cluster/resources``. ``status`` is any QMP run state, or ``unknown``;
    it lags up to 12 s behind an action. ``tags`` is ``;``-joined."""

    kind: str
    node: str = ""
    vmid: Vmid = 0
    status: str = "unknown"
    name: str | None = None
    template: Count | None = None
    tags: str | None = None
    lock: str | None = None
    pool: str | None = None
    hastate: str | None = None
    cpu: float | None = None
    maxcpu: float | None = None
    mem: Count | None = None
    maxmem: Count | None = None
    disk: Count | None = None
    maxdisk: Count | None = None
    uptime: Count | None = None
    netin: Count | None = None
    netout: Count | None = None
    # Only node and storage rows carry these; one struct for all rows makes the decode a single pass in C.
    storage: str | None = None
    plugintype: str | None = None

    @property
    def guest(self) -> Guest:
        return Guest(self.node, "lxc" if self.kind == "lxc" else "qemu", self.vmid)


class NodeRow(msgspec.Struct, frozen=True, gc=False):
    """``status`` is ``online``, ``offline`` or ``unknown``."""

    node: str
    status: str
    cpu: float | None
    maxcpu: float | None
    mem: Count | None
    maxmem: Count | None
    disk: Count | None
    maxdisk: Count | None
    uptime: Count | None


class StorageRow(msgspec.Struct, frozen=True, gc=False):
    node: str
    storage: str
    status: str
    plugintype: str
    disk: Count | None
    maxdisk: Count | None


class Resources(NamedTuple):
    guests: tuple[GuestRow, ...]
    nodes: tuple[NodeRow, ...]
    storages: tuple[StorageRow, ...]


class MemoryUse(msgspec.Struct, frozen=True, gc=False):
    total: Count = 0
    used: Count = 0
    free: Count | None = None


class CpuInfo(msgspec.Struct, frozen=True, gc=False):
    cpus: Count = 0
    sockets: Count = 0
    cores: Count = 0
    model: str = ""


class NodeStatus(msgspec.Struct, frozen=True):
    """``/nodes/{node}/status``: needs Sys.Audit."""

    uptime: Count = 0
    cpu: float = 0.0
    wait: float | None = None
    loadavg: tuple[float, ...] = ()
    memory: MemoryUse = MemoryUse()
    swap: MemoryUse | None = None
    rootfs: MemoryUse | None = None
    cpuinfo: CpuInfo | None = None
    pveversion: str = ""
    kversion: str = ""


class Current(msgspec.Struct, frozen=True, gc=False):
    """``status/current`` of one guest: right within 0.4 s. A paused QEMU guest has status ``running`` and
    qmpstatus ``paused``."""

    status: str
    vmid: Vmid | None = None
    qmpstatus: str | None = None
    name: str | None = None
    lock: str | None = None
    tags: str | None = None
    uptime: Count = 0
    pid: Count | None = None
    cpu: float | None = None
    cpus: float | None = None
    mem: Count | None = None
    maxmem: Count | None = None
    disk: Count | None = None
    maxdisk: Count | None = None
    template: Count | None = None
    agent: Count | None = None
    serial: Count | None = None

    @property
    def run_state(self) -> str:
        """The word ``/cluster/resources`` would use a few seconds later."""
        return self.qmpstatus or self.status


class GuestConfig(NamedTuple):
    """A guest's configuration; ``raw`` keeps every key as the host's text. ``ctime`` is the creation time in Unix
    seconds (QEMU >= 7), ``vga`` and ``serial0`` decide what the console shows."""

    name: str | None
    description: str | None
    tags: tuple[str, ...]
    cores: int
    sockets: int
    memory_mb: int | None
    vga: str | None
    serial: bool
    agent: bool
    onboot: bool
    template: bool
    lock: str | None
    smbios_uuid: str | None
    vmgenid: str | None
    ctime: int | None
    digest: str | None
    raw: dict[str, str]


_UPID = re.compile(
    r"UPID:([A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?):([0-9A-Fa-f]{8}):([0-9A-Fa-f]{8,9}):([0-9A-Fa-f]{8}):"
    r"([^:\s]+):([^:\s]*):([^:\s]+):"
)


class Upid(msgspec.Struct, frozen=True, gc=False):
    """A task's name on its host: ``UPID:node:pid:pstart:starttime:type:id:user:``, numbers in hex."""

    node: str
    pid: int
    pstart: int
    starttime: int
    type: str
    id: str
    user: str
    text: str

    @classmethod
    def parse(cls, text: str) -> "Upid":
        """Raises ValueError when ``text`` is not a UPID."""
        match = _UPID.fullmatch(text)
        if match is None:
            raise ValueError(f"not a UPID: {text[:100]!r}")
        node, pid, pstart, starttime, kind, ident, user = match.groups()
        return cls(node, int(pid, 16), int(pstart, 16), int(starttime, 16), kind, ident, user, text)

    def __str__(self) -> str:
        return self.text


class TaskStatus(msgspec.Struct, frozen=True, gc=False):
    status: Literal["running", "stopped"]
    exitstatus: str | None = None
    type: str = ""
    id: str = ""
    user: str = ""
    starttime: Count = 0

    @property
    def running(self) -> bool:
        return self.status == "running"


class TaskRow(msgspec.Struct, frozen=True, gc=False):
    """One row of a task list. A running task has no ``endtime``; its ``status`` is absent or ``RUNNING``."""

    upid: str
    node: str = ""
    type: str = ""
    id: str | None = None
    user: str = ""
    tokenid: str | None = None
    starttime: Count = 0
    endtime: Count | None = None
    status: str | None = None

    @property
    def running(self) -> bool:
        return self.endtime is None


class LogLine(msgspec.Struct, frozen=True, gc=False):
    n: Count
    t: str = ""


class TaskLog(NamedTuple):
    lines: tuple[LogLine, ...]
    total: int


def exit_ok(exitstatus: str | None) -> bool:
    """True for ``OK`` and for ``WARNINGS: n``: the task did its work."""
    return exitstatus is not None and (exitstatus == "OK" or exitstatus.startswith("WARNINGS: "))


class Address(NamedTuple):
    ip: str
    family: Literal["ipv4", "ipv6"]
    prefix: int | None


class Interface(NamedTuple):
    """A network interface as seen inside the guest."""

    name: str
    mac: str
    addresses: tuple[Address, ...]


class Realm(msgspec.Struct, frozen=True, gc=False):
    realm: str
    type: str = ""
    comment: str | None = None
    tfa: str | None = None
    default: int | None = None


class VncTicket(NamedTuple):
    """What one console needs. ``port`` is good for 10 s and one connection; ``password`` is the RFB password
    (8 characters), bound to the guest, not to the session: a second vncproxy changes it. ``at`` is the node that
    listens: the upgrade must go to the address that took the call."""

    port: int
    ticket: Secret
    password: Secret
    upid: Upid
    user: str
    at: Endpoint | None = None


class Certificate(NamedTuple):
    """A host's leaf. Times are RFC 3339 UTC; ``fingerprint`` is the pin."""

    fingerprint: str
    subject: str
    issuer: str
    not_before: str
    not_after: str


class ProbeResult(NamedTuple):
    """What stands behind an address, learnt without sending any credential."""

    endpoint: Endpoint
    certificate: Certificate
    is_proxmox: bool
    server: str
    realms: tuple[Realm, ...]
