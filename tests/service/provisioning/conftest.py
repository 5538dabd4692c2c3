"""A simulated host of a given version, known by root's password."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from provisioning_world import World, make_world


@pytest.fixture(params=["7.4", "8.4", "9.2"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with make_world(tmp_path, request.param) as made:
        yield made


@pytest.fixture
async def newest(tmp_path: Path) -> AsyncIterator[World]:
    async with make_world(tmp_path, "9.2", hosts=3) as made:
        yield made
