"""One job stops every guest of a fleet and one starts them again: the time against what hosts and caps impose.

The limit is the makespan of an ideal manager: it knows at once when a task has ended, asks nothing and writes nothing,
but keeps the same caps. It is computed from the tasks' own durations on the hosts (their start and end, in whole
seconds, so right in the mean). The page is asked for all the while, as a browser would.
"""

import argparse
import asyncio
import heapq
import sys
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import aiohttp
from kit import cpu_seconds, heading, p
from stage import Stage, stage

REACH = 1.2


def ideal(tasks: Sequence[tuple[int, float]], overall: int, per_host: int) -> float:
    """Seconds in which tasks (host, duration) can be over, hosts in turn, within the caps."""
    waiting: OrderedDict[int, deque[float]] = OrderedDict()
    for host, duration in tasks:
        waiting.setdefault(host, deque()).append(duration)
    busy: dict[int, int] = {}
    running: list[tuple[float, int]] = []
    now = 0.0
    while waiting or running:
        while len(running) < overall:
            host = next((each for each in waiting if busy.get(each, 0) < per_host), None)
            if host is None:
                break
            heapq.heappush(running, (now + waiting[host].popleft(), host))
            busy[host] = busy.get(host, 0) + 1
            if waiting[host]:
                waiting.move_to_end(host)
            else:
                del waiting[host]
        now, host = heapq.heappop(running)
        busy[host] -= 1
    return now


async def durations(on: Stage, upids: set[str]) -> dict[str, float]:
    """How long tasks took, by the hosts' own lists."""
    found: dict[str, float] = {}
    hosts = (await on.get("/api/proxmox/hosts?limit=1000"))["items"]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False, limit=4)) as http:
        for host in hosts:
            base = f"https://{host['host_ip']}:{host['host_port']}/api2/json"
            login = {"username": "root@pam", "password": on.root_password}
            async with http.post(f"{base}/access/ticket", data=login) as answer:
                ticket = (await answer.json())["data"]["ticket"]
            cookie = {"Cookie": f"PVEAuthCookie={ticket}"}
            async with http.get(f"{base}/nodes/{host['node']}/tasks?limit=500&source=all", headers=cookie) as answer:
                for row in (await answer.json())["data"]:
                    if row["upid"] in upids and row.get("endtime"):
                        found[row["upid"]] = row["endtime"] - row["starttime"]
    return found


async def follow(on: Stage, job_id: int, waits: list[float]) -> dict[str, Any]:
    """The job when it is over; meanwhile the page's numbers and the list are asked for."""
    while True:
        for path in ("/api/summary", "/api/vms?limit=100", f"/api/jobs/{job_id}"):
            began = time.perf_counter()
            found: dict[str, Any] = await on.get(path)
            waits.append(time.perf_counter() - began)
        if found["state"] in ("done", "cancelled"):
            return found
        await asyncio.sleep(0.5)


async def one_job(on: Stage, verb: str, caps: tuple[int, int]) -> tuple[float, float]:
    waits: list[float] = []
    cpu, began = cpu_seconds(on.manager), time.monotonic()
    job = (await on.call("POST", f"/api/vms/batch/{verb}", {"filter": {}}))["job"]
    done = await follow(on, job["id"], waits)
    took = time.monotonic() - began
    cpu = cpu_seconds(on.manager) - cpu
    items: list[dict[str, Any]] = []
    while len(items) < done["counts"]["total"]:
        items += (await on.get(f"/api/jobs/{job['id']}/items?limit=1000&offset={len(items)}"))["items"]
    told = await durations(on, {item["upid"] for item in items if item["upid"]})
    limit = ideal([(item["host_id"], told[item["upid"]]) for item in items if item["upid"] in told], *caps)
    counts = {name: number for name, number in done["counts"].items() if number}
    n = max(1, len(told))
    print(
        f"{verb:>9} {n:6} {sum(told.values()) / n:9.2f} s {took:8.1f} s {limit:8.1f} s {took / max(limit, 0.1):7.2f}x "
        f"{1000 * cpu / n:9.1f} ms {1000 * p(waits, 50):6.0f} / {1000 * p(waits, 95):.0f} ms   {counts}",
        flush=True,
    )
    return took, limit


async def measure(hosts: int, guests: float) -> bool:
    async with stage(hosts, guests) as on:
        settings = await on.get("/api/settings")
        caps = (settings["jobs_total"], settings["jobs_per_host"])
        heading(f"Jobs over {hosts} hosts, {caps[0]} at once, {caps[1]} per host")
        head = f"{'job':>9} {'tasks':>6} {'each':>11} {'took':>10} {'limit':>10} {'ratio':>8} {'CPU each':>12}"
        print(f"{head}   page p50 / p95")
        # The simulated fleet has guests that are off: all on first, then the two that count.
        await one_job(on, "start", caps)
        stop = await one_job(on, "shutdown", caps)
        start = await one_job(on, "start", caps)
        ratio = (stop[0] + start[0]) / (stop[1] + start[1])
        print(f"stopped and started: {ratio:.2f}x of what hosts and caps impose; reach <= {REACH}x")
        return ratio <= REACH


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--guests", type=float, default=10.0, help="per host")
    options = parser.parse_args()
    kept = asyncio.run(measure(options.hosts, options.guests))
    print("kept" if kept else "missed")


if __name__ == "__main__":
    main()
