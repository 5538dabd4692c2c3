"""What pvestatd publishes every 10 s and /cluster/resources answers from: always a little old.

Observed [05-read/resources-freshness, pvestatd-stalled]: a power change shows after 6-12 s, a new guest shows
at once as a row without name and with status "unknown", a deleted one is gone at once; when nothing was
published for 300 s, guests, node and storages turn "unknown" without name and figures.
"""

import random
from typing import Any

from pharmq_sim.world import Guest, World

INTERVAL = 10.0
EXPIRY = 300.0


def gib_noise(guest: Guest, tick: int, salt: int) -> float:
    """A repeatable figure 0..1 that wanders from one publication to the next."""
    return random.Random(f"{guest.vmid}/{guest.ctime}/{salt}/{tick}").random()


def cpu_of(guest: Guest, now: float) -> float:
    if not guest.running:
        return 0.0
    return round(min(1.0, guest.load * (0.4 + 1.2 * gib_noise(guest, int(now / INTERVAL), 1))), 15)


def memory_of(guest: Guest, now: float) -> int:
    if not guest.running:
        return 0
    share = 0.35 + 0.4 * random.Random(f"{guest.vmid}/{guest.ctime}").random()
    return int(guest.memory * min(0.97, share + 0.04 * gib_noise(guest, int(now / INTERVAL), 2)))


def traffic_of(guest: Guest, now: float, salt: int) -> int:
    return int(uptime_of(guest, now) * (800 + 400 * salt + guest.vmid)) if guest.running else 0


def uptime_of(guest: Guest, now: float) -> int:
    return max(0, int(now - guest.started)) if guest.running else 0


def status_of(guest: Guest) -> str:
    """What pvestatd publishes: QEMU's run state, not the coarse running | stopped."""
    return guest.run_state if guest.running else "stopped"


class Published:
    """The last publication of one host. Times are the host's epoch seconds."""

    def __init__(self) -> None:
        self.at = 0.0
        self.rows: dict[int, dict[str, Any]] = {}
        self.load = 0.1

    def publish(self, world: World, now: float) -> None:
        self.at = now
        self.rows = {g.vmid: guest_row(world, g, now) for g in world.guests.values()}
        used = sum(g.load * g.cores for g in world.guests.values() if g.running)
        self.load = min(0.95, 0.03 + used / max(1, world.cores))

    def resources(self, world: World, now: float) -> list[dict[str, Any]]:
        """All rows of /cluster/resources, before the asker's privileges are applied."""
        fresh = now - self.at < EXPIRY
        rows = [self._guest(world, guest, fresh) for guest in world.guests.values()]
        nodes = sorted({world.node, *(g.node for g in world.guests.values() if g.node)})
        rows += [self.node_row(world, node, now) for node in nodes]
        rows += [storage_row(world, name, known=fresh) for name in world.storages]
        rows.append(
            {
                "network": "localnetwork",
                "network-type": "zone",
                "node": world.node,
                "type": "network",
                "id": f"network/{world.node}/zone/localnetwork",
                "status": "ok",
            }
        )
        return rows

    def _guest(self, world: World, guest: Guest, fresh: bool) -> dict[str, Any]:
        known = self.rows.get(guest.vmid)
        node = guest.node or world.node
        if not fresh or known is None or known["_ctime"] != guest.ctime:
            return {
                "type": guest.kind,
                "node": node,
                "status": "unknown",
                "id": f"{guest.kind}/{guest.vmid}",
                "vmid": guest.vmid,
            }
        row = {k: v for k, v in known.items() if k != "_ctime"}
        row["node"] = node
        if guest.lock:
            # locks come from the configuration, not from pvestatd: they show at once
            row["lock"] = guest.lock
        return row

    def node_row(self, world: World, node: str, now: float, *, full: bool = True) -> dict[str, Any]:
        bare = {"type": "node", "node": node, "id": f"node/{node}", "level": "", "cgroup-mode": 2}
        if now - self.at >= EXPIRY:
            return {**bare, "status": "unknown"}
        if not full:
            return {**bare, "status": "online"}
        used = sum(memory_of(g, self.at) for g in world.guests.values())
        root = world.storages.get("local")
        return {
            **bare,
            "status": "online",
            "cpu": self.load,
            "maxcpu": world.cores,
            "mem": min(world.memory, (1 << 30) + used),
            "maxmem": world.memory,
            "disk": root.used if root else 0,
            "maxdisk": root.total if root else 0,
            "uptime": max(0, int(self.at - world.booted)),
        }


def guest_row(world: World, guest: Guest, now: float) -> dict[str, Any]:
    """One row as pvestatd knows it at ``now``."""
    row: dict[str, Any] = {
        "id": f"{guest.kind}/{guest.vmid}",
        "type": guest.kind,
        "vmid": guest.vmid,
        "name": guest.name,
        "node": world.node,
        "status": status_of(guest),
        "template": int(guest.template),
        "cpu": cpu_of(guest, now),
        "maxcpu": guest.cores,
        "mem": memory_of(guest, now),
        "memhost": memory_of(guest, now),
        "maxmem": guest.memory,
        "disk": guest.disk // 5 if guest.kind == "lxc" and guest.running else 0,
        "maxdisk": guest.disk,
        "diskread": traffic_of(guest, now, 1),
        "diskwrite": traffic_of(guest, now, 2),
        "netin": traffic_of(guest, now, 3),
        "netout": traffic_of(guest, now, 4),
        "uptime": uptime_of(guest, now),
        # not part of the answer: tells a reused VMID from the guest that was published
        "_ctime": guest.ctime,
    }
    if guest.tags:
        row["tags"] = guest.tags
    if world.version.startswith(("7", "8")):
        del row["memhost"]
    return row


def storage_row(world: World, name: str, *, known: bool) -> dict[str, Any]:
    storage = world.storages[name]
    row: dict[str, Any] = {
        "id": f"storage/{world.node}/{name}",
        "type": "storage",
        "storage": name,
        "node": world.node,
        "shared": int(storage.shared),
        "content": storage.content,
        "plugintype": storage.type,
        "status": "available" if known else "unknown",
    }
    if known:
        row["disk"] = storage.used
        row["maxdisk"] = storage.total
    return row
