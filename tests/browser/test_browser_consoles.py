"""Screens of VMs in the browser: keys and clicks arrive, sessions outlive navigation, failures are explained."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Locator, Page, Route, expect

from browser.stage import Stage, until
from browser.visit import Visit
from pharmq_sim.qemu import QemuGuest

#: the canvas of the shown console as text; changes whenever its picture does
PICTURE = "document.querySelector('.tile canvas:not(.console-last)')?.toDataURL()"


async def open_screen(page: Page, stage: Stage, number: int, vm_name: str) -> None:
    """From the pharmacy's page, as during a call."""
    await page.goto(f"{stage.url}/pharmacies/{stage.pharmacy_ids[number - 1]}")
    await page.get_by_role("button", name=f"{vm_name} 화면 열기").click()
    await expect(page).to_have_url(re.compile(r"/consoles\?vm=\d+"))


def tab_of(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name="열린 콘솔").get_by_role("listitem").filter(has_text=name)


async def connected(page: Page, name: str) -> None:
    await expect(tab_of(page, name)).to_contain_text("연결됨")
    await page.wait_for_function(f"() => ({PICTURE} ?? '').length > 2000")


async def moving(page: Page) -> None:
    """The picture changes by itself: the guest draws a clock."""
    before = await page.evaluate(PICTURE)
    await page.wait_for_function(f"(before) => {PICTURE} !== before", arg=before)


def by_menu(page: Page, name: str) -> Locator:
    """A page of the menu: clicking it keeps the application, unlike an address that is typed."""
    return page.get_by_role("navigation", name="주 메뉴").get_by_role("link", name=name)


async def in_english(page: Page) -> None:
    await page.get_by_role("button", name="내 계정").click()
    await page.get_by_role("menuitem", name="English").click()
    await expect(page.locator("html")).to_have_attribute("lang", "en")


async def test_two_screens_of_two_pharmacies_outlive_navigation(stage: Stage, page: Page) -> None:
    asked = {at: len(stage.console_tasks(*at)) for at in ((1, 100), (2, 101))}
    await open_screen(page, stage, 1, "POS-1")
    await connected(page, "강남온누리약국")
    await expect(page.locator(".tile canvas:focus")).to_have_count(1)
    await page.keyboard.type("pos 12")
    await until(lambda: stage.screen(1, 100)["typed"] == "pos 12", "what was typed")
    await page.keyboard.press("Shift+KeyA")
    await page.keyboard.press("Enter")
    await until(lambda: stage.screen(1, 100)["typed"] == "pos 12A\n", "a capital and Enter")

    await page.keyboard.press("Control+KeyK")
    await page.keyboard.insert_text("마포 KIOSK")
    await expect(page.get_by_role("option").first).to_contain_text("KIOSK-1")
    await page.keyboard.press("Enter")
    await connected(page, "마포늘푸른약국")
    await page.keyboard.type("kiosk")
    await until(lambda: stage.screen(2, 101)["typed"] == "kiosk")
    assert stage.screen(1, 100)["typed"] == "pos 12A\n"

    await by_menu(page, "통합 VM 관리").click()
    await expect(page.get_by_role("treegrid")).to_be_visible()
    await by_menu(page, "대시보드").click()
    await expect(page.get_by_role("region", name="열린 콘솔")).to_contain_text("강남온누리약국 · 연결됨")
    await page.get_by_role("region", name="열린 콘솔").get_by_role("link", name="POS-1").click()
    await moving(page)
    await page.keyboard.type("back")
    await until(lambda: stage.screen(1, 100)["typed"].endswith("\nback"))
    await tab_of(page, "마포늘푸른약국").get_by_role("button").first.click()
    await moving(page)
    for number, vmid in asked:
        assert stage.screen(number, vmid)["sessions"] == 1
        tasks = stage.console_tasks(number, vmid)[asked[number, vmid] :]
        assert len(tasks) == 1, f"opened more than once: {tasks}\n{await stage.told_of_consoles()}"

    await page.get_by_role("button", name="2×2").click()
    await expect(page.locator(".tile")).to_have_count(2)
    await expect(page.locator(".tile canvas")).to_have_count(2)
    await page.get_by_role("button", name="강남온누리약국 POS-1 화면 닫기").first.click()
    await until(lambda: stage.screen(1, 100)["sessions"] == 0, "the closed session's end")
    assert stage.screen(2, 101)["sessions"] == 1


