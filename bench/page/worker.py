"""The real application over a fleet in memory, without hosts: ``worker.py HOSTS DIRECTORY``.

Reads lines ``NAME TIMES`` from standard input, asks the application that often, answers one JSON line with CPU and
wall milliseconds of each request. Requests go into the ASGI application itself: authentication, gate, routing,
parameters, answer and headers count, a web server's reading and writing of sockets (the same at any size) does not.
"""

import asyncio
import json
import random
import resource
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import uvloop
from inventory.scale import furnish, guests
from inventory.words import WORDS

from pharmq.access import SYSTEM
from pharmq.base.config import Config, sqlite_url
from pharmq.base.secret import Secret
from pharmq.bootstrap import ROUTES, House, open_ground
from pharmq.web.app import create_app


def query(name: str, turn: int, vms: int) -> tuple[str, str]:
    """Path and query of one request."""
    match name:
        case "default" | "changed":
            return "/api/vms", ""
        case "anywhere":
            return "/api/vms", f"offset={random.randrange(vms - 100)}"
        case "type":
            return "/api/vms", "type=kiosk"
        case "status":
            return "/api/vms", "status=stopped&host_status=online"
        case "pharmacy":
            return "/api/vms", f"pharmacy_id={1 + turn % 199}"
        case "q":
            return "/api/vms", f"q={quote('강남온누리')}"
        case "words":
            return "/api/search", f"limit=20&q={quote(WORDS[turn % len(WORDS)])}"
        case "summary":
            return "/api/summary", ""
    raise ValueError(name)


class Asker:
    """Calls the application as a web server does."""

    def __init__(self, app: Any, token: str) -> None:
        self.app = app
        self.headers = [(b"host", b"127.0.0.1"), (b"authorization", b"Bearer " + token.encode())]

    async def ask(self, path: str, query: str) -> bytes:
        status, parts = 0, []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                parts.append(message.get("body", b""))

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": path, "raw_path": path.encode(), "root_path": "", "query_string": query.encode(),
            "headers": self.headers, "client": ("127.0.0.1", 50000), "server": ("127.0.0.1", 8420), "state": {},
        }  # fmt: skip
        await self.app(scope, receive, send)
        if status != 200:
            raise RuntimeError(f"{path}?{query}: {status} {b''.join(parts)[:300]!r}")
        return b"".join(parts)


async def main() -> None:
    hosts, directory = int(sys.argv[1]), Path(sys.argv[2])
    config = Config(data_dir=directory, database_url=sqlite_url(directory), key_file=directory / "master.key")
    async with open_ground(config) as ground:
        await ground.access.create_user(SYSTEM, "bench", Secret("correct horse"), administrator=True, lang="ko")
        token = (await ground.access.create_token(SYSTEM, "bench", "bench", None)).reveal()
        house = House(config, ground)
        furnish(house.directory, hosts)
        view = house.inventory.view
        view.take(guests(hosts))
        asker = Asker(create_app(config, ground.access, house.services(), ROUTES), token)
        total = json.loads(await asker.ask("/api/vms", "limit=1"))["total"]
        if total != hosts * 5:
            sys.exit(f"{total} guests")
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            name, times = line.split()
            cpu, wall = [], []
            for turn in range(int(times)):
                path, asked = query(name, turn, total)
                if name == "changed":
                    for vm_id in random.sample(range(1, total + 1), 50):
                        vm = view.get(vm_id)
                        assert vm is not None
                        view.take([vm])
                began, used = time.perf_counter_ns(), time.process_time_ns()
                await asker.ask(path, asked)
                cpu.append((time.process_time_ns() - used) / 1e6)
                wall.append((time.perf_counter_ns() - began) / 1e6)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(json.dumps({"cpu": cpu, "wall": wall, "peak_mib": peak}), flush=True)


uvloop.run(main())
