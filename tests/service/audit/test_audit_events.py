"""The event list over a real journal."""

import pytest

from inventory_cast import ADMIN, NOBODY, OF_GANGNAM, fill_database, make_directory
from pharmq.access import where
from pharmq.audit import AuditService
from pharmq.audit.wanted import EventFilter
from pharmq.base.clock import ManualClock
from pharmq.db import Database
from pharmq.inventory import View
from pharmq.journal import Entry, Journal


@pytest.fixture
async def audit(db: Database, journal: Journal, clock: ManualClock) -> AuditService:
    directory = make_directory()
    await fill_database(db, directory, clock.now())
    here, there = where(directory.scope(1)), where(directory.scope(2))
    async with db.transaction() as tx:
        for number in range(30):
            await journal.append(
                tx, Entry(kind="vm.status", where=here if number % 2 else there, params={"name": f"VM-{number}"})
            )
        await journal.append(tx, Entry(kind="session.opened"), Entry(kind="power.start", where=here, act_id="A" * 26))
    return AuditService(db, journal, directory, View(directory))


async def test_pages_go_back_without_gaps(audit: AuditService) -> None:
    seqs: list[int] = []
    before = None
    while True:
        rows, total = await audit.page(ADMIN, EventFilter(), before, 7)
        assert total == len(rows)
        if not rows:
            break
        seqs += [row.seq for row in rows]
        before = rows[-1].seq
    assert seqs == list(range(32, 0, -1))


async def test_filters(audit: AuditService) -> None:
    async def kinds(wanted: EventFilter) -> list[str]:
        return [row.kind for row in (await audit.page(ADMIN, wanted, None, 100))[0]]

    assert await kinds(EventFilter(kind=("power.*",))) == ["power.start"]
    assert await kinds(EventFilter(kind=("power.*", "session.opened"))) == ["power.start", "session.opened"]
    assert await kinds(EventFilter(act_id="A" * 26)) == ["power.start"]
    assert len(await kinds(EventFilter(host_id=(1,)))) == 16
    assert len(await kinds(EventFilter(pharmacy_id=(1, 2)))) == 31
    assert await kinds(EventFilter(pharmacy_id=(9,))) == []
    assert await kinds(EventFilter(kind=("%",))) == []


async def test_only_what_one_may_see(audit: AuditService) -> None:
    rows, _ = await audit.page(OF_GANGNAM, EventFilter(), None, 100)
    assert {row.host_id for row in rows} == {1}
    assert len(rows) == 16
    assert rows[0].pharmacy_name == "강남온누리약국"
    assert (await audit.page(NOBODY, EventFilter(), None, 100))[0] == []
    few, _ = await audit.page(OF_GANGNAM, EventFilter(), rows[3].seq, 3)
    assert [row.seq for row in few] == [row.seq for row in rows[4:7]]
