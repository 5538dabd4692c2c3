"""What one simulated Proxmox VE installation knows: its guests, users, storages and tasks.

A world is plain data: seeded, serialisable to JSON and back without loss, and it never asks the clock.
Whatever changes it (tasks, requests, faults) lives elsewhere.
"""

from pathlib import Path
from typing import Literal

import msgspec

Kind = Literal["qemu", "lxc"]


class Snapshot(msgspec.Struct):
    name: str
    snaptime: int
    description: str = ""
    parent: str = ""
    vmstate: bool = False
    #: whether the guest ran when it was taken with its memory
    running: bool = False


class Guest(msgspec.Struct):
    """One VM or container. ``memory`` and ``disk`` are bytes, ``started`` is epoch seconds of the host's clock."""

    vmid: int
    kind: Kind
    name: str
    #: whether its process runs
    running: bool = False
    #: QEMU's own run state while it runs: running | paused | prelaunch | io-error ...
    run_state: str = "running"
    started: float = 0.0
    #: when the configuration was created; a reused VMID differs in this and in ``uuid``
    ctime: int = 0
    uuid: str = ""
    mac: str = ""
    cores: int = 2
    memory: int = 2 << 30
    disk: int = 32 << 30
    tags: str = ""
    description: str = ""
    #: "off" = not configured, "silent" = configured but nobody answers
    agent: Literal["off", "ok", "silent"] = "off"
    ips: list[str] = []
    onboot: bool = True
    template: bool = False
    #: config lock as Proxmox shows it: backup, snapshot, migrate ...
    lock: str = ""
    vga: str = "std"
    #: whether a serial port is configured (needed for a terminal)
    serial: bool = False
    #: whether the operating system in it reacts to the power button
    acpi: bool = True
    #: seconds between start and the moment its operating system is up / that it takes to shut down
    shutdown_s: float = 4.0
    #: mean load of one core, 0..1
    load: float = 0.05
    #: extra configuration lines, verbatim
    extra: dict[str, str] = {}
    #: pending configuration: what takes effect at the next start
    pending: dict[str, str] = {}
    snapshots: list[Snapshot] = []
    pid: int = 0
    #: node it runs on; "" is the world's own
    node: str = ""
    #: what its screen shows: pos | kiosk | server | backup, and the title drawn on it
    screen: str = "server"
    title: str = ""

    @property
    def config_path(self) -> str:
        return f"{'qemu-server' if self.kind == 'qemu' else 'lxc'}/{self.vmid}.conf"


class Storage(msgspec.Struct):
    name: str
    type: str = "dir"
    content: str = "images,rootdir,vztmpl,backup,iso"
    total: int = 480 << 30
    used: int = 90 << 30
    path: str = "/var/lib/vz"
    shared: bool = False


class Token(msgspec.Struct):
    name: str
    value: str
    privsep: bool = True
    expire: int = 0
    comment: str = ""


class User(msgspec.Struct):
    """``password`` is plain text: nothing here is a real credential."""

    userid: str
    password: str = ""
    enable: bool = True
    expire: int = 0
    comment: str = ""
    tokens: dict[str, Token] = {}
    #: a second factor is asked for at login (the answer then carries NeedTFA)
    tfa: bool = False


class Grant(msgspec.Struct):
    """One ACL row; ``ugid`` is a user id or a full token id."""

    path: str
    type: Literal["user", "token", "group"]
    ugid: str
    roleid: str
    propagate: bool = True


class TaskRecord(msgspec.Struct):
    """A task as its log file keeps it: times are epoch seconds, ``status`` is "" while it runs."""

    upid: str
    node: str
    pid: int
    pstart: int
    starttime: int
    type: str
    id: str
    #: authenticated identity: user, or user!token
    authid: str
    endtime: int = 0
    status: str = ""
    log: list[str] = []

    @property
    def user(self) -> str:
        return self.authid.partition("!")[0]

    @property
    def tokenid(self) -> str:
        return self.authid.partition("!")[2]


class World(msgspec.Struct):
    """One standalone host. ``seed`` makes everything random in it repeatable."""

    seed: int
    node: str = "pve"
    #: Proxmox VE version it plays: "9.2", "8.4", "8.2" or "7.4"
    version: str = "9.2"
    guests: dict[int, Guest] = {}
    storages: dict[str, Storage] = {}
    users: dict[str, User] = {}
    roles: dict[str, list[str]] = {}
    grants: list[Grant] = []
    tasks: list[TaskRecord] = []
    cores: int = 8
    memory: int = 32 << 30
    booted: float = 0.0
    #: key of tickets; rotating it ends them
    auth_key: str = ""
    next_pid: int = 4000
    #: nobody may do anything, not even root (a view made for the fault acl_lost, never saved)
    powerless: bool = False

    def save(self, path: Path) -> None:
        """Write as JSON, replacing the file at once (a crash leaves the old one)."""
        fresh = path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(self))
        fresh.replace(path)

    @staticmethod
    def load(path: Path) -> "World":
        return msgspec.json.decode(path.read_bytes(), type=World)
