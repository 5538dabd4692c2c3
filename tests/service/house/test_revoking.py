"""What is taken from somebody ends what they hold open, through the whole house and a simulated host."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from house_rig import ORIGIN, USER_PASSWORD, WholeHouse, whole_house
from pharmq.access import SYSTEM, Actor
from pharmq.access.people import WantedGrant
from pharmq.base.secret import Secret
from pharmq.consoles.service import PATH
from pharmq.jobs.model import VmRef

WITHIN_S = 5.0
"""Generous: the promise of one second is kept by what happens (at once), not measured here."""


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[WholeHouse]:
    async with whole_house(tmp_path) as made:
        yield made


class Screen:
    """A browser on a console, as the bare ASGI application sees it."""

    def __init__(self, house: WholeHouse, cookie: str, session_id: str) -> None:
        self.opened = asyncio.Event()
        self.closed: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self.came: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.came.put_nowait({"type": "websocket.connect"})
        # RFB 003.008, security type 1 (none), ClientInit shared: what noVNC sends.
        for part in (b"RFB 003.008\n", b"\x01", b"\x01"):
            self.came.put_nowait({"type": "websocket.receive", "bytes": part})
        scope = {
            "type": "websocket",
            "path": PATH + session_id,
            "client": ("127.0.0.1", 5),
            "subprotocols": ["binary"],
            "headers": [(b"origin", ORIGIN.encode()), (b"cookie", f"pharmq_session={cookie}".encode())],
        }
        self.task = asyncio.create_task(house.house.console_socket()(scope, self.came.get, self._send))

    async def _send(self, message: Any) -> None:
        if message["type"] == "websocket.send":
            self.opened.set()
        elif message["type"] == "websocket.close" and not self.closed.done():
            self.closed.set_result((message["code"], message.get("reason", "")))


class Person:
    """Somebody signed in, with one screen open and one stream running."""

    def __init__(self, house: WholeHouse, actor: Actor, cookie: str) -> None:
        self.house, self.actor, self.cookie = house, actor, cookie

    async def screen(self) -> Screen:
        running = next(one for one in self.house.house.inventory.view.of_pharmacy(1) if one.status == "running")
        ticket = await self.house.house.consoles.connect(self.actor, 1, running.vmid)
        screen = Screen(self.house, self.cookie, ticket.session_id)
        await asyncio.wait_for(screen.opened.wait(), 60)
        await self.house.until(lambda: self.house.house.consoles.open_count == 1)
        return screen

    def stream(self) -> "asyncio.Task[None]":
        async def listen() -> None:
            async for _ in self.house.house.live.stream(self.actor, None):
                pass

        return asyncio.create_task(listen())


async def person(house: WholeHouse, *grants: tuple[str, str]) -> Person:
    access = house.ground.access
    number = await access.create_user(SYSTEM, "kim", Secret(USER_PASSWORD), administrator=False, lang="ko")
    for path, role in grants:
        await access.people.grant(SYSTEM, number, WantedGrant(path, role))
    made = await access.sign_in("kim", Secret(USER_PASSWORD), "127.0.0.1", None)
    return Person(house, made.signed_in.actor, made.cookie.reveal())


@pytest.mark.parametrize(
    ("act", "cause"),
    [
        ("grant", "console.revoked"),
        ("user", "console.revoked"),
        ("session", "console.revoked"),
        ("offboarded", "console.revoked"),
        ("locked", "console.locked"),
        ("other manager", "console.revoked"),
    ],
)
async def test_what_is_taken_closes_the_console_and_the_stream(house: WholeHouse, act: str, cause: str) -> None:
    await house.user("boss", "/")
    kim = await person(house, ("/pharmacy/1", "operator"))
    screen, stream = await kim.screen(), kim.stream()
    await house.until(lambda: house.house.live.subscribers == 1)
    access, number = house.ground.access, kim.actor.id
    assert number is not None
    (grant,) = (await access.people.get(SYSTEM, number)).grants
    if act == "grant":
        await access.people.revoke(SYSTEM, number, grant.id)
    elif act == "user":
        await access.people.change(SYSTEM, number, "kim", "ko", disabled=True)
    elif act == "session":
        (row,) = await access.sessions.of(number, kim.actor)
        await access.sessions.end(SYSTEM, number, row.key)
    elif act == "offboarded":
        await access.leaving.offboard(SYSTEM, number, None, "")
    elif act == "locked":
        await access.sessions.lock(kim.actor)
    else:
        # Another process: the same act, but nobody here is told except by the journal.
        quiet, access.ground.listeners[:] = list(access.ground.listeners), []
        await access.people.revoke(SYSTEM, number, grant.id)
        access.ground.listeners[:] = quiet
    code, reason = await asyncio.wait_for(screen.closed, WITHIN_S)
    assert reason.partition("?")[0] == cause
    assert 4000 <= code < 4500  # refused: no browser tries again by itself
    await asyncio.wait_for(stream, WITHIN_S)
    await screen.task


async def test_what_is_given_leaves_the_console_open_and_begins_the_stream_anew(house: WholeHouse) -> None:
    kim = await person(house, ("/pharmacy/1", "operator"))
    screen, stream = await kim.screen(), kim.stream()
    await house.until(lambda: house.house.live.subscribers == 1)
    assert kim.actor.id is not None
    await house.ground.access.people.grant(SYSTEM, kim.actor.id, WantedGrant("/pharmacy/2", "viewer"))
    await asyncio.wait_for(stream, WITHIN_S)
    assert not screen.closed.done()
    (open_one,) = house.house.consoles.live.sessions.values()
    await house.until(lambda: len(open_one.actor.grants) == 2)
    screen.came.put_nowait({"type": "websocket.disconnect", "code": 1000})
    await screen.task


async def test_an_item_whose_owner_lost_the_right_is_not_sent(house: WholeHouse) -> None:
    """Permission is asked when the job comes, and again when its turn has come."""
    kim = await person(house, ("/pharmacy/1", "operator"))
    jobs, access = house.house.jobs, house.ground.access
    assert kim.actor.id is not None
    (grant,) = (await access.people.get(SYSTEM, kim.actor.id)).grants
    held = asyncio.Event()
    asked = jobs.runner.around.actor_now
    assert asked is not None

    async def wait_first(ref: Any) -> Actor | None:
        await held.wait()
        return await asked(ref)

    jobs.runner.around = jobs.runner.around._replace(actor_now=wait_first)
    vm = next(one for one in house.house.inventory.view.of_pharmacy(1) if one.status == "stopped")
    job = await jobs.submit(kim.actor, "start", vms=[VmRef(vm.host_id, vm.vmid)])
    await access.people.revoke(SYSTEM, kim.actor.id, grant.id)
    held.set()
    await house.until(lambda: jobs.board.open_count == 0)
    items, _ = await jobs.items(SYSTEM, job.id)
    assert [(item.state, item.reason) for item in items] == [("failed", "job.permission_gone")]
    assert items[0].upid is None