async def test_a_click_arrives_where_it_was_made(stage: Stage, page: Page) -> None:
    await open_screen(page, stage, 1, "KIOSK-1")
    await connected(page, "강남온누리약국")
    canvas = page.locator(".tile canvas")
    box = await canvas.bounding_box()
    width = await canvas.evaluate("(c) => c.width")
    assert box
    await canvas.click(position={"x": box["width"] / 4, "y": box["height"] / 2})
    await until(lambda: stage.screen(1, 101)["clicks"], "a click in the guest")
    x, _y, buttons = stage.screen(1, 101)["clicks"][-1]
    assert abs(x - width / 4) <= 2
    assert buttons == 1
    await canvas.click(button="right")
    await until(lambda: stage.screen(1, 101)["clicks"][-1][2] == 4, "the right button")

    seen = len(stage.screen(1, 101)["clicks"])
    await page.get_by_role("button", name="보기 전용", exact=True).click()
    await expect(tab_of(page, "강남온누리약국")).to_contain_text("보기 전용")
    await canvas.click()
    await page.keyboard.type("x")
    await page.get_by_role("button", name="보기 전용", exact=True).click()
    await expect(tab_of(page, "강남온누리약국")).to_contain_text("연결됨")
    await canvas.click()
    await until(lambda: len(stage.screen(1, 101)["clicks"]) > seen)
    assert len(stage.screen(1, 101)["clicks"]) == seen + 1
    assert stage.screen(1, 101)["typed"] == ""


@pytest_asyncio.fixture(loop_scope="package")
async def machine(stage: Stage) -> AsyncIterator[QemuGuest]:
    """POS-1 of the third pharmacy is a real QEMU from now on."""
    made = stage.real(3, 100)
    await until(lambda: made.running, "QEMU")
    yield made


async def test_keys_arrive_in_a_real_qemu_guest(stage: Stage, page: Page, machine: QemuGuest) -> None:
    await open_screen(page, stage, 3, "POS-1")
    await connected(page, "서초하나약국")
    await moving(page)
    await page.keyboard.type("pharmq 7")
    await page.keyboard.press("Shift+KeyQ")
    await until(lambda: _typed(machine, "pharmq 7Q"), "what was typed, in the machine's memory")
    assert any("pharmq 7Q" in line for line in await machine.text())


async def _typed(machine: QemuGuest, text: str) -> bool:
    return await machine.refresh() == text


async def test_a_stopped_vm_is_explained_in_both_languages_and_never_tried_again(stage: Stage, visit: Visit) -> None:
    vm = await stage.vm(2, 102)
    visit.expects(409, "/api/vnc/connect")
    page = await visit.page("/")
    await page.clock.install()
    await page.goto(f"{stage.url}/consoles?vm={vm['id']}")
    failure = page.locator(".tile .failure")
    await expect(failure.locator(".title")).to_have_text("화면을 열 수 없습니다.")
    await expect(failure.locator(".why")).to_have_text("VM이 중지되어 있습니다.")
    await expect(failure.locator(".remedy")).to_have_text("VM을 시작한 뒤 화면을 여세요.")
    await expect(tab_of(page, "마포늘푸른약국")).to_contain_text("끊김")

    await in_english(page)
    await expect(failure.locator(".title")).to_have_text("The screen cannot be opened.")
    await expect(failure.locator(".why")).to_contain_text("stopped")
    await expect(failure.locator(".remedy")).to_contain_text("Start")

    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/vnc/" in request.url else None)
    await page.clock.fast_forward(120_000)
    await expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assert asked == []
    assert stage.console_tasks(2, 102) == []


