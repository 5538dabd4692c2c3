"""Hundreds of consoles for minutes, with random closes, stopped VMs and host faults: what is left behind?

    script/bench soak [-- --consoles 500 --minutes 10 --hosts 60]

Every few seconds some browsers leave, others vanish without a word, a VM is powered off, a host falls silent or resets.
What was lost is opened again. Eight of the consoles are the sample: what their hosts sent and got is compared byte for
byte with what the browsers got and sent. Afterwards every console must have ended with a cause, and sockets, tasks and
the hosts' sessions must be back where they were; memory may not grow while as many consoles are open. Exit 1 when
something is left.
"""

import argparse
import asyncio
import json
import os
import random
import re
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from console.sample import Sample, TapingConsoles
from kit import folder, heading, rss_kib
from stage import Stage, stage
from viewer import Viewer

from pharmq.base.clock import SystemClock
from pharmq_sim.testing import SimFleet

HERE = Path(__file__).parent
PAUSE_S = 2.0
ARRIVING_S = 60.0
STRIP = 100
FAULTS = ("half_open", "reset", "latency", "refused")
SAMPLE_HOSTS = 4


def sockets(pid: int) -> int:
    return sum(1 for link in Path(f"/proc/{pid}/fd").iterdir() if _is_socket(link))


def _is_socket(link: Path) -> bool:
    try:
        return str(link.readlink()).startswith("socket:")
    except OSError:
        return False


class Soak:
    def __init__(self, on: Stage, vms: list[dict[str, Any]], seconds: float) -> None:
        self.on = on
        self.vms = vms
        self.began = time.monotonic()
        self.end = self.began + seconds
        self.draw = random.Random(4)
        self.ends: Counter[str] = Counter()
        self.causeless: list[str] = []
        self.updates = 0
        self.opened = 0
        self.most = 0
        self.memory: list[tuple[float, int]] = []

    async def person(self, number: int, of: int) -> None:
        """Opens a console, watches it for a while, leaves in one way or another, and comes back."""
        await asyncio.sleep(number * ARRIVING_S / of)
        while time.monotonic() < self.end:
            vm = self.vms[(number + self.opened) % len(self.vms)]
            try:
                viewer = await Viewer.open(self.on, vm)
            except (RuntimeError, OSError) as error:
                self._ended(error)
                await asyncio.sleep(self.draw.uniform(1, 4))
                continue
            self.opened += 1
            # The strip with the moving bar: whole raw pictures of hundreds would measure the simulator and ourselves.
            viewer.size = viewer.size[:2] + STRIP.to_bytes(2, "big")
            stay = min(self.end, time.monotonic() + self.draw.uniform(20, 240))
            try:
                seen = await viewer.watch(stay, PAUSE_S)
                self.updates += seen
                how = self.draw.choice(("closed here", "vanished"))
                self.ends[how] += 1
                if how == "vanished":
                    viewer.vanish()
            except (RuntimeError, OSError) as error:
                self._ended(error)
            await viewer.close()

    def _ended(self, error: Exception) -> None:
        """What the browser was told."""
        cause = next(iter(_words(str(error))), "")
        self.ends[cause or f"no cause: {error}"[:80]] += 1
        if not cause:
            self.causeless.append(str(error)[:200])

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
                self.ends["job: " + str(error)[:60]] += 1

    async def watch(self) -> None:
        while time.monotonic() < self.end:
            rows = (await self.on.get("/api/vnc/sessions?limit=1"))["total"]
            self.most = max(self.most, rows)
            memory = rss_kib(self.on.manager)
            self.memory.append(((time.monotonic() - self.began) / (self.end - self.began), memory))
            print(f"{rows:5} consoles, {self.opened} opened, {self.updates} updates, {memory >> 10} MiB", flush=True)
            await asyncio.sleep(min(10, max(0.1, self.end - time.monotonic())))

    def growth(self) -> tuple[float, float]:
        """Memory in MiB around the middle and at the end, while as many consoles are open."""
        parts = [[kib / 1024 for at, kib in self.memory if low <= at <= high] for low, high in ((0.3, 0.5), (0.8, 1))]
        middle, last = (sum(part) / max(1, len(part)) for part in parts)
        return middle, last


def _one(vm: dict[str, Any]) -> dict[str, Any]:
    return {"vms": [{"host_id": vm["host_id"], "vmid": vm["vmid"]}]}


def _words(text: str) -> list[str]:
    """Codes in an error's text."""
    return re.findall(r"\b[a-z_]+\.[a-z_]+\b", text.partition(": ")[2])


