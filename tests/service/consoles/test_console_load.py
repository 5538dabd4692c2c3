"""Many consoles at once, with ends of every kind: nothing is left behind, on either side."""

import asyncio
import gc
import os
import random
import weakref
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from consoles_rig import ADMIN, Closed, Rig, Viewer

from pharmq.base.clock import ManualClock
from pharmq.consoles.model import Wish
from pharmq.db import Database
from pharmq.journal import Journal
from pharmq.settings import RuntimeSettings
from pharmq_sim.api.power import power_off


@pytest.fixture
async def three(db: Database, journal: Journal, clock: ManualClock) -> AsyncIterator[Rig]:
    async with Rig(db, journal, clock, hosts=3) as running:
        yield running


async def watch(viewer: Viewer, seconds: float, rig: Rig, vanish: bool) -> str:
    """Ask for pictures until the time is over or the console ends."""
    until = rig.clock.monotonic() + seconds
    try:
        while rig.clock.monotonic() < until:
            await viewer.picture()
            await viewer.type("k")
            await rig.clock.sleep(1)
    except Closed as end:
        return end.cause
    if viewer.ended is not None:  # while it slept
        return viewer.ended.cause
    if vanish:
        connection = viewer.ws._conn
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()
        return "vanished"
    await viewer.ws.close()
    return "closed here"


async def echo(rig: Rig, words: list[str]) -> list[str]:
    """What a terminal gives back for each word: the sample whose bytes are compared."""
    ticket = await rig.service.connect(ADMIN, 1, 200, wish=Wish("terminal"))
    viewer = await rig.socket(ticket.session_id)
    await viewer.take(2)
    given = []
    for word in words:
        typed = f"echo {word}\r".encode()
        await viewer.send(b"0:%d:%s" % (len(typed), typed))
        got = b""
        while got.count(b"\r\n") < 2:
            got += await viewer.take(1)
        given.append(got.split(b"\r\n")[1].decode())
        await rig.clock.sleep(0.5)
    await viewer.ws.close()
    return given


async def test_fifty_consoles_leave_nothing_behind(three: Rig) -> None:
    """20 seconds: browsers leave, vanish, a VM stops, a host cuts everything; each end has its cause."""
    three.settings = RuntimeSettings(consoles_per_host=30, consoles_per_user=60)
    before = len(asyncio.all_tasks())
    descriptors = len(os.listdir("/proc/self/fd"))
    draw = random.Random(7)
    places = [(pharmacy, vmid) for pharmacy in (1, 2, 3) for vmid in (100, 101)]
    chosen = [places[i % len(places)] for i in range(50)]
    viewers = await asyncio.gather(*[three.open(vmid, pharmacy_id=pharmacy) for pharmacy, vmid in chosen])
    assert three.service.open_count == 50
    words = [f"{draw.getrandbits(400):x}" for _ in range(30)]
    sample = asyncio.create_task(echo(three, words))
    watching = [
        asyncio.create_task(watch(viewer, draw.uniform(4, 20), three, vanish=number % 4 == 0))
        for number, viewer in enumerate(viewers)
    ]
    await three.clock.sleep(3)
    host = three.fleet[2]
    power_off(host, host.world.guests[100])
    await three.clock.sleep(3)
    three.fleet[1].faults.set("refused")
    ends = Counter(await asyncio.gather(*watching))
    assert set(ends) <= {"closed here", "vanished", "console.vm_stopped_during", "console.host_unreachable"}
    assert min(ends[end] for end in ("closed here", "console.vm_stopped_during", "console.host_unreachable")) > 0
    assert await sample == words
    await three.idle()
    rows = await three.stored()
    causes = Counter(row.cause for row in rows)
    assert {row.state for row in rows} == {"closed"}
    assert causes["console.vm_stopped_during"] == ends["console.vm_stopped_during"]
    assert causes["console.host_unreachable"] == ends["console.host_unreachable"]
    assert causes["console.browser_lost"] == ends["vanished"]
    assert causes["console.closed_by_user"] == ends["closed here"] + 1
    for sim in three.fleet.hosts:
        for guest in sim.world.guests.values():
            await three.until(lambda s=sim, g=guest: s.consoles.screen(g)["sessions"] == 0, "host session ended")
    assert not three.service.live.turns.held
    assert list(three.service.live.screens.ids()) == []
    await three.until(lambda: len(asyncio.all_tasks()) <= before + 1, "tasks ended")
    await three.until(lambda: len(os.listdir("/proc/self/fd")) <= descriptors + 2, "sockets closed")


async def test_a_console_that_ended_is_freed_without_the_collector(three: Rig) -> None:
    """Its TLS holds half a megabyte: what waits for the collector is memory that a busy manager lacks."""
    gc.collect()
    gc.disable()
    try:
        viewer = await three.open(100)
        await viewer.picture()
        [session] = three.service.live.sessions.values()
        assert session.stream is not None
        kept = weakref.ref(session.stream)
        del session
        await viewer.ws.close()
        await three.idle()
        await three.until(lambda: kept() is None, "the host's stream is freed")
    finally:
        gc.enable()
