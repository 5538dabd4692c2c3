"""A real QEMU behind the screen: fingers and mouse, two people and one hand on the keys, windows, a killed manager."""

import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest_asyncio
from playwright.async_api import Page, expect

from browser.stage import Stage, process_of, ready, stage_in, until
from browser.test_browser_consoles import moving
from browser.test_browser_consoles_comfort import PHONE, Fingers, at
from browser.test_browser_consoles_people import colleague
from browser.visit import Visit, Visiting
from pharmq_sim.qemu import QemuGuest

STATE = ".console-tab.on"


@pytest_asyncio.fixture(loop_scope="package")
async def machine(stage: Stage) -> AsyncIterator[QemuGuest]:
    """KIOSK-1 of the fifth pharmacy, freshly booted."""
    made = stage.real(5, 101)
    await until(lambda: made.running, "QEMU")
    yield made
    await made.stop()


async def arrives(machine: QemuGuest, text: str) -> None:
    """All that was typed into the machine, as it stands in its memory."""

    async def has() -> bool:
        return await machine.refresh() == text

    try:
        await until(has)
    except AssertionError:
        raise AssertionError(f"{machine.typed!r} arrived, not {text!r}") from None


async def types(page: Page, text: str) -> None:
    await page.locator(".tile canvas").focus()
    await page.keyboard.type(text)


async def test_a_mouse_and_sizes(stage: Stage, page: Page, machine: QemuGuest) -> None:
    """QEMU ends a viewer whose message it does not know: what is typed afterwards shows that it knew them all."""
    await at(page, stage, 5, 101)
    await moving(page)
    canvas = page.locator(".tile canvas")
    await canvas.click()
    await canvas.click(button="right")
    await canvas.dblclick(position={"x": 40, "y": 40})
    await page.mouse.wheel(0, 300)
    await types(page, "mouse")
    await arrives(machine, "mouse")

    menu = page.get_by_role("toolbar", name="화면 도구")
    own = await canvas.evaluate("(c) => [c.width, c.height]")
    await menu.get_by_role("button", name="창에 맞춤").click()
    await page.get_by_role("menuitemradio", name="창 크기로 VM 해상도 변경").click()
    # A text screen has no other size, and QEMU says so.
    failure = page.locator("[data-code='ui.resize_refused']")
    await expect(failure.locator(".why")).to_contain_text(f"{own[0]}×{own[1]}")
    await page.set_viewport_size({"width": 1000, "height": 700})
    await types(page, "size")
    await arrives(machine, "mousesize")
    assert await canvas.evaluate("(c) => [c.width, c.height]") == own


async def test_fingers_and_the_phones_keyboard(stage: Stage, visiting: Visiting, machine: QemuGuest) -> None:
    visit = await visiting(stage.url, **PHONE)
    await visit.context.add_cookies(stage.cookies())
    page = await visit.page("/")
    await at(page, stage, 5, 101)
    await moving(page)
    box = await page.locator(".tile canvas").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    fingers = await Fingers.of(page)
    await fingers.move(*[((x - 30 - 8 * n, y), (x + 30 + 8 * n, y)) for n in range(12)])
    await expect(page.get_by_role("button", name="전체 보기")).to_be_visible()
    await fingers.touch("touchStart", (x, y))
    await fingers.touch("touchEnd")
    bar = page.get_by_role("toolbar", name="키 모음")
    await bar.get_by_role("button", name="키보드").click()
    await page.keyboard.insert_text("약국 7")
    await arrives(machine, "dirrnr 7")
    await bar.get_by_role("button", name="Enter").click()
    await arrives(machine, "dirrnr 7\n")


