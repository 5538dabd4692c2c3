"""The stream through the real server: it begins at once, and a browser that leaves is noticed."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from litestar import Litestar
from litestar.di import Provide

from inventory_cast import ADMIN
from pharmq.access import Actor
from pharmq.base.clock import SystemClock
from pharmq.db import Database
from pharmq.journal import Journal
from pharmq.live import LiveService
from pharmq.live.routes import ROUTES


@pytest.fixture
async def live(db: Database) -> AsyncIterator[LiveService]:
    clock = SystemClock()

    async def fresh(actor: Actor) -> Actor | None:
        return actor

    made = LiveService(
        db,
        Journal(clock),
        clock,
        event=lambda row: row,
        may_see_event=lambda _actor, _row: True,
        summary=lambda _actor: {"n": 1},
        fresh=fresh,
    )
    made.register("jobs", lambda number: b'{"id":%d}' % number, lambda: [1, 2], lambda _number: None)
    await made.start()
    yield made
    await made.aclose()


@pytest.fixture
async def port(live: LiveService) -> AsyncIterator[int]:
    app = Litestar(
        ROUTES,
        dependencies={
            "actor": Provide(lambda: ADMIN, sync_to_thread=False),
            "live": Provide(lambda: live, sync_to_thread=False),
        },
        openapi_config=None,
    )
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    await live.aclose()
    server.should_exit = True
    await task


async def test_a_browser_comes_gets_a_snapshot_and_a_delta_and_leaves(live: LiveService, port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /api/stream HTTP/1.1\r\nHost: x\r\n\r\n")
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
    assert b"200 OK" in head
    assert b"text/event-stream" in head.lower()
    snapshot = await asyncio.wait_for(reader.readuntil(b'"parts":1'), 30)
    assert b"event: snapshot" in snapshot
    rest = await asyncio.wait_for(reader.readuntil(b"}\n\n"), 30)
    assert b'"jobs":[{"id":1},{"id":2}]' in rest
    live.touch("jobs", 2)
    delta = await asyncio.wait_for(reader.readuntil(b"}\n\n"), 30)
    assert b'"set":{"jobs":[{"id":2}]}' in delta
    assert live.subscribers == 1
    writer.close()
    for _ in range(3000):
        if live.subscribers == 0:
            break
        await asyncio.sleep(0.01)
    assert live.subscribers == 0
