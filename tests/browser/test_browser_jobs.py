"""Jobs as people ask for them: shown before anything is sent, in waves, cancelled, tried again; what a power cut would
leave off."""

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Locator, Page, expect

from browser.stage import ADMIN, NOT_ONBOOT, Stage
from browser.visit import Visit

KIOSK = 101
HOSTS = 6


@pytest.fixture
def kiosks(stage: Stage) -> Iterator[Stage]:
    """Kiosks that a test made slow are quick again."""
    yield stage
    slow_kiosks(stage, 0.5)


def slow_kiosks(stage: Stage, seconds: float) -> None:
    for number in range(1, HOSTS + 1):
        stage.guest(number, KIOSK).shutdown_s = seconds


def running_kiosks(stage: Stage) -> int:
    return sum(stage.guest(number, KIOSK).running for number in range(1, HOSTS + 1))


def answer_of(page: Page) -> Locator:
    """What the dry run says."""
    return page.get_by_role("region", name="실행하면")


async def jobs_so_far(stage: Stage) -> int:
    return int((await stage.api("GET", "/api/jobs?limit=1"))["total"])


async def shut_down_kiosks(page: Page, button: str, typed: str = "6") -> None:
    answer = answer_of(page)
    await expect(answer.get_by_role("heading", level=3)).to_have_text("6대를 종료할까요?")
    await answer.get_by_role("textbox").fill(typed)
    await answer.get_by_role("button", name=button).click()


async def test_a_filter_shows_what_would_be_done_before_anything_is(stage: Stage, visit: Visit) -> None:
    before = await jobs_so_far(stage)
    await stage.break_host(4, "refused")
    page = await visit.page("/jobs/new")
    answer = answer_of(page)
    await expect(answer).to_contain_text("대상을 정하면 무엇을 하게 되는지")
    # No filter is not "everything" by itself.
    await expect(answer.get_by_role("button")).to_have_count(0)
    await page.get_by_label("모든 VM에 실행").check()
    await expect(answer.get_by_role("heading", level=3)).to_have_text("15대를 종료할까요?")
    await page.get_by_role("group", name="유형").get_by_role("button", name="키오스크").click()
    await expect(answer.get_by_role("heading", level=3)).to_have_text("5대를 종료할까요?")
    await page.get_by_role("group", name="유형").get_by_role("button", name="서버").click()
    await expect(answer.get_by_role("heading", level=3)).to_have_text("5대를 종료할까요?")
    await expect(answer).to_contain_text("약국 5곳")
    await expect(answer).to_contain_text("1곳은 영업 중입니다.")
    await expect(answer).to_contain_text("5대 제외: 이미 꺼져 있습니다.")
    await expect(answer).to_contain_text("2대 제외: 호스트에 연결할 수 없어 건너뛰었습니다.")
    lines = answer.get_by_role("list", name="실행하면").get_by_role("listitem")
    await expect(lines).to_have_count(12)
    await expect(lines.filter(has_text="강남온누리약국").filter(has_text="KIOSK-1")).to_contain_text("영업 중")
    # An open pharmacy asks for the number.
    await expect(answer.get_by_role("button", name="5대 종료")).to_be_disabled()
    await expect(page).to_have_url(re.compile(r"/jobs/new\?verb=shutdown&type=(server|kiosk)(,|%2C)(server|kiosk)"))
    # The address alone says it all again.
    again = await visit.page(page.url.removeprefix(stage.url))
    await expect(answer_of(again).get_by_role("heading", level=3)).to_have_text("5대를 종료할까요?")
    assert running_kiosks(stage) == HOSTS
    assert await jobs_so_far(stage) == before


