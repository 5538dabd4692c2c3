"""감사 이력 and 이벤트 이력 in the browser: finding acts, exports with a reason, the check and its findings by row,
the monthly review, the breach pack, erasure; in Korean and English."""

import csv
import io
import json
import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, expect

from browser.stage import Stage, stage_in, until
from browser.visit import Visit, Visiting, field_of

NAMES = ("pharmq-audit.csv", "pharmq-audit.jsonl", "pharmq-events.csv")


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audit")


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def stage(folder: Path) -> AsyncIterator[Stage]:
    """One of its own: its journal is read as a whole, and tampered with in the end."""
    async with stage_in(folder) as made:
        await made.api("POST", "/api/vms/batch/reboot", {"vms": [{"host_id": made.host_ids[0], "vmid": 100}]})
        both = [{"host_id": host_id, "vmid": 101} for host_id in made.host_ids[:2]]
        await made.api("POST", "/api/vms/batch/reboot", {"vms": both})
        await until(lambda: jobs_ended(made), "both jobs ended")
        yield made


async def jobs_ended(stage: Stage) -> bool:
    return bool((await stage.api("GET", "/api/summary"))["jobs"]["running"] == 0)


@pytest_asyncio.fixture(loop_scope="package")
async def visit(stage: Stage, visiting: Visiting) -> Visit:
    made = await visiting(stage.url)
    await made.context.add_cookies(stage.cookies())
    return made


async def downloaded(page: Page, reason: str) -> bytes:
    """From the open dialog to the file."""
    dialog = page.get_by_role("dialog")
    button = dialog.get_by_role("button", name="내보내기")
    await expect(button).to_be_disabled()
    await dialog.get_by_label("사유").fill(reason)
    async with page.expect_download() as waiting:
        await button.click()
    download = await waiting.value
    assert download.suggested_filename in NAMES
    return (await download.path()).read_bytes()


async def test_an_act_is_found_opened_and_read(stage: Stage, visit: Visit) -> None:
    page = await visit.page("/events/audit")
    rows = page.locator("table.audit-acts tr").filter(has_text="재시작")
    await expect(rows).to_have_count(2)
    await expect(rows.filter(has_text="강남온누리약국 POS-1 재시작")).to_contain_text("성공")
    both = rows.filter(has_text="VM 2대 재시작")
    await expect(both).to_contain_text("성공 2")
    await expect(both).to_contain_text("127.0.0.1")
    # An act on many is found by each pharmacy it touched, one on another is not.
    await page.goto(f"{stage.url}/events/audit?pharmacy_id={stage.pharmacy_ids[1]}")
    await expect(rows).to_have_count(1)
    await both.get_by_role("button").click()
    await expect(page).to_have_url(re.compile(r"act=\d+"))
    details = page.locator(".audit-details")
    await expect(details).to_contain_text("power.reboot")
    await expect(details.get_by_role("link", name="VM별 결과 보기")).to_be_visible()
    await page.reload()
    await expect(details).to_contain_text("power.reboot")


async def test_filters_stand_in_the_address(stage: Stage, visit: Visit) -> None:
    page = await visit.page("/events/audit")
    await page.get_by_role("button", name="결과: 전체").click()
    await page.get_by_role("menuitemcheckbox", name="실패 · 거부").click()
    await page.keyboard.press("Escape")
    await expect(page).to_have_url(re.compile("outcome=failed"))
    await expect(page.get_by_text("조건에 맞는 행위가 없습니다.")).to_be_visible()
    await page.get_by_role("button", name="결과: 실패 · 거부").click()
    await page.get_by_role("menuitem", name="지우기").click()
    await page.get_by_label("사람 이름 또는 접속 주소").fill("127.0.0.1")
    await expect(page).to_have_url(re.compile(r"person=127\.0\.0\.1"))
    await expect(page.locator("table.audit-acts tr").filter(has_text="로그인").first).to_be_visible()
    await page.get_by_label("시작일").fill("2020-01-01")
    await page.get_by_label("종료일").fill("2020-01-31")
    await expect(page).to_have_url(re.compile("from=2020-01-01&to=2020-01-31|to=2020-01-31"))
    await expect(page.get_by_text("조건에 맞는 행위가 없습니다.")).to_be_visible()
    await page.get_by_role("button", name="모두 지우기").click()
    await expect(page.locator("table.audit-acts tr").filter(has_text="재시작")).to_have_count(2)


