"""Hosts that keep what went over their consoles, and browsers that do the same: compared byte for byte."""

import asyncio
import os
import random
import time
from collections import deque
from typing import Any

import aiohttp
from stage import Stage
from viewer import Viewer

from pharmq_sim.console import Consoles
from pharmq_sim.console.bridge import Connection
from pharmq_sim.console.service import _Listener
from pharmq_sim.host import SimHost
from pharmq_sim.testing import PASSWORD, SimFleet

KEPT = 24 << 20
#: what goes over either connection before ServerInit or after ClientInit (RFB 3.8): with us it is another talk than
#: with the host, whose password the browser never sees
BROWSER_DOWN, BROWSER_UP = 12 + 2 + 4, 12 + 1 + 1
HOST_DOWN, HOST_UP = 12 + 2 + 16 + 4, 12 + 1 + 16 + 1


class Tape:
    """Both directions of one console, up to a limit."""

    def __init__(self) -> None:
        self.down = bytearray()
        self.up = bytearray()
        self.ended = asyncio.Event()

    @staticmethod
    def keep(on: bytearray, data: bytes) -> None:
        on += data[: max(0, KEPT - len(on))]


class TapedSocket:
    """A browser's WebSocket that keeps what passes."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._ws = ws
        self.tape = Tape()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ws, name)

    async def receive(self) -> aiohttp.WSMessage:
        message = await self._ws.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            Tape.keep(self.tape.down, message.data)
        return message

    async def send_bytes(self, data: bytes) -> None:
        await self._ws.send_bytes(data)
        Tape.keep(self.tape.up, data)


class TapedViewer(Viewer):
    def __init__(self, ws: aiohttp.ClientWebSocketResponse, began: float) -> None:
        self.taped = TapedSocket(ws)
        super().__init__(self.taped, began)  # type: ignore[arg-type]


class TapingConsoles(Consoles):
    """Keeps the consoles of each guest in the order in which they came."""

    def __init__(self, host: SimHost) -> None:
        super().__init__(host)
        self.tapes: dict[int, deque[Tape]] = {}

    async def _session(self, connection: Connection, listener: _Listener) -> None:
        tape = Tape()
        self.tapes.setdefault(int(listener.task.id), deque()).append(tape)
        send, receive = connection.send, connection.recv

        async def sent(data: bytes) -> None:
            Tape.keep(tape.down, data)
            await send(data)

        async def received() -> bytes:
            data = await receive()
            Tape.keep(tape.up, data)
            return data

        connection.send, connection.recv = sent, received  # type: ignore[method-assign]
        try:
            await super()._session(connection, listener)
        finally:
            tape.ended.set()


class Sample:
    """``differences`` says where bytes were not the same; ``compared`` how many were, down and up."""

    def __init__(self, on: Stage, fleet: SimFleet, seed: int) -> None:
        self.on = on
        self.fleet = fleet
        self.draw = random.Random(seed)
        self.consoles = 0
        self.compared = [0, 0]
        self.differences: list[str] = []
        self.vms: list[tuple[TapingConsoles, dict[str, Any]]] = []

    async def register(self) -> None:
        """The hosts become pharmacies of the manager."""
        body = {"name": "sample", "kind": "password", "username": "root@pam", "secret": PASSWORD}
        credential = await self.on.call("POST", "/api/credentials", body)
        for number, host in enumerate(self.fleet.hosts, 1):
            pharmacy = await self.on.call(
                "POST", "/api/pharmacies", {"code": f"S-{number}", "name": f"표본약국 {number}"}
            )
            form = {
                "pharmacy_id": pharmacy["id"],
                "host_ip": host.address,
                "host_port": host.port,
                "fingerprint": host.fingerprint,
                "credential_id": credential["id"],
            }
            await self.on.call("POST", "/api/proxmox/hosts", form)
            rows: list[dict[str, Any]] = []
            while not rows:
                await asyncio.sleep(0.5)
                rows = (await self.on.get(f"/api/vms?pharmacy_id={pharmacy['id']}&status=running&limit=100"))["items"]
            assert isinstance(host.consoles, TapingConsoles)
            self.vms += [(host.consoles, row) for row in rows if row["vmid"] in (100, 101)]

    async def person(self, number: int, end: float) -> None:
        """Opens one VM again and again, types, pastes and watches, and compares after each time."""
        consoles, vm = self.vms[number]
        while time.monotonic() < end - 5:
            try:
                viewer = await TapedViewer.open(self.on, vm)
            except (RuntimeError, OSError):
                await asyncio.sleep(2)
                continue
            stay = min(end, time.monotonic() + self.draw.uniform(10, 50))
            typing = asyncio.create_task(self._type(viewer, stay))
            whole = False
            try:
                await viewer.watch(stay, 1.0)
                whole = self.draw.random() < 0.7
            except (RuntimeError, OSError):
                await asyncio.sleep(1)
            finally:
                typing.cancel()
                await asyncio.wait([typing])
            if not whole:
                viewer.vanish()
            await viewer.close()
            await self._compare(consoles.tapes[vm["vmid"]], viewer.taped.tape, f"{vm['vm_name']} of {number}", whole)

    async def _type(self, viewer: Viewer, end: float) -> None:
        while time.monotonic() < end - 1:
            await asyncio.sleep(self.draw.uniform(0.1, 2))
            if self.draw.random() < 0.2:
                text = os.urandom(self.draw.randint(1, 200_000))
                await viewer.ws.send_bytes(b"\x06\0\0\0" + len(text).to_bytes(4, "big") + text)
            else:
                key = self.draw.randint(0x20, 0x7E).to_bytes(4, "big")
                await viewer.ws.send_bytes(b"\x04\1\0\0" + key + b"\x04\0\0\0" + key)

    async def _compare(self, tapes: deque[Tape], browser: Tape, name: str, whole: bool) -> None:
        host = tapes.pop()
        async with asyncio.timeout(30):
            await host.ended.wait()
        tapes.clear()
        self.consoles += 1
        for way, (ours, theirs) in enumerate((
            (browser.down[BROWSER_DOWN:], host.down[HOST_DOWN:]), (browser.up[BROWSER_UP:], host.up[HOST_UP:]),
        )):  # fmt: skip
            size = min(len(ours), len(theirs))
            self.compared[way] += size
            if ours[:size] != theirs[:size]:
                at = next(at for at in range(size) if ours[at] != theirs[at])
                self.differences.append(f"{name}: {('down', 'up')[way]} differs at byte {at}")
            if way == 1 and whole and len(ours) != len(theirs):
                self.differences.append(f"{name}: {len(ours)} bytes typed, {len(theirs)} arrived")

    def left(self) -> int:
        """Consoles that the hosts still run, or still listen for."""
        return sum(
            task.status == "" for host in self.fleet.hosts for task in host.world.tasks if task.type == "vncproxy"
        )
