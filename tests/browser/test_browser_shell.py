"""What every page shares: language, theme, phone, keyboard, screen readers, weight, one stream for all tabs."""

import asyncio
import contextlib
import gzip
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, Response, expect

from browser.stage import Stage, until
from browser.visit import Visit, Visiting

BUDGET = 300_000
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


def pages_of(stage: Stage) -> list[str]:
    return [
        "/",
        "/pharmacies",
        f"/pharmacies/{stage.pharmacy_ids[0]}",
        "/hosts",
        f"/hosts/{stage.host_ids[0]}",
        "/enrol",
        "/vms",
        "/consoles",
        "/jobs",
        "/jobs/new",
        "/jobs/onboot",
        "/schedules",
        "/schedules/new",
        "/schedules/calendar",
        "/events",
        "/settings",
    ]


async def by_router(visit: Visit, page: Page, path: str) -> None:
    """Goes there as a link does, without loading the application anew."""
    await page.evaluate("(to) => { history.pushState({}, '', to); dispatchEvent(new PopStateEvent('popstate')) }", path)
    await expect(page.get_by_role("heading", level=1).first).to_be_visible()
    await expect(page.locator("main[aria-busy=true]")).to_have_count(0)
    await visit.quiet()


async def test_theme_and_language_stay_chosen(stage: Stage, visit: Visit) -> None:
    page = await visit.page("/")
    html = page.locator("html")
    ground = "getComputedStyle(document.body).backgroundColor"
    await expect(html).to_have_attribute("lang", "ko")
    await expect(html).to_have_attribute("data-mantine-color-scheme", "light")
    light = await page.evaluate(ground)
    await page.get_by_role("button", name="어두운 화면으로").click()
    await expect(html).to_have_attribute("data-mantine-color-scheme", "dark")
    assert await page.evaluate(ground) != light
    await page.get_by_role("button", name="내 계정").click()
    await page.get_by_role("menuitem", name="English").click()
    await expect(page.get_by_role("link", name="Dashboard")).to_be_visible()
    await expect(html).to_have_attribute("lang", "en")
    await page.reload()
    await expect(page.get_by_role("link", name="Dashboard")).to_be_visible()
    await expect(html).to_have_attribute("data-mantine-color-scheme", "dark")
    other = await visit.page("/vms")
    await expect(other.get_by_role("heading", name="All VMs")).to_be_visible()
    await expect(other.locator("html")).to_have_attribute("lang", "en")
    await other.get_by_role("button", name="account").click()
    await other.get_by_role("menuitem", name="한국어").click()
    await expect(other.get_by_role("heading", name="통합 VM 관리")).to_be_visible()


NAMED = {"button", "link", "textbox", "searchbox", "combobox", "checkbox", "radio", "switch", "spinbutton"}
NAMED |= {
    "menuitem",
    "menuitemcheckbox",
    "tab",
    "option",
    "dialog",
    "listbox",
    "meter",
    "progressbar",
    "img",
    "treegrid",
}


async def nameless(page: Page) -> list[str]:
    """Things to use that a screen reader could not name."""
    devtools = await page.context.new_cdp_session(page)
    tree = await devtools.send("Accessibility.getFullAXTree")
    await devtools.detach()
    found = []
    for node in tree["nodes"]:
        role = node.get("role", {}).get("value")
        if not node.get("ignored") and role in NAMED and not node.get("name", {}).get("value", "").strip():
            found.append(f"{urlsplit(page.url).path}: {role} {node.get('properties', [])[:3]}")
    return found


BASICS = """() => {
  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id)
  const twice = ids.filter((id, at) => ids.indexOf(id) !== at)
  const dangling = [...document.querySelectorAll('[aria-labelledby],[aria-controls]')].flatMap((e) =>
    (e.getAttribute('aria-labelledby') ?? '').split(/\\s+/).filter((id) => id && !document.getElementById(id)))
  return {
    twice, dangling,
    headings: document.querySelectorAll('h1').length,
    mains: document.querySelectorAll('main').length,
    title: document.title,
    positive: document.querySelectorAll('[tabindex]:not([tabindex="0"]):not([tabindex="-1"])').length,
  }
}"""


