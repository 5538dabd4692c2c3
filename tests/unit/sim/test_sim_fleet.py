"""The fleet: its numbers, its names, and that a restart changes nothing."""

import asyncio
import csv
import json
from collections import Counter
from ipaddress import ip_address
from pathlib import Path

import pytest
from sim_rig import Client

from pharmq.base.clock import ManualClock
from pharmq_sim.control import Control
from pharmq_sim.faults import UnknownFault
from pharmq_sim.fleet import Fleet, write_csv
from pharmq_sim.host import SimHost
from pharmq_sim.mix import troubles
from pharmq_sim.pharmacies import pharmacies
from pharmq_sim.plan import address_of, make_world, plan
from pharmq_sim.testing import small_world
from pharmq_sim.world import World


def test_a_hundred_hosts_have_450_guests_and_380_run() -> None:
    guests = [guest for spec in plan(100) for guest in spec.guests]
    states = Counter(guest.state for guest in guests)
    assert len(guests) == 450
    assert states["running"] == 380
    assert states["suspended"] > 0
    assert {guest.kind for guest in guests} == {"qemu", "lxc"}
    assert all(len({g.vmid for g in spec.guests}) == len(spec.guests) for spec in plan(100))


def test_a_fleet_may_have_more_guests_on_each_host() -> None:
    specs = plan(100, guests_per_host=10)
    assert {len(spec.guests) for spec in specs} == {10}
    assert all(len({g.name for g in spec.guests}) == len({g.vmid for g in spec.guests}) == 10 for spec in specs)


def test_fleets_that_are_coming_up_at_the_same_time_take_other_addresses(tmp_path: Path) -> None:
    clock = ManualClock()
    first, second = (Fleet(tmp_path / name, 1, clock=clock, key_type="ec") for name in ("a", "b"))
    assert first.specs[0].address != second.specs[0].address


def test_regions_names_and_phones() -> None:
    made = pharmacies(100)
    assert [p.name for p in made[:3]] == ["강남온누리약국", "마포늘푸른약국", "서초하나약국"]
    assert Counter(p.region for p in made) == {
        "서울": 36,
        "경기": 28,
        "인천": 8,
        "부산": 8,
        "대구": 7,
        "대전": 7,
        "광주": 6,
    }
    assert made[0].phone == "02-000-0417"
    assert made[0].code == "P-001"
    assert len({p.phone[-4:] for p in made}) == 100
    assert len({p.name for p in made}) == 100


@pytest.mark.parametrize("count", [1, 3, 30, 700])
def test_a_longer_list_begins_with_the_shorter_one(count: int) -> None:
    assert pharmacies(count) == pharmacies(1000)[:count]
    assert len({p.name for p in pharmacies(count)}) == count


def test_hours_are_written_in_runs_of_days() -> None:
    by_code = {p.code: p for p in pharmacies(100)}
    one = by_code["P-002"]
    opens, closes = one.hours["mon"][0]
    assert one.hours_text.startswith(f"mon-fri {opens}-{closes}; sat ")
    split = next(p for p in by_code.values() if len(p.hours["wed"]) == 2)
    assert f"wed {split.hours['wed'][0][0]}-13:00,14:00-" in split.hours_text


def test_addresses_fill_one_block_after_the_other() -> None:
    assert address_of(0) == "127.64.0.10"
    assert address_of(239) == "127.64.0.249"
    assert address_of(240) == "127.64.1.10"
    assert len({ip_address(address_of(index)) for index in range(5000)}) == 5000


def test_fifteen_of_a_hundred_go_offline_in_five_ways_and_two_are_slow() -> None:
    mix = troubles(100)
    assert sum(t.offline for t in mix) == 15
    assert len({t.name for t in mix if t.offline}) == 5
    assert [t.name for t in mix if not t.offline] == ["latency", "latency"]
    assert len({t.index for t in mix}) == 17
    assert not {0, 1, 2} & {t.index for t in mix}
    assert [t.name for t in troubles(10, ["hang", "595"])] == ["hang", "595"]
    assert troubles(10, ["none"]) == []
    with pytest.raises(UnknownFault):
        troubles(10, ["nonsense"])


def test_a_world_survives_being_written_and_read(tmp_path: Path) -> None:
    for world in (small_world(), make_world(plan(5)[4], "pw", 1_795_000_000.0)):
        world.save(tmp_path / "world.json")
        assert World.load(tmp_path / "world.json") == world


def test_the_enrolment_file_has_a_line_per_host(tmp_path: Path) -> None:
    write_csv(tmp_path / "p.csv", plan(10))
    rows = list(csv.DictReader((tmp_path / "p.csv").open(encoding="utf-8-sig")))
    assert len(rows) == 10
    assert (rows[0]["name"], rows[0]["host_ip"], rows[0]["host_port"]) == ("강남온누리약국", "127.64.0.10", "8006")


async def test_a_restart_changes_nothing(tmp_path: Path) -> None:
    clock = ManualClock()

    async def run(*, change: bool) -> tuple[list[str], str, bool, int]:
        async with Fleet(tmp_path, 2, clock=clock, key_type="ec") as fleet:
            client = Client(fleet.hosts[0], clock)
            await client.login(password=fleet.password)
            if change:
                assert await client.task("/nodes/pve/qemu/100/status/stop") == "OK"
            row = await client.get("/nodes/pve/qemu/100/status/current")
            fingerprints = [host.fingerprint for host in fleet.hosts]
            assert json.loads((tmp_path / "control.json").read_text())["port"] == fleet.control.port
            tasks = len(fleet.hosts[0].world.tasks)
            return fingerprints, fleet.password, row["status"] == "running", tasks

    first = await run(change=True)
    assert await run(change=False) == first
    assert first[2] is False


def ask(control: Control, method: str, path: str, body: bytes = b"") -> tuple[int, object]:
    return control.answer(method, path, body)


async def test_the_control_port_breaks_and_mends(host: SimHost) -> None:
    control = Control([host])
    status, _ = ask(control, "POST", "/hosts/1/faults/latency", b'{"ms": 900}')
    assert status == 200
    assert host.faults.get("latency") == {"ms": 900}
    assert ask(control, "DELETE", "/hosts/1/faults")[0] == 200
    assert host.faults.names() == []
    for method, path, body, wanted in (
        ("POST", "/hosts/1/faults/nonsense", b"", 400),
        ("POST", "/hosts/1/faults/latency", b"{", 400),
        ("GET", "/hosts/2", b"", 404),
        ("GET", "/hosts/x", b"", 404),
        ("POST", "/hosts/1/guests/999/stop", b"", 404),
        ("POST", "/hosts/1/guests/100/dance", b"", 400),
        ("GET", "/nope", b"", 404),
    ):
        assert ask(control, method, path, body)[0] == wanted, path
    assert ask(control, "POST", "/hosts/1/guests/100/stop")[0] == 200
    assert not host.world.guests[100].running
    assert ask(control, "GET", "/hosts/1/guests/100/screen")[1] == {"typed": "", "clicks": [], "sessions": 0}


async def test_the_control_port_speaks_http(host: SimHost) -> None:
    control = Control([host])
    await control.start()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", control.port)
        writer.write(b"GET /hosts HTTP/1.1\r\nHost: x\r\n\r\n")
        raw = await reader.read()
        writer.close()
    finally:
        await control.aclose()
    head, _, body = raw.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert json.loads(body)[0]["fingerprint"] == host.fingerprint
