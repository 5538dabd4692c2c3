from collections.abc import AsyncIterator

import pytest
from sim_rig import Client

from pharmq.base.clock import ManualClock
from pharmq_sim.host import SimHost
from pharmq_sim.testing import SimFleet


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def host(clock: ManualClock) -> AsyncIterator[SimHost]:
    async with SimFleet(clock=clock) as fleet:
        yield fleet[0]


@pytest.fixture
async def client(host: SimHost, clock: ManualClock) -> Client:
    client = Client(host, clock)
    await client.login()
    return client
