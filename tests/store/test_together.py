"""Work of several tasks in one transaction, and what the journal remembers of what it has written."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from pharmq.base.clock import ManualClock
from pharmq.base.spawn import Spawner
from pharmq.db import Database, Tx
from pharmq.db.together import Together
from pharmq.journal import Entry, Journal, Who
from pharmq.settings.tables import settings

AT = datetime(2026, 11, 30, tzinfo=UTC)


class Counted(Database):
    """Counts its transactions, and lets one wait."""

    transactions = 0

    @asynccontextmanager
    async def transaction(self, *, durable: bool = False) -> Any:
        self.transactions += 1
        async with super().transaction(durable=durable) as tx:
            yield tx


@pytest.fixture
def counted(db: Database) -> Any:
    db.__class__ = Counted
    return db


def put(key: str, told: list[str]) -> Any:
    def work(conn: Connection, tx: Tx) -> str:
        conn.execute(insert(settings), [{"key": key, "value": {}, "updated_at": AT}])
        tx.after_commit(lambda: told.append(key))
        return key

    return work


async def keys(db: Database) -> list[str]:
    return sorted(await db.ask(lambda conn: list(conn.scalars(select(settings.c.key)))))


async def test_what_comes_meanwhile_is_written_together(counted: Counted) -> None:
    told: list[str] = []
    wanted = [f"k{n:02}" for n in range(20)]
    async with Spawner("t") as spawner:
        together = Together(counted, spawner)
        assert await asyncio.gather(*(together.do(put(key, told)) for key in wanted)) == wanted
        assert counted.transactions < 5
    assert await keys(counted) == sorted(told) == wanted


async def test_one_that_fails_fails_alone(counted: Counted) -> None:
    told: list[str] = []
    async with Spawner("t") as spawner:
        together = Together(counted, spawner)

        def bad(_conn: Connection, _tx: Tx) -> str:
            raise LookupError("a defect")

        found = await asyncio.gather(
            together.do(put("a", told)),
            together.do(bad),
            together.do(put("a", told)),
            together.do(put("b", told)),
            return_exceptions=True,
        )
        assert (found[0], found[3]) == ("a", "b")
        assert isinstance(found[1], LookupError)
        assert "UNIQUE" in str(found[2]).upper()
        assert await together.do(put("c", told)) == "c"
    assert await keys(counted) == told == ["a", "b", "c"]


async def test_who_has_gone_before_its_turn_is_not_written(counted: Counted) -> None:
    told: list[str] = []
    async with Spawner("t") as spawner:
        together = Together(counted, spawner)
        async with counted.transaction() as tx:
            gone, stays = (asyncio.create_task(together.do(put(key, told))) for key in "xy")
            await asyncio.sleep(0)
            gone.cancel()
            await asyncio.wait([gone])
            await tx.conn.run_sync(lambda conn: conn.scalar(select(settings.c.key)))
        assert await stays == "y"
    assert await keys(counted) == told == ["y"]


async def test_entries_of_one_transaction_are_appended_at_its_end_in_order(db: Database, clock: ManualClock) -> None:
    journal = Journal(clock)
    async with db.transaction() as tx:
        journal.add(tx, Entry(kind="third"))
        await journal.append(tx, Entry(kind="first"), Entry(kind="second"))
        journal.add(tx, Entry(kind="fourth"))
    async with db.read() as conn:
        assert [row.kind for row in await journal.read(conn, 0)] == ["first", "second", "third", "fourth"]


async def test_what_is_remembered_is_what_is_read(db: Database, clock: ManualClock) -> None:
    journal = Journal(clock)
    entries = [
        Entry(kind="a", who=Who("user", 7, "이름" * 80, "192.0.2.1"), params={"t": (1, 2), "n": None, "가": "나"}),
        Entry(kind="b", phase="request", act_id="A" * 26, who=Who("user", 7, None, "192.0.2.1"), private={"x": ["y"]}),
        Entry(kind="c", who=Who("token", 7), at=AT, outcome="ok", upid="UPID:x"),
        Entry(kind="d"),
    ]
    async with db.transaction() as tx:
        await journal.append(tx, *entries)
    async with db.read() as conn:
        assert journal.recent.after(0) == await journal.read(conn, 0)
    assert [row.kind for row in journal.recent.after(2) or ()] == ["c", "d"]
    assert journal.recent.after(4) is None
    journal.personal.forget()
    assert journal.recent.after(0) is None


async def test_a_row_of_another_process_in_between_is_not_skipped(db: Database, clock: ManualClock) -> None:
    ours, theirs = Journal(clock), Journal(clock)
    for journal in (ours, ours, theirs, ours, theirs, theirs, ours):
        async with db.transaction() as tx:
            await journal.append(tx, Entry(kind="ours" if journal is ours else "theirs"))
    assert ours.recent.after(0) is None
    assert [row.seq for row in ours.recent.after(6) or ()] == [7]
    async with db.read() as conn:
        rows = await ours.read(conn, 0)
    assert [row.seq for row in rows] == list(range(1, 8))
    assert [row.kind for row in rows] == ["ours", "ours", "theirs", "ours", "theirs", "theirs", "ours"]


async def test_a_transaction_that_failed_does_not_move_the_remembered_head(db: Database, clock: ManualClock) -> None:
    journal = Journal(clock)
    for number in range(4):
        if number % 2:
            with pytest.raises(LookupError):
                async with db.transaction() as tx:
                    await journal.append(tx, Entry(kind="lost"))
                    raise LookupError
        async with db.transaction() as tx:
            assert await journal.append(tx, Entry(kind="kept")) == number + 1
    assert [row.seq for row in journal.recent.after(0) or ()] == [1, 2, 3, 4]
