"""First load and a scrolling list of guests in Chromium at 100 and 24,000 pharmacies, side by side.

    script/bench lists [--rounds 3] [--hosts 24000] [--seconds 8] [--address "/vms?view=list"] [--before FOLDER]

Two managers, one for each fleet (bench/lists/manager.py), visited in turns by a Chromium of its own. Besides what a
person sees (seconds, frames) it counts work: CPU of the page's own thread, which a busy machine changes less.
``--before``: another built user interface (a copy of src/pharmq/web/static), measured in the same rounds.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from kit import cpu_seconds, folder, free_port, heading, median, running, spread, wait_for
from plan.screen import chromium
from playwright.async_api import Browser, CDPSession, Page

HERE = Path(__file__).parent
PASSWORD = "correct horse battery"
FRAMES_WANTED = 50

# Before any script of the page: tasks of its thread that take longer than 50 ms.
_WATCH = """() => {
  window.__long = []
  const note = (list) => window.__long.push(...list.getEntries().map((entry) => entry.duration))
  new PerformanceObserver(note).observe({ type: 'longtask', buffered: true })
}"""

# Two rows a frame, as a firm hand on the wheel; turns round at the ends. Answers the lengths of the frames.
_SCROLL = """async (seconds) => {
  const scroller = document.getElementById('content')
  const lengths = []
  let step = 72
  window.__long = []
  const end = performance.now() + seconds * 1000
  let before = await new Promise(requestAnimationFrame)
  while (before < end) {
    const at = scroller.scrollTop
    scroller.scrollTop = at + step
    if (scroller.scrollTop === at) step = -step
    const now = await new Promise(requestAnimationFrame)
    lengths.push(now - before)
    before = now
  }
  return { lengths, long: window.__long, nodes: document.querySelectorAll('*').length }
}"""


async def thread_cpu(session: CDPSession) -> dict[str, float]:
    """CPU seconds of the page's thread so far, in all and in scripts."""
    answer = await session.send("Performance.getMetrics")
    found = {metric["name"]: metric["value"] for metric in answer["metrics"]}
    return {"all": found["TaskDuration"], "script": found["ScriptDuration"], "heap": found["JSHeapUsedSize"] / 2**20}


@contextlib.asynccontextmanager
async def visitor(browser: Browser, url: str) -> AsyncIterator[tuple[Page, CDPSession]]:
    context = await browser.new_context(locale="ko-KR", viewport={"width": 1440, "height": 900})
    try:
        answer = await context.request.post(f"{url}/api/session", data={"username": "admin", "password": PASSWORD})
        if not answer.ok:
            raise RuntimeError(f"signing in: {answer.status}")
        page = await context.new_page()
        await page.add_init_script(f"({_WATCH})()")
        session = await context.new_cdp_session(page)
        await session.send("Performance.enable", {"timeDomain": "threadTicks"})
        yield page, session
    finally:
        await context.close()


async def visit(
    url: str, manager: int, address: str, vms: int, seconds: float, profile: Path | None
) -> dict[str, float]:
    """One person's visit with an empty cache, in a browser of its own."""
    found: dict[str, float] = {}
    async with chromium() as browser, visitor(browser, url) as (page, session):
        if profile:
            await session.send("Profiler.enable")
            await session.send("Profiler.start")
        served, began = cpu_seconds(manager), time.perf_counter()
        await page.goto(url + address)
        await page.locator(".vt-name").nth(10).wait_for(timeout=120_000)
        found["rows"] = time.perf_counter() - began
        await page.locator(".page-head [role=status]", has_text=f"{vms:,}").wait_for(timeout=120_000)
        found["whole"] = time.perf_counter() - began
        found["served"] = cpu_seconds(manager) - served
        load = await thread_cpu(session)
        found["load_cpu"] = load["all"]
        found["load_long"] = max([0.0, *await page.evaluate("window.__long")]) / 1000
        if profile:
            await keep(session, profile.with_suffix(".load.cpuprofile"))
        await page.wait_for_timeout(3000)
        if profile:
            await session.send("Profiler.start")
        before = await thread_cpu(session)
        seen: dict[str, Any] = await page.evaluate(_SCROLL, seconds)
        after = await thread_cpu(session)
        if profile:
            await keep(session, profile.with_suffix(".scroll.cpuprofile"))
        took = sum(seen["lengths"]) / 1000
        found["frames"] = len(seen["lengths"]) / took
        found["late"] = 100 * sum(1 for length in seen["lengths"] if length > 34) / len(seen["lengths"])
        found["worst"] = max(seen["lengths"])
        found["long"] = len(seen["long"]) / took
        found["long_ms"] = sum(seen["long"]) / took
        found["cpu"] = 1000 * (after["all"] - before["all"]) / len(seen["lengths"])
        found["script"] = 1000 * (after["script"] - before["script"]) / len(seen["lengths"])
        still = await thread_cpu(session)
        await page.wait_for_timeout(5000)
        found["idle"] = 100 * ((await thread_cpu(session))["all"] - still["all"]) / 5
        found["heap"] = after["heap"]
        found["nodes"] = seen["nodes"]
    return found


