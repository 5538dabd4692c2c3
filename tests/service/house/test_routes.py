"""Every route and every stream message is known here with who may reach it; a new one fails until it is added."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from house_rig import WholeHouse, whole_house
from pharmq.access import SYSTEM, Actor, Grant, Privilege
from pharmq.access.model import ROLES
from pharmq.bootstrap import ROUTES
from pharmq.inventory.model import VmFilter
from pharmq.jobs.forms import FilterIn
from pharmq.schedules.model import ScheduleForm, TargetsIn
from pharmq.schedules.rules import Weekly, When

WHO = {
    "POST /api/session": "public",
    "GET /api/session": "any user",
    "DELETE /api/session": "any user",
    "POST /api/session/confirm": "any user",
    "POST /api/session/lock": "any user",
    "POST /api/invitation": "public",
    "POST /api/invitation/accept": "public",
    "GET /api/me": "any user",
    "PUT /api/me": "any user",
    "POST /api/me/password": "any user",
    "POST /api/me/second-factor": "any user",
    "PUT /api/me/second-factor": "any user",
    "DELETE /api/me/second-factor": "any user",
    "POST /api/me/recovery-codes": "any user",
    "GET /api/me/sessions": "any user",
    "DELETE /api/me/sessions/{session_key:str}": "any user",
    "GET /api/me/tokens": "any user",
    "POST /api/me/tokens": "any user",
    "DELETE /api/me/tokens/{token_id:int}": "any user",
    "GET /api/users": "access.edit",
    "POST /api/users": "access.edit",
    "GET /api/users/{user_id:int}": "access.edit",
    "PUT /api/users/{user_id:int}": "access.edit",
    "DELETE /api/users/{user_id:int}": "access.edit",
    "POST /api/users/{user_id:int}/invitation": "access.edit",
    "DELETE /api/users/{user_id:int}/second-factor": "access.edit",
    "POST /api/users/{user_id:int}/grants": "access.edit",
    "DELETE /api/users/{user_id:int}/grants/{grant_id:int}": "access.edit",
    "GET /api/users/{user_id:int}/sessions": "access.edit",
    "DELETE /api/users/{user_id:int}/sessions/{session_key:str}": "access.edit",
    "GET /api/users/{user_id:int}/tokens": "access.edit",
    "DELETE /api/users/{user_id:int}/tokens/{token_id:int}": "access.edit",
    "GET /api/users/{user_id:int}/secrets": "access.edit",
    "POST /api/users/{user_id:int}/offboard": "access.edit",
    "POST /api/users/{user_id:int}/lost-device": "access.edit",
    "GET /api/roles": "access.edit",
    "POST /api/roles": "access.edit",
    "PUT /api/roles/{role_id:int}": "access.edit",
    "DELETE /api/roles/{role_id:int}": "access.edit",
    "GET /api/setup": "public",
    "POST /api/setup": "public",
    "GET /healthz": "public",
    "GET /readyz": "public",
    "GET /api/pharmacies": "see",
    "POST /api/pharmacies": "pharmacy.edit",
    "GET /api/pharmacies/{pharmacy_id:int}": "see",
    "PUT /api/pharmacies/{pharmacy_id:int}": "pharmacy.edit",
    "DELETE /api/pharmacies/{pharmacy_id:int}": "pharmacy.edit",
    "GET /api/groups": "see",
    "POST /api/groups": "pharmacy.edit",
    "PUT /api/groups/{group_id:int}": "pharmacy.edit",
    "DELETE /api/groups/{group_id:int}": "pharmacy.edit",
    "GET /api/proxmox/hosts": "see",
    "POST /api/proxmox/hosts": "host.edit",
    "POST /api/proxmox/hosts/probe": "host.edit",
    "GET /api/proxmox/hosts/{host_id:int}": "see",
    "PUT /api/proxmox/hosts/{host_id:int}": "host.edit",
    "DELETE /api/proxmox/hosts/{host_id:int}": "host.edit",
    "GET /api/proxmox/hosts/{host_id:int}/health": "see",
    "POST /api/proxmox/hosts/{host_id:int}/pin": "host.edit",
    "GET /api/credentials": "host.edit",
    "POST /api/credentials": "credential.edit",
    "PUT /api/credentials/{credential_id:int}": "credential.edit",
    "DELETE /api/credentials/{credential_id:int}": "credential.edit",
    "POST /api/enrolments/check": "host.edit",
    "POST /api/enrolments": "host.edit",
    "GET /api/vms": "see",
    "GET /api/vms/pharmacy/{pharmacy_id:int}": "see",
    "GET /api/vms/sync": "see",
    "POST /api/vms/sync": "see",
    "GET /api/vms/{vm_id:int}": "see",
    "PATCH /api/vms/{vm_id:int}": "guest.edit",
    "DELETE /api/vms/{vm_id:int}": "guest.edit",
    "GET /api/search": "see",
    "GET /api/summary": "see",
    "POST /api/vms/batch/{verb:str}": "power",
    "POST /api/vms/protect/{verb:str}": "snapshot",
    "GET /api/vms/onboot": "see",
    "POST /api/vms/onboot": "guest.edit",
    "GET /api/jobs": "see",
    "GET /api/jobs/{job_id:int}": "see",
    "GET /api/jobs/{job_id:int}/items": "see",
    "POST /api/jobs/{job_id:int}/cancel": "power",
    "POST /api/jobs/{job_id:int}/retry": "see",
    "GET /api/jobs/{job_id:int}/items/{item_id:int}/log": "see",
    "GET /api/schedules": "see",
    "POST /api/schedules": "schedule.edit",
    "POST /api/schedules/preview": "schedule.edit",
    "GET /api/schedules/calendar": "see",
    "GET /api/schedules/{schedule_id:int}": "see",
    "PUT /api/schedules/{schedule_id:int}": "schedule.edit",
    "DELETE /api/schedules/{schedule_id:int}": "schedule.edit",
    "POST /api/schedules/{schedule_id:int}/pause": "schedule.edit",
    "POST /api/schedules/{schedule_id:int}/resume": "schedule.edit",
    "POST /api/schedules/{schedule_id:int}/run": "see",
    "GET /api/schedules/{schedule_id:int}/runs": "see",
    "POST /api/vnc/connect": "see",
    "POST /api/vnc/refresh/{session_id:str}": "see",
    "GET /api/vnc/sessions": "see",
    "DELETE /api/vnc/sessions/{session_id:str}": "see",
    "PUT /api/vnc/sessions/{session_id:str}/mode": "see",
    "POST /api/vms/{vm_id:int}/console-check": "see",
    "GET /api/vms/{vm_id:int}/viewers": "see",
    "POST /api/vms/{vm_id:int}/screenshot": "console.screenshot",
    "POST /api/proxmox/hosts/{host_id:int}/shell": "node.shell",
    "GET /api/events": "see",
    "GET /api/service-accounts": "credential.edit",
    "GET /api/service-accounts/report": "credential.edit",
    "GET /api/service-accounts/{host_id:int}": "credential.edit",
    "POST /api/service-accounts/provision": "credential.edit",
    "POST /api/service-accounts/rotate": "credential.edit",
    "POST /api/service-accounts/{host_id:int}/remove": "credential.edit",
    "GET /api/audit": "audit.read",
    "POST /api/audit/export": "export",
    "POST /api/events/export": "export",
    "GET /api/audit/head": "audit.read",
    "GET /api/audit/retention": "audit.read",
    "GET /api/audit/reviews": "audit.read",
    "GET /api/audit/reviews/{month:str}": "audit.read",
    "POST /api/audit/reviews/{month:str}": "audit.read",
    "POST /api/audit/breach-pack": "export",
    "GET /api/audit/forwarding": "audit.read",
    "POST /api/audit/erase": "access.edit",
    "POST /api/audit/verify": "audit.read",
    "GET /api/audit/verify": "audit.read",
    "GET /api/stream": "see",
    "GET /api/settings": "settings.edit",
    "PUT /api/settings": "settings.edit",
}
STREAM_KINDS = {"pharmacies", "hosts", "vms", "jobs", "screens", "schedules"}

FOREIGN = ("마포늘푸른약국", "P-002", "02-000-0002", "지역2")
"""What an operator of 강남온누리약국 must never read."""


def mark(handler: Any) -> str:
    if handler.opt.get("public"):
        return "public"
    return "any user" if handler.opt.get("any_user") else str(handler.opt["privilege"])


def filled(path: str, number: int) -> str:
    for name in (
        "pharmacy_id",
        "host_id",
        "vm_id",
        "group_id",
        "credential_id",
        "job_id",
        "item_id",
        "schedule_id",
        "user_id",
        "grant_id",
        "token_id",
        "role_id",
    ):
        path = path.replace(f"{{{name}:int}}", str(number))
    path = path.replace("{session_key:str}", "0" * 32)
    path = path.replace("/protect/{verb:str}", "/protect/backup")
    return path.replace("{verb:str}", "start").replace("{session_id:str}", "x" * 43)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[WholeHouse]:
    async with whole_house(tmp_path) as made:
        yield made


def test_every_route_is_known_with_its_privilege() -> None:
    found = {
        f"{method} {path}": mark(handler)
        for handler in ROUTES
        for method in handler.http_methods
        for path in handler.paths
        if method != "OPTIONS"
    }
    assert found == WHO


async def test_nobody_and_a_user_without_grants_reach_nothing(house: WholeHouse) -> None:
    await house.user("none")
    bearer = {"Authorization": f"Bearer {await house.token('none')}"}
    async with house.client() as client:
        for route, who in WHO.items():
            method, path = route.split(" ")
            if who == "public":
                continue
            url = filled(path, 1)
            anonymous = await client.request(method, url, json={})
            assert (anonymous.status_code, anonymous.json()["code"]) == (401, "session.required"), route
            if who != "any user":
                ungranted = await client.request(method, url, json={}, headers=bearer)
                assert ungranted.status_code == 403, route


async def test_an_operator_of_one_pharmacy_never_reads_of_another(house: WholeHouse) -> None:
    """Foreign objects are not found, lists and counts are cut, and no answer carries a foreign name."""
    await house.user("one", "/pharmacy/1")
    bearer = {"Authorization": f"Bearer {await house.token('one')}"}
    foreign_vms = [vm.id for vm in house.house.inventory.view.of_pharmacy(2)]
    foreign = {"vm_id": foreign_vms[0], "credential_id": 1}
    async with house.client() as client:
        for route, who in WHO.items():
            method, path = route.split(" ")
            if who in ("public", "any user") or path == "/api/stream":
                continue
            number = next((value for name, value in foreign.items() if name in path), 2)
            answer = await client.request(method, filled(path, number), json={}, headers=bearer)
            assert answer.status_code < 500, (route, answer.text)
            assert not any(word in answer.text for word in FOREIGN), (route, answer.text)
            if "{" in path and "{verb" not in path:
                assert answer.status_code >= 400, (route, answer.text)
        assert (await client.get("/api/vms", headers=bearer)).json()["total"] == 4
        assert (await client.get("/api/proxmox/hosts", headers=bearer)).json()["total"] == 1
        assert (await client.get("/api/summary", headers=bearer)).json()["vms"]["total"] == 4
        assert (await client.get("/api/search", params={"q": "마포"}, headers=bearer)).json()["total"] == 0
        batch = {"vms": [{"host_id": 1, "vmid": 100}, {"host_id": 2, "vmid": 100}]}
        refused = await client.post("/api/vms/batch/start", json=batch, headers=bearer)
        assert refused.status_code in (403, 404)
        assert (await client.get("/api/jobs", headers=bearer)).json()["total"] == 0


async def test_a_job_over_two_pharmacies_is_to_each_a_job_of_its_own(house: WholeHouse) -> None:
    await house.user("one", "/pharmacy/1")
    jobs = house.house.jobs
    job = await jobs.submit(SYSTEM, "stop", wanted=VmFilter(), force=True)
    await house.until(lambda: (now := jobs.board.job(job.id)) is not None and now.state == "done")
    whole, foreign = (await jobs.get(SYSTEM, job.id)).counts, house.house.inventory.view.of_pharmacy(2)
    hidden = next(item for item in (await jobs.items(SYSTEM, job.id))[0] if item.vm_id == foreign[0].id)
    bearer = {"Authorization": f"Bearer {await house.token('one')}"}
    async with house.client() as client:

        async def get(path: str) -> Any:
            answer = await client.get(path, headers=bearer)
            assert not any(word in answer.text for word in FOREIGN), (path, answer.text)
            return answer.json()

        listed = await get("/api/jobs?state=done")
        mine = await get(f"/api/jobs/{job.id}")
        assert listed == {"items": [mine], "total": 1}
        assert (mine["counts"]["total"], whole.total) == (4, 8)
        items = await get(f"/api/jobs/{job.id}/items")
        assert ({item["pharmacy_id"] for item in items["items"]}, items["total"]) == ({1}, 4)
        assert (await get(f"/api/jobs/{job.id}/items/{hidden.id}/log"))["status"] == 404
        (act,) = (await get("/api/audit?kind=power.*"))["items"]
        done = mine["counts"]["succeeded"]
        assert 0 < done < whole.succeeded
        assert (act["outcomes"], act["params"]["total"], act["params"]["job_id"]) == ({"succeeded": done}, done, job.id)
        assert act["pharmacy_id"] == 1


PERSONS: dict[str, list[tuple[str, str]]] = {
    "administrator": [("/", "administrator")],
    "operator of one pharmacy": [("/pharmacy/1", "operator")],
    "viewer of a group": [("/group/1", "viewer")],
    "without grants": [],
}
ENDS_THE_WALK = ("POST /api/session/lock", "DELETE /api/session")


@pytest.mark.parametrize("person", PERSONS)
async def test_every_route_as_each_kind_of_person_signed_in(house: WholeHouse, person: str) -> None:
    """Each route lets exactly those in whose role has its privilege, and shows nobody what is another's."""
    grants = PERSONS[person]
    session = await house.signed_in("walker", grants)
    everything = person == "administrator"
    held = {privilege for _, role in grants for privilege in ROLES[role]}
    # An administrator is sent after what does not exist: the walk must not delete the house under itself.
    foreign_vm = house.house.inventory.view.of_pharmacy(2)[0].id
    async with house.client(session.cookie) as client:
        for route in sorted(WHO, key=lambda route: (route in ENDS_THE_WALK, route)):
            method, path = route.split(" ")
            who = WHO[route]
            if path in ("/api/stream", "/api/setup", "/api/session") and route != "GET /api/session":
                continue
            number = 999_999 if everything else foreign_vm if "vm_id" in path else 2
            answer = await client.request(method, filled(path, number), json={}, headers={"X-CSRF-Token": session.csrf})
            told = (route, answer.status_code, answer.text)
            assert answer.status_code < 500, told
            if who not in ("public", "any user"):
                let_in = Privilege(who) in held
                if not let_in:
                    assert answer.status_code == 403, told
                elif everything:
                    assert answer.status_code not in (401, 403), told
                if "{" in path and "{verb" not in path:
                    assert answer.status_code >= 400, told
                elif method == "GET" and let_in and who == "see":
                    assert answer.status_code == 200, told
            if not everything:
                assert not any(word in answer.text for word in FOREIGN), told


