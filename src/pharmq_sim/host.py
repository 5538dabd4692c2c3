"""One simulated Proxmox VE host: a listener with its own certificate over one world."""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import msgspec

from pharmq.base.clock import Clock
from pharmq.base.spawn import Spawner
from pharmq_sim import api, mischief
from pharmq_sim.certs import Identity, KeyType
from pharmq_sim.dispatch import Answer
from pharmq_sim.faults import Faults, Params
from pharmq_sim.listener import Listener
from pharmq_sim.locks import ConfigLocks
from pharmq_sim.message import ApiError, Request
from pharmq_sim.pvestatd import INTERVAL, Published
from pharmq_sim.world import Guest, Kind, TaskRecord, World

log = logging.getLogger(__name__)
#: the handlers register themselves when they are imported
_ = api

#: called with a guest and one of started | stopped | paused | resumed | reset | removed
GuestListener = Callable[[Guest, str], None]

WORKERS = 3
#: finished tasks kept per host; the real index keeps more, nobody looks that far
KEPT_TASKS = 500
HUGE_MEGABYTES = 50


class ConsoleService(Protocol):
    """What ``pharmq_sim.console.Consoles(host)`` offers. Errors are raised as ``ApiError``."""

    async def vncproxy(self, guest: Guest, authid: str, params: dict[str, str]) -> dict[str, Any]:
        """Answer of POST .../vncproxy (``data``); the guest exists and the permission was checked."""
        ...

    async def termproxy(self, guest: Guest | None, authid: str, params: dict[str, str]) -> dict[str, Any]:
        """Answer of POST .../termproxy; without a guest it is the node's shell."""
        ...

    async def websocket(
        self,
        request: Request,
        guest: Guest | None,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> dict[str, Any] | None:
        """GET .../vncwebsocket. Takes the connection over until it ends and returns None, or returns ``data``
        of an ordinary answer (no Upgrade header), or raises ApiError before anything was written.
        ``request.params`` holds port and vncticket decoded, ``request.headers`` lower-case names."""
        ...

    def screen(self, guest: Guest) -> dict[str, Any]:
        """{"typed": str, "clicks": [[x, y, buttons], ...], "sessions": int} for the control port."""
        ...

    async def aclose(self) -> None: ...


def _consoles(host: "SimHost") -> ConsoleService:
    from pharmq_sim.console import Consoles

    return Consoles(host)


class SimHost:
    """``world`` served at ``address:port`` (port 0 = any; read ``port`` after ``start``).

    ``directory`` keeps certificates (``leaf``, and ``other`` for the fault changed_certificate).
    """

    def __init__(
        self,
        world: World,
        directory: Path,
        *,
        clock: Clock,
        address: str = "127.0.0.1",
        port: int = 0,
        key_type: KeyType = "rsa",
        consoles: Callable[["SimHost"], ConsoleService] = _consoles,
    ) -> None:
        self.world = world
        self.directory = directory
        self.clock = clock
        self.address = address
        self.port = port
        self.key_type: KeyType = key_type
        self.random = random.Random(world.seed)
        self.faults = Faults(self._fault_changed)
        self.published = Published()
        self.locks = ConfigLocks(clock)
        self.workers = asyncio.Semaphore(WORKERS)
        self.identity = Identity.ensure(directory, "leaf", world.node, address, key_type)
        #: consoles append themselves here to learn of power changes
        self.guest_listeners: list[GuestListener] = []
        #: requests read so far
        self.requests = 0
        #: whether the world differs from what was saved
        self.dirty = True
        self._spawner = Spawner(f"sim {address}")
        self._running: dict[str, asyncio.Task[Any]] = {}
        self._interrupts: dict[str, asyncio.Event] = {}
        self.listener = Listener(self)
        self.consoles = consoles(self)

    # --- life ------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        self.published.publish(self.world, self.epoch())
        await self.listener.open()
        self.port = self.listener.port
        self.spawn(self._pvestatd(), "pvestatd")

    async def stop(self) -> None:
        await self.listener.aclose()
        await self.consoles.aclose()
        await self._spawner.aclose()
        for task in self.world.tasks:
            if not task.status:
                self.end_task(task, "unexpected status")

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """A background task of this host; it ends with the host."""
        return self._spawner.spawn(work, name)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the leaf in use, upper-case hex with colons, as Proxmox shows it."""
        return self.identity.fingerprint

    @property
    def ca_pem(self) -> str:
        """PEM of the certificate authority that vncproxy answers in ``cert``."""
        return self.identity.ca_pem

    # --- time ------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The host's own wall clock (skewed by the fault ``clock_skew``)."""
        skew = self.faults.get("clock_skew")
        return self.clock.now() + timedelta(seconds=float(skew.get("s", 600)) if skew is not None else 0)

    def epoch(self) -> float:
        """``now`` in epoch seconds."""
        return self.now().timestamp()

    async def _pvestatd(self) -> None:
        # each host has its own phase, so that a fleet does not publish in one moment
        await self.clock.sleep(self.random.uniform(0, INTERVAL))
        while True:
            if "pvestatd_dead" not in self.faults:
                self.published.publish(self.world, self.epoch())
            await self.clock.sleep(INTERVAL)

    # --- guests ----------------------------------------------------------------------------------------------

    def nodes(self) -> set[str]:
        """Node names that answer here (more than one after the fault vm_migrated)."""
        return {self.world.node, *(g.node for g in self.world.guests.values() if g.node)}

    def guest(self, node: str, vmid: int, kind: Kind) -> Guest | None:
        """The guest of that kind on that node, or None."""
        found = self.world.guests.get(vmid)
        if found is None or found.kind != kind or (found.node or self.world.node) != node:
            return None
        return found

    def need_guest(self, request: Request, kind: Kind) -> Guest:
        """The guest that the path names; raises the 500 of a missing configuration file."""
        node, vmid = request.params["node"], request.params["vmid"]
        found = self.guest(node, int(vmid), kind)
        if found is None:
            folder = "qemu-server" if kind == "qemu" else "lxc"
            raise ApiError(500, f"Configuration file 'nodes/{node}/{folder}/{vmid}.conf' does not exist")
        return found

    def tell(self, guest: Guest, what: str) -> None:
        """Inform the listeners of a change of power."""
        self.dirty = True
        for listener in list(self.guest_listeners):
            listener(guest, what)

    def world_without_grants(self) -> World:
        """This world as seen by somebody who lost every privilege (fault acl_lost)."""
        return msgspec.structs.replace(self.world, powerless=True)

    def visible_world(self) -> World:
        """The world whose grants count for what a list shows."""
        return self.world_without_grants() if "acl_lost" in self.faults else self.world

    # --- tasks -----------------------------------------------------------------------------------------------

    def begin_task(self, type_: str, id_: str, authid: str) -> TaskRecord:
        """A running task, listed at once; end it with ``end_task``."""
        world = self.world
        world.next_pid += self.random.randint(1, 40)
        now = self.epoch()
        pid, pstart, start = world.next_pid, int((now - world.booted) * 100), int(now)
        upid = f"UPID:{world.node}:{pid:08X}:{pstart:08X}:{start:08X}:{type_}:{id_}:{authid}:"
        task = TaskRecord(upid, world.node, pid, pstart, start, type_, id_, authid)
        world.tasks.append(task)
        if len(world.tasks) > KEPT_TASKS:
            del world.tasks[: len(world.tasks) - KEPT_TASKS]
        self._interrupts[upid] = asyncio.Event()
        self.dirty = True
        return task

    def end_task(self, task: TaskRecord, status: str = "OK", *log_lines: str) -> None:
        """Close a task: ``status`` is its exit status, the log gets the closing line that Proxmox writes."""
        if task.status:
            return
        task.log.extend(log_lines)
        if status == "OK":
            task.log.append("TASK OK")
        elif status.startswith("WARNINGS"):
            task.log.append(f"TASK {status}")
        else:
            task.log.append(f"TASK ERROR: {status}")
        task.status = status
        task.endtime = int(self.epoch())
        self._interrupts.pop(task.upid, None)
        self.dirty = True

    def run_task(
        self, type_: str, id_: str, authid: str, work: Callable[[TaskRecord], Coroutine[Any, Any, str]]
    ) -> TaskRecord:
        """Start a worker: ``work(task)`` returns the exit status, an ApiError in it ends the task with its text."""
        task = self.begin_task(type_, id_, authid)

        async def worker() -> None:
            try:
                status = await work(task)
            except ApiError as error:
                status = error.reason
            self.end_task(task, status)

        self._running[task.upid] = running = self.spawn(worker(), f"{type_} {id_}")
        running.add_done_callback(lambda _task: self._running.pop(task.upid, None))
        return task

    def find_task(self, upid: str) -> TaskRecord | None:
        return next((t for t in reversed(self.world.tasks) if t.upid == upid), None)

    def interrupt(self, task: TaskRecord, status: str = "received interrupt") -> None:
        """Stop a running worker, as DELETE tasks/UPID does."""
        if (event := self._interrupts.get(task.upid)) is not None:
            event.set()
        if (running := self._running.get(task.upid)) is not None:
            running.cancel()
        self.end_task(task, status)

    def interrupted(self, task: TaskRecord) -> asyncio.Event:
        """Set when the task is stopped from outside; consoles end their session on it."""
        return self._interrupts.get(task.upid) or asyncio.Event()

    # --- faults ----------------------------------------------------------------------------------------------

    def _fault_changed(self, name: str, params: Params | None) -> None:
        if name == "changed_certificate":
            which = "leaf" if params is None else "other"
            self.identity = Identity.ensure(self.directory, which, self.world.node, self.address, self.key_type)
            self.listener.cut()
        self.listener.fault_changed(name, on=params is not None)
        if params is not None:
            mischief.apply(self, name, params)

    def spoil(self, reply: Answer) -> Answer:
        """The answer as the data faults leave it."""
        if reply.body is None or reply.status != 200:
            return reply
        if "garbage_json" in self.faults:
            reply.body = b"\x00<html>\xff not json " + self.random.randbytes(64)
        elif (huge := self.faults.get("huge_json")) is not None:
            size = int(float(huge.get("mb", HUGE_MEGABYTES)) * 1_000_000)
            reply.body = b'{"data":[' + b'{"x":"' + b"y" * size + b'"}]}'
        elif "wrong_types" in self.faults:
            reply.body = mischief.wrong_types(reply.body)
        return reply
