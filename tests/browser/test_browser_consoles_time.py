"""A console left alone for longer than a host keeps one that says nothing: manager and host live by a clock of ours."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from playwright.async_api import expect

from browser.stage import quick_consoles, until
from browser.test_browser_consoles import moving
from browser.visit import Visiting
from house_rig import Session, WholeHouse
from pharmq.access.gate import COOKIE
from pharmq.base.clock import ManualClock
from pharmq.base.config import Config, sqlite_url
from pharmq.bootstrap import House, open_ground
from pharmq.consoles.live import WATCH_SECONDS
from pharmq.server import _with_consoles
from pharmq_sim.console import Consoles
from pharmq_sim.console.service import IDLE_S
from pharmq_sim.qemu import QemuGuest
from pharmq_sim.testing import SimFleet

MINUTES = 16


@asynccontextmanager
async def served(house: WholeHouse, listener: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(
        _with_consoles(house.app, house.house),
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=1 << 20,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=3,
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serving = asyncio.create_task(server.serve([listener]))
    await until(lambda: server.started, "the server")
    try:
        yield
    finally:
        await house.house.hang_up()
        server.should_exit = True
        await serving


@asynccontextmanager
async def house_at(folder: Path, clock: ManualClock, url: str) -> AsyncIterator[WholeHouse]:
    """The whole product in this process; its time goes on with the real one unless a test moves it faster."""
    config = Config(
        data_dir=folder, database_url=sqlite_url(folder), key_file=folder / "keys" / "master.key", public_url=url
    )

    async def go_on() -> None:
        while True:
            await asyncio.sleep(0.02)
            await clock.advance(0.02)

    going = asyncio.create_task(go_on())
    try:
        async with (
            SimFleet(hosts=2, clock=clock, consoles=quick_consoles) as fleet,
            open_ground(config, clock) as ground,
            House(config, ground) as house,
        ):
            made = WholeHouse(config, ground, house, fleet)
            await made.furnish()
            yield made
    finally:
        going.cancel()
        with suppress(asyncio.CancelledError):
            await going


async def test_a_console_left_alone_for_sixteen_minutes(tmp_path: Path, visiting: Visiting) -> None:
    assert MINUTES * 60 > IDLE_S
    clock = ManualClock(datetime.now(UTC))
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with house_at(tmp_path, clock, url) as house, served(house, listener):
        host = house.fleet.hosts[0]
        guest = host.world.guests[100]
        machine = QemuGuest("100 POS-1")
        assert isinstance(host.consoles, Consoles)
        host.consoles.use_qemu(guest, machine)
        await until(lambda: machine.running, "QEMU")
        person: Session = await house.signed_in("kim", [("/", "operator")])
        visit = await visiting(url)
        await visit.context.add_cookies([{"name": COOKIE, "value": person.cookie, "url": url}])
        vm = house.house.inventory.view.at(1, 100)
        assert vm is not None
        page = await visit.page(f"/consoles?vm={vm.id}")
        await expect(page.locator(".console-tab.on")).to_contain_text("연결됨")
        await moving(page)
        # A picture that stands still: neither side has anything to say.
        await machine.follow("paused")
        for _ in range(int(MINUTES * 60 / WATCH_SECONDS)):
            await clock.advance(WATCH_SECONDS)
            await asyncio.sleep(0.01)
        await machine.follow("resumed")
        await expect(page.locator(".console-tab.on")).to_contain_text("연결됨")
        await page.locator(".tile canvas").focus()
        await page.keyboard.type("still here")
        await until(lambda: _typed(machine, "still here"), "keys after a quarter of an hour")
        tasks = [task for task in host.world.tasks if task.type == "vncproxy"]
        assert [task.status for task in tasks] == [""], tasks
        visit.expects_outage()
        await page.close()


async def _typed(machine: QemuGuest, text: str) -> bool:
    return await machine.refresh() == text
