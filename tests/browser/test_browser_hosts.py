"""Hosts: added by a dialog, from a list, and trusted anew after their certificate changed."""

import re

from playwright.async_api import Locator, Page, expect

from browser.stage import Stage, until
from browser.visit import Visit, field_of
from pharmq.base.clock import SystemClock
from pharmq_sim.testing import PASSWORD, SimCluster


async def shown_fingerprint(page: Page) -> str:
    label = await page.locator("ol.fingerprint").first.get_attribute("aria-label")
    return label or ""


async def up_to_the_login(stage: Stage, page: Page) -> Locator:
    """The dialog, after the seventh pharmacy's host was looked at and its fingerprint confirmed."""
    sim = stage.host(7)
    await page.get_by_role("link", name="호스트 추가").click()
    dialog = page.get_by_role("dialog", name="호스트 추가")
    await expect(page.get_by_role("combobox", name="약국명")).to_have_value(re.compile("인천미소약국"))
    await field_of(page, "주소").fill(sim.address)
    await dialog.get_by_label("포트").fill(str(sim.port))
    await dialog.get_by_role("button", name="다음: 호스트 확인").click()
    await expect(dialog).to_contain_text("Proxmox VE API")
    assert await shown_fingerprint(page) == sim.fingerprint
    forward = dialog.get_by_role("button", name="다음: 로그인")
    await expect(forward).to_be_disabled()
    await dialog.get_by_label("서버에 표시된 지문과 같습니다.").check()
    await forward.click()
    return dialog


async def with_a_wrong_password(dialog: Locator, visit: Visit) -> None:
    await dialog.get_by_text("이 호스트만", exact=True).click()
    await dialog.get_by_role("textbox", name="비밀번호").fill("not the password")
    visit.expects(400, "/api/proxmox/hosts")
    await dialog.get_by_role("button", name="로그인하고 저장").click()


async def taken_out(stage: Stage, pharmacy: int) -> None:
    rows = (await stage.api("GET", "/api/proxmox/hosts"))["items"]
    added = next(row for row in rows if row["pharmacy_id"] == pharmacy)
    await stage.api("DELETE", f"/api/proxmox/hosts/{added['id']}?force=true")


async def test_a_host_is_added_after_its_fingerprint_was_confirmed(stage: Stage, visit: Visit) -> None:
    pharmacy = stage.pharmacy_ids[6]
    page = await visit.page(f"/pharmacies/{pharmacy}")
    dialog = await up_to_the_login(stage, page)
    await with_a_wrong_password(dialog, visit)
    failure = dialog.locator(".failure")
    await expect(failure.locator(".title")).to_have_text(re.compile("[가-힣]+"))
    await expect(failure.locator(".remedy")).to_have_text(re.compile("하세요"))
    await dialog.get_by_role("textbox", name="비밀번호").fill(PASSWORD)
    await dialog.get_by_role("button", name="로그인하고 저장").click()
    await expect(dialog).to_contain_text("호스트를 추가했습니다.")
    await expect(dialog).to_contain_text("Proxmox VE 9.2")
    await expect(dialog).to_contain_text("VM 4대")
    await dialog.get_by_role("button", name="호스트 열기").click()
    try:
        await expect(page.get_by_role("heading", level=1)).to_have_text("인천미소약국")
        await page.goto(f"{stage.url}/pharmacies/{pharmacy}")
        await expect(page.locator(".vm-row")).to_have_count(4)
    finally:
        await taken_out(stage, pharmacy)


async def test_a_host_that_refuses_the_login_is_kept_as_offline_when_asked_for(stage: Stage, visit: Visit) -> None:
    pharmacy = stage.pharmacy_ids[6]
    page = await visit.page(f"/pharmacies/{pharmacy}")
    dialog = await up_to_the_login(stage, page)
    await with_a_wrong_password(dialog, visit)
    await expect(dialog).to_contain_text("호스트가 로그인 정보를 거부했습니다.")
    await dialog.get_by_role("button", name="그래도 저장").click()
    try:
        await expect(dialog).to_contain_text("호스트를 추가했습니다.")
        await dialog.get_by_role("button", name="호스트 열기").click()
        await expect(page.get_by_role("main").get_by_text("오프라인").first).to_be_visible()
    finally:
        await taken_out(stage, pharmacy)


