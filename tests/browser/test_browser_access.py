"""People and access in the browser: invitations, second factor, locked screen, roles, revoking, lost devices."""

import asyncio
import re
import time
from typing import Any

import pyotp
import pytest
from playwright.async_api import Locator, Page, Route, expect

from browser.stage import ADMIN_PASSWORD, Stage
from browser.visit import Visit, Visiting, field_of

PASSWORD = "correct horse battery"
KOREAN, ENGLISH = "ko", "en"


async def invited(stage: Stage, name: str, *grants: tuple[str, str]) -> tuple[int, str]:
    """A new user, and the way to their invitation."""
    body = {"name": name, "display_name": name, "grants": [{"path": path, "role": role} for path, role in grants]}
    made = await stage.api("POST", "/api/users", body)
    return made["user"]["id"], made["invitation"]["url"].removeprefix(stage.url)


async def accept(visit: Visit, way: str) -> Page:
    page = await visit.page(way)
    await field_of(page, "비밀번호").fill(PASSWORD)
    await page.get_by_label("비밀번호 다시 입력").fill(PASSWORD)
    await page.get_by_role("button", name="비밀번호 정하고 시작").click()
    await expect(page.get_by_role("navigation", name="주 메뉴")).to_be_visible()
    return page


async def leave(page: Page) -> None:
    await page.get_by_role("button", name="내 계정").click()
    await page.get_by_role("menuitem", name="로그아웃").click()
    await expect(page).to_have_url(re.compile(r"/login$"))


async def fill_in(page: Page, name: str, password: str = PASSWORD) -> None:
    await page.get_by_label("사용자 이름").fill(name)
    await field_of(page, "비밀번호").fill(password)
    await page.get_by_role("button", name="로그인").click()


def code_of(totp: pyotp.TOTP, ahead: int = 0) -> str:
    return totp.at(int(time.time()) + 30 * ahead)


async def register_app(page: Page) -> tuple[pyotp.TOTP, list[str]]:
    """From "인증 앱 등록" to the recovery codes."""
    await page.get_by_role("button", name="인증 앱 등록").click()
    await expect(page.get_by_role("img", name="인증 앱 등록용 QR 코드")).to_be_visible()
    key = await page.locator("[data-key]").get_attribute("data-key")
    assert key
    totp = pyotp.TOTP(key)
    # The code of the step before, so that the present one is not used up; it must not grow older on the way.
    await asyncio.sleep(max(0.0, time.time() % 30 - 20))
    await page.get_by_label("앱에 나온 6자리 코드").fill(code_of(totp, -1))
    await page.get_by_role("button", name="등록 완료").click()
    listed = page.get_by_role("list", name="복구 코드").get_by_role("listitem")
    await expect(listed).to_have_count(10)
    codes = await listed.all_inner_texts()
    await page.get_by_role("button", name="보관했습니다").click()
    return totp, codes


async def test_an_invited_operator_sees_their_pharmacy_alone(stage: Stage, visiting: Visiting) -> None:
    _, way = await invited(stage, "operator", (f"/pharmacy/{stage.pharmacy_ids[0]}", "operator"))
    visit = await visiting(stage.url)
    page = await accept(visit, way)
    await page.goto(f"{stage.url}/pharmacies")
    await expect(page.get_by_text("강남온누리약국").first).to_be_visible()
    await expect(page.get_by_text("마포늘푸른약국")).to_have_count(0)
    await page.goto(f"{stage.url}/settings")
    parts = page.get_by_role("navigation", name="설정 구분").get_by_role("link")
    await expect(parts).to_have_text(["내 보안"])
    # The link works once.
    visit.expects(403, "/api/invitation")
    again = await visit.page(way)
    await expect(again.get_by_role("alert")).to_contain_text("초대 링크를 쓸 수 없습니다.")