async def test_the_stream_carries_known_kinds_cut_to_what_one_may_see(house: WholeHouse) -> None:
    live = house.house.live
    assert set(live._kinds) == STREAM_KINDS
    cases = {
        "administrator": (8, 2, 2),
        "operator of one pharmacy": (4, 1, 1),
        "viewer of a group": (4, 1, 0),
        "without grants": (0, 0, 0),
    }
    assert cases.keys() == PERSONS.keys()
    actors = {
        person: Actor("user", number, "x", tuple(Grant(path, ROLES[role]) for path, role in PERSONS[person]))
        for number, person in enumerate(cases, 9)
    }
    nightly = When(rule=Weekly(days=("mon", "fri"), times=("23:30",)))
    plan = ScheduleForm(name="야간 종료", verb="shutdown", targets=TargetsIn(filter=FilterIn()), when=nightly)
    # Saved while that person might do more: one's own stays one's own to see.
    earlier = Actor("user", actors["operator of one pharmacy"].id, "x", (Grant("/", frozenset(Privilege)),))
    for who in (SYSTEM, earlier):
        await house.house.schedules.add(who, plan)
    for person, (vms, hosts, schedules) in cases.items():
        actor = actors[person]
        text = await first_snapshot(live, actor)
        rows: dict[str, list[Any]] = {}
        for line in text.splitlines():
            if line.startswith("data: "):
                body = json.loads(line.removeprefix("data: "))
                for kind in STREAM_KINDS:
                    rows.setdefault(kind, []).extend(body.get(kind, []))
        found = (len(rows["vms"]), len(rows["hosts"]), len(rows["schedules"]))
        assert found == (vms, hosts, schedules), person
        if person != "administrator":
            assert not any(word in text for word in FOREIGN)


async def first_snapshot(live: Any, actor: Actor) -> str:
    messages = live.stream(actor, None)
    text = ""
    while '"part":' not in text or not last_part(text):
        text += (await asyncio.wait_for(anext(messages), 30)).decode()
    await messages.aclose()
    return text


def last_part(text: str) -> bool:
    body = json.loads(text.rpartition("data: ")[2].strip())
    return bool(body.get("part") == body.get("parts", 0) - 1)
