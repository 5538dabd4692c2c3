"""What a person waits for, in Chromium: from an empty cache to figures, rows and pictures that stand on the screen."""

import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright
from stage import Stage

CHROMIUM = os.environ.get("PHARMQ_CHROMIUM", "/usr/bin/chromium")

# noVNC draws into a canvas; a picture has pixels of more than two colours (a POS has).
_PICTURE = """() => [...document.querySelectorAll('canvas')].some((canvas) => {
  if (canvas.width < 320 || canvas.height < 200) return false
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  const seen = new Set()
  for (let at = 0; at < data.length; at += 4 * 997) seen.add(data[at] << 16 | data[at + 1] << 8 | data[at + 2])
  return seen.size > 2
})"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    if not Path(CHROMIUM).exists():
        sys.exit(f"Chromium is missing at {CHROMIUM}: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visitor(browser: Browser, on: Stage) -> AsyncIterator[Page]:
    """Signed in, with an empty cache."""
    context = await browser.new_context(locale="ko-KR", viewport={"width": 1440, "height": 900})
    try:
        credentials = {"username": "admin", "password": on.password}
        answer = await context.request.post(f"{on.url}/api/session", data=credentials)
        if not answer.ok:
            raise RuntimeError(f"signing in: {answer.status}")
        yield await context.new_page()
    finally:
        await context.close()


async def dashboard(browser: Browser, on: Stage, vms: int) -> float:
    """Seconds from the address to the dashboard with the fleet's figures and the map of its hosts."""
    async with visitor(browser, on) as page:
        began = time.perf_counter()
        await page.goto(on.url)
        await page.locator(".card-figure", has_text=f"{vms:,}").first.wait_for(timeout=30_000)
        return time.perf_counter() - began


async def guests(browser: Browser, on: Stage) -> float:
    """Seconds from the address to rows in the list of guests."""
    async with visitor(browser, on) as page:
        began = time.perf_counter()
        await page.goto(f"{on.url}/vms")
        await page.locator(".vt-name").nth(10).wait_for(timeout=30_000)
        return time.perf_counter() - began


async def picture(browser: Browser, on: Stage, turn: int) -> float:
    """Seconds from the click on a guest's VNC to its picture, the console's own code loaded for the first time."""
    async with visitor(browser, on) as page:
        await page.goto(f"{on.url}/vms?status=running&type=pos")
        button = page.locator(".vt-vnc:not([disabled])").nth(turn)
        await button.wait_for(timeout=30_000)
        began = time.perf_counter()
        await button.click()
        await page.wait_for_function(_PICTURE, timeout=30_000)
        return time.perf_counter() - began
