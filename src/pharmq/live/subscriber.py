"""One browser's end of the stream: a bounded queue, and a fresh snapshot for whoever falls behind."""

import asyncio
from collections import deque

from pharmq.access import Actor, Privilege, allows_everywhere

QUEUE_AT_MOST = 256
"""Deltas that may wait for a slow browser; at four a second that is a minute."""

BYTES_AT_MOST = 8 * 2**20


class Subscriber:
    """``everything``: sees all, and shares its bytes with others who do. Otherwise ``shown`` remembers what it was
    given, so that it is told when one of those leaves its sight and never hears of others. ``tables``: how it takes the
    rows of a snapshot."""

    def __init__(self, actor: Actor, tables: bool = False) -> None:
        self.actor = actor
        self.tables = tables
        # The shared bytes hold every event, those about sign-ins and secrets too.
        self.everything = all(allows_everywhere(actor, held) for held in (Privilege.SEE, Privilege.AUDIT_READ))
        self.shown: dict[str, set[int]] = {}
        self.summary = b""
        self.behind = False
        self.closed = False
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._event = asyncio.Event()

    def put(self, message: bytes) -> None:
        if self.behind or self.closed:
            return
        self._waiting.append(message)
        self._bytes += len(message)
        if len(self._waiting) > QUEUE_AT_MOST or self._bytes > BYTES_AT_MOST:
            self.behind = True
            self._clear()
        self._event.set()

    def close(self) -> None:
        """End the stream; what waits is not sent any more."""
        self.closed = True
        self._clear()
        self._event.set()

    def caught_up(self) -> None:
        """A snapshot is about to be taken: it holds whatever was missed."""
        self.behind = False
        self._clear()

    async def next(self) -> bytes | None:
        """The next message; None when a snapshot is due or the stream has ended."""
        while not self._waiting:
            if self.behind or self.closed:
                return None
            self._event.clear()
            await self._event.wait()
        message = self._waiting.popleft()
        self._bytes -= len(message)
        return message

    def _clear(self) -> None:
        self._waiting.clear()
        self._bytes = 0
