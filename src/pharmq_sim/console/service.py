"""What one host answers to vncproxy, termproxy and vncwebsocket."""

import asyncio
from typing import Any

from pharmq_sim.host import SimHost
from pharmq_sim.message import Request
from pharmq_sim.world import Guest


class Consoles:
    """All consoles of one host (``pharmq_sim.host.ConsoleService``)."""

    def __init__(self, host: SimHost, *, first_byte: tuple[float, float] = (0.3, 1.3)) -> None:
        """``first_byte``: between how many seconds after the 101 the first RFB byte comes (a Perl process starts)."""
        self.host = host
        self.first_byte = first_byte

    async def vncproxy(self, guest: Guest, authid: str, params: dict[str, str]) -> dict[str, Any]:
        raise NotImplementedError

    async def termproxy(self, guest: Guest | None, authid: str, params: dict[str, str]) -> dict[str, Any]:
        raise NotImplementedError

    async def websocket(
        self, request: Request, guest: Guest | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> dict[str, Any] | None:
        raise NotImplementedError

    def screen(self, guest: Guest) -> dict[str, Any]:
        raise NotImplementedError

    async def aclose(self) -> None: ...