async def test_a_file_needs_a_reason_and_the_reason_is_recorded(stage: Stage, visit: Visit) -> None:
    page = await visit.page("/events/audit?kind=power")
    await page.get_by_role("button", name="내보내기").click()
    body = await downloaded(page, "정기 점검 자료")
    table = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    assert body.startswith(b"\xef\xbb\xbf"), "as Korean Excel knows UTF-8"
    assert (table[0][:3], len(table)) == (["번호", "시각(한국)", "사용자"], 3)
    await page.get_by_role("button", name="내보내기").click()
    await page.get_by_text("JSON 줄").click()
    lines = [json.loads(line) for line in (await downloaded(page, "수사 협조")).splitlines()]
    assert {line["kind"] for line in lines} == {"power.reboot"}
    await page.goto(f"{stage.url}/events/audit?kind=export")
    for reason in ("정기 점검 자료", "수사 협조"):
        await expect(page.locator("tr").filter(has_text=f"사유: {reason}")).to_contain_text("감사 이력 내보내기")
    # The event list goes out in the same way.
    await page.goto(f"{stage.url}/events?kind=power")
    await page.get_by_role("button", name="내보내기").click()
    body = await downloaded(page, "월간 보고")
    assert len(list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))) == 1 + 2 + 3 + 2


async def test_events_are_searched_by_pharmacy_vm_and_person(stage: Stage, visit: Visit) -> None:
    page = await visit.page("/events?kind=power")
    rows = page.locator(".events tbody tr").filter(has_text="재시작 완료")
    await expect(rows).to_have_count(3)
    await page.get_by_role("button", name="VM: 전체").click()
    await page.get_by_label("VM 이름 또는 번호").fill("마포늘푸른약국 KIOSK")
    await page.get_by_role("menuitem", name="KIOSK-1").click()
    await expect(rows).to_have_count(1)
    await expect(page).to_have_url(re.compile(r"vm_id=\d+"))
    await page.get_by_label("사람 이름 또는 접속 주소").fill("nobody")
    await expect(page.get_by_text("해당하는 항목이 없습니다.").or_(page.locator(".empty"))).to_be_visible()
    await expect(rows).to_have_count(0)


async def test_the_month_is_reviewed_and_signed(visit: Visit) -> None:
    """The journal began today: a month before it is added to the list, the rest is the server's."""

    async def earlier(route: Route) -> None:
        answer = await route.fetch()
        months = await answer.json()
        last = {"month": "2026-01", "ended": True, "signed_at": None, "signed_by": None}
        asked = await visit.context.request.get(f"{visit.url}/api/audit/reviews/2026-01")
        report = await asked.json()
        last |= {"signed_at": report["signed_at"], "signed_by": report["signed_by"]}
        await route.fulfill(response=answer, json=[*months, last])

    page = await visit.page("/")
    await page.route("**/api/audit/reviews", earlier)
    await page.goto(f"{visit.url}/events/audit?part=review")
    months = page.get_by_role("navigation", name="점검할 달").get_by_role("button")
    # What waits for a signature is shown first, the running month can be looked at and not signed.
    await expect(months.last).to_have_attribute("aria-pressed", "true")
    await months.first.click()
    await expect(page.get_by_role("row").filter(has_text="admin")).to_contain_text("admin")
    await expect(page.get_by_text("이 달이 끝난 뒤에 서명할 수 있습니다.")).to_be_visible()
    await months.last.click()
    await page.get_by_label("의견").fill("이상 없음을 확인")
    await page.get_by_role("button", name="점검 서명").click()
    await expect(page.get_by_text("사용자 #1 ·")).to_be_visible()
    await expect(page.get_by_text("이상 없음을 확인")).to_be_visible()
    await expect(months.last).to_contain_text("서명함")
    await expect(page.get_by_role("button", name="점검 서명")).to_have_count(0)


async def test_a_breach_pack_lists_screens_and_is_recorded(stage: Stage, visit: Visit) -> None:
    page = await visit.page(f"/pharmacies/{stage.pharmacy_ids[0]}")
    await page.get_by_role("button", name="POS-1 화면 열기").click()
    tab = page.get_by_role("list", name="열린 콘솔").get_by_role("listitem").filter(has_text="POS-1")
    await expect(tab).to_contain_text("연결됨")
    await page.get_by_role("button", name="스크린샷").click()
    await expect(page.get_by_text(re.compile("스크린샷을|저장했습니다")).first).to_be_visible()
    await page.close()
    page = await visit.page("/events/audit?part=breach")
    today = (await page.evaluate("new Date(Date.now() + 9 * 3600e3).toISOString()"))[:10]
    await page.get_by_label("사용자 번호").fill("1")
    await page.get_by_label("시작일").fill(today)
    await page.get_by_label("종료일").fill(today)
    await page.get_by_label("사유").fill("유출 신고")
    await page.get_by_role("button", name="자료 만들기").click()
    screens = page.get_by_role("region", name="연 화면")
    await expect(screens.get_by_role("row").filter(has_text="POS-1").first).to_contain_text("강남온누리약국")
    await expect(page.locator(".line").filter(has_text="화면 캡처")).to_contain_text("강남온누리약국 POS-1")
    async with page.expect_download() as waiting:
        await screens.get_by_role("button", name="CSV로 저장").click()
    body = (await (await waiting.value).path()).read_bytes()
    assert body.startswith(b"\xef\xbb\xbf")
    assert "강남온누리약국,POS-1" in body.decode()
    await page.goto(f"{stage.url}/events/audit?kind=export")
    await expect(page.get_by_text("사유: 유출 신고")).to_be_visible()


