from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from consoles_rig import Rig
from sqlalchemy import insert

from pharmq.base.clock import ManualClock
from pharmq.db import Database, metadata
from pharmq.journal import Journal
from pharmq.journal.tables import journal_head


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'pharmq.db'}")
    async with database.engine.begin() as conn:
        await conn.run_sync(metadata.create_all)
        await conn.execute(insert(journal_head).values(id=1, seq=0))
    yield database
    await database.close()


@pytest.fixture
async def rig(db: Database, journal: Journal, clock: ManualClock) -> AsyncIterator[Rig]:
    async with Rig(db, journal, clock) as running:
        yield running