#: a key without a sentence, a parameter without a value
LEFTOVER = re.compile(r"\b(?:nav|act|vms|dash|host|pharmacy|power)\.[a-z_]+\b|\{\w+[|}]")


@pytest.mark.parametrize("lang", ["ko", "en"])
async def test_every_page_has_names_for_screen_readers(stage: Stage, visit: Visit, lang: str) -> None:
    """Every page in both languages; no key of the dictionary shows through."""
    await visit.context.add_init_script(f"localStorage.setItem('pharmq.lang', '{lang}')")
    page = await visit.page("/")
    wrong: list[str] = []
    for path in pages_of(stage):
        await by_router(visit, page, path)
        await expect(page.locator("html")).to_have_attribute("lang", lang)
        wrong += await nameless(page)
        found = await page.evaluate(BASICS)
        if (found["headings"], found["mains"]) != (1, 1) or found["twice"] or found["dangling"] or found["positive"]:
            wrong.append(f"{path}: {found}")
        text = await page.locator("body").inner_text()
        wrong += [f"{path}: {left}" for left in LEFTOVER.findall(text)]
    assert not wrong, "\n".join(wrong)


async def test_a_phone_finds_sees_and_opens(stage: Stage, visiting: Visiting) -> None:
    visit = await visiting(stage.url, **PHONE)
    await visit.context.add_cookies(stage.cookies())
    page = await visit.page("/")
    await expect(page.get_by_role("region", name="전체 현황")).to_be_visible()
    wide = "document.documentElement.scrollWidth > innerWidth + 1"
    for path in pages_of(stage):
        await by_router(visit, page, path)
        assert not await page.evaluate(wide), f"{path} is wider than the phone"
    await page.get_by_role("button", name="더 보기").tap()
    await page.get_by_role("menuitem", name="이력").tap()
    await expect(page).to_have_url(re.compile("/events"))
    for entry in await page.locator(".nav .nav-item:visible").all():
        box = await entry.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390, "nobody looks for what stands beyond the edge"
    await by_router(visit, page, "/")
    await page.get_by_role("button", name="약국, VM, IP, 전화 뒤 4자리 검색").tap()
    await page.keyboard.insert_text("0417")
    await page.get_by_role("option").filter(has_text="강남온누리약국").first.tap()
    await expect(page.get_by_role("heading", name="강남온누리약국")).to_be_visible()
    row = page.get_by_role("group", name="KIOSK-1")
    await expect(row).to_contain_text("실행 중")
    await row.get_by_role("button", name="KIOSK-1 화면 열기").tap()
    canvas = page.locator(".tile canvas")
    await expect(page.get_by_role("list", name="열린 콘솔")).to_contain_text("연결됨")
    box = await canvas.bounding_box()
    assert box
    assert 200 < box["width"] <= 390
    assert not await page.evaluate(wide)
    await canvas.tap()
    await until(lambda: stage.screen(1, 101)["clicks"], "a tap in the guest")


async def test_the_keyboard_alone_is_enough(stage: Stage, visit: Visit) -> None:
    page = await visit.page("/vms")
    grid = page.get_by_role("treegrid")
    await expect(grid).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="본문으로 건너뛰기")).to_be_focused()
    await page.keyboard.press("Slash")
    await expect(page.get_by_role("searchbox")).to_be_focused()
    await page.keyboard.type("pos-1")
    await expect(grid.locator(".vt-vm")).to_have_count(6)
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement?.getAttribute('role') === 'row'"):
            break
    # Down to the first VM, mark it and the next, open the drawer, come back.
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Space")
    bar = page.get_by_role("region", name="선택한 VM")
    await expect(bar).to_contain_text("1대 선택됨")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Space")
    await expect(bar).to_contain_text("2대 선택됨")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"vm=\d+"))
    await expect(page.get_by_role("complementary").filter(has_text="POS-1")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("complementary")).to_have_count(0)
    await page.keyboard.press("Tab")
    await expect(page.locator(":focus")).not_to_have_css("outline-style", "none")

    # During a call: a digit opens the screen of that line; typed into a field it is only a digit.
    await page.keyboard.press("Control+KeyK")
    await page.keyboard.insert_text("강남온누리")
    hits = page.get_by_role("listbox", name="검색 결과").get_by_role("option")
    await expect(hits.first).to_contain_text("강남온누리약국")
    await page.keyboard.press("Enter")
    await expect(page.locator(".vm-row")).to_have_count(4)
    await page.keyboard.press("Digit2")
    await expect(page).to_have_url(re.compile(r"/consoles\?vm=\d+"))
    await expect(page.get_by_role("list", name="열린 콘솔")).to_contain_text("연결됨")