async def test_two_people_one_hand_and_a_window_of_its_own(
    stage: Stage, page: Page, visiting: Visiting, machine: QemuGuest
) -> None:
    other = await colleague(stage, visiting, "seo")
    await at(page, stage, 5, 101)
    await at(other, stage, 5, 101, "보기 전용")
    await moving(other)
    await types(other, "x")
    await types(page, "a")
    await arrives(machine, "a")
    await page.get_by_role("button", name="seo 보는 중").click()
    await page.get_by_role("menuitem", name="seo 님에게 조작 넘기기").click()
    await expect(other.locator(STATE)).to_contain_text("연결됨")
    await types(page, "x")
    await types(other, "b")
    await arrives(machine, "ab")

    async with other.expect_popup() as opening:
        await other.get_by_role("button", name="새 창으로 열기").click()
    window = await opening.value
    await expect(window.locator(".tile canvas:focus")).to_have_count(1)
    await expect(window.get_by_text("admin 보는 중")).to_be_visible()
    await moving(window)
    await types(page, "x")
    await types(window, "c")
    await arrives(machine, "abc")
    await until(lambda: stage.screen(5, 101)["sessions"] == 2, "one session each")
    await window.close()
    # Control became free and goes to who waited for it.
    await expect(page.locator(STATE)).to_contain_text("연결됨")
    await types(page, "d")
    await arrives(machine, "abcd")


async def test_a_paused_machine_says_so_on_its_screen(stage: Stage, page: Page, machine: QemuGuest) -> None:
    await at(page, stage, 5, 101)
    await moving(page)
    vm = {"host_id": stage.host_ids[4], "vmid": 101}
    await stage.api("POST", "/api/vms/batch/suspend", {"vms": [vm]})
    strip = page.get_by_role("status").filter(has_text="VM이 일시 중단되어")
    await expect(strip).to_be_visible()
    await stage.api("POST", "/api/vms/batch/resume", {"vms": [vm]})
    await expect(strip).to_have_count(0)
    await moving(page)
    await types(page, "on")
    await arrives(machine, "on")


async def test_a_locked_screen_locks_its_windows_too(stage: Stage, visit: Visit, machine: QemuGuest) -> None:
    page = await visit.page("/")
    await at(page, stage, 5, 101)
    async with page.expect_popup() as opening:
        await page.get_by_role("button", name="새 창으로 열기").click()
    window = await opening.value
    await expect(window.locator(".tile canvas:focus")).to_have_count(1)
    await moving(window)
    visit.expects(423, "/api/")
    await page.get_by_role("button", name="내 계정").click()
    await page.get_by_role("menuitem", name="화면 잠그기").click()
    for one in (page, window):
        await expect(one.get_by_role("heading", name="화면이 잠겨 있습니다")).to_be_visible()
    await expect(window.locator("canvas")).to_have_count(0)
    await until(lambda: stage.screen(5, 101)["sessions"] == 0, "nothing of it goes on arriving")
    assert await machine.refresh() == ""
    await window.get_by_label(re.compile(r"^비밀번호( \*)?$")).fill("a long enough password")
    await window.get_by_role("button", name="잠금 풀기").click()
    await expect(window.locator(".tile canvas:focus")).to_have_count(1)
    await types(window, "open")
    await arrives(machine, "open")
    await window.close()


async def test_a_killed_manager_comes_back_and_so_do_its_screens(tmp_path: Path, visiting: Visiting) -> None:
    async with stage_in(tmp_path) as stage:
        machine = stage.real(1, 100)
        await until(lambda: machine.running, "QEMU")
        visit = await visiting(stage.url)
        await visit.context.add_cookies(stage.cookies())
        page = await visit.page("/")
        await at(page, stage, 1, 100)
        await moving(page)
        await types(page, "before ")
        await arrives(machine, "before ")

        visit.expects_outage()
        await stage.process.end(signal.SIGKILL)
        await expect(page.locator(STATE)).to_contain_text("다시 연결 중")
        # What was seen last stays, greyed, and nothing typed now arrives anywhere.
        await expect(page.locator("canvas.console-last")).to_be_visible()
        await until(lambda: stage.screen(1, 100)["sessions"] == 0, "the host's session ended with its manager")
        async with process_of(stage.folder, urlsplit(stage.url).port or 0):
            await ready(stage.url)
            await expect(page.locator(STATE)).to_contain_text("연결됨", timeout=60_000)
            await expect(page.locator("canvas.console-last")).to_have_count(0)
            await moving(page)
            await types(page, "after")
            await arrives(machine, "before after")
            assert stage.screen(1, 100)["sessions"] == 1
            told = await stage.told_of_consoles()
            assert told.count("console.closed console.server_restarted") == 1, told
            assert len(stage.console_tasks(1, 100)) == 2, told
            await page.close()
