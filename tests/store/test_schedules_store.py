"""What tells that a schedule looks different now, the same on both databases."""

from datetime import timedelta

import pytest

from pharmq.base.clock import ManualClock
from pharmq.db import Database
from pharmq.schedules import store as of_store
from pharmq.schedules.model import Mark, RunState
from pharmq.schedules.store import SchedulesStore

NOW = ManualClock().now()
VALUES = {
    "name": "야간 종료", "verb": "shutdown", "force": False, "options": {}, "targets": {}, "timing": {}, "missed": {},
    "overlap": "skip", "enabled": True, "owner_kind": "user", "owner_id": 7, "revision": 1, "seen_until": NOW,
    "next_at": NOW, "created_at": NOW, "updated_at": NOW,
}  # fmt: skip


async def test_marks_tell_revisions_moments_runs_and_waiting_hosts(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SchedulesStore(db)

    async def run(schedule_id: int, key: str, state: RunState) -> int:
        async with db.transaction() as tx:
            found = await store.claim(tx.conn, schedule_id, key, NOW, NOW, state=state)
        assert found is not None
        return found

    async def marks() -> dict[int, Mark]:
        async with db.read() as conn:
            return await store.marks(conn)

    assert await marks() == {}
    async with db.transaction() as tx:
        one, two = [await store.add(tx.conn, VALUES) for _ in range(2)]
    assert await marks() == dict.fromkeys((one, two), Mark(7, 1, NOW, None, (), 0))
    first, second = await run(one, "a", "running"), await run(one, "b", "queued")
    async with db.transaction() as tx:
        await store.wait(tx.conn, first, two, {3: [(1, 100)]}, NOW + timedelta(hours=1))
    assert await marks() == {
        one: Mark(7, 1, NOW, second, ((first, "running"), (second, "queued")), 0),
        two: Mark(7, 1, NOW, None, (), 1),
    }
    # What is old is not looked for among all that ever ran; what is still open is.
    monkeypatch.setattr(of_store, "LATEST_RUNS", 1)
    third = await run(two, "a", "skipped")
    found = await marks()
    assert (found[one].last_run, len(found[one].open_runs), found[two].last_run) == (None, 2, third)
