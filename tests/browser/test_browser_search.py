"""The palette: from the ring of the phone to the right pharmacy without the mouse."""

import re

from playwright.async_api import Locator, Page, expect

from browser.stage import Stage
from browser.visit import Visit

GANGNAM = "강남온누리약국"


async def open_palette(page: Page) -> Locator:
    await expect(page.get_by_role("region", name="전체 현황")).to_be_visible()
    await page.keyboard.press("Control+KeyK")
    field = page.get_by_role("combobox")
    await expect(field).to_be_focused()
    return field


def first_hit(page: Page) -> Locator:
    return page.get_by_role("listbox", name="검색 결과").get_by_role("option").first


async def test_a_pharmacy_is_found_and_enter_opens_it(stage: Stage, page: Page) -> None:
    """By initial consonants, with the wrong IME, by the last digits of its phone, by code, by two words."""
    for typed in ("ㄱㄴㅇㄴ", "rkdska", "0417", "P-001", "강남 온누"):
        await open_palette(page)
        await page.keyboard.insert_text(typed)
        await expect(first_hit(page)).to_contain_text(GANGNAM)
        await expect(first_hit(page)).to_have_attribute("aria-selected", "true")
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(f"{stage.url}/pharmacies/{stage.pharmacy_ids[0]}")
        await expect(page.get_by_role("heading", name=GANGNAM)).to_be_visible()
        await expect(page.get_by_role("combobox")).to_have_count(0)
        await page.get_by_role("link", name="대시보드").click()


async def test_enter_before_the_answer_waits_for_it(stage: Stage, page: Page) -> None:
    """Who types fast and presses Enter at once gets what was typed, not what was shown before."""
    await open_palette(page)
    await page.keyboard.insert_text("ㅁㅍㄴㅍㄹ")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{stage.url}/pharmacies/{stage.pharmacy_ids[1]}")


async def test_the_enter_that_ends_a_composition_opens_nothing(stage: Stage, page: Page) -> None:
    """With a Korean IME the Enter that commits a syllable is told with keyCode 229 first, and then once more."""
    field = await open_palette(page)
    devtools = await page.context.new_cdp_session(page)
    process = {"windowsVirtualKeyCode": 229, "key": "Process", "code": "Enter"}
    await page.evaluate(
        """() => {
          window.enters = []
          addEventListener('keydown', (e) => e.code === 'Enter' && window.enters.push([e.isComposing, e.keyCode]), true)
        }"""
    )
    for part in ("ㄱ", "가", "강"):
        await devtools.send("Input.imeSetComposition", {"text": part, "selectionStart": 1, "selectionEnd": 1})
    await expect(field).to_have_value("강")
    await expect(first_hit(page)).to_contain_text(GANGNAM)
    before = await page.evaluate("history.length")
    await devtools.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **process})
    assert await page.evaluate("window.enters") == [[True, 229]]
    await devtools.send("Input.insertText", {"text": "강"})
    await expect(field).to_have_value("강")
    await expect(field).to_be_focused()
    assert page.url == f"{stage.url}/"
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{stage.url}/pharmacies/{stage.pharmacy_ids[0]}")
    assert await page.evaluate("history.length") == before + 1


async def test_a_prefix_narrows_and_arrows_choose(stage: Stage, page: Page) -> None:
    await open_palette(page)
    await page.keyboard.insert_text("상태:정지")
    options = page.get_by_role("listbox", name="검색 결과").get_by_role("option")
    stopped = options.filter(has_text="SERVER")
    await expect(stopped).to_have_count(len(stage.host_ids))
    second = await options.nth(1).inner_text()
    await page.keyboard.press("ArrowDown")
    await expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Shift+Enter")
    await expect(page).to_have_url(re.compile(r"/pharmacies/\d+$"))
    name = re.search(r"\S+약국", second)
    assert name
    await expect(page.get_by_role("heading", level=1, name=name[0])).to_be_visible()


async def test_a_vm_is_found_by_its_number_and_pharmacy_and_enter_opens_its_screen(stage: Stage, page: Page) -> None:
    await open_palette(page)
    await page.keyboard.insert_text("강남 101")
    await expect(first_hit(page)).to_contain_text("KIOSK-1")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/consoles\?vm=\d+"))
    await expect(page.get_by_role("toolbar", name="화면 도구")).to_contain_text(GANGNAM)


async def test_what_is_not_there_is_said_and_escape_closes(page: Page) -> None:
    await open_palette(page)
    await page.keyboard.insert_text("없는약국이름")
    await expect(page.get_by_text("찾은 것이 없습니다.")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("combobox")).to_have_count(0)


async def test_the_lists_own_search_knows_the_same(stage: Stage, visit: Visit) -> None:
    """`/` focuses it, also with the Korean layout on; the address keeps what was asked."""
    page = await visit.page("/pharmacies")
    table = page.get_by_role("table", name="약국")
    await expect(table.get_by_role("row")).to_have_count(8)
    await page.keyboard.press("Slash")
    field = page.get_by_role("searchbox")
    await expect(field).to_be_focused()
    await expect(field).to_have_value("")
    await page.keyboard.insert_text("0514")
    await expect(table.get_by_role("row")).to_have_count(2)
    await expect(table.get_by_role("link", name="마포늘푸른약국")).to_be_visible()
    await expect(page).to_have_url(re.compile(r"\?q=%220514%22|\?q=0514"))
    await page.reload()
    await expect(table.get_by_role("row")).to_have_count(2)
    await expect(page.get_by_role("searchbox")).to_have_value("0514")