async def test_a_second_factor_from_the_picture_to_the_recovery_code(stage: Stage, visiting: Visiting) -> None:
    _, way = await invited(stage, "twofold", ("/", "viewer"))
    visit = await visiting(stage.url)
    page = await accept(visit, way)
    await page.goto(f"{stage.url}/settings?part=me")
    await page.get_by_role("button", name="인증 앱 등록").click()
    visit.expects(400, "/api/me/second-factor")
    await page.get_by_label("앱에 나온 6자리 코드").fill("000000")
    await page.get_by_role("button", name="등록 완료").click()
    await expect(page.get_by_text("코드가 맞지 않습니다.").first).to_be_visible()
    await page.reload()
    totp, codes = await register_app(page)
    await expect(page.get_by_text("남은 복구 코드 10개")).to_be_visible()
    await leave(page)

    visit.expects(401, "/api/session")
    await fill_in(page, "twofold")
    field = page.get_by_label("인증 코드")
    await field.fill("000000")
    await page.get_by_role("button", name="로그인", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("인증 코드가 맞지 않습니다.")
    await field.fill(code_of(totp))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("navigation", name="주 메뉴")).to_be_visible()
    await leave(page)
    await fill_in(page, "twofold")
    await field.fill(codes[0])
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("navigation", name="주 메뉴")).to_be_visible()
    await page.goto(f"{stage.url}/settings?part=me")
    await expect(page.get_by_text("남은 복구 코드 9개")).to_be_visible()


async def test_where_the_rules_ask_for_one_it_comes_before_everything(stage: Stage, visiting: Visiting) -> None:
    _, way = await invited(stage, "newcomer", ("/", "viewer"))
    rules: dict[str, Any] = await stage.api("GET", "/api/settings")
    visit = await visiting(stage.url)
    page = await accept(visit, way)
    await stage.api("PUT", "/api/settings", rules | {"inside_networks": ["10.0.0.0/8"]}, well=False)
    # The administrator of the stage has no second factor: the rule that would lock them out was refused.
    assert (await stage.api("GET", "/api/settings"))["inside_networks"] == []

    async def bare(route: Route) -> None:
        answer = await route.fetch()
        body = await answer.json()
        await route.fulfill(response=answer, json=body | {"second_factor_needed": True, "privileges": []})

    await page.route("**/api/session", bare)
    await page.goto(f"{stage.url}/pharmacies")
    await expect(page).to_have_url(re.compile(r"/second-factor$"))
    await expect(page.get_by_role("heading", name="2단계 인증 등록")).to_be_visible()
    await page.unroute("**/api/session")
    await register_app(page)
    await expect(page.get_by_role("navigation", name="주 메뉴")).to_be_visible()


async def test_a_locked_screen_shows_nothing_until_the_password(visit: Visit, page: Page) -> None:
    await expect(page.get_by_text("강남온누리약국").first).to_be_visible()
    other = await visit.page("/vms")
    visit.expects(403, "/api/")
    await page.get_by_role("button", name="내 계정").click()
    await page.get_by_role("menuitem", name="화면 잠그기").click()
    for tab in (page, other):
        await expect(tab.get_by_role("heading", name="화면이 잠겨 있습니다")).to_be_visible()
        await expect(tab.get_by_text("강남온누리약국")).to_have_count(0)
    await field_of(page, "비밀번호").fill("wrong password")
    await page.get_by_role("button", name="잠금 풀기").click()
    await expect(page.get_by_role("alert")).to_contain_text("비밀번호가 맞지 않습니다.")
    await field_of(page, "비밀번호").fill(ADMIN_PASSWORD)
    await page.get_by_role("button", name="잠금 풀기").click()
    await expect(page.get_by_text("강남온누리약국").first).to_be_visible()


async def test_a_sensitive_change_asks_for_the_password_and_goes_on(stage: Stage, visit: Visit, page: Page) -> None:
    asked: list[str] = []

    async def late(route: Route) -> None:
        """As the server answers a quarter of an hour after the password was shown."""
        if route.request.method == "POST" and not asked:
            asked.append(route.request.url)
            problem = {"code": "session.reauth", "title": "", "detail": "", "params": {}, "errors": {}}
            await route.fulfill(status=403, json=problem)
        else:
            await route.continue_()

    visit.expects(403, "/api/roles")
    await page.route("**/api/roles", late)
    await page.goto(f"{stage.url}/settings?part=roles")
    await page.get_by_role("button", name="역할 만들기").click()
    await page.get_by_label("이름").fill("야간 당직")
    await page.get_by_label("전원", exact=True).check()
    await page.get_by_role("button", name="저장").click()
    dialog = page.get_by_role("dialog", name="본인 확인")
    await field_of(dialog, "비밀번호").fill(ADMIN_PASSWORD)
    await dialog.get_by_role("button", name="확인").click()
    row = page.get_by_role("row").filter(has_text="야간 당직")
    await expect(row).to_contain_text("보기, 전원")
    await row.get_by_role("button", name="삭제").click()
    await page.get_by_role("dialog").get_by_role("button", name="삭제").click()
    await expect(row).to_have_count(0)


