"""Hears from the journal what other processes change about people: another manager, the command line."""

import logging
from collections.abc import Sequence

from sqlalchemy import or_
from sqlalchemy.exc import SQLAlchemyError

from pharmq.access.ground import Ground
from pharmq.base.clock import within
from pharmq.base.spawn import Spawner
from pharmq.journal import Row
from pharmq.journal.service import query
from pharmq.journal.tables import journal as table

log = logging.getLogger(__name__)

POLL_S = 0.5
"""Revoking takes effect within a second, also on a manager that was not asked."""
LIMIT = 500
_FAMILIES = ("access.", "session.")
_QUIET = ("session.opened", "session.refused", "access.refused")


class Follower:
    """``Ground.changed`` for every row that takes something away or gives it."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self._spawner = Spawner("access")

    async def start(self) -> None:
        async with self.ground.db.read() as conn:
            head = await self.ground.journal.head(conn)
        self._spawner.spawn(self._following(head), "journal")

    async def aclose(self) -> None:
        await self._spawner.aclose()

    async def _following(self, cursor: int) -> None:
        ground = self.ground
        seen = ground.journal.bell.count
        while True:
            try:
                cursor = await self._read(cursor)
            except (SQLAlchemyError, OSError):
                log.exception("the journal could not be read; trying again")
            try:
                seen = await within(ground.clock, POLL_S, ground.journal.bell.wait(seen))
            except TimeoutError:
                seen = ground.journal.bell.count

    async def _read(self, cursor: int) -> int:
        """The new cursor. The head is read first: what is committed after it has a higher number."""
        ground = self.ground
        if (own := ground.journal.recent.after(cursor)) is not None:
            self._hear([row for row in own if row.kind.startswith(_FAMILIES)])
            return own[-1].seq
        async with ground.db.read() as conn:
            head = await ground.journal.head(conn)
            if head <= cursor:
                return cursor
            # "/" follows ".": a range uses the index.
            ours = or_(*((table.c.kind >= family) & (table.c.kind < f"{family[:-1]}/") for family in _FAMILIES))
            wanted = query().where(ours, table.c.seq > cursor, table.c.seq <= head).order_by(table.c.seq)
            rows = await ground.journal.select(conn, wanted, LIMIT)
        self._hear(rows)
        return rows[-1].seq if len(rows) == LIMIT else head

    def _hear(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if row.kind not in _QUIET:
                user_id = row.params.get("user_id")
                self.ground.changed(user_id if isinstance(user_id, int) else None)
