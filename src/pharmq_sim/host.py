"""One simulated Proxmox VE host: a listener with its own certificate over one world."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from pharmq.base.clock import Clock
from pharmq_sim.faults import Faults
from pharmq_sim.message import Request
from pharmq_sim.world import Guest, TaskRecord, World

#: called with a guest and one of started | stopped | paused | resumed | reset | removed
GuestListener = Callable[[Guest, str], None]


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


class SimHost:
    """``world`` served at ``address:port`` (port 0 = any; read ``port`` after ``start``)."""

    world: World
    clock: Clock
    faults: Faults
    consoles: ConsoleService
    address: str
    port: int
    #: SHA-256 of the leaf, upper-case hex with colons, as Proxmox shows it
    fingerprint: str
    #: PEM of the certificate authority that vncproxy answers in ``cert``
    ca_pem: str
    #: consoles append themselves here to learn of power changes
    guest_listeners: list[GuestListener]

    def now(self) -> datetime:
        """The host's own wall clock (skewed by the fault ``clock_skew``)."""
        raise NotImplementedError

    def epoch(self) -> float:
        """``now`` in epoch seconds."""
        raise NotImplementedError

    def begin_task(self, type_: str, id_: str, authid: str) -> TaskRecord:
        """A running task, listed at once; end it with ``end_task``."""
        raise NotImplementedError

    def end_task(self, task: TaskRecord, status: str = "OK", *log: str) -> None:
        raise NotImplementedError
