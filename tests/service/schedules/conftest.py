from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import pharmq.schedules.tables  # noqa: F401  (its tables are made with the others)
from database_rig import sqlite_database
from jobs_world import FakeHost
from pharmq.base.spawn import Spawner
from schedules_world import HandClock, Manager, make_hosts, manager

MONDAY = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
"""Monday, 23 November 2026, 09:00 in Seoul."""


@pytest.fixture
async def hand() -> AsyncIterator[HandClock]:
    clock = HandClock(MONDAY)
    async with Spawner("clock") as spawner:
        spawner.spawn(clock.flow(), "flow")
        yield clock


@pytest.fixture
def hosts(hand: HandClock) -> dict[int, FakeHost]:
    return make_hosts(hand)


@pytest.fixture
async def url(tmp_path: Path) -> str:
    return await sqlite_database(tmp_path / "schedules.db")


@pytest.fixture
async def one(url: str, hand: HandClock, hosts: dict[int, FakeHost]) -> AsyncIterator[Manager]:
    async with manager(url, hand, hosts) as made:
        yield made
