"""What makes a console comfortable: pasted text and Hangul, a phone's fingers and keys, windows, tabs, sizes."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from browser.stage import Stage, until
from browser.visit import Visit, Visiting
from pharmq_sim.qemu import QemuGuest

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
EVERY_SIGN = "".join(map(chr, range(0x21, 0x7F)))


def tabs_of(page: Page) -> Locator:
    return page.get_by_role("list", name="열린 콘솔").get_by_role("listitem")


async def at(page: Page, stage: Stage, number: int, vmid: int, state: str = "연결됨") -> int:
    """On the consoles' page with that VM's screen in front; gives the VM's id."""
    vm_id = int((await stage.vm(number, vmid))["id"])
    await page.goto(f"{stage.url}/consoles?vm={vm_id}")
    await expect(page.locator(".console-tab.on")).to_contain_text(state)
    return vm_id


def sent_by(page: Page) -> list[bytes]:
    """What sockets that are opened from now on send; grows."""
    frames: list[bytes] = []

    def heard(data: str | bytes) -> None:
        frames.append(data.encode() if isinstance(data, str) else data)

    page.on("websocket", lambda socket: socket.on("framesent", heard))
    return frames


async def paste(page: Page, text: str, *choices: str) -> None:
    await page.get_by_role("button", name="텍스트 붙여넣기").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("입력할 텍스트").fill(text)
    for choice in choices:
        await dialog.get_by_text(choice, exact=True).click()
    await dialog.get_by_role("button", name="자 입력").click()
    await expect(dialog).to_have_count(0)


@pytest_asyncio.fixture(loop_scope="package")
async def machine(stage: Stage) -> AsyncIterator[QemuGuest]:
    """POS-1 of the fifth pharmacy is a real QEMU from now on."""
    made = stage.real(5, 100)
    await until(lambda: made.running, "QEMU")
    yield made


async def _typed(machine: QemuGuest, text: str) -> bool:
    return await machine.refresh() == text


async def test_real_qemu_takes_pasted_signs_capitals_and_hangul_keys(
    stage: Stage, page: Page, machine: QemuGuest
) -> None:
    """QEMU takes a capital without Shift for a small letter and drops Hangul symbols: both go as keys."""
    await at(page, stage, 5, 100)
    await paste(page, f"{EVERY_SIGN}\n")
    await until(lambda: _typed(machine, f"{EVERY_SIGN}\n"), "every printable character")
    # The guest has no input method: the letters on the two-set keys are what arrives.
    await paste(page, "강남 POS 값")
    await until(lambda: _typed(machine, f"{EVERY_SIGN}\nrkdska POS rkqt"), "Hangul as two-set keys")


async def test_what_cannot_be_typed_is_told_before(stage: Stage, page: Page) -> None:
    await at(page, stage, 6, 100)
    before = stage.screen(6, 100)["typed"]
    await page.get_by_role("button", name="텍스트 붙여넣기").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("대전한빛약국 POS-1")
    await dialog.get_by_label("입력할 텍스트").fill("한a漢😀")
    await expect(dialog.get_by_role("status")).to_have_text("이 VM에 칠 수 없는 글자 2개는 빠집니다. 漢 😀")
    await expect(dialog).to_contain_text("VM이 영문 입력 상태일 때 시작하세요.")
    await dialog.get_by_text("글자 그대로", exact=True).click()
    await expect(dialog.get_by_role("status")).to_have_count(0)
    await dialog.get_by_role("button", name="4자 입력").click()
    await expect(dialog).to_have_count(0)
    await until(lambda: stage.screen(6, 100)["typed"] == before + "한a漢😀", "characters as they are")
    # The keyboard is the guest's again.
    await expect(page.locator(".tile canvas:focus")).to_have_count(1)
    await page.keyboard.type("!")
    await until(lambda: stage.screen(6, 100)["typed"].endswith("😀!"))


async def test_a_containers_picture_takes_latin_letters_only_and_says_so(stage: Stage, page: Page) -> None:
    await at(page, stage, 1, 200)
    await page.get_by_role("button", name="텍스트 붙여넣기").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("입력할 텍스트").fill("ls 약국")
    await expect(dialog.get_by_role("status")).to_contain_text("컨테이너 화면은 한글을 받지 않습니다.")
    await dialog.get_by_role("button", name="3자 입력").click()
    await until(lambda: stage.screen(1, 200)["typed"].endswith("ls "))


