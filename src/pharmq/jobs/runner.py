"""Takes up waiting items within the caps, keeps their leases, and takes over what a dead run has left."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence

from sqlalchemy.exc import SQLAlchemyError

from pharmq.base.bell import Bell
from pharmq.base.spawn import Spawner
from pharmq.db.together import Together
from pharmq.jobs.afterwards import Afterwards
from pharmq.jobs.course import Course, Surroundings, client_of
from pharmq.jobs.gates import Gates
from pharmq.jobs.lanes import Lanes
from pharmq.jobs.model import OPEN, Caps, Item
from pharmq.jobs.stopping import stop_waiting
from pharmq.jobs.store import LEASE_S

log = logging.getLogger(__name__)

RENEW_EVERY_S = LEASE_S / 3
SCAN_EVERY_S = 5.0
FULL_SCAN_EVERY = 12
SCAN_LIMIT = 5000
RELOAD_AFTER_S = 5.0


class Runner:
    """``caps`` is asked at every step: settings may change at any time."""

    def __init__(self, around: Surroundings, caps: Callable[[], Caps]) -> None:
        self.around = around
        self._caps = caps
        self.afterwards = Afterwards(around.clock, lambda item: client_of(around, item), around.pace.reboot)
        self._gates = Gates(around.store)
        self._lanes = Lanes()
        self._held: set[int] = set()
        self._later: set[int] = set()
        self._bell = Bell()
        self._seen = 0
        self._spawner = Spawner("jobs")
        self._together = Together(around.db, self._spawner)

    async def start(self) -> None:
        """Take over what is left from before, then begin."""
        await self._scan(full=True)
        self._spawner.spawn(self._dispatch(), "dispatch")
        self._spawner.spawn(self._keep_leases(), "leases")
        self._spawner.spawn(self._keep_scanning(), "scan")

    async def aclose(self) -> None:
        """Stop working; what is under way is free for the next run at once."""
        await self._spawner.aclose()
        async with self.around.db.transaction(durable=True) as tx:
            await tx.conn.run_sync(
                self.around.store.release,
            )

    def add(self, items: Iterable[Item], now: float | None = None) -> None:
        """Items that have just been committed as queued; ``now``: the database's time, when some have to wait."""
        paused: dict[float, list[Item]] = {}
        for item in items:
            pause = 0.0 if now is None or item.free_at is None else item.free_at - now
            if item.free_at is None:
                continue  # held back: whatever ends before it lets it go
            if pause > 0:
                paused.setdefault(pause, []).append(item)
            elif item.id not in self._held:
                self._lanes.add(item)
            self._seen = max(self._seen, item.id)
        for pause, those in paused.items():
            self._after(pause, those)
        self._bell.ring()

    def _released(self, items: Sequence[Item], pause: float) -> None:
        """Items that an end has let go."""
        if pause:
            self._after(pause, items)
        else:
            self.add(items)

    def _after(self, pause: float, items: Sequence[Item]) -> None:
        fresh = [item for item in items if item.id not in self._later]
        if not fresh:
            return
        self._later.update(item.id for item in fresh)

        async def wait() -> None:
            try:
                await self.around.clock.sleep(pause)
            finally:
                self._later.difference_update(item.id for item in fresh)
            self.add(fresh)

        self._spawner.spawn(wait(), f"pause-{fresh[0].id}")

    async def _dispatch(self) -> None:
        seen = self._bell.count
        while True:
            while (item := self._lanes.next(self._caps())) is not None:
                self._begin(item)
            seen = await self._bell.wait(seen)

    def _begin(self, item: Item) -> None:
        """The item has entered its lane; from here to ``leave`` it is held."""
        self._held.add(item.id)
        eased = False

        def ease() -> None:
            nonlocal eased
            if not eased:
                eased = True
                self._lanes.ease(item)
                self._bell.ring()

        def leave(task: asyncio.Task[None]) -> None:
            self._held.discard(item.id)
            self._lanes.leave(item, eased=eased)
            self._bell.ring()
            if not task.cancelled() and task.exception() is not None:
                # The spawner has logged it. The row says where the item stands: take it up from there.
                self._spawner.spawn(self._reload(item.id), f"reload-{item.id}")

        course = Course(self.around, self._together, self.afterwards, ease, self._released)
        self._spawner.spawn(course.run(item), f"item-{item.id}").add_done_callback(leave)

    async def _reload(self, item_id: int) -> None:
        await self.around.clock.sleep(RELOAD_AFTER_S)
        async with self.around.db.read() as conn:
            item = await conn.run_sync(self.around.store.item_now, item_id)
        if item is None or item.state not in OPEN or item_id in self._held:
            return
        if item.state == "queued":
            self.add([item])
        # Under way: nobody renews its lease now, so the scan takes it over when that has run out.

    async def _keep_leases(self) -> None:
        while True:
            await self.around.clock.sleep(RENEW_EVERY_S)
            if not self._held:
                continue
            try:
                async with self.around.db.transaction() as tx:
                    await tx.conn.run_sync(self.around.store.renew, set(self._held))
            except SQLAlchemyError:
                log.exception("leases of %d items were not renewed; another run may take them over", len(self._held))

    async def _keep_scanning(self) -> None:
        round_ = 0
        while True:
            await self.around.clock.sleep(SCAN_EVERY_S)
            round_ += 1
            try:
                await self._scan(full=round_ % FULL_SCAN_EVERY == 0)
                await self._stop_overdue()
            except SQLAlchemyError:
                log.exception("looking for waiting and lost items failed; trying again")

    async def _scan(self, *, full: bool) -> None:
        """Find what others have queued or left. Normally there is nothing, and nothing is written."""
        around = self.around
        async with around.db.read() as conn:
            lost = await conn.run_sync(around.store.lost, set(self._held), SCAN_LIMIT)
            waiting = await conn.run_sync(around.store.queued, 0 if full else self._seen, SCAN_LIMIT)
            now = await conn.run_sync(
                around.store.clock,
            )
        taken: list[Item] = []
        if lost:
            async with around.db.transaction(durable=True) as tx:
                taken = await tx.conn.run_sync(around.store.take_over, lost)
        for item in taken:
            around.board.moved(item)
            self._lanes.enter(item)
            self._begin(item)
        self.add((item for item in waiting if item.id not in self._lanes), now)

    async def _stop_overdue(self) -> None:
        async with self.around.db.read() as conn:
            overdue = await conn.run_sync(
                self._gates.overdue,
            )
        for job_id in overdue:
            await stop_waiting(self.around, job_id, "deadline")