async def test_start_then_open_waits_for_the_host_to_say_that_it_runs(stage: Stage, visit: Visit) -> None:
    vm = await stage.vm(3, 102)
    visit.expects(409, "/api/vnc/connect")
    page = await visit.page(f"/consoles?vm={vm['id']}")
    await page.get_by_role("button", name="시작 후 화면 열기").click()
    await connected(page, "서초하나약국")
    assert stage.guest(3, 102).running


async def test_an_offline_hosts_screen_is_explained(stage: Stage, visit: Visit) -> None:
    vm = await stage.vm(4, 101)
    await stage.break_host(4, "refused")
    visit.expects(503, "/api/vnc/")
    page = await visit.page("/")
    again = asyncio.Event()
    calls: list[str] = []

    async def once(route: Route) -> None:
        calls.append(route.request.url)
        if len(calls) > 1:
            await again.wait()
        await route.continue_()

    # The first answer is enough to explain it; that it is tried again by itself is seen below.
    await page.route("**/api/vnc/connect", once)
    await page.goto(f"{stage.url}/consoles?vm={vm['id']}")
    failure = page.locator(".tile .failure")
    await expect(failure.locator(".title")).to_have_text("화면을 열 수 없습니다.")
    await expect(failure.locator(".why")).to_have_text("약국의 Proxmox 호스트가 응답하지 않습니다.")
    await expect(failure.locator(".remedy")).to_contain_text("공유기 전원을 확인하세요")
    await expect(page.get_by_text(re.compile("자동으로 다시 연결합니다|다시 연결하고 있습니다"))).to_be_visible()
    await expect(page.get_by_role("button", name="진단")).to_be_visible()
    await until(lambda: len(calls) == 2, "the next attempt")
    await expect(page.get_by_text("다시 연결하고 있습니다")).to_be_visible()
    await expect(failure.locator(".title")).to_be_visible()
    again.set()
    await in_english(page)
    await expect(failure.locator(".why")).to_contain_text("does not answer")
    await expect(failure.locator(".remedy")).to_contain_text("router")
    # It comes back by itself when the host does.
    stage.host(4).faults.clear()
    await stage.look()
    await expect(page.get_by_role("list", name="Open consoles")).to_contain_text("Connected")


async def test_a_dropped_screen_comes_back_by_itself_a_stopped_one_does_not(stage: Stage, page: Page) -> None:
    await open_screen(page, stage, 2, "POS-1")
    await connected(page, "마포늘푸른약국")
    asked = len(stage.console_tasks(2, 100))
    stage.host(2).interrupt(stage.console_tasks(2, 100)[-1])
    await until(lambda: len(stage.console_tasks(2, 100)) == asked + 1, "a fresh session")
    await connected(page, "마포늘푸른약국")
    await moving(page)
    await page.keyboard.type("again")
    await until(lambda: stage.screen(2, 100)["typed"].endswith("again"))

    await page.clock.install()
    stage.power(2, 100, "stop")
    failure = page.locator(".tile .failure")
    await expect(failure.locator(".title")).to_have_text("화면이 끊겼습니다.")
    await expect(failure.locator(".why")).to_have_text("VM이 종료되거나 다시 시작되었습니다.")
    # The last picture stays, greyed, with its time.
    await expect(page.locator("canvas.console-last")).to_be_visible()
    asked = len(stage.console_tasks(2, 100))
    await page.clock.fast_forward(60_000)
    await asyncio.sleep(0.5)
    assert len(stage.console_tasks(2, 100)) == asked


async def test_a_screen_that_the_account_may_not_see_says_which_right_is_missing(stage: Stage, visit: Visit) -> None:
    vm = await stage.vm(3, 101)
    stage.host(3).faults.set("http_403")
    visit.expects(409, "/api/vnc/connect")
    page = await visit.page(f"/consoles?vm={vm['id']}")
    failure = page.locator(".tile .failure")
    await expect(failure.locator(".title")).to_have_text("화면을 열 수 없습니다.")
    await expect(failure).to_have_attribute("data-code", "console.no_permission")
    await expect(failure.locator(".remedy")).to_contain_text("VM.Console")
