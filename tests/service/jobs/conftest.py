from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from database_rig import sqlite_database
from jobs_world import FakeGuest, FakeHost, FlowingClock, Process
from pharmq.base.spawn import Spawner


@pytest.fixture
async def flowing() -> AsyncIterator[FlowingClock]:
    clock = FlowingClock()
    async with Spawner("clock") as spawner:
        spawner.spawn(clock.flow(), "flow")
        yield clock


@pytest.fixture
def hosts(flowing: FlowingClock) -> dict[int, FakeHost]:
    """Two hosts, three guests each: 100 and 101 stopped, 102 running."""
    return {
        number: FakeHost(flowing, [FakeGuest(100), FakeGuest(101), FakeGuest(102, running=True)]) for number in (1, 2)
    }


@pytest.fixture
async def process(tmp_path: Path, flowing: FlowingClock, hosts: dict[int, FakeHost]) -> AsyncIterator[Process]:
    url = await sqlite_database(tmp_path / "jobs.db")
    made = Process(url, flowing, hosts)
    await made.jobs.start()
    yield made
    await made.jobs.aclose()
    await made.db.close()
