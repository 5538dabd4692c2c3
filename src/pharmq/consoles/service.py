"""Consoles for the routes and the WebSocket: who may open which, and what became of it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pharmq.access import Actor
from pharmq.base.clock import Clock
from pharmq.consoles.model import Host, SessionRow, Targets, Ticket
from pharmq.db import Database
from pharmq.db.leases import Leases
from pharmq.journal import Journal

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class ConsolesService:
    """``host_of(host_id)`` is that host's client; ``cap()`` the consoles allowed per host at this moment."""

    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        journal: Journal,
        leases: Leases,
        targets: Targets,
        host_of: Callable[[int], Awaitable[Host]],
        cap: Callable[[], int],
        origin: str,
        owner: str,
    ) -> None:
        raise NotImplementedError

    async def start(self) -> None:
        """Close in the table what an earlier run left open."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """End every console with ``console.server_stopping``."""
        raise NotImplementedError

    @property
    def open_count(self) -> int:
        raise NotImplementedError

    async def connect(
        self, actor: Actor, pharmacy_id: int, vmid: int, vm_type: str | None = None, host_id: int | None = None
    ) -> Ticket:
        raise NotImplementedError

    async def refresh(self, actor: Actor, session_id: str) -> Ticket:
        raise NotImplementedError

    def sessions(self, actor: Actor) -> list[SessionRow]:
        raise NotImplementedError

    async def end(self, actor: Actor, session_id: str) -> None:
        raise NotImplementedError

    async def close_for(self, user_id: int) -> None:
        """That person's rights ended: so do their consoles."""
        raise NotImplementedError

    async def serve(self, actor: Actor, session_id: str, receive: Receive, send: Send) -> None:
        """One browser's WebSocket, from the claim to the end."""
        raise NotImplementedError
