"""Coming in: the one-time link, the right and the wrong password, leaving."""

import re
from pathlib import Path

from playwright.async_api import expect

from browser.stage import ADMIN, ADMIN_PASSWORD, Stage, served
from browser.visit import Visiting, field_of


async def test_the_one_time_link_makes_the_administrator(tmp_path: Path, visiting: Visiting) -> None:
    async with served(tmp_path) as (_process, url, link):
        visit = await visiting(url)
        page = await visit.page(link.removeprefix(url))
        await expect(page.get_by_role("heading", name="관리자 만들기")).to_be_visible()
        token = await page.get_by_label("일회용 토큰").input_value()
        assert token
        assert token in link
        await page.get_by_label("사용자 이름").fill("kim")
        visit.expects(400, "/api/setup")
        await field_of(page, "비밀번호").fill("short")
        await page.get_by_label("비밀번호 다시 입력").fill("short")
        await page.get_by_role("button", name="관리자 만들기").click()
        await expect(page.get_by_role("alert").first).to_be_visible()
        await field_of(page, "비밀번호").fill(ADMIN_PASSWORD)
        await page.get_by_label("비밀번호 다시 입력").fill(ADMIN_PASSWORD + "x")
        await expect(page.get_by_text("두 비밀번호가 다릅니다.")).to_be_visible()
        await expect(page.get_by_role("button", name="관리자 만들기")).to_be_disabled()
        await page.get_by_label("비밀번호 다시 입력").fill(ADMIN_PASSWORD)
        await page.get_by_role("button", name="관리자 만들기").click()
        await expect(page.get_by_text("아직 등록한 호스트가 없습니다.")).to_be_visible()
        await expect(page.get_by_role("button", name="내 계정: kim")).to_be_visible()
        # An empty installation says what to do first.
        await expect(page.get_by_role("link", name="약국 추가")).to_be_visible()
        await page.context.close()


async def test_a_wrong_password_is_explained_and_the_right_one_leads_where_one_wanted_to_go(
    stage: Stage, visiting: Visiting
) -> None:
    visit = await visiting(stage.url)
    visit.expects(401, "/api/session")
    page = await visit.page("/vms?status=stopped")
    await expect(page).to_have_url(re.compile(r"/login\?next="))
    await expect(page.locator("html")).to_have_attribute("lang", "ko")
    await page.get_by_label("사용자 이름").fill(ADMIN)
    await field_of(page, "비밀번호").fill("wrong password")
    await page.get_by_role("button", name="로그인").click()
    failure = page.get_by_role("alert")
    await expect(failure.locator(".title")).to_have_text(re.compile("[가-힣]+"))
    await expect(failure.locator(".why")).to_have_text(re.compile("[가-힣]+"))
    await expect(failure.locator(".remedy")).to_have_text(re.compile("하세요"))
    await expect(field_of(page, "비밀번호")).to_have_value("")
    await field_of(page, "비밀번호").fill(ADMIN_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/vms\?status=stopped"))
    await expect(page.get_by_role("heading", name="통합 VM 관리")).to_be_visible()

    await page.get_by_role("button", name="내 계정").click()
    await page.get_by_role("menuitem", name="로그아웃").click()
    await expect(page).to_have_url(re.compile(r"/login$"))
    await page.goto(f"{stage.url}/pharmacies")
    await expect(page).to_have_url(re.compile(r"/login\?next="))
