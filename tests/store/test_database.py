import asyncio
from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, select

from pharmq.base.clock import ManualClock
from pharmq.db import Database, metadata
from pharmq.db.leases import Leases
from pharmq.db.migrate import SchemaError, is_current, migrate
from pharmq.journal import Entry, Journal
from pharmq.settings.tables import settings


async def test_the_migrations_give_exactly_the_tables_of_the_code(db: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        # SQLite hands back an empty default as another text than it was given.
        options = {"compare_type": True, "compare_server_default": connection.dialect.name == "postgresql"}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    async with db.read() as conn:
        assert await conn.run_sync(differences) == []
    assert await is_current(db)


async def test_migrating_twice_changes_nothing_and_a_newer_schema_is_refused(db: Database) -> None:
    await migrate(db)
    async with db.transaction() as tx:
        await tx.conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaError):
        await migrate(db)


async def test_a_failed_transaction_leaves_nothing_and_tells_nobody(db: Database) -> None:
    told: list[str] = []
    row = {"key": "k", "value": {"a": 1}, "updated_at": datetime(2026, 11, 23, tzinfo=UTC)}
    with pytest.raises(LookupError):
        async with db.transaction() as tx:
            await tx.conn.execute(insert(settings), [row])
            tx.after_commit(lambda: told.append("no"))
            raise LookupError
    async with db.transaction(durable=True) as tx:
        await tx.conn.execute(insert(settings), [row])
        tx.after_commit(lambda: told.append("yes"))
        assert told == []
    assert told == ["yes"]
    async with db.read() as conn:
        found = (await conn.execute(select(settings))).one()
    assert found.value == {"a": 1}
    assert found.updated_at == row["updated_at"]


async def test_the_journal_has_one_order_and_no_gap_under_concurrent_appends(db: Database, clock: ManualClock) -> None:
    journal = Journal(clock)
    seen: list[int] = []

    async def follow() -> None:
        cursor = 0
        while cursor < 120:
            async with db.read() as conn:
                rows = await journal.read(conn, cursor)
            seen.extend(row.seq for row in rows)
            cursor = seen[-1] if seen else 0
            await asyncio.sleep(0)

    async def write(writer: int) -> None:
        for number in range(10):
            async with db.transaction() as tx:
                entries = [Entry(kind="t", params={"w": writer, "n": number, "k": k}) for k in range(2)]
                await journal.append(tx, *entries)

    await asyncio.wait_for(asyncio.gather(follow(), *(write(n) for n in range(6))), 60)
    assert seen == list(range(1, 121))


async def test_a_rolled_back_append_leaves_no_gap(db: Database, clock: ManualClock) -> None:
    journal = Journal(clock)
    with pytest.raises(LookupError):
        async with db.transaction() as tx:
            await journal.append(tx, Entry(kind="lost"))
            raise LookupError
    async with db.transaction() as tx:
        assert await journal.append(tx, Entry(kind="kept", params={"name": "강남온누리약국"})) == 1
    async with db.read() as conn:
        (row,) = await journal.read(conn, 0)
    assert (row.kind, row.params) == ("kept", {"name": "강남온누리약국"})


async def test_a_journal_cursor_moves_with_the_work(db: Database, clock: ManualClock) -> None:
    journal = Journal(clock)
    for seq in (3, 7):
        async with db.transaction() as tx:
            await journal.advance(tx, "alerts", seq)
    async with db.read() as conn:
        assert await journal.cursor(conn, "alerts") == 7
        assert await journal.cursor(conn, "other") == 0


async def test_a_lease_has_one_holder_until_it_is_released_or_runs_out(db: Database) -> None:
    ours, theirs = Leases(db, "a"), Leases(db, "b")
    assert await ours.acquire("console/1/100", 60)
    assert await ours.acquire("console/1/100", 60)
    assert not await theirs.acquire("console/1/100", 60)
    assert not await theirs.renew("console/1/100", 60)
    assert await ours.renew("console/1/100", 60)
    await theirs.release("console/1/100")
    assert not await theirs.acquire("console/1/100", 60)
    await ours.release("console/1/100")
    assert await theirs.acquire("console/1/100", -1)
    assert await ours.acquire("console/1/100", 60)
    assert not await theirs.renew("console/1/100", 60)


async def test_tasks_cancelled_anywhere_leave_no_lock_and_no_half_transaction(db: Database, clock: ManualClock) -> None:
    """Writers are cancelled at every point; whoever comes next can write, and each writer's two rows are both there
    or both missing."""
    journal = Journal(clock)
    heard: list[int] = []

    async def write(number: int) -> None:
        async with db.transaction(durable=number % 2 == 0) as tx:
            await journal.append(tx, Entry(kind="first", params={"n": number}))
            await tx.conn.scalar(select(settings.c.key))
            await journal.append(tx, Entry(kind="second", params={"n": number}))
            tx.after_commit(lambda: heard.append(number))

    for number in range(60):
        task = asyncio.create_task(write(number))
        for _ in range(number % 20):
            await asyncio.sleep(0)
        if number % 3:
            await asyncio.sleep(0.001 * (number % 7))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await asyncio.wait_for(write(1000), 30)
    async with db.read() as conn:
        rows = await journal.read(conn, 0)
    kinds: dict[int, list[str]] = {}
    for row in rows:
        kinds.setdefault(row.params["n"], []).append(row.kind)
    assert all(found == ["first", "second"] for found in kinds.values())
    assert sorted(kinds) == sorted(heard)
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
