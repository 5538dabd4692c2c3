"""A raw HTTPS client for the simulator's tests: sees status lines, repeated headers and missing lengths."""

import asyncio
import json
import ssl
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from pharmq.base.clock import ManualClock
from pharmq_sim.host import SimHost
from pharmq_sim.testing import PASSWORD

T = TypeVar("T")


@dataclass
class Got:
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)["data"]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, host: SimHost) -> "Wire":
        return cls(*await asyncio.open_connection(host.address, host.port, ssl=trusting()))

    async def send(self, raw: bytes) -> Got:
        self.writer.write(raw)
        return await self.read()

    async def read(self) -> Got:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()[:-4].split("\r\n")
        _, status, reason = head[0].split(" ", 2)
        headers = [(line.split(": ", 1)[0], line.split(": ", 1)[1]) for line in head[1:]]
        lengths = [int(value) for key, value in headers if key == "Content-Length"]
        body = await self.reader.readexactly(lengths[0]) if lengths else b""
        return Got(int(status), reason, headers, body)

    async def closed(self) -> bool:
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self.writer.close()


def message(method: str, path: str, headers: dict[str, str] | None = None, form: Any = None) -> bytes:
    body = urlencode(form).encode() if form is not None else b""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1:8006"]
    if form is not None:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    lines += [f"{key}: {value}" for key, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def passing(clock: ManualClock, host: SimHost, work: Awaitable[T], step: float = 0.5) -> T:
    """Await ``work`` while the simulator's clock runs: it starts to run once the request has arrived."""
    seen = host.requests
    task = asyncio.ensure_future(work)
    while host.requests == seen and not task.done():
        await asyncio.sleep(0.001)
    while not task.done():
        await asyncio.sleep(0.002)
        await clock.advance(step)
    return await task


class Client:
    """Logged in as root; each request on a connection of its own."""

    def __init__(self, host: SimHost, clock: ManualClock) -> None:
        self.host, self.clock = host, clock
        self.headers: dict[str, str] = {}
        self.ticket = ""

    async def login(self, username: str = "root@pam", password: str = PASSWORD) -> Got:
        got = await self.call("POST", "/access/ticket", {"username": username, "password": password})
        if got.status == 200:
            self.ticket = got.data["ticket"]
            self.headers = {
                "Cookie": f"PVEAuthCookie={quote(self.ticket, safe='')}",
                "CSRFPreventionToken": got.data["CSRFPreventionToken"],
            }
        return got

    def use_token(self, token: str) -> None:
        self.headers = {"Authorization": f"PVEAPIToken={token}"}

    async def call(self, method: str, path: str, form: Any = None) -> Got:
        if form is None and method in ("POST", "PUT"):
            form = {}

        async def once() -> Got:
            wire = await Wire.open(self.host)
            try:
                return await wire.send(message(method, f"/api2/json{path}", self.headers, form))
            finally:
                wire.close()

        return await passing(self.clock, self.host, once())

    async def get(self, path: str) -> Any:
        got = await self.call("GET", path)
        assert got.status == 200, (got.status, got.reason)
        return got.data

    async def task(self, path: str, form: Any = None, *, method: str = "POST", seconds: float = 60) -> str:
        """Start a task, let ``seconds`` pass at most, return its exit status."""
        upid = await self.start(path, form, method=method)
        for _ in range(int(seconds * 2)):
            row = await self.get(f"/nodes/pve/tasks/{quote(upid)}/status")
            if row["status"] == "stopped":
                return str(row["exitstatus"])
            await self.clock.advance(0.5)
        raise AssertionError(f"{path}: still running after {seconds} s")

    async def start(self, path: str, form: Any = None, *, method: str = "POST") -> str:
        got = await self.call(method, path, form)
        assert got.status == 200, (got.status, got.reason)
        return str(got.data)

    async def log(self, upid: str) -> list[str]:
        return [row["t"] for row in await self.get(f"/nodes/pve/tasks/{quote(upid)}/log")]
