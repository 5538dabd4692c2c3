"""Breaking and watching hosts from outside: plain HTTP on loopback, for the demo, scripts and browser tests.

``GET /hosts``, ``GET /hosts/N``, ``POST /hosts/N/faults/NAME`` (JSON object of parameters), ``DELETE
/hosts/N/faults[/NAME]``, ``POST /hosts/N/guests/VMID/ACTION`` (start, stop, pause, resume, kill, remove, reuse),
``GET /hosts/N/guests/VMID/screen``. N counts from 1. Everything answers JSON.
"""

import asyncio
from typing import Any

import msgspec

from pharmq_sim.api.power import power_off, power_on
from pharmq_sim.faults import CATALOGUE, UnknownFault
from pharmq_sim.host import SimHost
from pharmq_sim.mischief import reuse_vmid
from pharmq_sim.world import Guest

MAX_BODY = 64 * 1024
REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"}


class Refused(Exception):  # the answer is an error of the asker
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def guest_facts(guest: Guest) -> dict[str, Any]:
    return {
        "vmid": guest.vmid,
        "name": guest.name,
        "kind": guest.kind,
        "running": guest.running,
        "run_state": guest.run_state if guest.running else "stopped",
        "lock": guest.lock,
    }


def host_facts(number: int, host: SimHost) -> dict[str, Any]:
    return {
        "host": number,
        "address": host.address,
        "port": host.port,
        "node": host.world.node,
        "fingerprint": host.fingerprint,
        "requests": host.requests,
        "connections": host.listener.connections,
        "faults": host.faults.names(),
        "guests": [guest_facts(g) for g in host.world.guests.values()],
    }


def act(host: SimHost, guest: Guest, action: str) -> None:
    """What happens to a guest outside of any manager: no task appears on the host."""
    if action == "start" and not guest.running:
        power_on(host, guest)
    elif action in ("stop", "kill") and guest.running:
        power_off(host, guest)
    elif action in ("pause", "resume") and guest.running:
        guest.run_state = "paused" if action == "pause" else "running"
        host.tell(guest, "paused" if action == "pause" else "resumed")
    elif action == "remove":
        host.world.guests.pop(guest.vmid, None)
        host.tell(guest, "removed")
    elif action == "reuse":
        reuse_vmid(host, guest)
    elif action not in ("start", "stop", "kill", "pause", "resume"):
        raise Refused(400, f"no action {action!r}")


class Control:
    """The control port of a fleet (port 0 = any; read ``port`` after ``start``)."""

    def __init__(self, hosts: list[SimHost], port: int = 0) -> None:
        self.hosts = hosts
        self.port = port
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def aclose(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, path, _ = head[0].split(" ", 2)
            lengths = [int(x.split(":", 1)[1]) for x in head[1:] if x.lower().startswith("content-length:")]
            body = await reader.readexactly(min(lengths[0], MAX_BODY)) if lengths else b""
            status, data = self.answer(method, path, body)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError) as error:
            status, data = 400, {"error": str(error)}
        raw = msgspec.json.encode(data)
        reply = (
            f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(raw)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(reply.encode() + raw)
        try:
            await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()

    def answer(self, method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
        """(status, JSON value) of one request."""
        try:
            return 200, self._route(method, [p for p in path.partition("?")[0].split("/") if p], body)
        except Refused as refused:
            return refused.status, {"error": str(refused)}
        except UnknownFault as error:
            return 400, {"error": str(error)}
        except msgspec.MsgspecError as error:
            return 400, {"error": f"body: {error}"}

    def _route(self, method: str, parts: list[str], body: bytes) -> Any:
        match method, parts:
            case "GET", ["hosts"]:
                return [host_facts(n, host) for n, host in enumerate(self.hosts, 1)]
            case "GET", ["faults"]:
                return CATALOGUE
            case "GET", ["hosts", number]:
                return self._facts(self._host(number))
            case "POST", ["hosts", number, "faults", name]:
                host = self._host(number)
                host.faults.set(name, **(msgspec.json.decode(body, type=dict[str, float | str]) if body else {}))
                return self._facts(host)
            case "DELETE", ["hosts", number, "faults", *names]:
                host = self._host(number)
                host.faults.clear(names[0] if names else None)
                return self._facts(host)
            case "GET", ["hosts", number, "guests", vmid, "screen"]:
                host = self._host(number)
                return host.consoles.screen(self._guest(host, vmid))
            case "POST", ["hosts", number, "guests", vmid, action]:
                host = self._host(number)
                guest = self._guest(host, vmid)
                act(host, guest, action)
                return guest_facts(guest)
        raise Refused(404, f"{method} /{'/'.join(parts)}: no such thing here")

    def _facts(self, host: SimHost) -> dict[str, Any]:
        return host_facts(self.hosts.index(host) + 1, host)

    def _host(self, number: str) -> SimHost:
        if not number.isdigit() or not 1 <= int(number) <= len(self.hosts):
            raise Refused(404, f"no host {number}")
        return self.hosts[int(number) - 1]

    def _guest(self, host: SimHost, vmid: str) -> Guest:
        guest = host.world.guests.get(int(vmid)) if vmid.isdigit() else None
        if guest is None:
            raise Refused(404, f"no guest {vmid}")
        return guest
