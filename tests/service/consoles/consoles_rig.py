"""The console room as it runs: real WebSockets on one side, simulated hosts over real TLS on the other."""

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self, cast

import aiohttp
import msgspec
import uvicorn
from sqlalchemy import insert, select

from pharmq import pve
from pharmq.access import Actor, Grant, Privilege, scope_of
from pharmq.base.clock import ManualClock, SystemClock
from pharmq.base.secret import Secret
from pharmq.consoles.model import Host, Target, Ticket
from pharmq.consoles.service import ConsolesService
from pharmq.consoles.socket import ConsoleSocket
from pharmq.consoles.tables import vnc_sessions_extended
from pharmq.db import Database
from pharmq.db.leases import Leases
from pharmq.hosts.tables import pharmacies, proxmox_hosts
from pharmq.journal import Journal, Row
from pharmq.settings import RuntimeSettings
from pharmq_sim.host import SimHost
from pharmq_sim.testing import PASSWORD, SimFleet

ORIGIN = "http://pharmq.test"


def person(number: int, name: str, path: str = "/", *privileges: Privilege, session: str | None = None) -> Actor:
    held = frozenset(privileges or Privilege)
    return Actor("user", number, name, (Grant(path, held),), "127.0.0.1", session=session or f"session-{name}")


ADMIN = person(1, "admin")
VIEWER = person(2, "viewer", "/", Privilege.SEE)
OPERATOR = person(3, "operator", "/host/1", Privilege.SEE, Privilege.CONSOLE_CONTROL)
STRANGER = Actor("user", 4, "stranger", (), "127.0.0.1", session="session-stranger")
CAST = {actor.name: actor for actor in (ADMIN, VIEWER, OPERATOR, STRANGER)}


class Known(msgspec.Struct, frozen=True):
    actor: Actor


class FakeCallers:
    """A cookie or token is the person's name. Names taken out are revoked."""

    def __init__(self) -> None:
        self.known = dict(CAST)

    async def by_cookie(self, cookie: str, source: str | None) -> Known | None:
        return Known(self.known[cookie]) if cookie in self.known else None

    async def by_token(self, token: str, source: str | None) -> Known | None:
        return await self.by_cookie(token, source)

    async def fresh(self, actor: Actor) -> Actor | None:
        return self.known.get(actor.name)


class FakeTargets:
    """A fixed list of VMs that a test may change."""

    def __init__(self) -> None:
        self.rows: dict[int, Target] = {}
        self.nodes: dict[int, Target] = {}

    def of_pharmacy(self, pharmacy_id: int, vmid: int) -> Sequence[Target]:
        return [t for t in self.rows.values() if t.pharmacy_id == pharmacy_id and t.vmid == vmid]

    def get(self, vm_id: int) -> Target | None:
        return self.rows.get(vm_id)

    def node(self, host_id: int) -> Target | None:
        return self.nodes.get(host_id)

    def change(self, vm_id: int, **fields: Any) -> None:
        self.rows[vm_id] = msgspec.structs.replace(self.rows[vm_id], **fields)