async def test_a_local_hangul_state_does_not_reach_the_guest(stage: Stage, page: Page) -> None:
    """Chromium of a Mac tells ㄱ for the key R, an input method on Windows `Process`; both mean the key."""
    await at(page, stage, 2, 100)
    before = stage.screen(2, 100)["typed"]
    send = """([key, code, shiftKey]) => {
      const facts = {key, code, shiftKey, bubbles: true, cancelable: true}
      for (const type of ['keydown', 'keyup']) document.activeElement.dispatchEvent(new KeyboardEvent(type, facts))
    }"""
    await expect(page.locator(".tile canvas:focus")).to_have_count(1)
    for key, code, shift in (("ㄱ", "KeyR", False), ("Process", "KeyK", False), ("ㅆ", "KeyT", True)):
        await page.evaluate(send, [key, code, shift])
    await until(lambda: stage.screen(2, 100)["typed"] == before + "rkT", "the keys themselves")


async def test_the_key_menu_and_the_screenshot(stage: Stage, page: Page, tmp_path: Path) -> None:
    await at(page, stage, 2, 101)
    frames = sent_by(page)
    await page.reload()
    await expect(page.locator(".console-tab.on")).to_contain_text("연결됨")
    await page.get_by_role("button", name="키 조합").click()
    await page.get_by_role("menuitem", name="한/영").click()
    # QEMU's own message (255, 0): down and up of symbol 0xff31 with the scan code of the key.
    told = [b"\xff\0\0\1\0\0\xff\x31\0\0\0\x72", b"\xff\0\0\0\0\0\xff\x31\0\0\0\x72"]
    await until(lambda: all(any(one in frame for frame in frames) for one in told), "한/영 in the stream")
    async with page.expect_download() as coming:
        await page.get_by_role("button", name="스크린샷").click()
    picture = await coming.value
    assert re.fullmatch(r"마포늘푸른약국_KIOSK-1_\d{8}-\d{6}\.png", picture.suggested_filename)
    await picture.save_as(tmp_path / "picture.png")
    head = (tmp_path / "picture.png").read_bytes()[:24]
    width, height = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    shown = await page.locator(".tile canvas").evaluate("(c) => [c.width, c.height]")
    # Below the picture stands whose it is, who took it and when.
    assert [width, height - 28] == shown


async def test_sizes_and_a_guest_that_keeps_its_own(stage: Stage, page: Page) -> None:
    await at(page, stage, 2, 101)
    canvas = page.locator(".tile canvas")
    own = await canvas.evaluate("(c) => c.width")
    menu = page.get_by_role("toolbar", name="화면 도구")
    await menu.get_by_role("button", name="창에 맞춤").click()
    await page.get_by_role("menuitemradio", name="실제 크기").click()
    await expect(canvas).to_have_js_property("clientWidth", own)
    await menu.get_by_role("button", name="실제 크기").click()
    await page.get_by_role("menuitemradio", name="창 크기로 VM 해상도 변경").click()
    failure = page.locator("[data-code='ui.resize_refused']")
    await expect(failure.locator(".remedy")).to_contain_text("창에 맞춤")
    await expect(menu.get_by_role("button", name="창에 맞춤")).to_be_visible()


async def test_a_reload_brings_the_set_back_in_its_order(stage: Stage, page: Page) -> None:
    for number in (1, 2, 3):
        await at(page, stage, number, 101)
    await expect(tabs_of(page)).to_have_count(3)
    names = tabs_of(page).locator("button:first-child > :last-child")
    await expect(names).to_have_text(["강남온누리약국", "마포늘푸른약국", "서초하나약국"])
    await tabs_of(page).nth(0).get_by_role("button").first.focus()
    await page.keyboard.press("Shift+ArrowRight")
    await expect(names).to_have_text(["마포늘푸른약국", "강남온누리약국", "서초하나약국"])
    await expect(page.get_by_role("status").filter(has_text="2번째로 옮겼습니다")).to_have_count(1)
    await tabs_of(page).nth(2).drag_to(tabs_of(page).nth(0))
    await expect(names).to_have_text(["서초하나약국", "마포늘푸른약국", "강남온누리약국"])
    await page.goto(f"{stage.url}/hosts")
    region = page.get_by_role("region", name="열린 콘솔")
    await expect(region.get_by_text("연결됨")).to_have_count(3)
    await region.get_by_role("link").nth(0).click()
    await expect(names).to_have_text(["서초하나약국", "마포늘푸른약국", "강남온누리약국"])


