"""The plan's own indicators: 100 hosts, 1,000 VMs, 50 consoles at once, on simulated hosts with real hosts' delays.

    script/bench plan [--settle 120] [--seconds 20] [--times 5]

The manager runs as in ``script/demo``. Needs Chromium for what a person sees; it shares the machine's cores with the
simulated hosts, so its figures are on the safe side.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import screen
from kit import cpu_seconds, heading, median, p, pss_mib
from stage import Stage, stage
from viewer import Viewer

HOSTS, EACH, CONSOLES = 100, 10, 50
FRAME_S = 0.1
"""A viewer asks for the next picture this long after it had one."""


def line(what: str, reach: float | None, worst: float, detail: str) -> None:
    verdict = "" if reach is None else "kept" if worst < reach else "MISSED"
    print(f"{what:42} {'' if reach is None else f'< {reach:g} s':>7}  {detail:52} {verdict}", flush=True)


def of(values: list[float]) -> str:
    return f"median {median(values):.3f} s, p95 {p(values, 95):.3f} s, worst {max(values):.3f} s"


async def timed(count: int, work: Callable[[int], Awaitable[object]], pause: float = 0) -> list[float]:
    found = []
    for turn in range(count):
        began = time.perf_counter()
        await work(turn)
        found.append(time.perf_counter() - began)
        await asyncio.sleep(pause)
    return found


async def rest(on: Stage, seconds: float) -> None:
    """CPU and memory of the manager while nobody asks for anything."""
    used = cpu_seconds(on.manager)
    await asyncio.sleep(seconds)
    share = (cpu_seconds(on.manager) - used) / seconds
    line(
        "manager at rest, polling every 10 s", None, 0, f"{share * 100:.1f} % of a core, {pss_mib(on.manager):.0f} MiB"
    )


async def answers(on: Stage, ids: list[int], note: str = "", pause: float = 0) -> None:
    """Health of hosts and the lists, as the API gives them; ``pause`` seconds after each question."""
    values = await timed(20, lambda turn: on.get(f"/api/proxmox/hosts/{ids[turn]}/health"), pause)
    line(f"health of a host{note}", 5, max(values), of(values))
    values = await timed(40, lambda turn: on.get(f"/api/vms?limit=100&offset={turn * 20}"), pause / 2)
    line(f"list, 100 rows{note}", 5, max(values), of(values))
    values = await timed(10, lambda _turn: on.get("/api/vms?limit=1000"), pause)
    line(f"list, all 1,000 rows{note}", 5, max(values), of(values))


async def hanging(on: Stage, number: int) -> None:
    """Health of a host that accepts and stays silent: the longest there is."""
    address = next(host["address"] for host in await on.sim_hosts() if host["host"] == number)
    rows = (await on.get("/api/proxmox/hosts?limit=1000"))["items"]
    host_id = next(row["id"] for row in rows if row["host_ip"] == address)
    await on.fault(number, "hang")
    values = await timed(3, lambda _turn: on.get(f"/api/proxmox/hosts/{host_id}/health"))
    await on.fault(number, None)
    line("health of a host that hangs", 5, max(values), of(values))


async def probe(on: Stage, found: list[float]) -> None:
    """How long the manager's event loop lets somebody wait, whatever the hosts do."""
    while True:
        began = time.perf_counter()
        await on.get("/healthz")
        found.append(time.perf_counter() - began)
        await asyncio.sleep(0.05)


async def consoles(on: Stage, vms: list[dict[str, Any]], seconds: float, ids: list[int]) -> None:
    before = pss_mib(on.manager)
    viewers = await asyncio.gather(*(Viewer.open(on, vm) for vm in vms))
    values = [viewer.open_ms / 1000 for viewer in viewers]
    line(f"VNC open, {len(viewers)} at once", 10, max(values), of(values))
    used, began = cpu_seconds(on.manager), time.monotonic()
    both = cpu_seconds(on.fleet)  # the manager is its child
    end = began + seconds
    works = [asyncio.create_task(viewer.watch(end, FRAME_S)) for viewer in viewers]
    own: list[float] = []
    probing = asyncio.create_task(probe(on, own))
    await answers(on, ids, ", meanwhile", seconds / 60)
    probing.cancel()
    line("the manager's own /healthz, meanwhile", None, 0, of(own))
    updates = sum(await asyncio.gather(*works))
    took = time.monotonic() - began
    share = (cpu_seconds(on.manager) - used) / took
    fleet = (cpu_seconds(on.fleet) - both) / took - share
    megabytes = sum(viewer.bytes for viewer in viewers) / 1e6
    still = (await on.get("/api/vnc/sessions"))["total"]
    line(
        f"{len(viewers)} consoles for {took:.0f} s", None, 0,
        f"{still} still open, {updates / took:.0f} updates/s, {megabytes / took:.1f} MB/s",
    )  # fmt: skip
    more = pss_mib(on.manager) - before
    line("manager meanwhile", None, 0, f"{share * 100:.0f} % of a core, {more:+.0f} MiB")
    line("the simulated hosts' process meanwhile", None, 0, f"{fleet * 100:.0f} % of a core")
    await asyncio.gather(*(viewer.close() for viewer in viewers))


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--settle", type=float, default=120, help="seconds until every guest's configuration is known")
    parser.add_argument("--seconds", type=float, default=20, help="how long the consoles are watched")
    parser.add_argument("--times", type=int, default=5, help="visits in Chromium")
    options = parser.parse_args()
    heading(f"{HOSTS} hosts, {HOSTS * EACH:,} VMs, {CONSOLES} consoles")
    async with stage(HOSTS, EACH) as on:
        summary = await on.get("/api/summary")
        hosts, vms = summary["hosts"]["online"], summary["vms"]["total"]
        line("fleet", None, 0, f"{hosts} hosts online, {vms:,} VMs known")
        await asyncio.sleep(options.settle)
        await rest(on, 30)
        await on.one_user_may(CONSOLES)
        ids = [row["id"] for row in (await on.get("/api/proxmox/hosts?limit=1000"))["items"]]
        await answers(on, ids)
        await hanging(on, HOSTS)
        async with screen.chromium() as browser:
            for what, reach, visit in (
                ("dashboard, first load in Chromium", 3, lambda _turn: screen.dashboard(browser, on, vms)),
                ("list of VMs, first load in Chromium", 5, lambda _turn: screen.guests(browser, on)),
                ("VNC, click to picture in Chromium", 10, lambda turn: screen.picture(browser, on, turn)),
            ):
                values = [await visit(turn) for turn in range(options.times)]
                line(what, reach, max(values), of(values))
        rows = (await on.get("/api/vms?status=running&type=kiosk&type=pos&limit=1000"))["items"]
        wanted = {row["host_id"]: row for row in rows if row["guest_type"] == "qemu"}
        await consoles(on, list(wanted.values())[:CONSOLES], options.seconds, ids)


asyncio.run(main())