class Closed(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason

    @property
    def cause(self) -> str:
        return self.reason.partition("?")[0]


class Viewer:
    """A browser's noVNC, hand-written: RFB 3.8 without security, raw pixels."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.buffer = bytearray()
        self.width = self.height = 0
        self.name = ""
        self._arrived = asyncio.Event()
        self._end: Closed | None = None
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        """Browsers answer pings whether their page looks or not."""
        while self._end is None:
            message = await self.ws.receive()
            if message.type is aiohttp.WSMsgType.BINARY:
                self.buffer += message.data
            else:
                self._end = Closed(self.ws.close_code or 1006, _reason(message))
            self._arrived.set()

    @property
    def ended(self) -> Closed | None:
        """Why, once it has."""
        return self._end

    async def freeze(self) -> None:
        """Take nothing any more, and let the kernel take little."""
        assert self.ws._conn is not None
        assert self.ws._conn.transport is not None
        self.ws._conn.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        self._reading.cancel()
        await asyncio.wait([self._reading])

    async def take(self, size: int) -> bytes:
        while len(self.buffer) < size:
            if self._end is not None:
                raise self._end
            self._arrived.clear()
            await self._arrived.wait()
        taken = bytes(self.buffer[:size])
        del self.buffer[:size]
        return taken

    async def send(self, data: bytes) -> None:
        """Raises why the console ended, once it has."""
        try:
            await self.ws.send_bytes(data)
        except aiohttp.ClientConnectionResetError:
            await self._reading
            raise self._end or Closed(1006, "") from None

    async def greet(self) -> Self:
        assert await self.take(12) == b"RFB 003.008\n"
        await self.send(b"RFB 003.008\n")
        assert await self.take(2) == b"\x01\x01"
        await self.send(b"\x01")
        assert await self.take(4) == b"\0\0\0\0"
        await self.send(b"\x00")  # ClientInit, exclusive: the server must ask for a shared one all the same
        head = await self.take(24)
        self.width, self.height = int.from_bytes(head[:2], "big"), int.from_bytes(head[2:4], "big")
        self.name = (await self.take(int.from_bytes(head[20:24], "big"))).decode()
        return self

    async def picture(self) -> int:
        """Ask for the whole screen in raw pixels; how many bytes of pixels came."""
        await self.send(b"\x02\0\0\x01\0\0\0\0")
        size = self.width.to_bytes(2, "big") + self.height.to_bytes(2, "big")
        await self.send(b"\x03\0\0\0\0\0" + size)
        return await self.update()

    async def update(self) -> int:
        head = await self.take(4)
        assert head[0] == 0, f"message {head[0]}"
        pixels = 0
        for _ in range(int.from_bytes(head[2:4], "big")):
            rect = await self.take(12)
            area = int.from_bytes(rect[4:6], "big") * int.from_bytes(rect[6:8], "big") * 4
            assert rect[8:12] == b"\0\0\0\0"
            pixels += len(await self.take(area))
        return pixels

    async def type(self, text: str) -> None:
        for letter in text:
            keysym = ord(letter) if ord(letter) < 256 else 0x01000000 + ord(letter)
            for down in (1, 0):
                await self.send(bytes((4, down, 0, 0)) + keysym.to_bytes(4, "big"))

    async def closed(self) -> "Closed":
        """Read on until the server closes; why it did."""
        while True:
            try:
                await self.take(len(self.buffer) + 1)
            except Closed as end:
                return end


def _reason(message: aiohttp.WSMessage) -> str:
    return message.extra or "" if message.type is aiohttp.WSMsgType.CLOSE else ""


class Rig:
    """A manual ``clock`` is driven: it runs about ten times as fast as the wall's while real I/O goes on, and waits for
    the database, which on a busy machine may take its time."""

    def __init__(self, db: Database, journal: Journal, clock: ManualClock | SystemClock, hosts: int = 1) -> None:
        self.db = db
        self.journal = journal
        self.clock = clock
        self.fleet = SimFleet(hosts=hosts, clock=clock)
        self.targets = FakeTargets()
        self.callers = FakeCallers()
        self.settings = RuntimeSettings()
        self.clients: dict[int, pve.PveClient] = {}
        self.timeouts = pve.Timeouts()

    async def __aenter__(self) -> Self:
        await self.fleet.__aenter__()
        for number, host in enumerate(self.fleet.hosts, 1):
            await self._register(number, host)
        self.service = self.make_service("run-1")
        await self.service.start()
        await self._serve()
        self._driver = asyncio.create_task(self._drive())
        self._http = aiohttp.ClientSession()
        return self

    def make_service(self, owner: str) -> ConsolesService:
        return ConsolesService(
            db=self.db,
            clock=self.clock,
            journal=self.journal,
            leases=Leases(self.db, owner),
            targets=self.targets,
            host_of=lambda host_id: cast("Host", self.clients[host_id]),
            settings=lambda: self.settings,
            origin=ORIGIN,
            owner=owner,
            fresh=self.callers.fresh,
        )

    async def _serve(self) -> None:
        app = ConsoleSocket(self.service, self.callers, self.clock)
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            app,
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            ws_max_size=1 << 20,
            lifespan="off",
            log_level="warning",
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        self._serving = asyncio.create_task(self._server.serve([listener]))
        while not self._server.started:
            await asyncio.sleep(0.01)

    async def _drive(self) -> None:
        while isinstance(self.clock, ManualClock):
            await self.clock.advance(0.05)
            await asyncio.sleep(0.005)
            async with self.db.transaction():
                pass

    async def _register(self, number: int, host: SimHost) -> None:
        now = self.clock.now()
        async with self.db.transaction() as tx:
            await tx.conn.execute(
                insert(pharmacies).values(
                    pharmacy_id=number,
                    code=f"P{number}",
                    name=f"약국 {number}",
                    hours={},
                    closing_days=[],
                    created_at=now,
                    updated_at=now,
                )
            )
            await tx.conn.execute(
                insert(proxmox_hosts).values(
                    id=number,
                    pharmacy_id=number,
                    pharmacy_name=f"약국 {number}",
                    host_ip="127.0.0.1",
                    addresses=[],
                    host_port=host.port,
                    credential_kind="password",
                    username="root@pam",
                    status="online",
                    created_at=now,
                    updated_at=now,
                )
            )
        self.clients[number] = self.client_of(host)
        for guest in host.world.guests.values():
            vm_id = number * 1000 + guest.vmid
            self.targets.rows[vm_id] = Target(
                vm_id=vm_id,
                host_id=number,
                pharmacy_id=number,
                pharmacy_name=f"약국 {number}",
                vmid=guest.vmid,
                vm_name=guest.name,
                vm_type="pos",
                guest=pve.Guest(host.world.node, guest.kind, guest.vmid),
                status="running" if guest.running else "stopped",
                console="vnc",
                missing=False,
                host_status="online",
                host_reason=None,
                scope=scope_of(pharmacy_id=number, host_id=number, vm_id=vm_id),
            )

    def client_of(self, host: SimHost, password: str = PASSWORD) -> pve.PveClient:
        return pve.PveClient(
            pve.Endpoint("127.0.0.1", host.port),
            pve.PasswordCredential("root@pam", Secret(password)),
            frozenset({host.fingerprint}),
            clock=self.clock,
            timeouts=self.timeouts,
        )

    # -- what tests do

    async def connect(self, vmid: int = 100, actor: Actor = ADMIN, pharmacy_id: int = 1) -> Ticket:
        return await self.service.connect(actor, pharmacy_id, vmid)

    async def socket(
        self, session_id: str, cookie: str = "admin", origin: str | None = ORIGIN, via: int = 0, **headers: str
    ) -> Viewer:
        """``via``: the port of a proxy in front."""
        if origin is not None:
            headers["Origin"] = origin
        if cookie:
            headers["Cookie"] = f"pharmq_session={cookie}"
        url = f"ws://127.0.0.1:{via or self.port}/api/vnc/ws/{session_id}"
        return Viewer(await self._http.ws_connect(url, headers=headers, max_msg_size=0, autoping=True))

    async def open(self, vmid: int = 100, actor: Actor = ADMIN, pharmacy_id: int = 1) -> Viewer:
        ticket = await self.connect(vmid, actor, pharmacy_id)
        viewer = await self.socket(ticket.session_id, actor.name)
        return await viewer.greet()

    async def refused(self, vmid: int = 100) -> Closed:
        """Open a console that must fail after the claim; how it was closed."""
        ticket = await self.connect(vmid)
        try:
            await (await self.socket(ticket.session_id)).greet()
        except Closed as end:
            return end
        raise AssertionError("the console opened")

    async def pass_time(self, seconds: float) -> None:
        """In steps that leave pings and their answers the moment they need."""
        for _ in range(int(seconds // 15) + 1):
            if isinstance(self.clock, ManualClock):
                await self.clock.advance(min(15, seconds))
            await asyncio.sleep(0.02)

    async def until(self, condition: Any, what: str) -> None:
        for _ in range(2000):
            if condition():
                return
            await asyncio.sleep(0.005)
        raise AssertionError(f"never: {what}")

    async def journalled(self, kind: str | None = None) -> list[Row]:
        async with self.db.read() as conn:
            rows = await self.journal.read(conn, 0)
        return [row for row in rows if row.kind.startswith("console.") and kind in (None, row.kind)]

    async def stored(self) -> list[Any]:
        async with self.db.read() as conn:
            table = vnc_sessions_extended
            return list(await conn.execute(select(table).order_by(table.c.created_at)))

    async def idle(self) -> None:
        """Wait until every console of this process has ended and been written down."""
        await self.until(lambda: not self.service.live.sessions, "no console left")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()
        await self.service.aclose()
        self._server.should_exit = True
        await self._serving
        self._driver.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._driver
        for client in self.clients.values():
            await client.close()
        await self.fleet.__aexit__(kind, error, trace)
