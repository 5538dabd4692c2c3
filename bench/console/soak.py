"""Hundreds of consoles for minutes, with random closes, stopped VMs and host faults: what is left behind?

    .venv/bin/python bench/console/soak.py [--consoles 500] [--minutes 10] [--hosts 60]

Every few seconds some browsers leave, others vanish without a word, a VM is powered off, a host falls silent or resets.
What was lost is opened again. Afterwards: every console has ended with a cause, and sockets, memory and the hosts'
sessions are back where they were. Exit 1 when something is left.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from kit import heading, rss_kib
from stage import Stage, stage
from viewer import Viewer

PAUSE_S = 2.0
FAULTS = ("half_open", "reset", "latency", "refused")


def sockets(pid: int) -> int:
    return sum(1 for link in Path(f"/proc/{pid}/fd").iterdir() if _is_socket(link))


def _is_socket(link: Path) -> bool:
    try:
        return str(link.readlink()).startswith("socket:")
    except OSError:
        return False


class Soak:
    def __init__(self, on: Stage, vms: list[dict[str, Any]], end: float) -> None:
        self.on = on
        self.vms = vms
        self.end = end
        self.draw = random.Random(4)
        self.ends: Counter[str] = Counter()
        self.updates = 0
        self.opened = 0

    async def person(self, number: int) -> None:
        """Opens a console, watches it for a while, leaves in one way or another, and comes back."""
        while time.monotonic() < self.end:
            vm = self.vms[(number + self.opened) % len(self.vms)]
            try:
                viewer = await Viewer.open(self.on, vm)
            except (RuntimeError, OSError) as error:
                self.ends[_words(error)] += 1
                await asyncio.sleep(self.draw.uniform(1, 4))
                continue
            self.opened += 1
            stay = min(self.end, time.monotonic() + self.draw.uniform(20, 240))
            try:
                self.updates += await viewer.watch(stay, PAUSE_S)
                how = self.draw.choice(("closed", "vanished"))
                self.ends[how] += 1
            except (RuntimeError, OSError) as error:
                how = "lost"
                self.ends[_words(error)] += 1
            if how == "vanished" and (transport := viewer.ws.get_extra_info("transport")) is not None:
                transport = viewer.ws._conn.transport if viewer.ws._conn else None  # type: ignore[union-attr]
                if transport is not None:
                    transport.abort()
            await viewer.close()

    async def mischief(self, hosts: int) -> None:
        while time.monotonic() < self.end - 30:
            number = self.draw.randint(1, hosts)
            await self.on.fault(number, self.draw.choice(FAULTS))
            await asyncio.sleep(self.draw.uniform(3, 10))
            await self.on.fault(number, None)
            vm = self.draw.choice(self.vms)
            try:
                await self.on.call("POST", "/api/vms/batch/stop", _one(vm) | {"force": True})
                await asyncio.sleep(4)
                await self.on.call("POST", "/api/vms/batch/start", _one(vm))
            except RuntimeError as error:
                self.ends["job: " + _words(error)] += 1


def _one(vm: dict[str, Any]) -> dict[str, Any]:
    return {"vms": [{"host_id": vm["host_id"], "vmid": vm["vmid"]}]}


def _words(error: Exception) -> str:
    text = str(error)
    return next((word.strip('",?') for word in text.replace("?", " ").split() if "console." in word), text[:60])


async def run(options: argparse.Namespace) -> bool:
    async with stage(options.hosts) as on:
        vms = list((await on.get("/api/vms?status=running&type=pos&limit=1000"))["items"])
        vms += list((await on.get("/api/vms?status=running&type=kiosk&limit=1000"))["items"])
        settings = await on.get("/api/settings")
        limits = {"consoles_per_user": 500, "consoles_total": 2000, "consoles_per_host": 50}
        await on.call("PUT", "/api/settings", settings | limits)
        before = (sockets(on.manager), rss_kib(on.manager))
        soak = Soak(on, vms, time.monotonic() + options.minutes * 60)
        people = [asyncio.create_task(soak.person(number)) for number in range(options.consoles)]
        people.append(asyncio.create_task(soak.mischief(options.hosts)))
        while time.monotonic() < soak.end:
            await asyncio.sleep(min(20, max(0.1, soak.end - time.monotonic())))
            rows = (await on.get("/api/vnc/sessions?limit=1"))["total"]
            print(f"{rows:5} consoles, {soak.opened} opened, {soak.updates} updates, {rss_kib(on.manager) // 1024} MiB")
        await asyncio.gather(*people)
        await asyncio.sleep(15)
        return await told(on, soak, before)


async def told(on: Stage, soak: Soak, before: tuple[int, int]) -> bool:
    left = (await on.get("/api/vnc/sessions?limit=1"))["total"]
    after = (sockets(on.manager), rss_kib(on.manager))
    print("\nends:", *(f"\n  {count:6} {words}" for words, count in soak.ends.most_common()))
    print(f"consoles left {left}; sockets {before[0]} -> {after[0]}; memory {before[1] >> 10} -> {after[1] >> 10} MiB")
    return left == 0 and after[0] <= before[0] + 10


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--consoles", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--hosts", type=int, default=60)
    options = parser.parse_args()
    heading(f"{options.consoles} consoles for {options.minutes:g} minutes on {options.hosts} hosts")
    sys.exit(0 if asyncio.run(run(options)) else 1)


if __name__ == "__main__":
    main()
