"""Service accounts in the browser: made from root's password, rotated, stopped and gone on, given back."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from browser.stage import PLACES, Stage, stage_in
from browser.visit import Visit, Visiting, field_of
from pharmq_sim.testing import PASSWORD

PAGE = "/settings?part=accounts"


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """One of its own: its hosts lose root's password."""
    async with stage_in(tmp_path_factory.mktemp("accounts")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="package")
async def visit(stage: Stage, visiting: Visiting) -> Visit:
    made = await visiting(stage.url)
    await made.context.add_cookies(stage.cookies())
    return made


def row_of(page: Page, name: str) -> Locator:
    return page.locator("table.accounts tr").filter(has_text=name)


def counted(page: Page, label: str) -> Locator:
    return page.locator(".account-counts > div").filter(has_text=label).locator("dd")


async def test_one_host_leaves_roots_password(stage: Stage, visit: Visit) -> None:
    page = await visit.page(PAGE)
    await expect(counted(page, "관리자 비밀번호로 연결")).to_have_text(str(len(stage.host_ids)))
    row = row_of(page, "강남온누리약국")
    await expect(row).to_contain_text("root@pam")
    await row.get_by_role("button", name="만들기").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("강남온누리약국")
    await dialog.get_by_role("button", name="만들기").click()
    await expect(row).to_contain_text("사용 중")
    await expect(row).to_contain_text("pharmq@pve")
    assert set(stage.host(1).world.users["pharmq@pve"].tokens), "the token stands on the host"
    await expect(counted(page, "서비스 계정")).to_have_text("1")


async def test_where_it_stops_is_said_and_it_goes_on(stage: Stage, visit: Visit) -> None:
    stage.host(2).faults.set("http_5xx", status=500, reason="disk full")
    page = await visit.page(PAGE)
    row = row_of(page, "마포늘푸른약국")
    await row.get_by_role("button", name="만들기").click()
    await page.get_by_role("dialog").get_by_role("button", name="만들기").click()
    await expect(row).to_contain_text("다시 시도 예정")
    why = page.locator(".account-why")
    await expect(why).to_contain_text("만들기 작업이 역할 만들기 단계 앞에서 기다립니다.")
    await expect(why.get_by_role("alert")).to_be_visible()
    stage.host(2).faults.clear()
    await row.get_by_role("button", name="이어서 진행").click()
    await page.get_by_role("dialog").get_by_role("button", name=re.compile("만들기|이어서 진행")).click()
    await expect(row).to_contain_text("사용 중")
    await expect(why).to_have_count(0)


async def test_all_others_at_once_with_progress_then_rotated(stage: Stage, visit: Visit) -> None:
    page = await visit.page(PAGE)
    await page.get_by_role("button", name="모든 호스트에 만들기").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(f"호스트 {len(stage.host_ids) - 2}대")
    await dialog.get_by_role("button", name="만들기").click()
    await expect(page.get_by_text(f"{len(stage.host_ids) - 2}대 작업을 시작했습니다.")).to_be_visible()
    await expect(counted(page, "서비스 계정")).to_have_text(str(len(stage.host_ids)))
    await expect(page.get_by_role("button", name="모든 호스트에 만들기")).to_be_disabled()
    assert (await stage.api("GET", "/api/credentials"))["total"] == 0, "root's password is forgotten with the last host"
    before = set(stage.host(3).world.users["pharmq@pve"].tokens)
    await page.get_by_role("button", name="모두 교체").click()
    await page.get_by_role("dialog").get_by_role("button", name="교체").click()
    await expect(page.get_by_text(f"{len(stage.host_ids)}대 작업을 시작했습니다.")).to_be_visible()
    await expect(counted(page, "진행 중")).to_have_text("0")
    await expect(counted(page, "서비스 계정")).to_have_text(str(len(stage.host_ids)))
    after = set(stage.host(3).world.users["pharmq@pve"].tokens)
    assert (len(after), after & before) == (1, set())


async def test_the_policy_is_kept_and_its_date_shown(visit: Visit) -> None:
    page = await visit.page(PAGE)
    await expect(row_of(page, "강남온누리약국")).to_contain_text("정책 없음")
    await field_of(page, "교체 주기 (일, 0은 끔)").fill("90")
    await page.get_by_role("button", name="저장").click()
    await expect(row_of(page, "강남온누리약국")).to_contain_text(re.compile(r"20\d\d\. \d\d\. \d\d\."))


