"""What one host answers to vncproxy, termproxy and vncwebsocket."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pharmq.base.clock import within
from pharmq.base.spawn import Spawner
from pharmq_sim.console import terminal, tickets
from pharmq_sim.console.bridge import Connection
from pharmq_sim.console.guest_screen import GuestScreen, Input
from pharmq_sim.console.pixels import QEMU_FORMAT, VNCTERM_FORMAT
from pharmq_sim.console.scenes import Look
from pharmq_sim.console.upgrade import refuse_upgrade, switch_protocols, upgrade_error
from pharmq_sim.console.vncserver import VncServer
from pharmq_sim.message import ApiError, Request, parameter_error
from pharmq_sim.qemu import QemuFailed, QemuGuest
from pharmq_sim.world import Guest, TaskRecord

if TYPE_CHECKING:  # the host imports us
    from pharmq_sim.host import SimHost

PORTS = range(5900, 6000)
#: a port stays reserved so long after it was given out (PVE::Tools::next_unused_port)
RESERVED_S = 5.0
#: the listener takes one connection within this time, or its task ends with "connection timed out"
LISTEN_S = 10.0
#: ``qm vncproxy`` sets the VM's password with this life when it starts
PASSWORD_S = 30.0
#: and gives up after a quarter of an hour without a byte in either direction (qm.pm:75)
IDLE_S = 900.0
#: a guest that goes takes its sessions with it this much later (0.12 to 0.2 s observed)
CUT_S = 0.15

_UNKNOWN_PARAMETER = "property is not defined in schema and the schema does not allow additional properties"

#: exit status and the log lines before it
Outcome = tuple[str, list[str]]
Process = Callable[[Connection], Awaitable[Outcome]]


@dataclass(eq=False, slots=True)
class _Listener:
    """One vncproxy or termproxy that waits for its only connection."""

    task: TaskRecord
    process: Process
    idle_s: float | None
    accepted: asyncio.Event = field(default_factory=asyncio.Event)


def generates_password(version: str, kind: str) -> bool:
    """Whether a password is always made and tickets are bound to their port: qemu-server 9.1.7 and 8.4.7,
    pve-container 6.1.3 (April 2026); a host that plays 8.4 is an up-to-date one."""
    major, _, minor = version.partition(".")
    return (int(major), int(minor or 0)) >= ((8, 4) if kind == "qemu" else (9, 1))


class Consoles:
    """All consoles of one host (``pharmq_sim.host.ConsoleService``)."""

    def __init__(self, host: "SimHost", *, first_byte: tuple[float, float] = (0.3, 1.3)) -> None:
        """``first_byte``: between how many seconds after the 101 the first RFB byte comes (a Perl process starts)."""
        self.host = host
        self.first_byte = first_byte
        self._rng = random.Random(host.world.seed ^ 0x5900)
        self._spawner = Spawner(f"consoles/{host.world.node}")
        self._reserved: dict[int, float] = {}
        self._listeners: dict[int, _Listener] = {}
        self._inputs: dict[int, Input] = {}
        self._servers: dict[int, VncServer] = {}
        self._attached: dict[int, set[Connection]] = {}
        self._machines: dict[int, QemuGuest] = {}
        self._closed = False
        host.guest_listeners.append(self._power)

    # --- the API calls

    async def vncproxy(self, guest: Guest, authid: str, params: dict[str, str]) -> dict[str, Any]:
        """The reply of POST .../vncproxy: ``port`` is a string, ``password`` only where there is one."""
        websocket, wanted = (params.get(name, "0") in ("1", "true") for name in ("websocket", "generate-password"))
        if guest.kind == "lxc" and "generate-password" in params:
            raise parameter_error(**{"generate-password": _UNKNOWN_PARAMETER})
        vncterm = guest.kind == "lxc" or guest.vga.startswith("serial")
        always = generates_password(self.host.world.version, guest.kind) and (websocket or not vncterm)
        port = self._next_port()
        ticket = self._ticket(authid, f"/vms/{guest.vmid}", port, guest.kind)
        password = ""
        if always or (wanted and guest.kind == "qemu"):
            password = tickets.new_password(self._rng)
        if always:
            ticket = f"{password}:{ticket}"
        task = self.host.begin_task("vncproxy", str(guest.vmid), authid)
        process: Process
        if vncterm:
            secret = password or ticket[:8]
            process = lambda stream: self._vncterm(stream, guest, secret, vencrypt=not websocket)  # noqa: E731
        else:
            process = lambda stream: self._qm_vncproxy(stream, guest, password or ticket[:8])  # noqa: E731
        self._listen(port, _Listener(task, process, None if vncterm else IDLE_S))
        reply = {"user": authid, "ticket": ticket, "port": str(port), "upid": task.upid, "cert": self.host.ca_pem}
        return reply | ({"password": password} if password else {})

    async def termproxy(self, guest: Guest | None, authid: str, params: dict[str, str]) -> dict[str, Any]:
        """The reply of POST .../termproxy; without a guest the node's own shell."""
        port = self._next_port()
        path = f"/nodes/{self.host.world.node}" if guest is None else f"/vms/{guest.vmid}"
        kind = "qemu" if guest is None else guest.kind
        ticket = self._ticket(authid, path, port, kind)
        task = self.host.begin_task(*(("vncshell", "") if guest is None else ("vncproxy", str(guest.vmid))), authid)

        def is_good(user: str, given: str) -> bool:
            return user == authid and self._is_valid(given, authid, path, port, kind)

        async def process(stream: Connection) -> Outcome:
            if guest is not None:
                self._attach(guest.vmid, stream)
            good = await terminal.serve(stream, self.host.clock, is_good, self._shell(guest, authid, params))
            return ("OK", []) if good else ("command '/usr/bin/termproxy' failed: exit code 1", [])

        self._listen(port, _Listener(task, process, None))
        return {"user": authid, "ticket": ticket, "port": str(port), "upid": task.upid}

    async def websocket(
        self, request: Request, guest: Guest | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> dict[str, Any] | None:
        """GET .../vncwebsocket: see ``ConsoleService``. A late or second upgrade is never answered at all."""
        port = int(request.params["port"])
        path = f"/nodes/{self.host.world.node}" if guest is None else f"/vms/{guest.vmid}"
        kind = "qemu" if guest is None else guest.kind
        if not self._is_valid(request.params["vncticket"], request.authid, path, port, kind):
            raise ApiError(401, "permission denied - invalid PVEVNC ticket")
        if not request.headers.get("upgrade"):
            return {"port": str(port)}
        if wrong := upgrade_error(request.headers):
            await refuse_upgrade(writer, wrong, self.host.now())
            return None
        listener = self._listeners.pop(port, None)
        if listener is None:
            await self._silence(reader, writer)
            return None
        listener.accepted.set()
        await switch_protocols(writer, request.headers)
        connection = Connection(reader, writer, self.host.clock)
        self._spawner.spawn(self._session(connection, listener), f"session/{port}")
        try:
            await connection.gone.wait()
        except asyncio.CancelledError:
            connection.close()
            raise
        return None

    def screen(self, guest: Guest) -> dict[str, Any]:
        """What arrived in the guest: {"typed": str, "clicks": [[x, y, buttons], ...], "sessions": int}."""
        given = self._inputs.get(guest.vmid, Input())
        machine = self._machines.get(guest.vmid)
        return {
            "typed": given.typed if machine is None else machine.typed,
            "clicks": [list(click) for click in given.clicks],
            "sessions": len(self._attached.get(guest.vmid, ())),
        }

    def use_qemu(self, guest: Guest, machine: QemuGuest) -> None:
        """From now on this guest's picture is real QEMU's; the machine starts and stops with the guest."""
        self._machines[guest.vmid] = machine
        if guest.running:
            self._spawner.spawn(machine.start(), f"qemu/{guest.vmid}")

    async def aclose(self) -> None:
        """End every session and every real machine."""
        self._closed = True
        await self._spawner.aclose()
        await asyncio.gather(*(machine.stop() for machine in self._machines.values()))

    # --- tickets and ports

    def _ticket(self, authid: str, path: str, port: int, kind: str) -> str:
        bound = port if generates_password(self.host.world.version, kind) else None
        return tickets.new_ticket(self.host.world.auth_key, authid, path, bound, int(self.host.epoch()))

    def _is_valid(self, ticket: str, authid: str, path: str, port: int, kind: str) -> bool:
        bound = port if generates_password(self.host.world.version, kind) else None
        return tickets.is_valid(self.host.world.auth_key, ticket, authid, path, bound, self.host.epoch())

    def _next_port(self) -> int:
        now = self.host.clock.monotonic()
        for port in PORTS:
            if port not in self._listeners and self._reserved.get(port, now) <= now:
                self._reserved[port] = now + RESERVED_S
                return port
        raise ApiError(500, "unable to find free port (5900-5999)")

    def _listen(self, port: int, listener: _Listener) -> None:
        self._listeners[port] = listener
        self._spawner.spawn(self._wait_for_client(port, listener), f"listen/{port}")

    async def _wait_for_client(self, port: int, listener: _Listener) -> None:
        try:
            await within(self.host.clock, LISTEN_S, listener.accepted.wait())
        except TimeoutError:
            if self._listeners.get(port) is listener:
                del self._listeners[port]
            self.host.end_task(listener.task, "connection timed out")

    # --- sessions

    async def _session(self, connection: Connection, listener: _Listener) -> None:
        outcome: Outcome = ("OK", [])

        async def process(stream: Connection) -> str:
            nonlocal outcome
            outcome = await listener.process(stream)
            return outcome[0]

        ended = asyncio.ensure_future(self._end_with_task(connection, listener.task))
        try:
            await connection.serve(process, listener.idle_s)
        finally:
            ended.cancel()
            for attached in self._attached.values():
                attached.discard(connection)
            self.host.end_task(listener.task, outcome[0], *outcome[1])

    async def _end_with_task(self, connection: Connection, task: TaskRecord) -> None:
        """DELETE .../tasks/UPID ends the session that belongs to it."""
        await self.host.interrupted(task).wait()
        connection.close()

    async def _silence(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Nobody listens at that port any more: the failed connect dies in a callback, and no answer ever comes."""
        try:
            while await reader.read(65536):
                pass
        except OSError:
            return
        finally:
            writer.close()

    async def _qm_vncproxy(self, stream: Connection, guest: Guest, password: str) -> Outcome:
        """``qm vncproxy``: a Perl process that starts slowly, sets the VM's password, and then pipes."""
        await self._start_process()
        if not guest.running:
            return "Failed to run vncproxy.", [f"VM {guest.vmid} not running"]
        if guest.vga == "none":  # such a VM is started with -nographic and has no VNC server
            return "Failed to run vncproxy.", ["VM has no VNC display: 'set_password' failed"]
        self._attach(guest.vmid, stream)
        machine = self._machines.get(guest.vmid)
        if machine is not None:
            try:
                await machine.set_password(password, PASSWORD_S)
                await machine.relay(stream.recv, stream.send)
            except (QemuFailed, OSError) as error:
                return "Failed to run vncproxy.", [str(error)]
        else:
            server = self._server(guest)
            server.set_password(password, PASSWORD_S)
            await server.serve(stream, self._rng, stream.close)
        return "OK", []

    async def _vncterm(self, stream: Connection, guest: Guest, password: str, *, vencrypt: bool) -> Outcome:
        """vncterm: a VNC server of its own for each console of a container or a serial display."""
        await self._start_process()
        if not guest.running:
            return "OK", []
        self._attach(guest.vmid, stream)
        picture = GuestScreen("terminal", self._look(guest), self._input(guest), self.host.clock)
        server = VncServer(
            "VNC Command Terminal", picture, VNCTERM_FORMAT, self.host.clock, self._spawner, vencrypt=vencrypt
        )
        server.set_password(password, None)
        await server.serve(stream, self._rng, stream.close)
        return "OK", []

    async def _start_process(self) -> None:
        slow = self.host.faults.get("slow_rfb")
        seconds = self._rng.uniform(*self.first_byte) if slow is None else float(slow.get("seconds", 12.0))
        await self.host.clock.sleep(seconds)

    def _server(self, guest: Guest) -> VncServer:
        """The VM's VNC server; made once, for the password and the shared flag belong to the VM."""
        server = self._servers.get(guest.vmid)
        if server is None:
            picture = GuestScreen(guest.screen, self._look(guest), self._input(guest), self.host.clock)
            picture.frozen = guest.run_state == "paused"
            server = VncServer(f"QEMU ({guest.name})", picture, QEMU_FORMAT, self.host.clock, self._spawner)
            self._servers[guest.vmid] = server
        return server

    def _shell(self, guest: Guest | None, authid: str, params: dict[str, str]) -> terminal.Shell | str:
        node = self.host.world.node
        if guest is None:
            prompt = f"root@{node}:~# " if authid == "root@pam" else f"{node} login: "
            return terminal.Shell(node, prompt)
        if not guest.running:
            return f"{'VM' if guest.kind == 'qemu' else 'CT'} {guest.vmid} not running"
        if guest.kind == "qemu" and not (guest.serial or params.get("serial") or guest.vga.startswith("serial")):
            return "unable to find a serial interface"
        return terminal.Shell(guest.name)

    def _input(self, guest: Guest) -> Input:
        return self._inputs.setdefault(guest.vmid, Input())

    def _look(self, guest: Guest) -> Look:
        return Look(guest.title or self.host.world.node, guest.name)

    def _attach(self, vmid: int, connection: Connection) -> None:
        self._attached.setdefault(vmid, set()).add(connection)

    # --- the guest's life

    def _power(self, guest: Guest, what: str) -> None:
        """A power change of a guest. A reset keeps sessions; an end takes them along."""
        if self._closed:
            return
        machine = self._machines.get(guest.vmid)
        if what in ("stopped", "removed"):
            self._servers.pop(guest.vmid, None)
            self._spawner.spawn(self._cut(set(self._attached.get(guest.vmid, ()))), f"cut/{guest.vmid}")
            if what == "removed":
                self._inputs.pop(guest.vmid, None)
        elif (server := self._servers.get(guest.vmid)) is not None:
            server.screen.frozen = what == "paused"
            if what == "reset":
                server.screen.repaint()
        if machine is not None:
            self._spawner.spawn(machine.follow(what), f"qemu/{guest.vmid}")

    async def _cut(self, connections: set[Connection]) -> None:
        await self.host.clock.sleep(CUT_S)
        for connection in connections:
            connection.close()
