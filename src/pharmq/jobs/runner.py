"""Takes up waiting items within the caps, keeps their leases, and takes over what a dead run has left."""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable

from sqlalchemy.exc import SQLAlchemyError

from pharmq.base.bell import Bell
from pharmq.base.spawn import Spawner
from pharmq.jobs.course import Course, Surroundings
from pharmq.jobs.model import OPEN, Caps, Item
from pharmq.jobs.store import LEASE_S

log = logging.getLogger(__name__)

RENEW_EVERY_S = LEASE_S / 3
SCAN_EVERY_S = 5.0
FULL_SCAN_EVERY = 12
SCAN_LIMIT = 5000
RELOAD_AFTER_S = 5.0


class Lanes:
    """Waiting items, oldest first on each host, hosts in turn. Pure bookkeeping of who may go next."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[int, deque[Item]] = OrderedDict()
        self._ids: set[int] = set()
        self.busy: dict[int, int] = {}
        self.load = 0

    def __contains__(self, item_id: int) -> bool:
        return item_id in self._ids

    def add(self, item: Item) -> None:
        if item.id not in self._ids:
            self._ids.add(item.id)
            self._waiting.setdefault(item.host_id, deque()).append(item)

    def next(self, caps: Caps) -> Item | None:
        """The next item that may go, counted as under way from now on."""
        if self.load >= caps.overall:
            return None
        for host_id, waiting in self._waiting.items():
            if self.busy.get(host_id, 0) < caps.per_host:
                item = waiting.popleft()
                self._ids.discard(item.id)
                if waiting:
                    self._waiting.move_to_end(host_id)
                else:
                    del self._waiting[host_id]
                self.enter(host_id)
                return item
        return None

    def enter(self, host_id: int) -> None:
        self.busy[host_id] = self.busy.get(host_id, 0) + 1
        self.load += 1

    def ease(self) -> None:
        """An item stays on its host but is no load any more: it waits for a host that does not answer."""
        self.load -= 1

    def leave(self, host_id: int, *, eased: bool) -> None:
        left = self.busy[host_id] - 1
        if left:
            self.busy[host_id] = left
        else:
            del self.busy[host_id]
        if not eased:
            self.load -= 1


class Runner:
    """``caps`` is asked at every step: settings may change at any time."""

    def __init__(self, around: Surroundings, caps: Callable[[], Caps]) -> None:
        self.around = around
        self._caps = caps
        self._lanes = Lanes()
        self._held: set[int] = set()
        self._bell = Bell()
        self._seen = 0
        self._spawner = Spawner("jobs")

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
            await self.around.store.release(tx.conn)

    def add(self, items: Iterable[Item]) -> None:
        """Items that have just been committed as queued."""
        for item in items:
            if item.id not in self._held:
                self._lanes.add(item)
            self._seen = max(self._seen, item.id)
        self._bell.ring()

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
                self._lanes.ease()
                self._bell.ring()

        def leave(task: asyncio.Task[None]) -> None:
            self._held.discard(item.id)
            self._lanes.leave(item.host_id, eased=eased)
            self._bell.ring()
            if not task.cancelled() and task.exception() is not None:
                # The spawner has logged it. The row says where the item stands: take it up from there.
                self._spawner.spawn(self._reload(item.id), f"reload-{item.id}")

        self._spawner.spawn(Course(self.around, ease).run(item), f"item-{item.id}").add_done_callback(leave)

    async def _reload(self, item_id: int) -> None:
        await self.around.clock.sleep(RELOAD_AFTER_S)
        async with self.around.db.read() as conn:
            item = await self.around.store.item_now(conn, item_id)
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
                    await self.around.store.renew(tx.conn, set(self._held))
            except SQLAlchemyError:
                log.exception("leases of %d items were not renewed; another run may take them over", len(self._held))

    async def _keep_scanning(self) -> None:
        round_ = 0
        while True:
            await self.around.clock.sleep(SCAN_EVERY_S)
            round_ += 1
            try:
                await self._scan(full=round_ % FULL_SCAN_EVERY == 0)
            except SQLAlchemyError:
                log.exception("looking for waiting and lost items failed; trying again")

    async def _scan(self, *, full: bool) -> None:
        """Find what others have queued or left. Normally there is nothing, and nothing is written."""
        around = self.around
        async with around.db.read() as conn:
            lost = await around.store.lost(conn, self._held, SCAN_LIMIT)
            waiting = await around.store.queued(conn, 0 if full else self._seen, SCAN_LIMIT)
        taken: list[Item] = []
        if lost:
            async with around.db.transaction(durable=True) as tx:
                taken = await around.store.take_over(tx.conn, lost)
        for item in taken:
            around.board.moved(item)
            self._lanes.enter(item.host_id)
            self._begin(item)
        self.add(item for item in waiting if item.id not in self._lanes)
