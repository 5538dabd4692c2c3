"""Wake-ups that cannot be lost: a counter that only grows, and waiting for it to pass what one has seen."""

import asyncio


class Bell:
    """``ring`` from synchronous code; ``wait(seen)`` returns as soon as the count differs from ``seen``."""

    def __init__(self) -> None:
        self.count = 0
        self._event = asyncio.Event()

    def ring(self) -> None:
        self.count += 1
        event, self._event = self._event, asyncio.Event()
        event.set()

    async def wait(self, seen: int) -> int:
        """The new count; a ring that came before the call is not missed."""
        while self.count == seen:
            await self._event.wait()
        return self.count
