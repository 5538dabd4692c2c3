"""Answers and polling while 30 of 100 hosts hang (they accept connections and stay silent).

    script/bench hung [--seconds 60] [--rounds 2]

Windows without and with hung hosts take turns. The fleet and the manager are processes of their own; polls are counted
by the healthy hosts' ``last_check`` in the API (read each second, so none is missed), answers are timed by a client
on a kept connection.
"""

import argparse
import asyncio
import time
from datetime import datetime
from itertools import count
from urllib.parse import quote

from kit import cpu_seconds, heading, median, p
from stage import Stage, stage

HOSTS, HUNG = 100, 30
WORDS = ("강남", "ㄱㄴㅇㄴ", "rkdska", "1234", "pos", "192.168.7.1")
LIMIT_MS = 100
PAUSE_S = 0.05


class Window:
    """What one stretch of time showed."""

    def __init__(self) -> None:
        self.vms: list[float] = []
        self.search: list[float] = []
        self.gaps: list[float] = []
        """Seconds between two polls of a healthy host. Not polls per window: hosts move in step for a while."""
        self.seconds = 0.0
        self.cpu = 0.0

    @property
    def per_host(self) -> float:
        """Polls of a healthy host per minute."""
        return 60 * len(self.gaps) / sum(self.gaps)


async def ask(on: Stage, window: Window, end: float) -> None:
    for turn in count():
        if time.monotonic() >= end:
            return
        search = turn % 2
        path = f"/api/search?q={quote(WORDS[turn // 2 % len(WORDS)])}" if search else "/api/vms"
        began = time.perf_counter()
        await on.get(path)
        (window.search if search else window.vms).append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(PAUSE_S)


async def watch(on: Stage, window: Window, healthy: set[str], end: float) -> None:
    seen: dict[int, datetime] = {}
    while time.monotonic() < end:
        for row in (await on.get("/api/proxmox/hosts?limit=1000"))["items"]:
            if row["host_ip"] in healthy:
                at = datetime.fromisoformat(row["last_check"])
                before = seen.get(row["id"])
                if before is not None and before != at:
                    window.gaps.append((at - before).total_seconds())
                seen[row["id"]] = at
        await asyncio.sleep(1.0)


async def look(on: Stage, window: Window, healthy: set[str], seconds: float) -> None:
    began, used = time.monotonic(), cpu_seconds(on.manager)
    end = began + seconds
    await asyncio.gather(ask(on, window, end), watch(on, window, healthy, end))
    window.seconds += time.monotonic() - began
    window.cpu += cpu_seconds(on.manager) - used


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    heading(f"{HUNG} of {HOSTS} hosts hang")
    calm, hung = Window(), Window()
    async with stage(HOSTS) as on:
        healthy = {host["address"] for host in await on.sim_hosts() if host["host"] <= HOSTS - HUNG}
        await asyncio.sleep(20)  # first questions about every guest's configuration are over
        for _ in range(options.rounds):
            await on.until("online", HOSTS, lambda s: s["hosts"]["online"])
            await look(on, calm, healthy, options.seconds)
            for number in range(HOSTS - HUNG + 1, HOSTS + 1):
                await on.fault(number, "hang")
            await on.until("offline", HUNG, lambda s: s["hosts"]["offline"])
            await look(on, hung, healthy, options.seconds)
            for number in range(HOSTS - HUNG + 1, HOSTS + 1):
                await on.fault(number, None)
            await on.call("POST", "/api/vms/sync", {})
    print(f"{'':44} {'all well':>10} {'30 hang':>10}   ratio")
    for title, a, b in (
        ("polls per minute of a healthy host", calm.per_host, hung.per_host),
        ("... longest gap between two, s", max(calm.gaps), max(hung.gaps)),
        ("GET /api/vms, median ms", median(calm.vms), median(hung.vms)),
        ("GET /api/vms, p95 ms", p(calm.vms, 95), p(hung.vms, 95)),
        ("GET /api/search, median ms", median(calm.search), median(hung.search)),
        ("GET /api/search, p95 ms", p(calm.search, 95), p(hung.search, 95)),
        ("CPU of the manager, % of a core", 100 * calm.cpu / calm.seconds, 100 * hung.cpu / hung.seconds),
    ):
        print(f"{title:44} {a:10.2f} {b:10.2f}   {b / a:5.2f}x")
    worst = max(p(hung.vms, 95), p(hung.search, 95))
    print(
        f"reach: p95 < {LIMIT_MS} ms: {'kept' if worst < LIMIT_MS else 'missed'}; "
        f"{len(hung.vms)} answers and {len(hung.gaps)} polls while hosts hang"
    )


asyncio.run(main())
