"""Opening a console through the manager, beside opening it on the host directly, in one run.

    script/bench console [--rounds 5] [--opens 40]
    script/bench console -- --far

From ``POST /api/vnc/connect`` over the browser's WebSocket to the host's first own RFB message (ServerInit), and the
end of it; one after the other, and 50 hosts at once. The hosts answer without the delay that real ones have. The
manager writes claim, lease, journal and session into its database meanwhile; its CPU counts (what polling takes at the
same time is measured before and taken off), the simulated hosts' and the browser's does not.

``--far``: the hosts are 150 ms away and lose every fiftieth packet (``far.py``); until the first pixels are there.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from kit import cpu_seconds, heading, median, p
from stage import Stage, stage
from viewer import Viewer

HERE = Path(__file__).parent
HOSTS = 50
FAR_HOSTS = 12
REACH_CPU_MS, REACH_P95_MS, REACH_FAR_S = 5.0, 300.0, 3.0


class Side:
    """CPU per console by round, and how long each opening took."""

    def __init__(self) -> None:
        self.cpu: list[float] = []
        self.ms: list[float] = []


async def through(on: Stage, side: Side, vms: list[dict[str, Any]], opens: int, at_once: int, idle: float) -> None:
    async def one(vm: dict[str, Any]) -> None:
        viewer = await Viewer.open(on, vm)
        side.ms.append(viewer.open_ms)
        await viewer.close()

    began, used = time.monotonic(), cpu_seconds(on.manager)
    for turn in range(0, opens, at_once):
        await asyncio.gather(*(one(vms[(turn + n) % len(vms)]) for n in range(at_once)))
    while (await on.get("/api/vnc/sessions"))["total"]:
        await asyncio.sleep(0.05)
    spent = cpu_seconds(on.manager) - used - idle * (time.monotonic() - began)
    side.cpu.append(spent * 1000 / opens)


async def direct(side: Side, targets: str, opens: int, at_once: int) -> None:
    command = [sys.executable, str(HERE / "direct.py"), str(at_once), str(opens)]
    done = await asyncio.to_thread(
        subprocess.run, command, input=targets, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        sys.exit(f"direct opening failed: {done.stderr[-2000:]}")
    answer = json.loads(done.stdout)
    side.cpu.append(answer["cpu_ms"])
    side.ms += answer["ms"]


async def screens(on: Stage) -> list[dict[str, Any]]:
    """One running VM of each host."""
    rows = (await on.get("/api/vms?status=running&type=kiosk&type=pos&limit=1000"))["items"]
    found = {row["host_id"]: row for row in rows if row["guest_type"] == "qemu"}
    return list(found.values())


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--opens", type=int, default=40)
    parser.add_argument("--far", action="store_true")
    options = parser.parse_args()
    if options.far:
        await far_away(options.opens)
        return
    heading("opening a console")
    async with stage(HOSTS, program=(str(HERE / "undelayed.py"),)) as on:
        await asyncio.sleep(30)  # first questions about every guest's configuration are over
        await on.one_user_may(HOSTS)
        vms = await screens(on)  # never the same VM twice at once: its second password would break the first
        hosts = {row["id"]: row for row in (await on.get("/api/proxmox/hosts?limit=1000"))["items"]}
        targets = json.dumps([
            [host["host_ip"], host["host_port"], host["certificate"]["fingerprint"], on.root_password, vm["vmid"]]
            for vm in vms
            for host in [hosts[vm["host_id"]]]
        ])  # fmt: skip
        used = cpu_seconds(on.manager)
        await asyncio.sleep(20)
        idle = (cpu_seconds(on.manager) - used) / 20
        print(f"{'':50} {'directly':>9} {'manager':>9}   ratio")
        for title, at_once, opens in (
            ("one after the other", 1, options.opens),
            (f"{len(vms)} at once", len(vms), len(vms)),
        ):
            ours, bare = Side(), Side()
            await through(on, Side(), vms, at_once, at_once, idle)
            for _ in range(options.rounds):
                await direct(bare, targets, opens, at_once)
                await through(on, ours, vms, opens, at_once, idle)
            for what, a, b in (
                ("CPU ms per console", median(bare.cpu), median(ours.cpu)),
                ("until ServerInit, median ms", median(bare.ms), median(ours.ms)),
                ("until ServerInit, p95 ms", p(bare.ms, 95), p(ours.ms, 95)),
            ):
                print(f"{f'{title}: {what}':50} {a:9.2f} {b:9.2f}   {b / a:5.2f}x", flush=True)
            if at_once == 1:
                kept = median(ours.cpu) <= REACH_CPU_MS and p(ours.ms, 95) <= REACH_P95_MS
                print(f"reach: {REACH_CPU_MS:g} ms of CPU, p95 {REACH_P95_MS:g} ms: {'kept' if kept else 'missed'}")
    print(f"(taken off for polling: {idle * 100:.1f} % of a core)")


async def far_away(opens: int) -> None:
    heading(f"opening a console on hosts that are 150 ms away, 2 % of packets lost; {opens} one after the other")
    async with stage(FAR_HOSTS, program=(str(HERE / "far.py"),)) as on:
        await asyncio.sleep(30)
        vms = await screens(on)
        opened: list[float] = []
        seen: list[float] = []
        for turn in range(opens):
            began = time.perf_counter()
            viewer = await Viewer.open(on, vms[turn % len(vms)])
            opened.append(viewer.open_ms / 1000)
            await viewer.first_pixels()
            seen.append(time.perf_counter() - began)
            await viewer.close()
        for what, seconds in (("until ServerInit", opened), ("until the first pixels", seen)):
            print(f"{what:24} median {median(seconds):.2f} s, p95 {p(seconds, 95):.2f} s, worst {max(seconds):.2f} s")
        print(f"reach: p95 {REACH_FAR_S:g} s: {'kept' if p(seen, 95) <= REACH_FAR_S else 'missed'}")


asyncio.run(main())
