"""Power over HTTP: the whole product, two simulated hosts, real time."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from house_rig import ORIGIN, WholeHouse, whole_house
from pharmq.jobs.model import VERBS
from pharmq.pve import Guest

Client = httpx.AsyncClient


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[WholeHouse]:
    async with whole_house(tmp_path) as made:
        yield made


@pytest.fixture
async def client(house: WholeHouse) -> AsyncIterator[Client]:
    await house.user("admin", "/")
    # Not Litestar's test client: it blocks this loop, on which the simulated hosts have to answer.
    transport = httpx.ASGITransport(app=house.app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as made:
        made.headers["Authorization"] = f"Bearer {await house.token('admin')}"
        yield made


async def finished(house: WholeHouse, client: Client, job_id: int) -> dict[str, Any]:
    await house.until(lambda: house.house.jobs.board.open_count == 0, tries=1500)
    answer = await client.get(f"/api/jobs/{job_id}")
    found: dict[str, Any] = answer.json()
    return found


async def test_a_guest_is_started_by_its_host_and_vmid(house: WholeHouse, client: Client) -> None:
    answer = await client.post("/api/vms/batch/start", json={"vms": [{"host_id": 1, "vmid": 102}]})
    assert answer.status_code == 202
    job = answer.json()["job"]
    assert (job["verb"], job["state"], job["counts"]["queued"]) == ("start", "queued", 1)
    assert job["actor"]["name"] == "admin"
    (row,) = [vm for vm in (await client.get("/api/vms?host_id=1")).json()["items"] if vm["vmid"] == 102]
    assert row["task"]["job_id"] == job["id"]

    job = await finished(house, client, job["id"])
    assert (job["state"], job["counts"]["succeeded"]) == ("done", 1)
    items = (await client.get(f"/api/jobs/{job['id']}/items")).json()
    assert items["total"] == 1
    (item,) = items["items"]
    assert (item["vm_name"], item["pharmacy_name"], item["state"]) == ("SERVER", "강남온누리약국", "succeeded")
    log = await client.get(f"/api/jobs/{job['id']}/items/{item['id']}/log")
    assert log.status_code == 200, log.text
    assert log.json()["lines"][-1].startswith("TASK OK")
    listed = (await client.get("/api/jobs?state=done")).json()
    assert [found["id"] for found in listed["items"]] == [job["id"]]

    view = house.house.inventory.view
    await house.until(lambda: view.of_host(1)[102].status == "running")
    found = (await client.get(f"/api/vms/{item['vm_id']}")).json()
    assert (found["status"], found["task"]) == ("running", None)


async def test_a_filter_and_a_dry_run(house: WholeHouse, client: Client) -> None:
    wanted = {"filter": {"pharmacy_id": 1, "type": ["pos", "server"]}, "dry_run": True}
    answer = await client.post("/api/vms/batch/stop", json=wanted)
    assert answer.status_code == 200
    found = answer.json()
    assert {item["vmid"]: (item["plan"], item["reason"]) for item in found["items"]} == {
        100: ("do", None),
        102: ("skip", "job.already_stopped"),
    }
    assert found["open_pharmacies"] == 0
    assert (await client.get("/api/jobs")).json() == {"items": [], "total": 0}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "job.targets"),
        ({"vms": [{"host_id": 1, "vmid": 100}], "filter": {}}, "job.targets"),
        ({"filter": {"q": "없는약국이름"}}, "job.nothing_matches"),
        ({"vms": []}, "request.invalid"),
        ({"vms": [{"host_id": 2**70, "vmid": 100}]}, "request.invalid"),
        ({"vms": [{"host_id": 1, "vmid": 100}], "timeout_s": 0}, "request.invalid"),
        ({"vms": [{"host_id": 1, "vmid": 100}], "oops": 1}, "request.invalid"),
        ({"filter": {"type": "fridge"}}, "request.invalid"),
    ],
)
async def test_bad_requests_are_explained(client: Client, body: dict[str, Any], code: str) -> None:
    answer = await client.post("/api/vms/batch/start", json=body)
    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert answer.json()["title"]


async def test_what_does_not_exist_is_not_found(client: Client) -> None:
    answer = await client.post("/api/vms/batch/start", json={"vms": [{"host_id": 1, "vmid": 999}]})
    assert answer.status_code == 404
    for path in ("/api/jobs/1", f"/api/jobs/{2**64}", "/api/jobs/1/items", "/api/jobs/1/items/1/log"):
        answer = await client.get(path)
        assert (path, answer.status_code) == (path, 404)
    assert (await client.post("/api/jobs/1/cancel")).status_code == 404
    assert (await client.post("/api/vms/batch/explode", json={"filter": {}})).status_code in (400, 404)
    assert len(VERBS) == 12


async def test_who_may_not_is_refused_whole(house: WholeHouse, client: Client) -> None:
    await house.user("operator", "/pharmacy/1")
    headers = {"Authorization": f"Bearer {await house.token('operator')}"}
    both = {"vms": [{"host_id": 1, "vmid": 102}, {"host_id": 2, "vmid": 102}]}
    answer = await client.post("/api/vms/batch/start", json=both, headers=headers)
    assert answer.status_code == 404
    answer = await client.post("/api/vms/batch/start", json={"filter": {}, "dry_run": True}, headers=headers)
    assert {item["host_id"] for item in answer.json()["items"]} == {1}


async def test_what_a_power_cut_would_leave_off_is_shown_and_mended(house: WholeHouse, client: Client) -> None:
    guest = house.fleet.hosts[0].world.guests[101]
    guest.onboot = False
    view = house.house.inventory
    config = await house.house.clients.get(1).config(Guest("pve", "qemu", 101))
    await view.apply_config(1, 101, config)
    found = (await client.get("/api/vms/onboot")).json()
    assert [(row["host_id"], row["vmid"], row["pharmacy_name"]) for row in found["items"]] == [
        (1, 101, "강남온누리약국")
    ]
    refs = {"vms": [{"host_id": row["host_id"], "vmid": row["vmid"]} for row in found["items"]]}
    answer = await client.post("/api/vms/onboot", json=refs)
    assert answer.status_code == 202
    job = await finished(house, client, answer.json()["job"]["id"])
    assert (job["verb"], job["counts"]["succeeded"]) == ("onboot", 1)
    assert guest.onboot
    await house.until(lambda: view.view.of_host(1)[101].onboot)
    assert (await client.get("/api/vms/onboot")).json() == {"items": [], "total": 0}


async def test_a_snapshot_is_taken_and_what_failed_is_done_again(house: WholeHouse, client: Client) -> None:
    one = {"vms": [{"host_id": 1, "vmid": 100}], "options": {"snapshot": {"name": "before-update"}}}
    assert (await client.post("/api/vms/protect/snapshot", json=one | {"options": {}})).status_code == 400
    for state in ("succeeded", "failed"):
        answer = await client.post("/api/vms/protect/snapshot", json=one)
        job = await finished(house, client, answer.json()["job"]["id"])
        assert job["counts"][state] == 1
    again = await client.post(f"/api/jobs/{job['id']}/retry", json={})
    assert again.status_code == 202
    job = await finished(house, client, again.json()["job"]["id"])
    assert (job["cause"]["kind"], job["options"]["snapshot"]["name"]) == ("retry", "before-update")
    items = (await client.get(f"/api/jobs/{job['id']}/items?state=failed&state=unknown")).json()
    assert items["total"] == 1
    backup = await client.post("/api/vms/protect/backup", json={"vms": [{"host_id": 1, "vmid": 200}]})
    job = await finished(house, client, backup.json()["job"]["id"])
    assert job["counts"]["succeeded"] == 1
