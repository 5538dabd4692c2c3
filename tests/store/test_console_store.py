"""Console sessions in both databases."""

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from pharmq.consoles import store
from pharmq.db import Database
from pharmq.hosts.tables import pharmacies, proxmox_hosts

NOW = datetime(2026, 11, 23, 1, 24, tzinfo=UTC)


async def with_session(db: Database, key: str = "k" * 64, expires_s: float = 30) -> store.Stored:
    row = store.Stored(key, "A" * 26, 1, 1, 12, 100, "POS-1", 7, "admin", "issued", NOW + timedelta(seconds=expires_s))
    async with db.transaction() as tx:
        await tx.conn.execute(
            insert(pharmacies).values(
                pharmacy_id=1, code="P1", name="약국", hours={}, closing_days=[], created_at=NOW, updated_at=NOW
            )
        )
        await tx.conn.execute(
            insert(proxmox_hosts).values(
                id=1, pharmacy_id=1, pharmacy_name="약국", host_ip="192.0.2.1", addresses=[], host_port=8006,
                credential_kind="password", username="root@pam", status="online", created_at=NOW, updated_at=NOW,
            )
        )  # fmt: skip
        await tx.conn.run_sync(store.add, row, NOW)
    return row


async def test_exactly_one_of_many_claims_wins(db: Database) -> None:
    row = await with_session(db)

    async def claim(owner: str) -> bool:
        async with db.transaction() as tx:
            return await tx.conn.run_sync(store.claim, row.key, 7, owner, NOW)

    assert sorted(await asyncio.gather(*[claim(f"run-{n}") for n in range(8)])) == [False] * 7 + [True]


async def test_a_claim_needs_its_person_and_its_time(db: Database) -> None:
    row = await with_session(db)
    async with db.transaction() as tx:
        assert not await tx.conn.run_sync(store.claim, row.key, 8, "run", NOW)
        assert not await tx.conn.run_sync(store.claim, row.key, None, "run", NOW)
        assert not await tx.conn.run_sync(store.claim, row.key, 7, "run", NOW + timedelta(seconds=31))
        assert await tx.conn.run_sync(store.claim, row.key, 7, "run", NOW + timedelta(seconds=29))
        assert not await tx.conn.run_sync(store.claim, row.key, 7, "run", NOW + timedelta(seconds=29))


async def test_an_end_is_written_once_and_orphans_are_those_of_other_runs(db: Database) -> None:
    row = await with_session(db)
    async with db.transaction() as tx:
        await tx.conn.run_sync(store.claim, row.key, 7, "run-1", NOW)
        await tx.conn.run_sync(store.opened, row.key, "UPID:x", NOW)
        assert await tx.conn.run_sync(store.orphans, "run-1") == []
        [orphan] = await tx.conn.run_sync(store.orphans, "run-2")
        assert (orphan.key, orphan.state, orphan.vm_name) == (row.key, "open", "POS-1")
        assert await tx.conn.run_sync(store.closed, row.key, "console.idle_cut", 5, 9, NOW)
        assert not await tx.conn.run_sync(store.closed, row.key, "console.vm_gone", 0, 0, NOW)
        assert await tx.conn.run_sync(store.orphans, "run-2") == []
        await tx.conn.run_sync(store.forget, NOW)
        assert await tx.conn.run_sync(store.get, row.key) is not None
        await tx.conn.run_sync(store.forget, NOW + timedelta(seconds=1))
        assert await tx.conn.run_sync(store.get, row.key) is None


async def test_what_was_never_claimed_is_forgotten_too(db: Database) -> None:
    row = await with_session(db)
    async with db.transaction() as tx:
        await tx.conn.run_sync(store.forget, NOW + timedelta(seconds=29))
        assert await tx.conn.run_sync(store.get, row.key) is not None
        await tx.conn.run_sync(store.forget, NOW + timedelta(seconds=31))
        assert await tx.conn.run_sync(store.get, row.key) is None
