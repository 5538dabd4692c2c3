"""Schedules on the screen: what they will do is shown before they are saved, what they did is found afterwards."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from browser.stage import ADMIN, Stage, until
from browser.visit import Visit, field_of

WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@pytest_asyncio.fixture(loop_scope="package")
async def stage(stage: Stage) -> AsyncIterator[Stage]:
    """No schedule outlives its test: it would go off in another one."""
    yield stage
    for row in (await stage.api("GET", "/api/schedules?limit=1000"))["items"]:
        await stage.api("DELETE", f"/api/schedules/{row['id']}")


async def schedule(stage: Stage, name: str, **change: Any) -> int:
    """One made by the API: starts the servers of all hosts at 03:00, unless changed."""
    body: dict[str, Any] = {
        "name": name,
        "verb": "start",
        "targets": {"filter": {"type": ["server"]}},
        "when": {"rule": {"kind": "weekly", "days": WEEK, "times": ["03:00"]}},
    }
    return int((await stage.api("POST", "/api/schedules", body | change))["id"])


async def runs_of(stage: Stage, schedule_id: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await stage.api("GET", f"/api/schedules/{schedule_id}/runs"))["items"]
    return found


def preview_of(page: Page) -> Locator:
    return page.get_by_role("region", name="다음 5번의 실행")


async def test_the_next_runs_and_the_holidays_they_avoid_are_shown_before_saving(stage: Stage, visit: Visit) -> None:
    page = await visit.page("/schedules")
    await expect(page.get_by_text("아직 예약이 없습니다.")).to_be_visible()
    await page.get_by_role("link", name="예약 추가").first.click()
    preview = preview_of(page)
    await expect(preview).to_contain_text("대상을 정하세요.")
    await page.get_by_role("group", name="유형").get_by_role("button", name="서버").click()
    await expect(preview.get_by_role("listitem")).to_have_count(5)
    await expect(preview).to_contain_text("지금 실행한다면 약국 6곳의 VM 6대입니다.")
    await expect(preview.get_by_role("button", name="저장")).to_be_disabled()

    await page.get_by_role("group", name="규칙").get_by_role("button", name="cron").click()
    await field_of(page, "cron 식").fill("0 9 24,25 12 *")
    await page.get_by_role("group", name="공휴일").get_by_role("button", name="공휴일 제외").click()
    christmas = preview.get_by_role("listitem").filter(has_text="12월 25일")
    await expect(christmas.first).to_contain_text("기독탄신일 · 실행하지 않음")
    runs = preview.get_by_role("listitem").filter(has_text="12월 24일")
    await expect(runs).to_have_count(5)
    await expect(runs.first).to_contain_text("09:00")

    await field_of(page, "이름").fill("성탄 전날 서버 시작")
    await preview.get_by_role("button", name="저장").click()
    await expect(page).to_have_url(re.compile(r"/schedules\?schedule=\d+"))
    await expect(page.get_by_text("“성탄 전날 서버 시작” 예약을 저장했습니다.")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="성탄 전날 서버 시작")
    await expect(row).to_contain_text("12월 24일")
    detail = page.get_by_role("region", name="성탄 전날 서버 시작")
    for fact in ("cron 0 9 24,25 12 *", "공휴일 제외", "서버", ADMIN, "아직 실행한 적이 없습니다."):
        await expect(detail).to_contain_text(fact)

    # The dashboard and the week of that day know it too.
    await page.get_by_role("link", name="대시보드").click()
    soon = page.get_by_role("region", name="다음 예약")
    await expect(soon).to_contain_text("성탄 전날 서버 시작")
    year = datetime.now(UTC).year + 1
    await page.goto(f"{stage.url}/schedules/calendar?from={year}-12-24")
    day = page.locator(".week-day").filter(has=page.get_by_role("heading", name="12월 24일"))
    await expect(day).to_contain_text("성탄 전날 서버 시작")
    await expect(page.locator(".week-day").filter(has_text="기독탄신일")).not_to_contain_text("서버 시작")
    await page.get_by_role("button", name="다음 주").click()
    await expect(page.locator(".week-day").filter(has=page.get_by_role("heading", name="12월 24일"))).to_have_count(0)
    await expect(page.locator(".week")).not_to_contain_text("성탄 전날 서버 시작")


async def test_run_now_is_asked_and_found_in_the_history_with_its_job(stage: Stage, visit: Visit) -> None:
    number = await schedule(stage, "밤새 서버 시작")
    page = await visit.page(f"/schedules?schedule={number}")
    detail = page.get_by_role("region", name="밤새 서버 시작")
    await detail.get_by_role("button", name="지금 실행").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("6대를 시작할까요?")
    assert not await runs_of(stage, number)
    await dialog.get_by_role("button", name="6대 시작").click()
    await expect(dialog).to_have_count(0)
    run = detail.locator(".run-row")
    await expect(run).to_have_count(1)
    await expect(run).to_contain_text("직접 실행")
    await expect(run).to_contain_text("완료")
    await expect(run).to_contain_text("성공 6 / 6")
    assert all(stage.guest(host, 102).running for host in range(1, 7))
    await run.get_by_role("link", name="작업 보기").click()
    job = page.get_by_role("region", name="VM 6대 시작")
    await expect(job).to_contain_text("성공 6")
    # And back: the job names what made it.
    await job.get_by_role("link", name="예약 “밤새 서버 시작”").click()
    await expect(page).to_have_url(re.compile(rf"schedule={number}"))
    await expect(page.get_by_role("row").filter(has_text="밤새 서버 시작")).to_contain_text("완료")
    await page.goto(f"{stage.url}/schedules/calendar")
    await expect(page.locator(".week-day.today")).to_contain_text("직접 실행")


async def test_at_its_moment_it_runs_by_itself(stage: Stage, visit: Visit) -> None:
    targets = {"vms": [{"host_id": stage.host_ids[4], "vmid": 102}]}
    number = await schedule(
        stage, "매분 시작", targets=targets, when={"rule": {"kind": "cron", "expression": "* * * * *"}}
    )
    page = await visit.page(f"/schedules?schedule={number}")
    detail = page.get_by_role("region", name="매분 시작")
    await expect(detail).to_contain_text("부산새봄약국 SERVER")
    await expect(detail).to_contain_text("아직 실행한 적이 없습니다.")
    await until(lambda: runs_of(stage, number), "the next minute", 90)
    await stage.api("POST", f"/api/schedules/{number}/pause")
    run = detail.locator(".run-row").last
    await expect(run).to_contain_text("완료")
    await expect(run).to_contain_text("성공 1 / 1")
    await expect(run).not_to_contain_text("직접 실행")
    assert stage.guest(5, 102).running
    assert (await runs_of(stage, number))[-1]["trigger"] == "slot"
    await expect(page.get_by_role("row").filter(has_text="매분 시작")).to_contain_text("꺼짐")


async def test_it_is_paused_edited_copied_and_removed(stage: Stage, visit: Visit) -> None:
    number = await schedule(stage, "새벽 서버 시작", options={"canary": 2, "deadline_s": 3600})
    page = await visit.page("/schedules")
    row = page.get_by_role("row").filter(has_text="새벽 서버 시작")
    await expect(row).to_contain_text(re.compile("오늘|내일"))
    await row.get_by_label("새벽 서버 시작 사용").click(force=True)
    await expect(row).to_contain_text("꺼짐")
    assert (await stage.api("GET", f"/api/schedules/{number}"))["enabled"] is False

    await row.get_by_role("button", name="새벽 서버 시작").click()
    detail = page.get_by_role("region", name="새벽 서버 시작")
    await detail.get_by_role("button", name="다시 사용").click()
    await expect(row).to_contain_text("03:00")
    await detail.get_by_role("link", name="편집").click()
    await expect(page.get_by_label("먼저 실행할 대수")).to_have_value("2 대")
    await page.get_by_role("button", name="평일", exact=True).click()
    await page.get_by_role("button", name="시각 추가").click()
    await page.get_by_label("시각 2", exact=True).fill("21:30")
    await page.get_by_role("button", name="호스트가 돌아오면 실행").click()
    await expect(preview_of(page).get_by_role("listitem").filter(has_text="21:30").first).to_be_visible()
    # What is not saved is not lost by a wrong click.
    await page.get_by_role("link", name="대시보드").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("저장하지 않고 나갈까요?")
    await dialog.get_by_role("button", name="취소").click()
    await expect(dialog).to_have_count(0)
    await expect(page.get_by_label("시각 2", exact=True)).to_have_value("21:30")
    await page.get_by_role("button", name="저장").click()
    await expect(detail).to_contain_text("평일 03:00, 21:30")
    await expect(detail).to_contain_text("1시간 안에 호스트가 돌아오면 실행")
    kept = await stage.api("GET", f"/api/schedules/{number}")
    assert kept["options"] == {"canary": 2, "deadline_s": 3600}
    assert kept["when"]["rule"] == {"kind": "weekly", "days": WEEK[:5], "times": ["03:00", "21:30"]}

    await detail.get_by_role("link", name="복제").click()
    await expect(field_of(page, "이름")).to_have_value("새벽 서버 시작 복사본")
    await page.get_by_role("button", name="저장").click()
    copy = page.get_by_role("region", name="새벽 서버 시작 복사본")
    await copy.get_by_role("button", name="삭제").click()
    await expect(dialog).to_contain_text("“새벽 서버 시작 복사본” 예약을 삭제할까요?")
    await dialog.get_by_role("button", name="예약 삭제").click()
    await expect(page.get_by_role("row").filter(has_text="복사본")).to_have_count(0)
    await expect(row).to_have_count(1)


async def test_what_others_do_is_told_and_not_asked_for_again_and_again(stage: Stage, visit: Visit) -> None:
    await visit.context.clock.install()
    page = await visit.page("/schedules")
    await expect(page.get_by_text("아직 예약이 없습니다.")).to_be_visible()
    dashboard = await visit.page("/")
    soon = dashboard.get_by_role("region", name="다음 예약")
    await expect(soon).to_contain_text("예약된 실행이 없습니다.")
    number = await schedule(stage, "밤 서버 시작")
    row = page.get_by_role("row").filter(has_text="밤 서버 시작")
    await expect(row).to_contain_text("03:00")
    await expect(soon).to_contain_text("밤 서버 시작")
    await row.click()
    history = page.get_by_role("region", name="실행 이력")
    await expect(history).to_contain_text("아직 실행한 적이 없습니다.")
    await stage.api("POST", f"/api/schedules/{number}/run")
    await expect(history.get_by_role("listitem")).to_contain_text("직접 실행")
    await expect(history.get_by_role("listitem")).to_contain_text("완료")

    await visit.quiet()
    asked: list[str] = []
    for each in (page, dashboard):
        each.on("request", lambda request: asked.append(request.url) if request.method == "GET" else None)
        await each.clock.fast_forward(40_000)
        await each.clock.fast_forward(10_000)
    await visit.quiet()
    assert [url for url in asked if "/api/schedules" in url] == []

    visit.expects(404, f"/api/schedules/{number}")
    await stage.api("DELETE", f"/api/schedules/{number}")
    await expect(soon).to_contain_text("예약된 실행이 없습니다.")
    open_one = page.get_by_role("region", name="밤 서버 시작")
    await expect(open_one.locator(".failure .title")).to_have_text("예약을 찾을 수 없습니다.")


async def test_around_opening_hours_only_what_has_hours_is_meant(stage: Stage, visit: Visit) -> None:
    """One pharmacy of the stage has hours; a cron that cannot be read and a list of VMs are told where they stand."""
    page = await visit.page(f"/vms?pharmacy_id={stage.pharmacy_ids[0]}&type=pos,kiosk")
    await page.get_by_label("모두 선택", exact=True).click()
    await page.get_by_role("region", name="선택한 VM").get_by_role("button", name="더 보기").click()
    await page.get_by_role("menuitem", name="예약 추가").click()
    chosen = page.get_by_role("list", name="선택한 VM").get_by_role("listitem")
    await expect(chosen).to_have_count(2)
    await page.get_by_role("searchbox", name="약국, VM 이름, IP로 찾기").fill("마포")
    await page.get_by_role("button", name="마포늘푸른약국 POS-1 추가").click()
    await expect(chosen).to_have_count(3)
    preview = preview_of(page)
    rule = page.get_by_role("group", name="규칙")
    await rule.get_by_role("button", name="영업시간 기준").click()
    await expect(preview).to_contain_text("영업시간을 등록하지 않은 약국 1곳에서는 실행하지 않습니다.")
    await expect(preview.get_by_role("listitem").first).to_contain_text("23:30")
    await expect(preview.get_by_role("listitem").first).to_contain_text("약국 1곳")

    visit.expects(400, "/api/schedules/preview")
    await rule.get_by_role("button", name="cron").click()
    await field_of(page, "cron 식").fill("99 9 * * *")
    await expect(page.get_by_text("cron 식을 읽을 수 없습니다.")).to_be_visible()
    await expect(preview).to_contain_text("표시된 칸을 고치면")
    await expect(preview.get_by_role("button", name="저장")).to_be_disabled()


async def test_what_went_wrong_is_told_in_three_parts(stage: Stage, visit: Visit) -> None:
    page = await visit.page("/")
    await expect(page.get_by_role("region", name="다음 예약")).to_contain_text("예약된 실행이 없습니다.")
    visit.expects(404, "/api/schedules/987654")
    await page.goto(f"{stage.url}/schedules?schedule=987654")
    await expect(page.locator(".failure .title")).to_have_text("예약을 찾을 수 없습니다.")
    await expect(page.locator(".failure .remedy")).to_have_text("예약 목록에서 다시 선택하세요.")
