"""Power: one VM and many, what is asked before, and rows that follow what the host says."""

import re

import pytest
from playwright.async_api import Page, expect

from browser.stage import ADMIN, Stage, until
from browser.visit import Visit


async def test_a_row_follows_status_current_long_before_the_list_of_the_host_does(stage: Stage, visit: Visit) -> None:
    """pvestatd of this host publishes nothing: only `status/current` can tell that the VM has stopped."""
    stage.host(3).faults.set("pvestatd_dead")
    page = await visit.page(f"/pharmacies/{stage.pharmacy_ids[2]}")
    row = page.get_by_role("group", name="KIOSK-1")
    await expect(row).to_contain_text("실행 중")
    await row.get_by_role("button", name="KIOSK-1 더 보기").click()
    await page.get_by_role("menuitem", name="종료").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("서초하나약국 KIOSK-1을 종료할까요?")
    await expect(dialog).to_contain_text("게스트에 정상 종료를 요청합니다.")
    await dialog.get_by_role("button", name="종료", exact=True).click()
    await expect(row).to_contain_text("종료 중")
    await expect(row).to_contain_text("정지")
    await expect(row.get_by_role("button", name="KIOSK-1 시작")).to_be_visible()
    assert not stage.guest(3, 101).running
    assert stage.host(3).published.rows[101]["status"] == "running"
    # The verdict of the pharmacy and the summary know as well.
    await expect(page.get_by_role("region", name="지금")).to_contain_text("KIOSK-1이 실행 중이 아닙니다")
    await row.get_by_role("button", name="KIOSK-1 시작").click()
    await expect(page).to_have_url(re.compile(r"/consoles\?vm="))
    await expect(page.get_by_role("list", name="열린 콘솔")).to_contain_text("연결됨")


async def test_an_open_pharmacy_asks_for_the_number(stage: Stage, visit: Visit) -> None:
    page = await visit.page(f"/vms?pharmacy_id={stage.pharmacy_ids[0]}")
    await page.get_by_role("button", name="강남온누리약국 POS-1 재시작").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("지금 영업 중인 약국입니다.")
    button = dialog.get_by_role("button", name="재시작")
    await expect(button).to_be_disabled()
    await page.keyboard.type("2")
    await expect(button).to_be_disabled()
    await page.keyboard.press("Backspace")
    await page.keyboard.insert_text("１")
    await expect(button).to_be_enabled()
    before = stage.guest(1, 100).started
    await page.keyboard.press("Enter")
    await expect(dialog).to_have_count(0)
    await until(lambda: stage.guest(1, 100).running and stage.guest(1, 100).started > before, "a restart")
    await expect(page.locator(".vt-vm").filter(has_text="POS-1")).to_contain_text("실행 중")


async def test_many_are_filtered_selected_and_shut_down_by_typing_their_number(stage: Stage, visit: Visit) -> None:
    page = await visit.page("/vms")
    grid = page.get_by_role("treegrid", name="통합 VM 관리")
    await expect(page.get_by_role("status").filter(has_text="대 · 약국")).to_have_text("24대 · 약국 6곳")
    await page.get_by_role("button", name="유형: 전체").click()
    for kind in ("키오스크", "POS"):
        await page.get_by_role("menuitemcheckbox", name=kind).click()
    await page.keyboard.press("Escape")
    await expect(page).to_have_url(re.compile(r"type=kiosk(,|%2C)pos"))
    await expect(page.get_by_role("status").filter(has_text="대 · 약국")).to_have_text("24대 중 12대 · 약국 6곳")
    await expect(grid.get_by_role("row").filter(has_text="BACKUP")).to_have_count(0)
    await page.get_by_label("모두 선택", exact=True).click()
    # One is taken out again by the keyboard.
    await grid.get_by_role("row").filter(has_text="강남온누리약국").first.focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Space")
    bar = page.get_by_role("region", name="선택한 VM")
    await expect(bar).to_contain_text("11대 선택됨")
    await expect(bar).to_contain_text("약국 6곳 · 1곳 영업 중")
    await bar.get_by_role("button", name="종료").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("11대를 종료할까요?")
    await expect(dialog).to_contain_text("외 10대")
    await expect(dialog).to_contain_text("1곳은 영업 중입니다.")
    button = dialog.get_by_role("button", name="11대 종료")
    await expect(button).to_be_disabled()
    await dialog.get_by_role("textbox").fill("12")
    await expect(button).to_be_disabled()
    await dialog.get_by_role("textbox").fill("11")
    await button.click()
    await expect(page.get_by_text("VM 11대 종료 작업을")).to_be_visible()
    await expect(grid.get_by_role("gridcell", name="정지", exact=True)).to_have_count(11)
    left = [g for n in range(1, 7) for g in stage.host(n).world.guests.values() if g.running and g.vmid in (100, 101)]
    assert len(left) == 1

    await page.get_by_role("navigation", name="주 메뉴").get_by_role("link", name="작업").click()
    job = page.get_by_role("row").filter(has_text="VM 11대 종료").first
    await expect(job).to_contain_text("완료")
    await expect(job).to_contain_text("11 / 11")
    await expect(job).to_contain_text(ADMIN)
    await job.get_by_role("button").click()
    await expect(page.get_by_role("region", name="VM 11대 종료")).to_contain_text("성공 11")


async def test_what_is_stopped_already_is_left_out_with_the_reason(stage: Stage, visit: Visit) -> None:
    page = await visit.page(f"/vms?pharmacy_id={stage.pharmacy_ids[5]}")
    await page.get_by_label("대전한빛약국 모두 선택").click()
    await page.get_by_role("region", name="선택한 VM").get_by_role("button", name="종료").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("3대를 종료할까요?")
    await expect(dialog).to_contain_text("1대 제외:")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    assert all(stage.guest(6, vmid).running for vmid in (100, 101, 200))


@pytest.mark.parametrize(("lang", "word"), [("ko", "정지"), ("en", "Stopped")])
async def test_a_refused_start_says_why(stage: Stage, visit: Visit, lang: str, word: str) -> None:
    """The host refuses the act: the row stays as it was and the reason comes in three parts."""
    await visit.context.add_init_script(f"localStorage.setItem('pharmq.lang', '{lang}')")
    page = await visit.page(f"/vms?pharmacy_id={stage.pharmacy_ids[5]}")
    row = page.get_by_role("row").filter(has_text="SERVER")
    await expect(row).to_contain_text(word)
    stage.guest(6, 102).lock = "backup"
    try:
        await row.get_by_role("button").first.click()
        failure = page.locator(".notices .failure")
        await expect(failure.locator(".title")).to_have_text(re.compile(r".{8,}"))
        await expect(failure.locator(".why")).to_have_text(re.compile("backup"))
        await expect(failure.locator(".remedy")).to_have_text(re.compile(r".{8,}"))
        hangul = re.search("[가-힣]", await failure.locator(".title").inner_text())
        assert bool(hangul) == (lang == "ko")
        await expect(row).to_contain_text(word)
    finally:
        stage.guest(6, 102).lock = ""


async def test_a_power_change_made_elsewhere_is_seen_and_told(stage: Stage, page: Page) -> None:
    """Somebody stops a container in Proxmox itself: row and events follow."""
    await page.goto(f"{stage.url}/pharmacies/{stage.pharmacy_ids[5]}")
    row = page.get_by_role("group", name="BACKUP")
    await expect(row).to_contain_text("실행 중")
    stage.power(6, 200, "stop")
    await stage.look()
    await expect(row).to_contain_text("정지")
    await expect(page.get_by_role("region", name="최근 있었던 일")).to_contain_text("BACKUP 실행 중 → 정지")