async def test_a_grant_taken_back_in_the_list_closes_the_screen_elsewhere(
    stage: Stage, visiting: Visiting, page: Page
) -> None:
    number, way = await invited(stage, "watcher", (f"/pharmacy/{stage.pharmacy_ids[0]}", "operator"))
    theirs = await visiting(stage.url)
    screen = await accept(theirs, way)
    await screen.goto(f"{stage.url}/pharmacies/{stage.pharmacy_ids[0]}")
    await screen.get_by_role("button", name="POS-1 화면 열기").click()
    tab = screen.get_by_role("list", name="열린 콘솔").get_by_role("listitem").filter(has_text="POS-1")
    await expect(tab).to_contain_text("연결됨")
    theirs.expects(403, "/api/")
    theirs.expects(404, "/api/")

    await page.goto(f"{stage.url}/settings?part=users&user={number}")
    line = page.locator(".line").filter(has_text="운영자")
    await expect(line).to_contain_text("강남온누리약국")
    await line.get_by_role("button", name="회수").click()
    await page.get_by_role("dialog").get_by_role("button", name="회수").click()
    await expect(line).to_have_count(0)
    await expect(tab).not_to_contain_text("연결됨")


async def test_a_lost_device_ends_everything_and_gives_a_new_link(stage: Stage, visiting: Visiting, page: Page) -> None:
    number, way = await invited(stage, "loser", ("/", "operator"))
    theirs = await visiting(stage.url)
    phone = await accept(theirs, way)
    theirs.expects(401, "/api/")

    await page.goto(f"{stage.url}/settings?part=users")
    await page.get_by_role("button", name="loser").click()
    await expect(page).to_have_url(re.compile(rf"part=users&user={number}"))
    await page.get_by_role("button", name="기기 분실").click()
    dialog = page.get_by_role("dialog")
    act = dialog.get_by_role("button", name="기기 분실")
    await expect(act).to_be_disabled()
    await dialog.get_by_label("사유").fill("지하철에 두고 내림")
    await dialog.get_by_label("확인을 위해 로그인 이름을 입력하세요").fill("loser")
    await act.click()
    await expect(dialog).to_contain_text("끝낸 로그인 1개")
    link = await dialog.locator("code").inner_text()
    assert "/invite#" in link
    await phone.goto(f"{stage.url}/pharmacies")
    await expect(phone).to_have_url(re.compile("/login"))
    back = await visiting(stage.url)
    again = await accept(back, link.removeprefix(stage.url))
    await expect(again.get_by_text("강남온누리약국").first).to_be_visible()


WORDS = {
    KOREAN: ("사용자", "역할", "보안 정책", "내 보안", "관리자"),
    ENGLISH: ("Users", "Roles", "Security policy", "My security", "Administrator"),
}


@pytest.mark.parametrize("lang", [KOREAN, ENGLISH])
async def test_the_pages_speak_both_languages(stage: Stage, visit: Visit, lang: str) -> None:
    await visit.context.add_init_script(f"localStorage.setItem('pharmq.lang', '{lang}')")
    page = await visit.page("/settings?part=users")
    users, roles, policy, own, administrator = WORDS[lang]
    parts: Locator = page.locator(".settings-parts")
    await expect(page.get_by_role("heading", name=users)).to_be_visible()
    await expect(page.get_by_role("row").filter(has_text="admin").first).to_contain_text(administrator)
    for word in (roles, policy, own):
        await parts.get_by_role("link", name=word).click()
        await expect(page.locator("[aria-current=page]").last).to_have_text(word)
        await expect(page.get_by_role("heading", level=2).first).to_be_visible()
        text = await page.locator("main").inner_text()
        # A key without a sentence would stand there as itself.
        assert not re.search(r"\b(policy|roles|users|tfa|me|sessions|tokens|privilege|role|place)\.[a-z_]+", text)
        if lang == ENGLISH:
            assert not re.search("[가-힣]", text), text
