"""One opening per VM at a time, over all processes: the host's VNC password belongs to the VM, so a second vncproxy
before the first console has authenticated breaks the first."""

import asyncio
from typing import Self

from sqlalchemy import Connection

from pharmq.base.clock import Clock
from pharmq.base.spawn import Spawner
from pharmq.consoles.model import Cause, ConsoleEnded
from pharmq.db.leases import Leases

PATIENCE_S = 15.0
TTL_S = 15.0
RENEW_S = 5.0
RETRY_S = 0.1


class Turns:
    """Hands out the turn for a VM; the lease in the database is renewed while it is held."""

    def __init__(self, leases: Leases, clock: Clock, spawner: Spawner) -> None:
        self.leases = leases
        self.clock = clock
        self.spawner = spawner
        # A lease belongs to the process, so openings within it exclude each other here.
        self.held: set[str] = set()

    def turn(self, host_id: int, vmid: int) -> "Turn":
        return Turn(self, f"console/{host_id}/{vmid}")


class Turn:
    """``async with``: waits up to 15 s, else raises ConsoleEnded(console.vm_busy). ``give_back`` may come early.

    Taking and giving back can be part of a transaction that is made anyway: ``reserve``, then ``take`` in it, then
    ``taken``; ``drop`` in it, then ``dropped``. What was taken so must be given back even without an ``async with``."""

    def __init__(self, turns: Turns, name: str) -> None:
        self._turns = turns
        self._name = name
        self._has = self._reserved = False
        self._renewing: asyncio.Task[None] | None = None
        self.lasts = False
        """It outlives its block: whoever says so gives it back."""

    async def __aenter__(self) -> Self:
        turns = self._turns
        deadline = turns.clock.monotonic() + PATIENCE_S
        while not (self._has or await self._try()):
            if turns.clock.monotonic() >= deadline:
                raise ConsoleEnded(Cause("console.vm_busy"))
            await turns.clock.sleep(RETRY_S)
        self._renewing = turns.spawner.spawn(self._renew(), f"lease {self._name}")
        return self

    def reserve(self) -> bool:
        """Within this process; False while another opening has it."""
        if self._name in self._turns.held:
            return False
        self._turns.held.add(self._name)
        self._reserved = True
        return True

    def take(self, conn: Connection) -> bool:
        """In a transaction; True when it is ours once that has committed."""
        return self._turns.leases.take(conn, self._name, TTL_S)

    def taken(self, *, ours: bool) -> None:
        """How that transaction ended."""
        self._has = ours
        if not ours:
            self._ended()

    async def _try(self) -> bool:
        if not self.reserve():
            return False
        ours = False
        try:
            ours = await self._turns.leases.acquire(self._name, TTL_S)
        finally:
            self.taken(ours=ours)
        return ours

    async def _renew(self) -> None:
        while True:
            await self._turns.clock.sleep(RENEW_S)
            await self._turns.leases.renew(self._name, TTL_S)

    def drop(self, conn: Connection) -> None:
        """In a transaction."""
        if self._has:
            self._turns.leases.drop(conn, self._name)

    def dropped(self) -> None:
        """That transaction has committed."""
        if self._has:
            self._ended()

    def _ended(self) -> None:
        self._has = False
        if self._renewing is not None:
            self._renewing.cancel()
        if self._reserved:
            self._reserved = False
            self._turns.held.discard(self._name)

    async def give_back(self) -> None:
        try:
            if self._has:
                self._has = False
                await self._turns.leases.release(self._name)
        finally:
            self._ended()

    async def __aexit__(self, failed: type[BaseException] | None, *_error: object) -> None:
        if failed is not None or not self.lasts:
            await self.give_back()