async def test_a_long_choice_survives_a_reload_and_is_missed_aloud_elsewhere(stage: Stage, visit: Visit) -> None:
    vm = await stage.vm(1, KIOSK)
    # Ids that nothing has are chosen too: they are counted and told, not left out in silence.
    ids = [vm["id"], *range(900_000, 901_599)]
    page = await visit.page(f"/jobs/new?verb=shutdown&vms={','.join(map(str, ids))}")
    await expect(page.get_by_text("1,600대 선택")).to_be_visible()
    await page.get_by_role("button", name="없어진 VM #900000 빼기").click()
    await expect(page).to_have_url(re.compile(r"/jobs/new\?verb=shutdown&choice=1599-[a-z0-9]+$"))
    await page.reload()
    await expect(page.get_by_text("1,599대 선택")).to_be_visible()
    await expect(page.get_by_text("1598대는 없어졌거나")).to_be_visible()
    await expect(answer_of(page).get_by_role("heading", level=3)).to_have_text("강남온누리약국 KIOSK-1을 종료할까요?")

    other = await visit.page(page.url.removeprefix(stage.url))
    failure = other.locator(".failure")
    await expect(failure.locator(".title")).to_have_text("고른 VM의 목록이 여기에 없습니다.")
    await expect(failure.locator(".why")).to_contain_text("다른 탭이나 브라우저")
    await expect(failure.locator(".remedy")).to_contain_text("다시 고르거나")
    await expect(failure.get_by_role("link", name="통합 VM 관리")).to_have_attribute("href", "/vms")
    await expect(answer_of(other).get_by_role("button")).to_have_count(0)
    # Chosen anew, it is a choice like any other.
    await other.get_by_role("searchbox", name="약국, VM 이름, IP로 찾기").fill("강남온누리 KIOSK")
    await other.get_by_role("button", name="강남온누리약국 KIOSK-1 추가").click()
    await expect(failure).to_have_count(0)
    await expect(other).to_have_url(re.compile(rf"vms=(%22)?{vm['id']}(%22)?$"))


async def test_a_canary_that_fails_stops_the_rest_and_what_failed_is_tried_again(kiosks: Stage, visit: Visit) -> None:
    stage = kiosks
    slow_kiosks(stage, 60)
    before = shutdowns(stage)
    page = await visit.page("/jobs/new?verb=shutdown&type=kiosk")
    await page.get_by_label("종료를 기다리는 시간").fill("1")
    await page.get_by_text("순서와 안전장치").click()
    await page.get_by_label("먼저 실행할 대수").fill("2")
    answer = answer_of(page)
    await expect(answer).to_contain_text("먼저 2대를 실행하고, 모두 끝나면 나머지 4대를 실행합니다.")
    await expect(answer.get_by_role("listitem").filter(has_text="먼저")).to_have_count(2)
    await shut_down_kiosks(page, "6대 종료")

    await expect(page).to_have_url(re.compile(r"/jobs\?job=\d+"))
    job = page.get_by_role("region", name="VM 6대 종료")
    await expect(job).to_contain_text("실패가 많아 남은 4대를 시작하지 않았습니다.")
    await expect(job).to_contain_text("2대 먼저")
    counts = job.get_by_role("group", name="상태로 골라 보기")
    await expect(counts.get_by_role("button", name="실패")).to_have_text("실패 2")
    await expect(counts.get_by_role("button", name="취소됨")).to_have_text("취소됨 4")
    items = job.get_by_role("list", name="VM별 결과").get_by_role("listitem")
    await counts.get_by_role("button", name="실패").click()
    await expect(page).to_have_url(re.compile("item=failed"))
    await expect(items).to_have_count(2)
    await expect(items.first).to_contain_text("VM이 제한 시간 안에 꺼지지 않았습니다.")
    await counts.get_by_role("button", name="취소됨").click()
    await expect(items).to_have_count(4)
    await expect(items.first).to_contain_text("실패가 많아 시작하지 않았습니다.")
    # Nothing was sent to the four.
    asked = shutdowns(stage)
    assert sum(asked[number] - before[number] for number in asked) == 2
    assert running_kiosks(stage) == HOSTS

    slow_kiosks(stage, 0.2)
    await job.get_by_role("button", name="6대 다시 시도").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("무엇을 다시 시도할까요?")
    await expect(dialog.get_by_label("실패 2대")).to_be_checked()
    await dialog.get_by_label("취소됨 4대").check()
    await dialog.get_by_role("button", name="다음").click()
    await expect(dialog).to_contain_text("6대를 종료할까요?")
    await dialog.get_by_role("textbox").fill("6")
    await dialog.get_by_role("button", name="6대 종료").click()
    await expect(job.get_by_role("link", name="다시 시도")).to_be_visible()
    await expect(counts.get_by_role("button", name="성공")).to_have_text("성공 6")
    assert running_kiosks(stage) == 0


def shutdowns(stage: Stage) -> dict[int, int]:
    """How often each host was ever asked to shut its kiosk down."""
    return {
        number: sum(t.type == "qmshutdown" and t.id == str(KIOSK) for t in stage.host(number).world.tasks)
        for number in range(1, HOSTS + 1)
    }


