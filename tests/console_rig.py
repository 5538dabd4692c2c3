"""A host around ``Consoles`` with nothing else in it: TLS, one request per connection, an injected clock.

Who asks is said by the header ``X-Authid``; logins, permissions and the rest of a host are tested elsewhere.
"""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from console_wire import PATIENCE, Rfb, Wire, websocket_path
from pharmq.base.clock import ManualClock
from pharmq_sim.console import Consoles
from pharmq_sim.faults import Faults
from pharmq_sim.message import ApiError, Request
from pharmq_sim.world import Guest, TaskRecord, World

T = TypeVar("T")
ROOT = "root@pam"


def certificate(directory: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pve")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    path = directory / "pve.pem"
    path.write_bytes(
        made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


class BareHost:
    """The part of a SimHost that consoles use."""

    def __init__(self, clock: ManualClock, version: str) -> None:
        self.clock = clock
        self.world = World(seed=7, version=version, auth_key="key of this host")
        self.faults = Faults()
        self.ca_pem = "-----BEGIN CERTIFICATE-----\n..."
        self.guest_listeners: list[Any] = []
        self.tasks: list[TaskRecord] = []
        self.interrupts: dict[str, asyncio.Event] = {}

    def now(self) -> datetime:
        return self.clock.now()

    def epoch(self) -> float:
        return self.now().timestamp()

    def begin_task(self, type_: str, id_: str, authid: str) -> TaskRecord:
        upid = f"UPID:pve:{len(self.tasks):08X}:00000000:00000000:{type_}:{id_}:{authid}:"
        task = TaskRecord(upid, "pve", 1, 1, 1, type_, id_, authid)
        self.tasks.append(task)
        self.interrupts[upid] = asyncio.Event()
        return task

    def end_task(self, task: TaskRecord, status: str = "OK", *log: str) -> None:
        task.status = task.status or status
        task.log.extend(log)

    def interrupted(self, task: TaskRecord) -> asyncio.Event:
        return self.interrupts[task.upid]


class Rig:
    """``async with Rig(tmp_path)``: a running host, its guests, and shortcuts to its consoles."""

    def __init__(self, directory: Path, version: str = "9.2") -> None:
        self.clock = ManualClock()
        self.host = BareHost(self.clock, version)
        self.consoles = Consoles(self.host)  # type: ignore[arg-type]
        self._directory = directory
        self._server: asyncio.Server | None = None
        self._wires: list[Wire] = []
        self.pos = self.add(Guest(100, "qemu", "POS-1", running=True, screen="pos", title="강남온누리약국"))
        self.kiosk = self.add(Guest(101, "qemu", "KIOSK-1", running=True, screen="kiosk"))
        self.ct = self.add(Guest(200, "lxc", "BACKUP", running=True, screen="backup"))

    def add(self, guest: Guest) -> Guest:
        self.host.world.guests[guest.vmid] = guest
        return guest

    async def __aenter__(self) -> "Rig":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate(self._directory))
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.consoles.aclose()
        for wire in self._wires:
            wire.close()
        assert self._server is not None
        self._server.close()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in head[1:] if line)}
        url = urlsplit(target)
        path = url.path.removeprefix("/api2/json")
        request = Request(method, target, path, "json", headers, dict(parse_qsl(url.query)))
        request.authid = headers["x-authid"]
        vmid = path.split("/")[4] if path.count("/") > 3 else ""
        guest = self.host.world.guests[int(vmid)] if vmid else None
        try:
            data = await self.consoles.websocket(request, guest, reader, writer)
        except ApiError as error:
            self._answer(writer, error.status, error.reason, {"data": None, "message": f"{error.reason}\n"})
            return
        if data is not None:
            self._answer(writer, 200, "OK", {"data": data})

    def _answer(self, writer: asyncio.StreamWriter, status: int, reason: str, body: dict[str, Any]) -> None:
        raw = json.dumps(body).encode()
        head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
        writer.write(head.encode() + raw)

    # --- shortcuts

    def base(self, guest: Guest | None) -> str:
        return "/nodes/pve" if guest is None else f"/nodes/pve/{guest.kind}/{guest.vmid}"

    async def vncproxy(self, guest: Guest, authid: str = ROOT, **params: str) -> dict[str, Any]:
        wanted = params or ({"websocket": "1"} | ({"generate-password": "1"} if guest.kind == "qemu" else {}))
        return await self.consoles.vncproxy(guest, authid, {k.replace("_", "-"): v for k, v in wanted.items()})

    async def wire(self) -> Wire:
        wire = await Wire.open("127.0.0.1", self.port)
        self._wires.append(wire)
        return wire

    async def upgrade(
        self, guest: Guest | None, reply: dict[str, Any], authid: str = ROOT, **change: str | None
    ) -> tuple[Wire, int, str, dict[str, str]]:
        """(wire, status, reason, headers) of the answer to an upgrade request."""
        wire = await self.wire()
        wire.send_upgrade(websocket_path(self.base(guest), reply), {"X-Authid": authid}, **change)
        return wire, *await asyncio.wait_for(wire.head(), PATIENCE)

    async def connected(self, guest: Guest, reply: dict[str, Any] | None = None, authid: str = ROOT) -> Rfb:
        """An upgraded connection, nothing read from it yet."""
        wire, status, reason, _ = await self.upgrade(guest, reply or await self.vncproxy(guest, authid), authid)
        assert (status, reason) == (101, "Switching Protocols")
        return Rfb(wire)

    async def console(self, guest: Guest, *, shared: bool = True) -> Rfb:
        """A session whose picture can be asked for."""
        reply = await self.vncproxy(guest)
        rfb = await self.connected(guest, reply)
        await self.drive(rfb.connect(reply.get("password") or reply["ticket"][:8], shared=shared))
        return rfb

    def power(self, guest: Guest, what: str) -> None:
        guest.running = what not in ("stopped", "removed")
        for listener in self.host.guest_listeners:
            listener(guest, what)

    # --- time

    async def breathe(self) -> None:
        """Let bytes that are under way arrive."""
        for _ in range(4):
            await asyncio.sleep(0.001)

    async def until(self, seen: Callable[[], bool]) -> None:
        """Wait, without moving the clock, until something that is under way has happened."""
        async with asyncio.timeout(PATIENCE):
            while not seen():
                await asyncio.sleep(0.001)

    async def drive(self, work: Awaitable[T], step: float = 0.25, most: float = 40.0) -> T:
        """The result of ``work`` while the clock runs by itself, in small steps, for at most ``most`` seconds."""
        task = asyncio.ensure_future(work)
        end = self.clock.monotonic() + most
        try:
            while not task.done():
                await self.breathe()
                if not task.done():
                    assert self.clock.monotonic() < end, f"nothing after {most} s"
                    await self.clock.advance(step)
            return task.result()
        finally:
            task.cancel()

    async def silent(self, wire: Wire, seconds: float) -> bool:
        """Whether not one byte comes, and the connection does not end, while ``seconds`` pass."""
        reading = asyncio.ensure_future(wire.reader.read(1))
        try:
            end = self.clock.monotonic() + seconds
            while self.clock.monotonic() < end and not reading.done():
                await self.clock.advance(min(30.0, end - self.clock.monotonic()))
                await self.breathe()
            return not reading.done()
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading
