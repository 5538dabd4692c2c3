from collections.abc import AsyncIterator

import pytest

from hosts_rig import Rig
from pharmq.base.clock import ManualClock
from pharmq.db import Database
from pharmq.journal import Journal
from pharmq.vault import Vault


@pytest.fixture
async def rig(db: Database, journal: Journal, vault: Vault, clock: ManualClock) -> AsyncIterator[Rig]:
    async with Rig(db, journal, vault, clock) as running:
        yield running
