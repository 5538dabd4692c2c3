from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import AsyncTestClient

from pharmq.access.routes import ROUTES
from pharmq.access.routes_own import ROUTES as OWN_ROUTES
from pharmq.access.routes_people import ROUTES as PEOPLE_ROUTES
from pharmq.access.service import AccessService
from pharmq.base.clock import ManualClock
from pharmq.base.config import Config
from pharmq.db import Database
from pharmq.journal import Journal
from pharmq.settings import SettingsService
from pharmq.vault import Vault
from pharmq.web.app import create_app

ORIGIN = "http://testserver.local"


@pytest.fixture
def access(db: Database, journal: Journal, vault: Vault, clock: ManualClock) -> AccessService:
    return AccessService(db, journal, SettingsService(db, journal, clock), vault, clock)


@pytest.fixture
async def client(access: AccessService, tmp_path: Path) -> AsyncIterator[AsyncTestClient[Any]]:
    """The room's own routes behind the real gate."""
    config = Config(data_dir=tmp_path, database_url="", public_url=ORIGIN)
    app = create_app(config, access, {}, [*ROUTES, *OWN_ROUTES, *PEOPLE_ROUTES])
    async with AsyncTestClient(app, base_url=ORIGIN) as made:
        yield made
