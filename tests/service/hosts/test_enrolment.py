"""A list of pharmacies, from a spreadsheet to polled hosts."""

import asyncio

import msgspec
import pytest

from hosts_rig import ADMIN, Rig
from pharmq.base.errors import Invalid
from pharmq.hosts.csv_rows import EnrolRow
from pharmq.hosts.enrolment import CheckedRow, EnrolForm
from pharmq_sim.host import SimHost
from pharmq_sim.testing import SimFleet

HEAD = "약국코드,약국명,전화번호,지역,체인,영업시간,호스트IP,포트"


def line(host: SimHost, number: int, **more: str) -> str:
    cells = {
        "code": f"P-{number:03}", "name": f"{number}번약국", "phone": f"02-000-{number:04}", "region": "서울",
        "chain": "온누리", "hours": "평일 09:00-19:00; 토 09:00-14:00", "ip": host.address, "port": str(host.port),
    }  # fmt: skip
    return ",".join({**cells, **more}.values())


def confirmed(rows: list[CheckedRow]) -> tuple[EnrolRow, ...]:
    """What the review page sends back."""
    found = []
    for row in rows:
        pharmacy = msgspec.to_builtins(row.pharmacy)
        place = {"line": row.line, "host_ip": row.host_ip, "host_port": row.host_port, "fingerprint": row.fingerprint}
        found.append(msgspec.convert({**pharmacy, **place}, EnrolRow))
    return tuple(found)


async def test_check_then_enrol_then_polled_and_again_without_effect(rig: Rig) -> None:
    async with SimFleet(3, clock=rig.clock) as sim:
        shared = await rig.credential()
        text = "\n".join([HEAD, *(line(host, n) for n, host in enumerate(sim.hosts, 1))])
        checked = await rig.hosts.enrolment.check(ADMIN, None, text.encode("cp949"))
        assert [(row.line, row.result, row.fingerprint) for row in checked] == [
            (n, "ok", host.fingerprint) for n, host in enumerate(sim.hosts, 2)
        ]
        assert not rig.directory.pharmacies

        form = EnrolForm(rows=confirmed(checked), credential_id=shared.id)
        saved = await rig.hosts.enrolment.enrol(ADMIN, form)
        assert [row.result for row in saved] == ["ok"] * 3
        assert sorted((g.kind, g.name) for g in rig.directory.groups) == [("chain", "온누리"), ("region", "서울")]
        pharmacy = rig.directory.by_code("P-002")
        assert pharmacy is not None
        assert (pharmacy.name, pharmacy.hours.sat, len(pharmacy.group_ids)) == ("2번약국", (("09:00", "14:00"),), 2)
        host = rig.directory.host(saved[0].host_id or 0)
        assert host is not None
        assert host.pins[0].not_after is not None

        again = await rig.hosts.enrolment.enrol(ADMIN, form)
        assert [(row.result, row.host_id) for row in again] == [("exists", row.host_id) for row in saved]
        assert {row.result for row in await rig.hosts.enrolment.check(ADMIN, text)} == {"exists"}
        assert len(await rig.history("host.added")) == len(await rig.history("pharmacy.added")) == 3

        await rig.fleet.start()
        await rig.until(lambda: all(rig.directory.status(row.host_id or 0) == "online" for row in saved))
        await rig.restart()
        assert len(rig.directory.hosts) == len(rig.directory.pharmacies) == 3


async def test_bad_lines_are_reported_and_good_ones_kept(rig: Rig) -> None:
    async with SimFleet(3, clock=rig.clock) as sim:
        shared = await rig.credential()
        sim[1].faults.set("refused")
        text = "\n".join([HEAD, line(sim[0], 1), line(sim[1], 2), line(sim[2], 3, hours="whenever"), line(sim[0], 4)])
        checked = await rig.hosts.enrolment.check(ADMIN, text)
        assert [row.result for row in checked] == ["ok", "error", "error", "error"]
        assert [sorted(row.errors) for row in checked] == [[], ["host_ip"], ["hours"], ["host_ip"]]
        assert checked[1].errors["host_ip"][0].code == "pve.refused"
        assert checked[2].fingerprint == sim[2].fingerprint
        saved = await rig.hosts.enrolment.enrol(ADMIN, EnrolForm(rows=confirmed(checked), credential_id=shared.id))
        assert [row.result for row in saved] == ["ok", "error", "ok", "error"]
        assert saved[1].errors["fingerprint"][0].code == "host.fingerprint_unconfirmed"
        assert saved[3].errors["host_ip"][0].code == "enrolment.host_twice"


async def test_a_certificate_that_changed_since_the_review_is_refused(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        shared = await rig.credential()
        checked = await rig.hosts.enrolment.check(ADMIN, f"{HEAD}\n{line(sim[0], 1)}")
        sim[0].faults.set("changed_certificate")
        [saved] = await rig.hosts.enrolment.enrol(ADMIN, EnrolForm(rows=confirmed(checked), credential_id=shared.id))
        assert saved.errors["fingerprint"][0].code == "host.fingerprint_differs"
        assert not rig.directory.pharmacies


async def test_a_host_that_is_silent_now_is_kept_with_what_was_confirmed(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        shared = await rig.credential()
        checked = await rig.hosts.enrolment.check(ADMIN, f"{HEAD}\n{line(sim[0], 1)}")
        sim[0].faults.set("refused")
        [saved] = await rig.hosts.enrolment.enrol(ADMIN, EnrolForm(rows=confirmed(checked), credential_id=shared.id))
        assert saved.result == "ok"
        assert rig.directory.state(saved.host_id or 0).reason == "never_checked"


async def test_two_hosts_of_one_pharmacy_and_two_people_at_once(rig: Rig) -> None:
    async with SimFleet(2, clock=rig.clock) as sim:
        shared = await rig.credential()
        text = "\n".join([HEAD, line(sim[0], 1), line(sim[1], 1)])
        checked = await rig.hosts.enrolment.check(ADMIN, text)
        form = EnrolForm(rows=confirmed(checked), credential_id=shared.id)
        both = await asyncio.gather(*(rig.hosts.enrolment.enrol(ADMIN, form) for _ in range(2)))
        assert sorted(row.result for rows in both for row in rows) == ["exists", "exists", "ok", "ok"]
        assert [len(rig.directory.hosts_of(p.id)) for p in rig.directory.pharmacies] == [2]


async def test_an_unknown_credential_is_named(rig: Rig) -> None:
    with pytest.raises(Invalid) as caught:
        await rig.hosts.enrolment.enrol(ADMIN, EnrolForm(rows=(EnrolRow(code="1"),), credential_id=9))
    assert list(caught.value.fields) == ["credential_id"]
