"""What somebody was not allowed to do is in the journal too: a wrong click once, an attempt when it comes again."""

from collections import OrderedDict

from pharmq.access import EVERYTHING, Actor, where, who
from pharmq.access.ground import Ground
from pharmq.base.errors import PharmqError
from pharmq.journal import Entry

WINDOW_S = 60.0
AT_MOST = 20
"""Rows per person and window: nobody fills the journal by being refused. How many more there were is in the next."""
REMEMBERED = 1000
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Refusals:
    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self._seen: OrderedDict[tuple[str, int | None], tuple[float, int, int]] = OrderedDict()

    async def note(self, actor: Actor, method: str, path: str, error: PharmqError) -> None:
        """Only writes: what a list leaves out is no refusal."""
        if error.code != "access.forbidden" or method not in _WRITES:
            return
        unsaid = self._turn(actor)
        if unsaid is None:
            return
        params = {"privilege": error.params.get("privilege"), "method": method, "path": path[:200]}
        entry = Entry(
            kind="access.refused",
            who=who(actor),
            where=where(EVERYTHING),
            params=params | ({"unsaid": unsaid} if unsaid else {}),
            outcome=error.code,
        )
        async with self.ground.db.transaction() as tx:
            await self.ground.journal.append(tx, entry)

    def _turn(self, actor: Actor) -> int | None:
        """How many were left out before this one; None when this one is."""
        key, now = (actor.kind, actor.id), self.ground.clock.monotonic()
        began, count, unsaid = self._seen.pop(key, (now, 0, 0))
        if now - began > WINDOW_S:
            began, count = now, 0
        full = count >= AT_MOST
        self._seen[key] = (began, count + 1, unsaid + 1 if full else 0)
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return None if full else unsaid
