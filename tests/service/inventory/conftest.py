"""The small fleet of ``inventory_cast`` in a database, and the inventory over it."""

import pytest

from inventory_cast import fill_database, make_directory
from pharmq.base.clock import ManualClock
from pharmq.db import Database
from pharmq.hosts.directory import Directory
from pharmq.inventory import InventoryService
from pharmq.journal import Journal


@pytest.fixture
def directory() -> Directory:
    return make_directory()


@pytest.fixture
async def inventory(db: Database, journal: Journal, directory: Directory, clock: ManualClock) -> InventoryService:
    await fill_database(db, directory, clock.now())
    service = InventoryService(db, journal, directory, clock)
    await service.load()
    return service
