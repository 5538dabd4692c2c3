"""Simulated hosts inside a test: ``async with SimFleet(hosts=2, clock=clock) as fleet``."""

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from pharmq.base.clock import Clock, SystemClock
from pharmq_sim.certs import KeyType, make_identity
from pharmq_sim.host import SimHost
from pharmq_sim.world import Guest, Storage, User, World

PASSWORD = "sim-password"
_identities: Path | None = None


def small_world(seed: int = 1, *, now: float = 1_795_397_040.0, version: str = "9.2") -> World:
    """A host with three VMs and a container: 100 POS-1 (running, agent), 101 KIOSK-1 (running, no agent),
    102 SERVER (stopped), 200 BACKUP (container, running); root@pam with ``PASSWORD``."""

    def guest(vmid: int, name: str, **more: Any) -> Guest:
        kind = more.pop("kind", "qemu")
        return Guest(
            vmid=vmid,
            kind=kind,
            name=name,
            ctime=int(now) - 86_400,
            uuid=f"{seed:08x}-0000-4000-8000-{vmid:012x}",
            mac=f"BC:24:11:{seed % 256:02X}:00:{vmid % 256:02X}",
            started=now - 3600,
            pid=1000 + vmid if more.get("running") else 0,
            title=f"Pharmacy {seed}",
            **more,
        )

    guests = [
        guest(100, "POS-1", running=True, agent="ok", ips=["192.168.0.100"], tags="pos", screen="pos"),
        guest(101, "KIOSK-1", running=True, screen="kiosk", memory=4 << 30),
        guest(102, "SERVER", screen="server", serial=True),
        guest(200, "BACKUP", kind="lxc", running=True, ips=["192.168.0.200"], memory=512 << 20, disk=8 << 30),
    ]
    return World(
        seed=seed,
        version=version,
        guests={g.vmid: g for g in guests},
        storages={"local": Storage("local"), "local-lvm": Storage("local-lvm", "lvmthin", "images,rootdir")},
        users={"root@pam": User("root@pam", PASSWORD)},
        booted=now - 7200,
        auth_key=f"key-{seed}",
    )


def _identity_into(directory: Path, number: int) -> None:
    """A certificate for host ``number``: made once per test process, then copied (EC keys still take time)."""
    global _identities
    if _identities is None:
        _identities = Path(tempfile.mkdtemp(prefix="pharmq-sim-certs-"))
    stored = _identities / str(number)
    for name in ("leaf", "other"):
        if not (stored / f"{name}.pem").exists():
            make_identity(stored, name, "pve", "127.0.0.1", "ec")
    shutil.copytree(stored, directory, dirs_exist_ok=True)


class SimFleet:
    """``hosts`` hosts on 127.0.0.1 and ephemeral ports. ``world(n)`` makes the world of host n (from 1)."""

    def __init__(
        self,
        hosts: int = 1,
        *,
        clock: Clock | None = None,
        world: Callable[[int], World] | None = None,
        version: str = "9.2",
        key_type: KeyType = "ec",
        **host_options: Any,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self._count = hosts
        self._world = world
        self._version = version
        self._key_type: KeyType = key_type
        self._options = host_options
        self._directory = Path()
        self.hosts: list[SimHost] = []

    async def __aenter__(self) -> Self:
        self._directory = Path(tempfile.mkdtemp(prefix="pharmq-sim-"))
        now = self.clock.now().timestamp()
        for number in range(1, self._count + 1):
            directory = self._directory / str(number)
            await asyncio.to_thread(_identity_into, directory, number)
            make = self._world
            world = make(number) if make else small_world(number, now=now, version=self._version)
            host = SimHost(world, directory, clock=self.clock, key_type=self._key_type, **self._options)
            await host.start()
            self.hosts.append(host)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for host in self.hosts:
            await host.stop()
        shutil.rmtree(self._directory, ignore_errors=True)

    def __getitem__(self, index: int) -> SimHost:
        return self.hosts[index]


class SimCluster:
    """Two nodes of one cluster, ``pve`` and ``pve2``, on 127.0.0.1 and 127.0.0.2 and the same port: the same guests,
    users, tickets and tasks behind two certificates. VM 102 runs on ``pve2``; either node answers for every guest,
    as Proxmox does by passing calls on."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.nodes: list[SimHost] = []
        self._directory = Path()

    async def __aenter__(self) -> Self:
        self._directory = Path(tempfile.mkdtemp(prefix="pharmq-sim-"))
        world = small_world(1, now=self.clock.now().timestamp())
        for guest in world.guests.values():
            guest.node = "pve2" if guest.vmid == 102 else "pve"
        # Everything but the name is one and the same object: what one node does, the other knows.
        other = msgspec.structs.replace(world, node="pve2")
        for number, one in enumerate((world, other), 1):
            await asyncio.to_thread(
                make_identity, self._directory / str(number), "leaf", one.node, f"127.0.0.{number}", "ec"
            )
            port = self.nodes[0].port if self.nodes else 0
            node = SimHost(
                one,
                self._directory / str(number),
                clock=self.clock,
                address=f"127.0.0.{number}",
                port=port,
                key_type="ec",
            )
            await node.start()
            self.nodes.append(node)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for node in self.nodes:
            await node.stop()
        shutil.rmtree(self._directory, ignore_errors=True)

    def __getitem__(self, index: int) -> SimHost:
        return self.nodes[index]
