"""How often, how many at once: pure back-off and counting limits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


def back_off(failures: int, *, base: float, ceiling: float) -> float:
    """Seconds to wait after ``failures`` consecutive failures: doubling from ``base`` up to ``ceiling``."""
    if failures <= 0:
        return 0.0
    return float(min(ceiling, base * 2 ** min(failures - 1, 30)))


def jittered(seconds: float, draw: float, spread: float = 0.1) -> float:
    """``seconds`` moved by up to ``spread`` either way; ``draw`` is a random number in [0, 1)."""
    return seconds * (1 + spread * (2 * draw - 1))


class KeyedLimit:
    """At most ``limit`` holders per key at a time; waiting is first come, first served."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._gates: dict[object, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def hold(self, key: object) -> AsyncIterator[None]:
        gate, users = self._gates.get(key, (None, 0))
        gate = gate or asyncio.Semaphore(self.limit)
        self._gates[key] = (gate, users + 1)
        try:
            async with gate:
                yield
        finally:
            gate, users = self._gates[key]
            if users == 1:
                del self._gates[key]
            else:
                self._gates[key] = (gate, users - 1)
