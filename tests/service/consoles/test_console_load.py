"""Many consoles at once, with ends of every kind: nothing is left behind, on either side."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from consoles_rig import Closed, Rig, Viewer

from pharmq.base.clock import ManualClock
from pharmq.db import Database
from pharmq.journal import Journal
from pharmq.settings import RuntimeSettings
from pharmq_sim.api.power import power_off


@pytest.fixture
async def three(db: Database, journal: Journal, clock: ManualClock) -> AsyncIterator[Rig]:
    async with Rig(db, journal, clock, hosts=3) as running:
        yield running


async def watch(viewer: Viewer, seconds: float, rig: Rig) -> str:
    """Ask for pictures until the time is over or the console ends."""
    until = rig.clock.monotonic() + seconds
    try:
        while rig.clock.monotonic() < until:
            await viewer.picture()
            await viewer.type("k")
            await rig.clock.sleep(0.5)
    except Closed as end:
        return end.cause
    await viewer.ws.close()
    return "closed here"


async def test_fifty_consoles_leave_nothing_behind(three: Rig) -> None:
    three.settings = RuntimeSettings(consoles_per_host=30, consoles_per_user=60)
    before = len(asyncio.all_tasks())
    draw = random.Random(7)
    places = [(pharmacy, vmid) for pharmacy in (1, 2, 3) for vmid in (100, 101)]
    chosen = [places[i % len(places)] for i in range(50)]
    viewers = await asyncio.gather(*[three.open(vmid, pharmacy_id=pharmacy) for pharmacy, vmid in chosen])
    assert three.service.open_count == 50
    watching = [asyncio.create_task(watch(viewer, draw.uniform(2, 6), three)) for viewer in viewers]
    await three.clock.sleep(1)
    host = three.fleet[2]
    power_off(host, host.world.guests[100])
    ends = await asyncio.gather(*watching)
    assert set(ends) == {"closed here", "console.vm_stopped_during"}
    await three.idle()
    rows = await three.stored()
    assert {row.state for row in rows} == {"closed"}
    assert {row.cause for row in rows} == {"console.closed_by_user", "console.vm_stopped_during"}
    assert ends.count("console.vm_stopped_during") == sum(row.cause == "console.vm_stopped_during" for row in rows)
    for sim in three.fleet.hosts:
        for guest in sim.world.guests.values():
            await three.until(lambda s=sim, g=guest: s.consoles.screen(g)["sessions"] == 0, "host session ended")
    assert not three.service.live.turns.held
    await three.until(lambda: len(asyncio.all_tasks()) <= before + 1, "tasks ended")
