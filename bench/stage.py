"""A simulated fleet and the real manager in processes of their own, as ``script/demo`` starts them."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from kit import children, die_with_parent, folder, free_port

READY = re.compile(r"PharmQ is ready: (\S+)  login admin / (\S+)  token (\S+)")


class Stage:
    """``url``, ``password`` and ``token`` of the manager, ``root_password`` of every host; ``manager`` and ``fleet``
    are process ids."""

    def __init__(self, url: str, password: str, token: str, fleet: int, control: int) -> None:
        self.url, self.password, self.token = url, password, token
        self.root_password = ""
        self.fleet = fleet
        self.manager = next(pid for pid in children(fleet) if b"\0serve\0" in Path(f"/proc/{pid}/cmdline").read_bytes())
        self.control = f"http://127.0.0.1:{control}"
        # A hundred connections are what a session has without being asked, and each console is one.
        self.http = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {token}"}, connector=aiohttp.TCPConnector(limit=0)
        )
        self.plain = aiohttp.ClientSession()

    async def get(self, path: str) -> Any:
        return await self.call("GET", path)

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        async with self.http.request(method, self.url + path, json=body) as response:
            text = await response.text()
            if response.status >= 400:
                raise RuntimeError(f"{method} {path}: {response.status} {text[:500]}")
            return json.loads(text) if text else None

    async def one_user_may(self, consoles: int) -> None:
        """Our one user stands for many people: they may have this many consoles open together."""
        settings = await self.get("/api/settings")
        await self.call("PUT", "/api/settings", settings | {"consoles_per_user": consoles})

    async def fault(self, number: int, name: str | None) -> None:
        """Set a fault on the host with this number (from 1), or clear all of its faults."""
        way = ("POST", f"/hosts/{number}/faults/{name}") if name else ("DELETE", f"/hosts/{number}/faults")
        async with self.plain.request(way[0], self.control + way[1]) as response:
            response.raise_for_status()

    async def sim_hosts(self) -> list[dict[str, Any]]:
        async with self.plain.get(self.control + "/hosts") as response:
            found: list[dict[str, Any]] = await response.json()
            return found

    async def until(self, what: str, wanted: int, count: Any, seconds: float = 120) -> None:
        """Wait until ``count(summary)`` is ``wanted``."""
        summary: Any = None
        for _ in range(int(seconds * 2)):
            summary = await self.get("/api/summary")
            if count(summary) == wanted:
                return
            await asyncio.sleep(0.5)
        raise RuntimeError(f"{what}: not {wanted} after {seconds:g} s: {summary}")

    async def aclose(self) -> None:
        await self.http.close()
        await self.plain.close()


async def _ready(process: asyncio.subprocess.Process) -> "re.Match[str]":
    text = ""
    assert process.stdout
    async for line in process.stdout:
        text += line.decode(errors="replace")
        if match := READY.search(text):
            return match
    raise RuntimeError(f"the demo ended:\n{text[-3000:]}")


@asynccontextmanager
async def stage(
    hosts: int, guests_per_host: float = 4.5, program: tuple[str, ...] = ("-m", "pharmq_sim")
) -> AsyncIterator[Stage]:
    """Hosts without faults, all online, all guests known. Everything ends with the block. ``program`` runs the demo."""
    with folder() as directory:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *program, "demo", "--hosts", str(hosts), "--port", str(free_port()),
            "--data-dir", str(directory), "--faults", "none", "--guests-per-host", str(guests_per_host),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, limit=1 << 20, preexec_fn=die_with_parent,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        try:
            match = await asyncio.wait_for(_ready(process), 240)
            control = json.loads((directory / "sim" / "control.json").read_text())["port"]
            made = Stage(*match.groups(), process.pid, control)
            made.root_password = (directory / "sim" / "password").read_text().strip()
            drain = asyncio.create_task(process.stdout.read())  # type: ignore[union-attr]
            try:
                yield made
            finally:
                await made.aclose()
                drain.cancel()
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                try:
                    await asyncio.wait_for(process.wait(), 15)
                except TimeoutError:
                    process.kill()
                    await process.wait()