async def test_a_wrong_address_is_told_at_its_field(stage: Stage, visit: Visit) -> None:
    page = await visit.page("/hosts?add=true")
    dialog = page.get_by_role("dialog", name="호스트 추가")
    await page.get_by_role("combobox", name="약국명").click()
    await page.get_by_role("option", name=re.compile("인천미소약국")).click()
    for address, status in (("not an address!", 400), ("127.0.0.1:1", 400)):
        visit.expects(status, "/api/proxmox/hosts/probe")
        visit.expects(409, "/api/proxmox/hosts/probe")
        await field_of(page, "주소").fill(address)
        await dialog.get_by_role("button", name="다음: 호스트 확인").click()
        await expect(field_of(page, "주소")).to_have_attribute("aria-invalid", "true")
        await expect(dialog.get_by_text(re.compile("형식이 맞지 않습니다|확인하세요")).first).to_be_visible()
    assert "다음: 로그인" not in await dialog.inner_text()


async def test_a_clusters_other_node_is_entered_and_its_certificate_confirmed(stage: Stage, visit: Visit) -> None:
    async with SimCluster(SystemClock()) as nodes:
        body = {"pharmacy_id": stage.pharmacy_ids[6], "host_ip": nodes[0].address, "host_port": nodes[0].port}
        login = {"kind": "password", "username": "root@pam", "secret": PASSWORD}
        more = {"fingerprint": nodes[0].fingerprint, "credential": login}
        host_id = (await stage.api("POST", "/api/proxmox/hosts", body | more))["id"]
        try:
            page = await visit.page(f"/hosts/{host_id}")
            panel = page.get_by_role("region", name="접속 주소")
            await expect(panel).to_contain_text("다른 주소없음")
            await panel.get_by_role("button", name="다른 주소 변경").click()
            dialog = page.get_by_role("dialog", name="다른 주소 변경")
            addresses = dialog.get_by_label("다른 주소", exact=True)
            visit.expects(400, f"/api/proxmox/hosts/{host_id}")
            await addresses.fill("10.0.0.300")
            await dialog.get_by_role("button", name="저장").click()
            await expect(dialog).to_contain_text("주소 '10.0.0.300'의 형식이 맞지 않습니다.")
            visit.expects(409, f"/api/proxmox/hosts/{host_id}")
            await addresses.fill(nodes[1].address)
            await dialog.get_by_role("button", name="저장").click()
            await expect(dialog).to_contain_text("127.0.0.2는 아직 확인하지 않은 인증서를 보여 줍니다.")
            await expect(dialog.locator("ol.fingerprint")).to_have_attribute("aria-label", nodes[1].fingerprint)
            confirm = dialog.get_by_role("button", name="지문 확정하고 저장")
            await expect(confirm).to_be_disabled()
            # No password has reached the other node before a person knew it.
            assert nodes[1].requests == 0
            await dialog.get_by_label("서버에 표시된 지문과 같습니다.").check()
            await confirm.click()
            await expect(dialog).to_have_count(0)
            await expect(panel).to_contain_text("다른 주소127.0.0.2")
            await expect(page.get_by_role("region", name="인증서").locator("ol.fingerprint")).to_have_count(2)
        finally:
            await stage.api("DELETE", f"/api/proxmox/hosts/{host_id}?force=true")


HEAD = "code,name,phone,region,hours,host_ip,host_port"


