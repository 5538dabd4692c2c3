import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from pharmq.base.bell import Bell
from pharmq.base.config import async_url
from pharmq.base.ids import new_act_id
from pharmq.base.pacing import KeyedLimit, back_off, jittered
from pharmq.base.spawn import Spawner


def test_back_off_doubles_to_a_ceiling() -> None:
    assert [back_off(n, base=2, ceiling=60) for n in range(7)] == [0, 2, 4, 8, 16, 32, 60]
    assert back_off(10_000, base=2, ceiling=60) == 60


def test_jitter_stays_in_its_spread() -> None:
    assert jittered(10, 0.0) == pytest.approx(9)
    assert jittered(10, 0.5) == pytest.approx(10)
    assert jittered(10, 0.999) < 11


async def test_a_keyed_limit_bounds_each_key_alone_and_forgets_it() -> None:
    limit = KeyedLimit(2)
    inside = {"a": 0, "b": 0}
    most = {"a": 0, "b": 0}

    async def work(key: str) -> None:
        async with limit.hold(key):
            inside[key] += 1
            most[key] = max(most[key], inside[key])
            await asyncio.sleep(0)
            inside[key] -= 1

    await asyncio.gather(*(work(key) for key in "aaaaabbbbb"))
    assert most == {"a": 2, "b": 2}
    assert not limit._gates


async def test_a_bell_rung_before_waiting_is_not_missed() -> None:
    bell = Bell()
    seen = bell.count
    bell.ring()
    assert await asyncio.wait_for(bell.wait(seen), 30) == 1


async def test_a_spawner_ends_its_tasks_and_logs_failures(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise LookupError("gone")

    async def forever() -> None:
        await asyncio.Event().wait()

    async with Spawner("test") as spawner:
        spawner.spawn(fail(), "failing")
        endless = spawner.spawn(forever(), "endless")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert endless.cancelled()
    assert "test/failing" in caplog.text


def test_act_ids_sort_by_time_and_differ() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    first, second = new_act_id(at), new_act_id(at + timedelta(milliseconds=1))
    assert first < second
    assert len(first) == 26
    assert new_act_id(at) != new_act_id(at)


def test_urls_as_people_write_them() -> None:
    assert async_url("postgresql://u@h/db") == "postgresql+asyncpg://u@h/db"
    assert async_url("sqlite:////tmp/x.db") == "sqlite+aiosqlite:////tmp/x.db"
    assert async_url("postgresql+asyncpg://h/db") == "postgresql+asyncpg://h/db"