async def leaver(stage: Stage, visiting: Visiting) -> int:
    """An administrator with a schedule of their own, who has typed a shared credential and added a host."""
    body = {"name": "leaver", "display_name": "이관리", "grants": [{"path": "/", "role": "administrator"}]}
    made = await stage.api("POST", "/api/users", body)
    theirs = await visiting(stage.url)
    page = await theirs.page(made["invitation"]["url"].removeprefix(stage.url))
    await field_of(page, "비밀번호").fill("correct horse battery")
    await page.get_by_label("비밀번호 다시 입력").fill("correct horse battery")
    await page.get_by_role("button", name="비밀번호 정하고 시작").click()
    await expect(page.get_by_role("navigation", name="주 메뉴")).to_be_visible()
    theirs.expects(401, "/api/")
    asking = theirs.context.request
    csrf = (await (await asking.get(f"{stage.url}/api/session")).json())["csrf"]
    rule = {"kind": "weekly", "days": ["mon"], "times": ["03:00"]}
    shared = {"name": "공통 root 2", "kind": "password", "username": "root@pam", "secret": "something typed"}
    for path, wanted in (
        ("/api/schedules", {"name": "새벽", "verb": "start", "targets": {"filter": {}}, "when": {"rule": rule}}),
        ("/api/credentials", shared),
    ):
        answer = await asking.post(stage.url + path, data=wanted, headers={"X-CSRF-Token": csrf})
        assert answer.ok, await answer.text()
    return int(made["user"]["id"])


async def test_who_leaves_hands_over_and_what_they_know_leads_to_its_change(
    stage: Stage, visiting: Visiting, visit: Visit
) -> None:
    number = await leaver(stage, visiting)
    page = await visit.page(f"/settings?part=users&user={number}")
    await page.get_by_role("button", name="퇴사 처리").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("예약 작업을 넘겨받을 사람").click()
    await page.get_by_role("option", name="admin").click()
    await dialog.get_by_label(re.compile("확인을 위해 로그인 이름을 입력하세요")).fill("leaver")
    await dialog.get_by_role("button", name="퇴사 처리").click()
    await expect(dialog).to_contain_text("예약 작업 1개를 넘겼습니다.")
    await expect(dialog).to_contain_text("root 비밀번호는 호스트에 남습니다.")
    known = dialog.locator(".line").filter(has_text="공통 root 2")
    await known.get_by_role("link", name="바꾸기").click()
    await expect(page.get_by_role("region", name="공통 로그인 정보")).to_contain_text("공통 root 2")
    (schedule,) = (await stage.api("GET", "/api/schedules"))["items"]
    assert schedule["owner"]["name"] == "admin"


async def test_what_somebody_knew_leads_to_rotation(stage: Stage, visit: Visit) -> None:
    """The administrator of the stage added every host: their own page offers them, by one and all together."""
    page = await visit.page("/settings?part=users&user=1")
    known = page.get_by_role("region", name="이 사람이 알고 있는 비밀")
    await expect(known).to_contain_text("그 뒤에 바뀜")
    await page.goto(f"{stage.url}{PAGE}&hosts={stage.host_ids[0]},{stage.host_ids[1]}")
    await expect(page.locator("table.accounts tbody tr")).to_have_count(2)
    await page.get_by_role("button", name="이 호스트 교체").click()
    await expect(page.get_by_role("dialog")).to_contain_text("호스트 2대")
    await page.get_by_role("dialog").get_by_role("button", name="교체").click()
    await expect(page.get_by_text("2대 작업을 시작했습니다.")).to_be_visible()


async def test_a_host_is_given_back(stage: Stage, visit: Visit) -> None:
    page = await visit.page(PAGE)
    row = row_of(page, "서초하나약국")
    await expect(row).to_contain_text("사용 중")
    await row.get_by_role("button", name=re.compile("그 밖의 작업")).click()
    await page.get_by_role("menuitem", name="제거").click()
    dialog = page.get_by_role("dialog")
    await field_of(dialog, "비밀번호").fill(PASSWORD)  # type: ignore[arg-type]
    act = dialog.get_by_role("button", name="호스트 반납")
    await expect(act).to_be_disabled()
    await dialog.get_by_label(re.compile("확인을 위해 주소를 입력하세요")).fill(stage.host(3).address)
    await act.click()
    await expect(row).to_have_count(0)
    assert "pharmq@pve" not in stage.host(3).world.users
    assert "PharmQ" not in stage.host(3).world.roles
    # Who typed root's password for it knows it still.
    await page.goto(f"{stage.url}/settings?part=users&user=1")
    known = page.get_by_role("region", name="이 사람이 알고 있는 비밀")
    typed = known.locator(".line").filter(has_text="호스트 관리자(root) 비밀번호")
    await expect(typed).to_have_count(1)
    await expect(typed).to_contain_text(stage.host(3).address)
    await expect(typed).to_contain_text("호스트에서 변경")
    await expect(known).to_contain_text("호스트에서 직접 바꾸세요.")


@pytest.mark.parametrize("lang", ["ko", "en"])
async def test_the_page_speaks_both_languages(visit: Visit, lang: str) -> None:
    await visit.context.add_init_script(f"localStorage.setItem('pharmq.lang', '{lang}')")
    page = await visit.page(PAGE)
    await expect(page.locator("table.accounts tbody tr").first).to_be_visible()
    await visit.quiet()
    text = await page.locator("main").inner_text()
    assert not re.search(r"\b(accounts|settings|farewell)\.[a-z_]+", text), text
    if lang == "en":
        names = re.sub("|".join(place.name for place in PLACES), "", text)
        assert not re.search("[가-힣]", names), names
