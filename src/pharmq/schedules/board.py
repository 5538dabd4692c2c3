"""How the schedules stood at the last look, in memory: the stream tells browsers which ones to ask for again.

What is compared stands in the database, so it does not matter who changed it: a person, the keeper, another manager.
"""

import asyncio
from collections.abc import Callable

from pharmq.access import Actor
from pharmq.db import Database
from pharmq.schedules.model import Mark
from pharmq.schedules.store import SchedulesStore


class Board:
    """``touch`` is told of every schedule that differs from the last look, or came, or went."""

    def __init__(self, db: Database, store: SchedulesStore) -> None:
        self.touch: Callable[[int], None] = lambda _number: None
        self._db = db
        self._store = store
        self._marks: dict[int, Mark] = {}
        self._turn = asyncio.Lock()

    async def look(self) -> None:
        # One at a time: what was read earlier must not be taken later.
        async with self._turn:
            async with self._db.read() as conn:
                marks = await self._store.marks(conn)
            before, self._marks = self._marks, marks
        for number in before.keys() | marks.keys():
            if before.get(number) != marks.get(number):
                self.touch(number)

    def ids(self) -> list[int]:
        return list(self._marks)

    def encoded(self, number: int) -> bytes | None:
        """All that travels: who gets it may ask for the schedule."""
        return b'{"id":%d}' % number if number in self._marks else None

    def is_own(self, actor: Actor, number: int) -> bool:
        mark = self._marks.get(number)
        return mark is not None and actor.id is not None and mark.owner_id == actor.id
