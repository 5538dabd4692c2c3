"""The real application over a fleet in memory that moves as polls move one: ``manager.py HOSTS DIRECTORY PORT [UI]``.

``UI``: another built user interface than the product's own. Hosts are not asked; what they would have said goes where
polls put it. Each tells of new measurements every ten seconds, 400 hosts a second at most, and one guest in six
thousand starts or stops each second (one at least).
"""

import asyncio
import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import uvicorn
import uvloop
from inventory.scale import GUESTS, answer, furnish, guests
from msgspec.structs import replace

import pharmq.web.app as web
from pharmq.access import SYSTEM
from pharmq.base.config import Config, sqlite_url
from pharmq.base.secret import Secret
from pharmq.bootstrap import ROUTES, House, open_ground
from pharmq.web.static_files import UiFiles

PASSWORD = "correct horse battery"
BEAT_S = 0.25


async def move(house: House, hosts: int) -> None:
    """What polls would bring, a beat's worth at a time."""
    view, directory, live = house.inventory.view, house.directory, house.live
    polls, changes = min(400, hosts / 10) * BEAT_S, max(1, hosts * len(GUESTS) / 6000) * BEAT_S
    polled = changed = 0
    for beat in count(1):
        await asyncio.sleep(BEAT_S)
        if not live.subscribers:
            continue
        now = datetime.now(UTC)
        while polled < beat * polls:
            host = 1 + polled * 7 % hosts
            polled += 1
            directory.put_state(
                host, replace(directory.state(host), last_contact=now, last_check=now, cpu=polled % 100 / 100)
            )
            await house.inventory.apply(host, answer(host, polled), house.ground.clock.monotonic())
        while changed < beat * changes:
            vm = view.get(1 + changed * 7919 % len(view))
            changed += 1
            if vm is not None:
                view.take([replace(vm, status="stopped" if vm.status == "running" else "running")])


async def main() -> None:
    hosts, data, port = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    if sys.argv[4:]:
        web.UiFiles = lambda: UiFiles(Path(sys.argv[4]))  # type: ignore[misc,assignment]
    config = Config(data_dir=data, database_url=sqlite_url(data), key_file=data / "master.key", port=port)
    async with open_ground(config) as ground:
        await ground.access.create_user(SYSTEM, "admin", Secret(PASSWORD), administrator=True, lang="ko")
        house = House(config, ground)
        furnish(house.directory, hosts)
        house.inventory.view.take(guests(hosts))
        await house.live.start()
        app = web.create_app(config, ground.access, house.services(), ROUTES)
        moving = asyncio.create_task(move(house, hosts))
        settings = uvicorn.Config(
            app, host="127.0.0.1", port=port, loop="uvloop", http="httptools", lifespan="off", access_log=False,
            log_config=None, timeout_graceful_shutdown=1,
        )  # fmt: skip
        await uvicorn.Server(settings).serve()
        moving.cancel()
        await house.live.aclose()


uvloop.run(main())