async def test_what_the_policy_refuses_is_heard(page: Page, visit: Visit) -> None:
    """No test here would notice a violation if this one did not."""
    await page.evaluate("() => document.head.appendChild(document.createElement('script')).append('1')")
    await until(lambda: any(line.startswith("error: CSP script-src") for line in visit.complaints))
    visit.complaints.clear()
    await page.evaluate("() => fetch('https://example.invalid/').catch(() => null)")
    await until(lambda: any("connect-src" in line for line in visit.complaints))
    visit.complaints.clear()


async def test_the_first_load_stays_within_its_weight(stage: Stage, visit: Visit) -> None:
    answers: list[Response] = []
    visit.context.on("response", lambda answer: answers.append(answer))
    page = await visit.page("/")
    await expect(page.get_by_role("region", name="전체 현황")).to_be_visible()
    await page.wait_for_load_state("load")
    weights: dict[str, int] = {}
    for answer in answers:
        if re.search(r"\.(js|css)$", urlsplit(answer.url).path):
            body = await answer.body()
            assert len(body) < 2000 or answer.headers.get("content-encoding") in ("gzip", "br", "zstd"), answer.url
            assert "immutable" in answer.headers.get("cache-control", ""), answer.url
            weights[urlsplit(answer.url).path] = len(gzip.compress(body, 6))
    assert weights
    assert sum(weights.values()) <= BUDGET, weights
    assert not [path for path in weights if re.search("novnc|rfb|ConsolesPage", path, re.IGNORECASE)]


@asynccontextmanager
async def tapped(stage: Stage) -> AsyncIterator[tuple[str, dict[str, int]]]:
    """PharmQ's address through a wire that counts streams: ``begun`` in all, ``open`` now."""
    target = urlsplit(stage.url)
    count = {"begun": 0, "open": 0}
    ended: set[asyncio.Task[Any]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counts: bool) -> None:
        streams = 0
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if counts and data.startswith(b"GET /api/stream"):
                    streams += 1
                    count["begun"] += 1
                    count["open"] += 1
                writer.write(data)
                await writer.drain()
        count["open"] -= streams
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs = await asyncio.open_connection(target.hostname, target.port)
        both = [
            asyncio.ensure_future(pump(reader, theirs[1], counts=True)),
            asyncio.ensure_future(pump(theirs[0], writer, counts=False)),
        ]
        ended.update(both)
        await asyncio.wait(both)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}", count
    finally:
        server.close()
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)


async def test_all_tabs_of_a_browser_share_one_stream(stage: Stage, visiting: Visiting) -> None:
    async with tapped(stage) as (url, streams):
        visit = await visiting(url)
        await visit.context.add_cookies(stage.cookies())
        first = await visit.page("/")
        await expect(first.get_by_role("region", name="전체 현황")).to_be_visible()
        tabs = [await visit.page("/vms") for _ in range(3)]
        for tab in tabs:
            await expect(tab.locator(".vt-vm")).to_have_count(24)
        assert streams == {"begun": 1, "open": 1}

        # The tab that began it goes; the others still hear.
        await first.close()
        stage.power(5, 200, "stop")
        await stage.look()
        for tab in tabs:
            row = tab.locator('.vt-vm:has([aria-label="부산새봄약국 BACKUP 선택"])')
            await expect(row).to_contain_text("정지")
        assert streams == {"begun": 1, "open": 1}
        for tab in tabs:
            await tab.close()
        await until(lambda: streams["open"] == 0, "the end of the stream")
        await visit.context.close()
