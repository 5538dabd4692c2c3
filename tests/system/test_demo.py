"""The demo as the README says it: one command, one line, an orderly end, and the same world again."""

import asyncio
import signal
import socket
from pathlib import Path

import aiohttp
import pytest

from system_rig import READY, alive_with, demo_command, free_port, listening, running

ENDS_WITHIN = 5.0


async def summary(url: str, token: str) -> dict:
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(f"{url}/api/summary") as answer:
        return await answer.json()


async def vm_rows(url: str, token: str) -> list[tuple]:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{url}/api/vms", params={"limit": "1000"}) as answer,
    ):
        rows = (await answer.json())["items"]
    return [(row["id"], row["host_id"], row["vmid"], row["vm_name"]) for row in rows]


async def test_one_command_shows_the_plans_numbers_ends_cleanly_and_comes_back_the_same(tmp_path: Path) -> None:
    port = free_port()
    command = demo_command(tmp_path, port, 100)
    async with running(command) as demo:
        url, _, token = (await demo.wait_for(READY, 240)).groups()
        assert url == f"http://127.0.0.1:{port}"
        seen = await summary(url, token)
        assert (seen["hosts"]["total"], seen["hosts"]["offline"]) == (100, 15)
        assert (seen["vms"]["total"], seen["vms"]["running"]) == (450, 380)
        assert len(seen["hosts"]["reasons"]) >= 4
        first = await vm_rows(url, token)
        log = tmp_path / "pharmq.log"
        before = len(log.read_text())
        assert await demo.end(signal.SIGTERM, ENDS_WITHIN) == 0
        # The manager ends first: it does not see its hosts go (on a busy machine one may still be too slow for it).
        assert "host.offline refused" not in log.read_text()[before:]
    assert not listening(port)
    assert alive_with(str(tmp_path)) == []
    async with running(command) as demo:
        _, _, again = (await demo.wait_for(READY, 240)).groups()
        assert again == token
        assert await vm_rows(url, again) == first
        assert (await summary(url, again))["hosts"]["offline"] == 15
        assert await demo.end(signal.SIGINT, ENDS_WITHIN) == 0
    assert alive_with(str(tmp_path)) == []


@pytest.mark.parametrize("how", [signal.SIGKILL])
async def test_a_killed_demo_leaves_nothing_behind(tmp_path: Path, how: signal.Signals) -> None:
    port = free_port()
    async with running(demo_command(tmp_path, port, 2)) as demo:
        await demo.wait_for(READY, 240)
        await demo.end(how)
    for _ in range(300):
        if not alive_with(str(tmp_path)):
            break
        await asyncio.sleep(0.1)
    assert alive_with(str(tmp_path)) == []
    assert not listening(port)


async def test_a_port_in_use_is_said_before_anything_else_answers_there(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        async with running(demo_command(tmp_path, taken.getsockname()[1], 1)) as demo:
            assert await demo.process.wait() == 1
            await demo.end()
    assert "Choose another one with --port" in demo.text
