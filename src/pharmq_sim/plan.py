"""Which hosts and guests a fleet has: by default 4.5 guests a host, 3.8 of them running, a few suspended. Pure."""

import random
from dataclasses import dataclass, replace

from pharmq_sim.pharmacies import FEATURED, PharmacySpec, pharmacies
from pharmq_sim.world import Guest, Storage, User, World

GUESTS_PER_HOST = 4.5
RUNNING_PER_HOST = 3.8
SUSPENDED_SHARE = 0.06
NODE = "pve"
PORT = 8006
#: second octet of the fleet's loopback addresses
NETWORK = 64
SEED = 417
GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class GuestSpec:
    vmid: int
    name: str
    kind: str
    screen: str
    tags: str = ""
    state: str = "running"  # running | stopped | suspended
    agent: str = "ok"


@dataclass(frozen=True, slots=True)
class HostSpec:
    """Host ``number`` (from 1) of the fleet."""

    number: int
    address: str
    pharmacy: PharmacySpec
    guests: tuple[GuestSpec, ...]
    version: str = "9.2"


def address_of(index: int, network: int = NETWORK) -> str:
    """Loopback address of the host with this index (from 0): 240 hosts a /24, .10 to .249."""
    return f"127.{network}.{index // 240}.{10 + index % 240}"


def _guests(index: int, count: int) -> list[GuestSpec]:
    rng = random.Random(f"guests {index}")
    base = 100 if rng.random() < 0.8 else 101
    # some operators name their machines otherwise and use tags instead
    tagged = rng.random() < 0.2 and index >= len(FEATURED)
    if tagged:
        kiosk = ("win10-front", "kiosk", "kiosk")
        pos = ("counter", "pos", "pos")
    else:
        kiosk = ("KIOSK-1", "kiosk", "")
        pos = ("POS-1", "pos", "")
    second = rng.choice((("KIOSK-2", "kiosk", ""), ("POS-2", "pos", ""), ("CCTV", "server", "")))
    agents = ("ok", "ok", "ok", "off", "silent")
    rows = [kiosk, pos, ("SERVER", "server", ""), ("BACKUP", "backup", ""), second]
    rows += [(f"{screen.upper()}-{number}", screen, "") for number in range(3, count) for screen in ("pos", "kiosk")]
    made = []
    for number, (name, screen, tags) in enumerate(rows[:count]):
        container = name == "BACKUP" and rng.random() < 0.5
        agent = "off" if container else rng.choice(agents)
        made.append(GuestSpec(base + number, name, "lxc" if container else "qemu", screen, tags, agent=agent))
    return made


def plan(hosts: int, network: int = NETWORK, guests_per_host: float = GUESTS_PER_HOST) -> list[HostSpec]:
    """The fleet of ``hosts`` hosts; for 100 it has exactly 450 guests, 380 of them running, unless told otherwise."""
    specs = pharmacies(hosts)
    total = round(guests_per_host * hosts)
    running = round(guests_per_host * hosts * RUNNING_PER_HOST / GUESTS_PER_HOST)
    each = total // hosts
    extra = total - each * hosts
    rng = random.Random(SEED)
    # the featured hosts have one guest more as far as there are that many
    order = [*range(min(hosts, len(FEATURED))), *_shuffled(range(len(FEATURED), hosts), rng)]
    larger = set(order[:extra])
    guests = [_guests(index, each + (index in larger)) for index in range(hosts)]
    resting = _choose_resting(guests, total - running, rng)
    for place, (index, position) in enumerate(resting):
        suspend = guests[index][position].kind == "qemu" and place < round(SUSPENDED_SHARE * len(resting)) + 1
        guests[index][position] = replace(guests[index][position], state="suspended" if suspend else "stopped")
    return [
        HostSpec(index + 1, address_of(index, network), specs[index], tuple(guests[index])) for index in range(hosts)
    ]


def _shuffled(items: range, rng: random.Random) -> list[int]:
    mixed = list(items)
    rng.shuffle(mixed)
    return mixed


def _choose_resting(guests: list[list[GuestSpec]], count: int, rng: random.Random) -> list[tuple[int, int]]:
    """Which guests do not run: none of kiosk and POS of the featured pharmacies, rather servers than kiosks."""
    places = [
        (index, position)
        for index, row in enumerate(guests)
        for position, guest in enumerate(row)
        if not (index < len(FEATURED) and guest.screen in ("kiosk", "pos"))
    ]
    weight = {"backup": 0.5, "server": 0.8, "pos": 1.6, "kiosk": 1.5}
    places.sort(key=lambda p: rng.random() * weight[guests[p[0]][p[1]].screen])
    chosen = places[:count]
    # guests that can be suspended come first
    chosen.sort(key=lambda p: guests[p[0]][p[1]].kind != "qemu")
    return chosen


def make_world(spec: HostSpec, password: str, now: float) -> World:
    """The world of a host as it is on the first start; ``now`` in epoch seconds."""
    rng = random.Random(f"world {spec.number}")
    booted = now - rng.randint(3, 60) * 86_400
    world = World(
        seed=spec.number,
        node=NODE,
        version=spec.version,
        storages={
            "local": Storage("local", total=94 * GIB, used=rng.randint(6, 40) * GIB),
            "local-lvm": Storage(
                "local-lvm", "lvmthin", "images,rootdir", total=400 * GIB, used=rng.randint(80, 360) * GIB, path=""
            ),
        },
        users={"root@pam": User("root@pam", password)},
        cores=rng.choice((4, 4, 8)),
        memory=rng.choice((32, 48, 64)) * GIB,
        booted=booted,
        auth_key=f"{rng.getrandbits(128):032x}",
        next_pid=rng.randint(2000, 9000),
    )
    for position, guest in enumerate(spec.guests):
        world.guests[guest.vmid] = _guest(spec, guest, position, booted, rng)
    return world


def _guest(spec: HostSpec, guest: GuestSpec, position: int, booted: float, rng: random.Random) -> Guest:
    on = guest.state != "stopped"
    memory, disk = {"kiosk": (4, 64), "pos": (8, 120), "server": (8, 240), "backup": (2, 500)}[guest.screen]
    return Guest(
        vmid=guest.vmid,
        kind="lxc" if guest.kind == "lxc" else "qemu",
        name=guest.name,
        running=on,
        run_state="paused" if guest.state == "suspended" else "running",
        started=booted + 40 + 7 * position if on else 0,
        ctime=int(booted) - rng.randint(10, 300) * 86_400,
        uuid=f"{rng.getrandbits(32):08x}-{spec.number:04x}-4000-8000-{rng.getrandbits(48):012x}",
        mac=f"BC:24:11:{spec.number >> 8 & 255:02X}:{spec.number & 255:02X}:{guest.vmid & 255:02X}",
        cores=rng.choice((2, 2, 4)),
        memory=memory * GIB,
        disk=disk * GIB,
        tags=guest.tags,
        # Somebody forgot: a power cut would leave it off.
        onboot=(spec.number * 7 + guest.vmid) % 13 != 0,
        agent="off" if guest.agent == "off" else "silent" if guest.agent == "silent" else "ok",
        ips=[f"192.168.{spec.number % 250}.{guest.vmid}"],
        serial=guest.screen == "server",
        shutdown_s=round(rng.uniform(2.0, 8.0), 1),
        load=round(rng.uniform(0.02, 0.25), 3),
        pid=1000 + guest.vmid if on else 0,
        screen=guest.screen,
        title=spec.pharmacy.name,
    )
