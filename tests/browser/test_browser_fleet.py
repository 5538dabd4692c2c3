"""The fleet as it changes: every place shows the same numbers, and what is no longer heard from says so."""

import re
from typing import Any

from playwright.async_api import Page, expect

from browser.stage import Stage, until
from browser.visit import Visit, says

WORDS = {"ok": "정상", "warning": "경고", "offline": "오프라인", "maintenance": "점검"}


async def agree(stage: Stage, page: Page) -> dict[str, Any]:
    """Cards and legend of the dashboard are the summary of the API."""
    summary: dict[str, Any] = await stage.api("GET", "/api/summary")
    hosts, vms = summary["hosts"], summary["vms"]
    cards = page.get_by_role("region", name="전체 현황").get_by_role("link")
    for label, figure in (
        ("호스트", hosts["total"]),
        ("총 VM", vms["total"]),
        ("실행 중 VM", vms["running"]),
        ("오프라인 호스트", hosts["offline"]),
    ):
        card = cards.filter(has=page.get_by_text(label, exact=True))
        await expect(card.locator(".card-figure")).to_have_text(str(figure))
    await expect(cards.nth(0)).to_contain_text(f"온라인 {hosts['online']}")
    await expect(cards.nth(1)).to_contain_text(f"정지 {vms['stopped']}")
    await expect(cards.nth(2)).to_contain_text(
        f"지금 확인 {vms['running_confirmed']} · 오프라인 전 마지막 상태 {vms['running_last_known']}"
    )
    for state, word in WORDS.items():
        await expect(page.locator(".legend").filter(has_text=word).first).to_contain_text(
            says(summary["pharmacies"][state])
        )
    return summary


async def test_cards_lead_to_lists_with_the_same_numbers(stage: Stage, page: Page) -> None:
    summary = await agree(stage, page)
    cards = page.get_by_role("region", name="전체 현황").get_by_role("link")
    await cards.nth(2).click()
    await expect(page).to_have_url(re.compile(r"/vms\?status=running"))
    await expect(page.get_by_role("status").filter(has_text="대 · 약국")).to_contain_text(
        f"{summary['vms']['total']}대 중 {summary['vms']['running']}대"
    )
    running = await stage.api("GET", "/api/vms?status=running&limit=1")
    assert running["total"] == summary["vms"]["running"]
    # The address is the whole truth: it opens the same list elsewhere.
    await page.reload()
    await expect(page.get_by_role("button", name="VM 상태: 실행 중")).to_be_visible()


async def test_a_host_goes_offline_while_one_watches(stage: Stage, visit: Visit) -> None:
    name = "수원햇살약국"
    dashboard = await visit.page("/")
    lists = await visit.page("/vms")
    pharmacy = await visit.page(f"/pharmacies/{stage.pharmacy_ids[3]}")
    await agree(stage, dashboard)
    await expect(dashboard.get_by_role("link", name=f"{name}: 정상")).to_be_visible()
    await expect(lists.locator(".vt-vm")).to_have_count(24)
    await expect(pharmacy.locator(".vm-row")).to_have_count(4)

    await stage.break_host(4, "refused")

    await expect(dashboard.get_by_role("link", name=f"{name}: 오프라인")).to_be_visible()
    summary = await agree(stage, dashboard)
    assert (summary["hosts"]["offline"], summary["vms"]["running_last_known"]) == (1, 3)
    await expect(dashboard.get_by_role("region", name="지금 문제")).to_contain_text(name)

    # Nothing disappears: rows are greyed, keep their last state, and lose what cannot be done.
    stale = lists.locator(".vt-vm.stale")
    await expect(stale).to_have_count(4)
    await expect(lists.locator(".vt-vm")).to_have_count(24)
    await expect(stale.filter(has_text="실행 중")).to_have_count(3)
    await expect(stale.get_by_role("button", name="화면 열기")).to_have_count(0)
    group = lists.locator(".vt-group").filter(has_text=name)
    await expect(group).to_contain_text("오프라인")
    await expect(group).to_contain_text("연결 거부")
    greyed = pharmacy.locator(".vm-row.stale")
    await expect(greyed).to_have_count(4)
    for number in range(4):
        await expect(greyed.nth(number)).to_contain_text(re.compile(r"방금|\d+초 전|\d+분 전"))
    verdict = pharmacy.get_by_role("region", name="지금")
    await expect(verdict).to_contain_text("호스트가 연결을 거부합니다")
    await expect(verdict.get_by_role("button", name="다시 확인")).to_be_visible()
    answer = await stage.api("GET", f"/api/vms/pharmacy/{stage.pharmacy_ids[3]}")
    assert [row["stale"] for row in answer["items"]] == [True] * 4

    stage.host(4).faults.clear()
    await stage.look()
    await expect(dashboard.get_by_role("link", name=f"{name}: 정상")).to_be_visible()
    await expect(stale).to_have_count(0)
    await expect(greyed).to_have_count(0)
    await agree(stage, dashboard)


async def test_a_vanished_vm_stays_until_somebody_lets_it_go(stage: Stage, visit: Visit) -> None:
    guest = stage.guest(6, 101)
    page = await visit.page(f"/vms?pharmacy_id={stage.pharmacy_ids[5]}")
    row = page.locator(".vt-vm").filter(has_text="KIOSK-1")
    await expect(row).to_contain_text("실행 중")
    stage.power(6, 101, "remove")
    try:
        await stage.look()
        await expect(row).to_contain_text("보이지 않음")
        await row.click()
        drawer = page.get_by_role("complementary", name="대전한빛약국 KIOSK-1")
        await expect(drawer).to_contain_text("적어 둔 정보는 그대로 남아 있습니다.")
    finally:
        stage.host(6).world.guests = dict(sorted((stage.host(6).world.guests | {101: guest}).items()))
    await stage.look()
    await until(lambda: _seen(stage), "the VM, back")
    await expect(row).to_contain_text("실행 중")


async def _seen(stage: Stage) -> bool:
    return (await stage.vm(6, 101))["missing_since"] is None