async def test_a_window_of_its_own_has_a_session_of_its_own(stage: Stage, visit: Visit) -> None:
    page = await visit.page("/")
    await at(page, stage, 3, 101)
    asked = len(stage.console_tasks(3, 101))
    async with page.expect_popup() as opening:
        await page.get_by_role("button", name="새 창으로 열기").click()
    window = await opening.value
    await expect(window).to_have_title(re.compile("서초하나약국 KIOSK-1"))
    await expect(window.locator(".tile canvas:focus")).to_have_count(1)
    await window.keyboard.type("own")
    await until(lambda: stage.screen(3, 101)["typed"].endswith("own"))
    assert len(stage.console_tasks(3, 101)) == asked + 1
    await expect(page.get_by_text("열린 콘솔이 없습니다.")).to_be_visible()
    await until(lambda: stage.screen(3, 101)["sessions"] == 1, "only the window's session")
    await window.close()
    await until(lambda: stage.screen(3, 101)["sessions"] == 0, "the window's end")


class Fingers:
    """Touches of a phone, as Chromium's own input."""

    def __init__(self, page: Page, session: Any) -> None:
        self._page = page
        self._session = session

    @classmethod
    async def of(cls, page: Page) -> "Fingers":
        return cls(page, await page.context.new_cdp_session(page))

    async def touch(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        await self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    async def move(self, *steps: tuple[tuple[float, float], ...]) -> None:
        await self.touch("touchStart", *steps[0])
        for points in steps[1:]:
            await self.touch("touchMove", *points)
            await self._page.wait_for_timeout(20)
        await self.touch("touchEnd")


async def test_fingers_on_a_phone(stage: Stage, visiting: Visiting) -> None:
    visit = await visiting(stage.url, **PHONE)
    await visit.context.add_cookies(stage.cookies())
    page = await visit.page("/")
    await at(page, stage, 6, 101)
    seen = len(stage.screen(6, 101)["clicks"])
    fingers = await Fingers.of(page)
    canvas = page.locator(".tile canvas")
    box = await canvas.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await fingers.move(*[((x - 30 - 8 * n, y), (x + 30 + 8 * n, y)) for n in range(12)])
    await expect(page.get_by_role("button", name="전체 보기")).to_be_visible()
    larger = await canvas.bounding_box()
    assert larger
    assert larger["width"] > 2 * box["width"]
    assert len(stage.screen(6, 101)["clicks"]) == seen

    where = """([x, y]) => {
      const c = document.querySelector('.tile canvas'), r = c.getBoundingClientRect()
      return [(x - r.left) * c.width / r.width, (y - r.top) * c.height / r.height]
    }"""
    goal = await page.evaluate(where, [x, y])
    await fingers.touch("touchStart", (x, y))
    await fingers.touch("touchEnd")
    await until(lambda: len(stage.screen(6, 101)["clicks"]) == seen + 1, "a tap in the guest")
    left, top, buttons = stage.screen(6, 101)["clicks"][-1]
    assert abs(left - goal[0]) <= 2
    assert abs(top - goal[1]) <= 2
    assert buttons == 1
    await fingers.touch("touchStart", (x, y))
    await until(lambda: stage.screen(6, 101)["clicks"][-1][2] == 4, "a held finger as the right button")
    await fingers.touch("touchEnd")

    scrolled = "document.querySelector('.console-frame').scrollTop"
    before = await page.evaluate(scrolled)
    await fingers.move(*[((x - 20, y - 8 * n), (x + 20, y - 8 * n)) for n in range(14)])
    assert await page.evaluate(scrolled) > before
    await page.get_by_role("button", name="전체 보기").click()
    await expect(page.get_by_role("button", name="전체 보기")).to_have_count(0)

    async def whole() -> bool:
        return await canvas.bounding_box() == box

    await until(whole, "the picture at its own size")


async def test_a_phones_keyboard_and_its_key_bar(stage: Stage, visiting: Visiting) -> None:
    visit = await visiting(stage.url, **PHONE)
    await visit.context.add_cookies(stage.cookies())
    page = await visit.page("/")
    await at(page, stage, 4, 100)
    before = stage.screen(4, 100)["typed"]
    bar = page.get_by_role("toolbar", name="키 모음")
    await bar.get_by_role("button", name="키보드").click()
    await page.keyboard.insert_text("한")
    await until(lambda: stage.screen(4, 100)["typed"] == before + "gks", "a syllable as its keys")
    await page.keyboard.press("Backspace")
    await until(lambda: stage.screen(4, 100)["typed"] == before + "gk")
    await bar.get_by_role("button", name="Shift").click()
    await expect(bar.get_by_role("button", name="Shift")).to_have_attribute("aria-pressed", "true")
    # The phone's keyboard is still up, and Shift was for one key.
    await expect(page.locator("textarea:focus")).to_have_count(1)
    await bar.get_by_role("button", name="Enter").click()
    await expect(bar.get_by_role("button", name="Shift")).to_have_attribute("aria-pressed", "false")
    await until(lambda: stage.screen(4, 100)["typed"] == before + "gk\n")
