"""Who else is on a screen and whose hand is on the keys; reasons, diagnosis; terminals and node shells."""

import re

from playwright.async_api import Page, expect

from browser.stage import Stage, until
from browser.test_browser_consoles_comfort import at, sent_by
from browser.visit import Visit, Visiting, field_of

PASSWORD = "correct horse battery"


async def colleague(stage: Stage, visiting: Visiting, name: str) -> Page:
    """Another operator's browser."""
    body = {"name": name, "display_name": name, "grants": [{"path": "/", "role": "operator"}]}
    made = await stage.api("POST", "/api/users", body)
    visit = await visiting(stage.url)
    page = await visit.page(made["invitation"]["url"].removeprefix(stage.url))
    await field_of(page, "비밀번호").fill(PASSWORD)
    await page.get_by_label("비밀번호 다시 입력").fill(PASSWORD)
    await page.get_by_role("button", name="비밀번호 정하고 시작").click()
    await expect(page.get_by_role("navigation", name="주 메뉴")).to_be_visible()
    return page


async def _types(page: Page, text: str) -> None:
    await page.locator(".tile canvas").focus()
    await page.keyboard.type(text)


async def test_two_people_and_one_hand_on_the_keys(stage: Stage, page: Page, visiting: Visiting) -> None:
    other = await colleague(stage, visiting, "park")
    await at(page, stage, 4, 101)
    await at(other, stage, 4, 101, "보기 전용")
    await expect(page.get_by_text("park 보는 중")).to_be_visible()
    await expect(other.get_by_text("admin 조작 중")).to_be_visible()
    before = stage.screen(4, 101)["typed"]
    await _types(other, "x")
    await _types(page, "a")
    await until(lambda: stage.screen(4, 101)["typed"] == before + "a", "only who controls types")

    await page.get_by_role("button", name="park 보는 중").click()
    await page.get_by_role("menuitem", name="park 님에게 조작 넘기기").click()
    await expect(other.locator(".console-tab.on")).to_contain_text("연결됨")
    await expect(page.locator(".console-tab.on")).to_contain_text("보기 전용")
    await _types(page, "x")
    await _types(other, "b")
    await until(lambda: stage.screen(4, 101)["typed"] == before + "ab", "control was handed over")

    await page.get_by_role("button", name="조작 가져오기").click()
    question = page.get_by_role("dialog")
    await expect(question).to_contain_text("park 님의 조작을 가져올까요?")
    await question.get_by_role("button", name="조작 가져오기").click()
    await expect(page.locator(".console-tab.on")).to_contain_text("연결됨")
    await expect(other.locator(".console-tab.on")).to_contain_text("보기 전용")
    await _types(other, "x")
    await _types(page, "c")
    await until(lambda: stage.screen(4, 101)["typed"] == before + "abc", "control was taken back")


async def test_a_reason_is_asked_for_where_the_contract_wants_one(stage: Stage, page: Page) -> None:
    path = f"/api/pharmacies/{stage.pharmacy_ids[5]}"
    row = await stage.api("GET", path)
    kept = ("code", "name", "representative", "phone", "address", "hours", "closing_days", "note")
    body = {name: row[name] for name in kept} | {"group_ids": [group["id"] for group in row["groups"]]}
    await stage.api("PUT", path, body | {"screen_reason": True})
    try:
        await at(page, stage, 6, 100, "끊김")
        await expect(page.locator(".tile .failure")).to_have_attribute("data-code", "console.reason_required")
        await page.get_by_role("textbox", name="화면을 여는 사유").fill("결제 오류 확인")
        await page.keyboard.press("Enter")
        await expect(page.locator(".console-tab.on")).to_contain_text("연결됨")
        sessions = (await stage.api("GET", "/api/vnc/sessions"))["items"]
        assert [one["purpose"] for one in sessions] == ["결제 오류 확인"]
    finally:
        await stage.api("PUT", path, body | {"screen_reason": False})


async def test_a_diagnosis_shows_every_step_and_stops_at_the_one_that_fails(stage: Stage, visit: Visit) -> None:
    visit.expects(409, "/api/vnc/connect")
    page = await visit.page("/")
    await at(page, stage, 6, 102, "끊김")
    await page.get_by_role("button", name="진단").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("화면 진단 · 대전한빛약국 SERVER")
    steps = dialog.get_by_role("listitem")
    await expect(steps).to_have_count(12)
    await expect(steps.nth(0)).to_contain_text("호스트까지 연결 (인터넷, VPN) 정상")
    await expect(steps.nth(4)).to_contain_text("VM이 중지되어 있습니다.")
    await expect(steps.nth(11)).to_contain_text("건너뜀")
    stage.power(6, 102, "start")
    await dialog.get_by_role("button", name="다시 진단").click()
    await expect(dialog.get_by_text("모든 단계를 통과했습니다.")).to_be_visible()
    await expect(steps.nth(11)).to_contain_text("너비")


async def test_terminals_take_hangul_find_text_and_follow_their_size(stage: Stage, page: Page) -> None:
    vm_id = (await stage.vm(3, 200))["id"]
    await page.goto(f"{stage.url}/consoles?at=terminal-{vm_id}")
    await expect(page.locator(".console-tab.on")).to_contain_text("연결됨")
    await expect(page.locator(".console-tab.on")).to_contain_text("BACKUP 터미널")
    rows = page.locator(".xterm-rows")
    await expect(rows).to_contain_text("#")
    await page.keyboard.type("echo ok; ")
    await page.keyboard.insert_text("echo 강남온누리약국")
    await page.keyboard.press("Enter")
    await expect(rows).to_contain_text("강남온누리약국")
    await page.get_by_role("button", name="찾기").click()
    await page.get_by_role("textbox", name="찾기").fill("강남")
    await expect(page.locator(".xterm-selection > div").first).to_be_attached()
    await page.get_by_role("textbox", name="찾기").fill("nowhere")
    await expect(page.get_by_text("없습니다.", exact=True)).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator(".xterm textarea:focus")).to_have_count(1)

    frames = sent_by(page)
    await page.get_by_role("button", name="다시 연결").click()
    await until(lambda: any(re.fullmatch(rb"1:\d+:\d+:", frame) for frame in frames), "the first size")
    told = len(frames)
    await page.set_viewport_size({"width": 900, "height": 600})
    await until(lambda: any(re.fullmatch(rb"1:\d+:\d+:", frame) for frame in frames[told:]), "the new size")


async def test_the_shell_of_a_node(stage: Stage, page: Page) -> None:
    await page.goto(f"{stage.url}/hosts/{stage.host_ids[2]}")
    await page.get_by_role("button", name="노드 셸").click()
    await expect(page).to_have_url(re.compile(rf"at=shell-{stage.host_ids[2]}"))
    await expect(page.locator(".console-tab.on")).to_contain_text("연결됨")
    await expect(page.locator(".console-tab.on")).to_contain_text("서초하나약국")
    await page.keyboard.type("echo mark")
    await page.keyboard.press("Enter")
    await expect(page.locator(".xterm-rows")).to_contain_text(re.compile(r"mark[\s\S]*mark"))
