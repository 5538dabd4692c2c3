"""A journal of people's acts over a real database, and the services that read it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from inventory_cast import fill_database, make_directory
from pharmq.audit import AuditService
from pharmq.audit.auditing import Auditing
from pharmq.audit.keys import SigningKeys
from pharmq.audit.proof import ProofService
from pharmq.base.clock import ManualClock
from pharmq.db import Database
from pharmq.db.leases import Leases
from pharmq.inventory import View
from pharmq.journal import Journal
from pharmq.settings import RuntimeSettings
from pharmq.vault import Vault


class Kept:
    """Settings that a test may replace."""

    def __init__(self) -> None:
        self.current = RuntimeSettings()

    def __call__(self) -> RuntimeSettings:
        return self.current


@pytest.fixture
def settings() -> Kept:
    return Kept()


@pytest.fixture
async def auditing(
    db: Database, vault: Vault, clock: ManualClock, settings: Kept, tmp_path: Path
) -> AsyncIterator[Auditing]:
    keys = await SigningKeys.load(db, vault, clock)
    journal = Journal(clock, keys)
    directory = make_directory()
    await fill_database(db, directory, clock.now())
    proof = ProofService(db, journal, keys, clock, tmp_path / "witness")
    events = AuditService(db, journal, directory, View(directory))
    made = Auditing(events, proof, Leases(db, "owner"), settings)
    made.directory = directory  # type: ignore[attr-defined]
    yield made
    await made.aclose()