async def test_a_list_is_tried_line_by_line_and_only_the_good_ones_are_registered(stage: Stage, visit: Visit) -> None:
    sim = stage.host(8)
    known = stage.host(1)
    lines = [
        HEAD,
        f"P-008,광주소망약국,062-000-1096,광주,월-금 09:00-19:00,{sim.address},{sim.port}",
        f"P-001,강남온누리약국,02-000-0417,서울,,{known.address},{known.port}",
        "P-101,포트가이상한약국,,서울,,127.0.0.1,99999",
        "P-102,,,서울,,127.0.0.1,1",
        "P-103,시간이이상한약국,,서울,25시부터,127.0.0.1,1",
        "P-104,답없는약국,,서울,,127.0.0.1,1",
    ]
    page = await visit.page("/enrol")
    await page.get_by_label("또는 여기에 붙여 넣기").fill("\n".join(lines))
    await page.get_by_role("button", name="확인", exact=True).click()
    await expect(page.get_by_role("status").filter(has_text="등록 가능")).to_have_text(
        "등록 가능 1 · 이미 등록됨 1 · 오류 4"
    )
    rows = page.get_by_role("table").get_by_role("row")
    good = rows.filter(has_text="광주소망약국")
    await expect(good).to_contain_text("등록 가능")
    await expect(good).to_contain_text(sim.fingerprint)
    await expect(rows.filter(has_text="강남온누리약국")).to_contain_text("이미 등록됨")
    for number, word in ((4, "host_port"), (5, "name"), (6, "hours"), (7, "host_ip")):
        bad = rows.nth(number - 1)
        await expect(bad).to_contain_text("오류")
        await expect(bad.get_by_role("listitem").first).to_contain_text(word)
        await expect(bad.get_by_role("listitem").first).to_contain_text(re.compile("[가-힣]"))
    # A dry run: nothing is there yet.
    assert (await stage.api("GET", "/api/proxmox/hosts"))["total"] == len(stage.host_ids)
    register = page.get_by_role("button", name="1대 등록")
    await expect(register).to_be_disabled()
    await page.get_by_label("위 1대의 지문을 모두 서버와 비교했습니다.").check()
    await register.click()
    try:
        await expect(page.get_by_text("호스트 1대를 등록했습니다.")).to_be_visible()
        await expect(good).to_contain_text("등록됨")
        await page.get_by_role("link", name="Proxmox 호스트 관리").click()
        await expect(page.get_by_role("row").filter(has_text="광주소망약국")).to_contain_text("온라인")
    finally:
        hosts = (await stage.api("GET", "/api/proxmox/hosts"))["items"]
        for host in hosts:
            if host["id"] not in stage.host_ids:
                await stage.api("DELETE", f"/api/proxmox/hosts/{host['id']}?force=true")
                await stage.api("DELETE", f"/api/pharmacies/{host['pharmacy_id']}")


async def test_a_changed_certificate_stops_everything_until_it_is_confirmed(stage: Stage, visit: Visit) -> None:
    sim, host_id = stage.host(5), stage.host_ids[4]
    before = sim.fingerprint
    await stage.break_host(5, "changed_certificate")
    heard = sim.requests
    page = await visit.page(f"/pharmacies/{stage.pharmacy_ids[4]}")
    await expect(page.get_by_role("region", name="지금")).to_contain_text("인증서가 바뀌어 통신을 멈췄습니다")
    await page.get_by_role("link", name="호스트에서 해결").click()
    panel = page.get_by_role("region", name="인증서")
    await expect(panel).to_contain_text("인증서가 바뀌어 이 호스트와의 통신을 멈췄습니다.")
    fingerprints = panel.locator("ol.fingerprint")
    await expect(fingerprints.nth(0)).to_have_attribute("aria-label", sim.fingerprint)
    await expect(fingerprints.nth(1)).to_have_attribute("aria-label", before)
    confirm = panel.get_by_role("button", name="새 지문 확정")
    await expect(confirm).to_be_disabled()
    # No request, and so no password, has reached whoever answers there now.
    assert sim.requests == heard
    try:
        await panel.get_by_label("서버에 표시된 지문과 같습니다.").check()
        await confirm.click()
        await expect(page.get_by_text("새 지문을 확정했습니다.")).to_be_visible()
        await expect(page.locator(".page-head")).to_contain_text("온라인")
        await expect(fingerprints).to_have_count(1)
    finally:
        sim.faults.clear()
        await stage.look()
        await until(lambda: _is_offline(stage, 5), "the first certificate, refused")
        await stage.api("POST", f"/api/proxmox/hosts/{host_id}/pin", {"fingerprint": before})


async def _is_offline(stage: Stage, number: int) -> bool:
    return await stage.status_of(number) == "offline"
