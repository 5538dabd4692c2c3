from collections.abc import AsyncIterator

import pytest
from consoles_rig import Rig

from pharmq.base.clock import ManualClock
from pharmq.db import Database
from pharmq.journal import Journal


@pytest.fixture
async def rig(db: Database, journal: Journal, clock: ManualClock) -> AsyncIterator[Rig]:
    async with Rig(db, journal, clock) as running:
        yield running