async def test_a_former_user_is_erased(stage: Stage, visit: Visit) -> None:
    body = {"name": "former", "display_name": "former", "grants": []}
    number = (await stage.api("POST", "/api/users", body))["user"]["id"]
    page = await visit.page("/events/audit?part=erase")
    await page.get_by_label("사용자 번호").fill(str(number))
    await page.get_by_label("사유").fill("본인 요청")
    await page.get_by_role("button", name="개인정보 파기").last.click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("textbox").fill(str(number))
    visit.expects(409, "/api/audit/erase")
    await dialog.get_by_role("button", name="개인정보 파기").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("아직 로그인할 수 있는 사람입니다.")
    await stage.api("PUT", f"/api/users/{number}", {"display_name": "former", "lang": "ko", "disabled": True})
    await dialog.get_by_role("button", name="개인정보 파기").click()
    await expect(page.get_by_text(re.compile(r"\d+건에서 지웠습니다."))).to_be_visible()
    await page.goto(f"{stage.url}/events/audit?kind=access")
    await expect(page.get_by_text("former")).to_have_count(0)


async def test_settings_of_keeping_and_forwarding_are_refused_where_they_are_wrong(stage: Stage, visit: Visit) -> None:
    page = await visit.page("/events/audit?part=proof")
    await expect(page.get_by_text("서명이 맞습니다")).to_be_visible()
    await expect(page.get_by_text("전달하지 않음")).to_be_visible()
    visit.expects(400, "/api/settings")
    await field_of(page, "로그 서버 (RFC 5424)").fill("http://x")
    await page.get_by_role("button", name="저장").click()
    await expect(page.get_by_role("alert").first).to_be_visible()
    await field_of(page, "로그 서버 (RFC 5424)").fill("tcp://127.0.0.1:9")
    await page.get_by_role("button", name="저장").click()
    await expect(page.get_by_text("로그 서버에 전달하지 못하고 있습니다.")).to_be_visible()
    rules: dict[str, Any] = await stage.api("GET", "/api/settings")
    await stage.api("PUT", "/api/settings", rules | {"syslog_url": ""})


async def test_who_may_not_read_the_audit_sees_events_alone(stage: Stage, visiting: Visiting) -> None:
    body = {"name": "viewer", "display_name": "viewer", "grants": [{"path": "/", "role": "viewer"}]}
    way = (await stage.api("POST", "/api/users", body))["invitation"]["url"].removeprefix(stage.url)
    theirs = await visiting(stage.url)
    page = await theirs.page(way)
    await field_of(page, "비밀번호").fill("correct horse battery")
    await page.get_by_label("비밀번호 다시 입력").fill("correct horse battery")
    await page.get_by_role("button", name="비밀번호 정하고 시작").click()
    await expect(page.get_by_role("navigation", name="주 메뉴")).to_be_visible()
    await page.goto(f"{stage.url}/events")
    await expect(page.get_by_role("heading", name="이벤트 이력")).to_be_visible()
    await expect(page.get_by_role("link", name="감사 이력")).to_have_count(0)
    await expect(page.get_by_role("button", name="내보내기")).to_have_count(0)
    await page.goto(f"{stage.url}/events/audit")
    await expect(page.get_by_text("감사 이력을 볼 권한이 없습니다.")).to_be_visible()


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("part", ["", "proof", "review", "breach", "erase"])
async def test_every_part_speaks_both_languages(visit: Visit, lang: str, part: str) -> None:
    await visit.context.add_init_script(f"localStorage.setItem('pharmq.lang', '{lang}')")
    page = await visit.page(f"/events/audit?part={part}" if part else "/events/audit?kind=settings,session")
    await expect(page.get_by_role("heading", level=1)).to_have_text("감사 이력" if lang == "ko" else "Audit")
    await visit.quiet()
    text = await page.locator("main").inner_text()
    # A key without a sentence would stand there as itself.
    assert not re.search(r"\b(audit|proof|keep|review|breach|erase|person|export|history|param)\.[a-z_]+", text), text
    if lang == "en":
        assert not re.search("[가-힣]", text), text


async def test_tampered_rows_are_named(stage: Stage, folder: Path, visit: Visit) -> None:
    """The last test: afterwards the journal is broken."""
    page = await visit.page("/events/audit?part=proof")
    await page.get_by_role("button", name="검사 시작").click()
    await expect(page.get_by_text(re.compile("이상 없음"))).to_be_visible()
    with sqlite3.connect(folder / "data" / "pharmq.db", timeout=10) as database:
        database.execute("UPDATE journal SET outcome = 'forged' WHERE seq = 7")
    await page.get_by_role("button", name="검사 시작").click()
    await expect(page.get_by_text("이상 1건")).to_be_visible()
    await expect(page.get_by_text(re.compile(r"6~7행이 바뀌었습니다\."))).to_be_visible()
    await page.get_by_role("link", name="해당 행 보기").click()
    await expect(page).to_have_url(re.compile(r"/events\?before=9"))
    await expect(page.get_by_role("button", name="8행까지")).to_be_visible()