async def test_the_rest_of_a_job_is_cancelled(kiosks: Stage, visit: Visit) -> None:
    stage = kiosks
    slow_kiosks(stage, 5)
    page = await visit.page("/jobs/new?verb=shutdown&type=kiosk")
    await page.get_by_text("순서와 안전장치").click()
    await page.get_by_label("전체 동시 실행").fill("1")
    await shut_down_kiosks(page, "6대 종료")
    job = page.get_by_role("region", name="VM 6대 종료")
    await expect(job.get_by_role("progressbar")).to_be_visible()
    await job.get_by_role("button", name="남은 5대 취소").click()
    await expect(job).to_contain_text("사람이 남은 5대를 취소했습니다.")
    # What was under way ends by itself.
    counts = job.get_by_role("group", name="상태로 골라 보기")
    await expect(counts.get_by_role("button", name="성공")).to_have_text("성공 1")
    await expect(counts.get_by_role("button", name="취소됨")).to_have_text("취소됨 5")
    assert running_kiosks(stage) == HOSTS - 1
    row = page.get_by_role("row").filter(has_text="VM 6대 종료").first
    await expect(row).to_contain_text("취소됨")
    await expect(row).to_contain_text(ADMIN)


async def test_from_a_selection_to_the_form_and_a_snapshot(stage: Stage, visit: Visit) -> None:
    page = await visit.page(f"/vms?pharmacy_id={stage.pharmacy_ids[2]}&type=pos,kiosk")
    await page.get_by_label("모두 선택", exact=True).click()
    bar = page.get_by_role("region", name="선택한 VM")
    await bar.get_by_role("button", name="더 보기").click()
    await page.get_by_role("menuitem", name="스냅샷 만들기").click()
    await expect(page.get_by_role("list", name="선택한 VM").get_by_role("listitem")).to_have_count(2)
    answer = answer_of(page)
    await expect(answer).to_contain_text("스냅샷 이름을 입력하세요.")
    name = page.get_by_label(re.compile("^스냅샷 이름"))
    await name.fill("업데이트 전")
    await expect(page.get_by_text("영문자로 시작하고")).to_be_visible()
    await name.fill("before-update")
    await expect(answer.get_by_role("heading", level=3)).to_have_text("VM 2대의 스냅샷을 만들까요?")
    await answer.get_by_role("button", name="2대 스냅샷 만들기").click()
    job = page.get_by_role("region", name="VM 2대 스냅샷 만들기")
    await expect(job).to_contain_text("스냅샷 before-update")
    await expect(job.get_by_role("button", name="성공")).to_have_text("성공 2")
    assert "before-update" in [snapshot.name for snapshot in stage.guest(3, KIOSK).snapshots]


async def test_the_quick_question_leads_to_the_form(stage: Stage, visit: Visit) -> None:
    page = await visit.page(f"/vms?pharmacy_id={stage.pharmacy_ids[3]}&type=pos,kiosk")
    await page.get_by_label("모두 선택", exact=True).click()
    await page.get_by_role("region", name="선택한 VM").get_by_role("button", name="재시작").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("2대를 재시작할까요?")
    await dialog.get_by_role("button", name="자세히 설정").click()
    await expect(dialog).to_have_count(0)
    await expect(answer_of(page).get_by_role("heading", level=3)).to_have_text("2대를 재시작할까요?")
    await expect(page.get_by_role("button", name="직접 선택")).to_have_attribute("aria-pressed", "true")
    assert all(stage.guest(4, vmid).running for vmid in (100, KIOSK))


async def test_what_a_power_cut_would_leave_off_is_mended_by_one_click(stage: Stage, visit: Visit) -> None:
    guest = stage.guest(*NOT_ONBOOT)
    assert not guest.onboot, "made so by the stage"
    page = await visit.page("/jobs")
    await page.get_by_role("navigation", name="작업 · 예약").get_by_role("link", name="자동 시작").click()
    row = page.get_by_role("row").filter(has_text="SERVER")
    await expect(row).to_contain_text("대전한빛약국")
    onlooker = await visit.page("/jobs/onboot")
    await expect(onlooker.get_by_role("row").filter(has_text="SERVER")).to_contain_text("대전한빛약국")
    await page.get_by_role("button", name="1대 자동 시작 설정").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("대전한빛약국 SERVER의 자동 시작을 켤까요?")
    await dialog.get_by_role("button", name="부팅 시 자동 시작 설정").click()
    await expect(page.get_by_role("region", name="VM 1대 부팅 시 자동 시작 설정")).to_contain_text("성공 1")
    assert guest.onboot
    await page.get_by_role("link", name="자동 시작").click()
    for each in (page, onlooker):
        await expect(each.get_by_text("모든 VM이 호스트와 함께 시작하도록 되어 있습니다.")).to_be_visible()
