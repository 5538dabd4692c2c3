"""One opening per VM at a time, over all processes: the host's VNC password belongs to the VM, so a second vncproxy
before the first console has authenticated breaks the first."""

from typing import Self

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
    """``async with``: waits up to 15 s, else raises ConsoleEnded(console.vm_busy). ``give_back`` may come early."""

    def __init__(self, turns: Turns, name: str) -> None:
        self._turns = turns
        self._name = name
        self._has = False

    async def __aenter__(self) -> Self:
        turns = self._turns
        deadline = turns.clock.monotonic() + PATIENCE_S
        while not await self._try():
            if turns.clock.monotonic() >= deadline:
                raise ConsoleEnded(Cause("console.vm_busy"))
            await turns.clock.sleep(RETRY_S)
        self._renewing = turns.spawner.spawn(self._renew(), f"lease {self._name}")
        return self

    async def _try(self) -> bool:
        turns = self._turns
        if self._name in turns.held:
            return False
        turns.held.add(self._name)
        try:
            self._has = await turns.leases.acquire(self._name, TTL_S)
        finally:
            if not self._has:
                turns.held.discard(self._name)
        return self._has

    async def _renew(self) -> None:
        while True:
            await self._turns.clock.sleep(RENEW_S)
            await self._turns.leases.renew(self._name, TTL_S)

    async def give_back(self) -> None:
        if not self._has:
            return
        self._has = False
        self._renewing.cancel()
        try:
            await self._turns.leases.release(self._name)
        finally:
            self._turns.held.discard(self._name)

    async def __aexit__(self, *_error: object) -> None:
        await self.give_back()
