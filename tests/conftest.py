"""Fixtures that every kind of test shares."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

import pharmq.schema  # noqa: F401  (knows every room's tables)
from pharmq.base.clock import ManualClock
from pharmq.db import Database
from pharmq.db.migrate import migrate
from pharmq.journal import Journal
from pharmq.vault import MasterKey, Vault

# No test asserts wall time, and a busy machine may take a quarter of a second for anything.
settings.register_profile("pharmq", deadline=None)
settings.load_profile("pharmq")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """A migrated SQLite database of its own."""
    database = Database(f"sqlite:///{tmp_path / 'pharmq.db'}")
    await migrate(database)
    yield database
    await database.close()


@pytest.fixture
def journal(clock: ManualClock) -> Journal:
    return Journal(clock)


@pytest.fixture
async def vault(db: Database, clock: ManualClock) -> Vault:
    made = Vault(db, MasterKey.from_text(MasterKey.new_text()), clock)
    await made.load()
    return made
