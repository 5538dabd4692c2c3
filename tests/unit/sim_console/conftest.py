from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console_rig import Rig


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path) as running:
        yield running