async def dashboard(url: str, vms: int) -> float:
    """Seconds from the address to the dashboard's figures, with an empty cache."""
    async with chromium() as browser, visitor(browser, url) as (page, _):
        began = time.perf_counter()
        await page.goto(url)
        await page.locator(".card-figure", has_text=f"{vms:,}").first.wait_for(timeout=120_000)
        return time.perf_counter() - began


async def keep(session: CDPSession, path: Path) -> None:
    answer = await session.send("Profiler.stop")
    path.write_text(json.dumps(answer["profile"]))


LINES = {
    "figures": ("figures and map on the dashboard, s", 2),
    "rows": ("first rows on the screen, s", 2),
    "whole": ("the list is whole, s", 2),
    "served": ("... CPU of the manager until then, s", 2),
    "load_cpu": ("... CPU of the page's thread until then, s", 2),
    "load_long": ("... its longest task, s", 2),
    "frames": (f"frames a second while scrolling (wanted: {FRAMES_WANTED})", 1),
    "late": ("... frames longer than 34 ms, %", 1),
    "worst": ("... longest frame, ms", 0),
    "long": ("... tasks over 50 ms, a second", 2),
    "long_ms": ("... together, ms a second", 0),
    "cpu": ("... CPU of the page's thread, ms a frame", 2),
    "script": ("... of that in scripts", 2),
    "idle": ("at rest, CPU of the page's thread, % of a core", 1),
    "heap": ("heap of the page, MiB", 0),
    "nodes": ("elements", 0),
}


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hosts", type=int, default=24_000)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--address", default="/vms")
    parser.add_argument("--before", type=Path, help="another built user interface, measured beside ours")
    parser.add_argument("--profile", type=Path, help="keep CPU profiles of the page under this name")
    options = parser.parse_args()
    stands: list[tuple[str, int, list[str]]] = []
    for hosts in (100, options.hosts):
        if options.before:
            stands.append((f"{hosts:,} before", hosts, [str(options.before.resolve())]))
        stands.append((f"{hosts:,}", hosts, []))
    found: list[list[dict[str, float]]] = [[] for _ in stands]
    manager = str(HERE / "manager.py")
    async with contextlib.AsyncExitStack() as stack:
        directory = stack.enter_context(folder())
        urls, managers = [], []
        for place, (_, hosts, extra) in enumerate(stands):
            port = free_port()
            process = stack.enter_context(
                running([sys.executable, manager, str(hosts), str(directory / str(place)), str(port), *extra])
            )
            wait_for(port, 120)
            managers.append(process.pid)
            urls.append(f"http://127.0.0.1:{port}")
        heading(f"The list of guests in Chromium ({options.address}), {options.rounds} rounds")
        for turn in range(options.rounds):
            for place, (name, hosts, _) in enumerate(stands):
                profile = options.profile and options.profile.with_name(f"{options.profile.name}-{place}-{turn}")
                try:
                    figures = await dashboard(urls[place], hosts * 5)
                    found[place].append(
                        {"figures": figures}
                        | await visit(
                            urls[place], managers[place], options.address, hosts * 5, options.seconds, profile
                        )
                    )
                except Exception as error:
                    print(f"{name}: {error}", flush=True)
    print(f"{'pharmacies':56}" + "".join(f"{name:>26}" for name, _, _ in stands))
    for key, (title, digits) in LINES.items():
        cells = []
        for rounds in found:
            values = [one[key] for one in rounds]
            cells.append(f"{median(values):.{digits}f} ({spread(values)})" if values else "–")
        print(f"{title:56}" + "".join(f"{cell:>26}" for cell in cells), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
