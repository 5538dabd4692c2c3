"""Browser tests: one server, one Chromium, one event loop for all of them; a fresh browser context for each."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

import pharmq.web
from browser.stage import Stage, stage_in
from browser.visit import Visit, Visiting

HERE = Path(__file__).parent
CHROMIUM = os.environ.get("PHARMQ_CHROMIUM", "/usr/bin/chromium-headless-shell")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
#: for machines that are busy; nothing here measures time
PATIENCE_MS = 20_000
FAILED = pytest.StashKey[bool]()
DESK = {"width": 1440, "height": 900}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    whole = pytest.mark.asyncio(loop_scope="package")
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(whole, append=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    static = Path(pharmq.web.__file__).parent / "static" / "index.html"
    assert static.is_file(), "The UI is not built: uv sync --frozen builds it (script/test does that)."
    async with stage_in(tmp_path_factory.mktemp("stage")) as made:
        yield made


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="package")
async def stage(shared_stage: Stage) -> Stage:
    """The whole product, calm: all hosts online, every guest as it was made."""
    await shared_stage.calm()
    return shared_stage


@pytest_asyncio.fixture(loop_scope="package")
async def visiting(chromium: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Visiting]:
    """Browsers of people. Any complaint of their pages fails the test."""
    visits: list[Visit] = []

    async def begin(url: str, **options: Any) -> Visit:
        context = await chromium.new_context(
            **{"locale": "ko-KR", "timezone_id": "Asia/Seoul", "viewport": DESK, "color_scheme": "light", **options}
        )
        visit = Visit(context, url)
        await visit.watch()
        visits.append(visit)
        return visit

    yield begin
    complaints = [line for visit in visits for line in visit.complaints]
    for number, visit in enumerate(visits, 1):
        if complaints or request.node.stash.get(FAILED, True):
            await visit.keep(f"{request.node.name}-{number}")
        await visit.context.close()
    assert not complaints, "the pages complained:\n" + "\n".join(complaints)


@pytest_asyncio.fixture(loop_scope="package")
async def visit(stage: Stage, visiting: Visiting) -> Visit:
    """The administrator's browser, signed in."""
    made = await visiting(stage.url)
    await made.context.add_cookies(stage.cookies())
    return made


@pytest_asyncio.fixture(loop_scope="package")
async def page(visit: Visit) -> Page:
    """The dashboard of the signed-in administrator."""
    return await visit.page("/")
