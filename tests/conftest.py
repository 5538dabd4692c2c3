"""Fixtures that every kind of test shares."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from database_rig import sqlite_database
from pharmq.base.clock import ManualClock
from pharmq.db import Database
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
    database = Database(await sqlite_database(tmp_path / "pharmq.db"))
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
