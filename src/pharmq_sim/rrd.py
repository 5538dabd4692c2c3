"""Round-robin data made up on the spot: repeatable points, one a minute in the hour frame."""

import random
from typing import Any

from pharmq_sim.world import Guest, World

#: timeframe -> (seconds between points, number of points)
FRAMES = {
    "hour": (60, 60),
    "day": (60 * 20, 72),
    "week": (60 * 180, 56),
    "month": (60 * 720, 60),
    "year": (60 * 60 * 24 * 7, 52),
    "decade": (60 * 60 * 24 * 30, 120),
}


def timeframe(params: dict[str, str]) -> tuple[int, int]:
    return FRAMES[params.get("timeframe", "hour")]


def _times(now: float, frame: tuple[int, int]) -> list[int]:
    step, count = frame
    last = int(now) // step * step
    return [last - step * (count - 1 - n) for n in range(count)]


def guest_points(guest: Guest, now: float, frame: tuple[int, int]) -> list[dict[str, Any]]:
    """Points before the guest's creation carry only their time."""
    points: list[dict[str, Any]] = []
    for moment in _times(now, frame):
        if moment < guest.ctime:
            points.append({"time": moment})
            continue
        rng = random.Random(f"{guest.vmid}/{guest.ctime}/{moment}")
        on = guest.running and moment >= guest.started
        points.append(
            {
                "time": moment,
                "cpu": guest.load * (0.5 + rng.random()) if on else 0,
                "maxcpu": guest.cores,
                "mem": int(guest.memory * (0.4 + 0.1 * rng.random())) if on else 0,
                "maxmem": guest.memory,
                "disk": 0,
                "maxdisk": guest.disk,
                "netin": rng.randrange(20_000) if on else 0,
                "netout": rng.randrange(10_000) if on else 0,
            }
        )
    return points


def node_points(world: World, now: float, frame: tuple[int, int]) -> list[dict[str, Any]]:
    points: list[dict[str, Any]] = []
    used = sum(g.memory for g in world.guests.values() if g.running) // 2
    for moment in _times(now, frame):
        if moment < world.booted:
            points.append({"time": moment})
            continue
        rng = random.Random(f"{world.seed}/{moment}")
        points.append(
            {
                "time": moment,
                "cpu": 0.05 + 0.2 * rng.random(),
                "maxcpu": world.cores,
                "iowait": 0.01 * rng.random(),
                "loadavg": round(rng.random() * 2, 2),
                "memused": used + (1 << 30),
                "memtotal": world.memory,
                "swapused": 0,
                "swaptotal": 8 << 30,
                "rootused": 6 << 30,
                "roottotal": 94 << 30,
                "netin": rng.randrange(80_000),
                "netout": rng.randrange(60_000),
            }
        )
    return points