class Counts:
    """What the manager and the hosts hold."""

    def __init__(self, on: Stage, file: Path) -> None:
        self.on = on
        self.file = file

    async def tasks(self) -> Counter[str]:
        self.file.unlink(missing_ok=True)
        os.kill(self.on.manager, signal.SIGUSR2)
        for _ in range(100):
            await asyncio.sleep(0.1)
            if self.file.exists():
                return Counter(json.loads(self.file.read_text()))
        raise RuntimeError("the manager did not tell its tasks")

    async def host_sessions(self) -> int:
        count = 0
        for host in await self.on.sim_hosts():
            for guest in host["guests"]:
                url = f"{self.on.control}/hosts/{host['host']}/guests/{guest['vmid']}/screen"
                async with self.on.plain.get(url) as response:
                    count += (await response.json())["sessions"]
        return count

    async def journal(self) -> tuple[int, list[str]]:
        """How many consoles were asked for, and the acts that have no end or no cause."""
        rows: list[dict[str, Any]] = []
        before = ""
        while True:
            page = (await self.on.get(f"/api/events?kind=console.*&limit=1000{before}"))["items"]
            rows += page
            if not page:
                break
            before = f"&before={page[-1]['seq']}"
        outcomes = {(row["act_id"], row["kind"]): row["outcome"] for row in rows if row["phase"] != "request"}
        asked = {row["act_id"] for row in rows if row["kind"] == "console.opened" and row["phase"] == "request"}
        bad = []
        for act in asked:
            opened = outcomes.get((act, "console.opened"))
            if not opened or (opened == "ok" and not outcomes.get((act, "console.closed"))):
                bad.append(str(act))
        return len(asked), bad


async def run(options: argparse.Namespace) -> bool:
    with folder() as directory:
        tasks = directory / "tasks"
        os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE / "counted"), os.environ.get("PYTHONPATH", "")])
        os.environ["PHARMQ_BENCH_TASKS"] = str(tasks)
        async with (
            stage(options.hosts) as on,
            SimFleet(SAMPLE_HOSTS, clock=SystemClock(), consoles=TapingConsoles) as fleet,
        ):
            return await _soak(options, on, fleet, Counts(on, tasks))


async def _soak(options: argparse.Namespace, on: Stage, fleet: SimFleet, counts: Counts) -> bool:
    sample = Sample(on, fleet, 5)
    await sample.register()
    vms = [
        vm for kind in ("pos", "kiosk") for vm in await _running(on, kind) if not vm["pharmacy_name"].startswith("표본")
    ]
    settings = await on.get("/api/settings")
    limits = {"consoles_per_user": 500, "consoles_total": 2000, "consoles_per_host": 50}
    await on.call("PUT", "/api/settings", settings | limits)
    await asyncio.sleep(5)
    before = (sockets(on.manager), rss_kib(on.manager), await counts.tasks())
    soak = Soak(on, vms, options.minutes * 60)
    # The sample's own count too: all of them belong to one user, who may have 500.
    count = options.consoles - len(sample.vms)
    people = [asyncio.create_task(soak.person(number, count)) for number in range(count)]
    people += [asyncio.create_task(sample.person(number, soak.end)) for number in range(len(sample.vms))]
    people += [asyncio.create_task(soak.mischief(options.hosts)), asyncio.create_task(soak.watch())]
    await asyncio.gather(*people)
    # A browser that vanished, or a host that fell silent, is known after a minute and a half at the latest.
    for _ in range(100):
        await asyncio.sleep(1)
        if (await on.get("/api/vnc/sessions?limit=1"))["total"] == 0:
            break
    await asyncio.sleep(15)
    return await told(soak, sample, counts, before)


async def _running(on: Stage, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await on.get(f"/api/vms?status=running&type={kind}&limit=1000"))["items"]
    return found


async def told(soak: Soak, sample: Sample, counts: Counts, before: tuple[int, int, Counter[str]]) -> bool:
    on = soak.on
    left = (await on.get("/api/vnc/sessions?limit=1"))["total"]
    after = (sockets(on.manager), rss_kib(on.manager))
    tasks = await counts.tasks()
    await asyncio.sleep(2)
    held = rss_kib(on.manager)
    on_hosts = await counts.host_sessions() + sample.left()
    asked, endless = await counts.journal()
    middle, last = soak.growth()
    print("\nwhat browsers were told:", *(f"\n  {count:6} {words}" for words, count in soak.ends.most_common()))
    print(f"consoles: {soak.opened} opened, {soak.most} at once, {soak.updates} updates; {left} left")
    print(f"journal: {asked} asked for, {len(endless)} without an end and its cause {endless[:3]}")
    print(f"sockets {before[0]} -> {after[0]}; tasks {before[2].total()} -> {tasks.total()} {dict(tasks - before[2])}")
    print(
        f"memory {before[1] >> 10} -> {after[1] >> 10} MiB idle ({held >> 10} once free pages are given back); "
        f"{middle:.0f} -> {last:.0f} MiB while all are open"
    )
    print(f"sessions left on hosts: {on_hosts}")
    sizes = " and ".join(
        f"{size / 1e6:.0f} MB {way}" for size, way in zip(sample.compared, ("down", "up"), strict=True)
    )
    print(f"compared byte for byte: {sizes} of {sample.consoles} consoles; {sample.differences[:5] or 'no difference'}")
    verdict = {
        "consoles left": left == 0,
        "sockets": after[0] <= before[0] + 10,
        "tasks": tasks.total() <= before[2].total() + 5,
        "memory": middle == 0 or last <= middle * 1.1 + 10,
        "sessions on hosts": on_hosts == 0,
        "an end without a cause": not endless and not soak.causeless,
        "bytes": not sample.differences and min(sample.compared) > 0,
    }
    print("wrong:", ", ".join(name for name, well in verdict.items() if not well) or "nothing", soak.causeless[:3])
    return all(verdict.values())


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
