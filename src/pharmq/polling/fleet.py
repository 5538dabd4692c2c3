"""All hosts, each on its own rhythm.

One scheduler sleeps until the next host is due and starts that host's poll as a task of its own, at most one per
host. A task per host that sleeps between polls would do the same at the price of two more tasks per wait (timer
and wake-up) and some kilobytes per sleeping host; here a sleeping host is one entry of a heap. Nothing is shared
between polls but two gates, and failing hosts have their own: hosts that hang cost healthy ones nothing.
"""

import asyncio
import contextlib
import heapq
import logging
import math
import random
from collections.abc import Callable, Iterable

import msgspec

from pharmq.base.bell import Bell
from pharmq.base.clock import Clock, within
from pharmq.base.pacing import KeyedLimit
from pharmq.base.spawn import Spawner
from pharmq.hosts import Host, HostClients, HostsService
from pharmq.hosts.clients import client_key
from pharmq.hosts.directory import Change, ObjectKind
from pharmq.inventory import InventoryService
from pharmq.polling.cadence import SlowMemory, first_pause, pause
from pharmq.polling.cycle import Asking, Cycle
from pharmq.settings import RuntimeSettings

log = logging.getLogger(__name__)

GRAIN = 0.05
"""Seconds: polls due within it start together, so that a large fleet does not wake the loop for each."""
FAILING_AT_ONCE = 200
"""Polls of failing hosts under way at once; each may hold a socket for its whole time-out."""
NOT_SOONER = 2.0
"""Seconds between two polls of a host, however often somebody asks to look now."""
CURRENT_PER_HOST = 2
"""Guests of one host asked for ``status/current`` at once: it has three blocking workers."""


class PollCount(msgspec.Struct, gc=False):
    """How often a host was polled since it joined; ``last_ok`` on the monotonic clock."""

    ok: int = 0
    failed: int = 0
    last_ok: float | None = None


class FleetStats(msgspec.Struct, frozen=True, gc=False):
    """``paused``: hosts that refused their credential; ``late_s``: how long the most overdue poll waits."""

    hosts: int
    paused: int
    in_flight: int
    ok: int
    failed: int
    late_s: float


class _Entry:
    """One host's place in the rhythm. ``due`` None: paused, or its poll is under way."""

    __slots__ = ("again", "asking", "began", "count", "due", "failures", "key", "memory", "task")

    def __init__(self, key: tuple[object, ...]) -> None:
        self.key = key
        self.due: float | None = None
        self.failures = 0
        self.began = -math.inf
        self.again = False
        self.memory = SlowMemory()
        self.asking = Asking()
        self.count = PollCount()
        self.task: asyncio.Task[None] | None = None


class Fleet:
    """``start`` after the directory was loaded. ``draw`` gives random numbers in [0, 1)."""

    def __init__(
        self,
        hosts: HostsService,
        clients: HostClients,
        inventory: InventoryService,
        clock: Clock,
        settings: Callable[[], RuntimeSettings] = RuntimeSettings,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.directory = hosts.directory
        self.clock = clock
        self.settings = settings
        self.cycle = Cycle(hosts, clients, inventory, clock, settings)
        self._clients = clients
        self._draw = draw
        self._entries: dict[int, _Entry] = {}
        self._queue: list[tuple[float, int]] = []
        self._bell = Bell()
        self._spawner = Spawner("fleet")
        self._current = KeyedLimit(CURRENT_PER_HOST)
        self._wanted: set[tuple[int, int]] = set()
        self._askings: set[Asking] = set()
        self._current_tasks: set[asyncio.Task[None]] = set()
        self._failing_in_flight = 0
        self._ok = self._failed = 0
        self._running = False
        self.directory.listen(self._follow)

    # --- life

    async def start(self) -> None:
        self._running = True
        now, interval = self.clock.monotonic(), self.settings().poll_interval_s
        found = list(self.directory.hosts)
        for place, host in enumerate(found):
            self._join(host, now + first_pause(place, len(found), interval))
        self._spawner.spawn(self._schedule(), "scheduler")

    async def aclose(self) -> None:
        """End every question under way; what was answered already is still written down."""
        self._running = False
        for entry in self._entries.values():
            entry.asking.close()
        for asking in self._askings:
            asking.close()
        polls = [entry.task for entry in self._entries.values() if entry.task is not None]
        if tasks := [*polls, *self._current_tasks]:
            await asyncio.wait(tasks)
        await self._spawner.aclose()

    # --- what others ask

    def look_now(self, host_ids: Iterable[int], vm: int | None = None) -> int:
        """Look at these hosts at once, or only at the guest with VMID ``vm``; answers at once with how many hosts
        will be looked at. A host that refused its credential is left alone."""
        found = 0
        for host_id in host_ids:
            entry, host = self._entries.get(host_id), self.directory.host(host_id)
            if entry is None or host is None or host.refused or not self._running:
                continue
            found += 1
            if vm is not None:
                self._look_at(host_id, vm)
            elif entry.task is not None:
                entry.again = True
            else:
                self._set_due(host_id, entry, max(self.clock.monotonic(), entry.began + NOT_SOONER))
        return found

    def counts(self, host_id: int) -> PollCount:
        entry = self._entries.get(host_id)
        return entry.count if entry is not None else PollCount()

    def stats(self) -> FleetStats:
        now = self.clock.monotonic()
        dues = [entry.due for entry in self._entries.values() if entry.due is not None]
        flying = sum(1 for entry in self._entries.values() if entry.task is not None)
        return FleetStats(
            hosts=len(self._entries),
            paused=len(self._entries) - len(dues) - flying,
            in_flight=flying,
            ok=self._ok,
            failed=self._failed,
            late_s=max(0.0, now - min(dues)) if dues else 0.0,
        )

    # --- the rhythm

    async def _schedule(self) -> None:
        while True:
            seen = self._bell.count
            now = self.clock.monotonic()
            while self._queue and self._queue[0][0] <= now + GRAIN:
                due, host_id = heapq.heappop(self._queue)
                entry = self._entries.get(host_id)
                # An entry that was moved left its old place in the heap behind.
                if entry is not None and entry.due == due:
                    self._begin(host_id, entry, now)
            wait = max(GRAIN, self._queue[0][0] - now) if self._queue else None
            await self._sleep_or_bell(wait, seen)

    async def _sleep_or_bell(self, wait: float | None, seen: int) -> None:
        if wait is None:
            await self._bell.wait(seen)
        else:
            with contextlib.suppress(TimeoutError):
                await within(self.clock, wait, self._wait_for_bell(seen))

    async def _wait_for_bell(self, seen: int) -> None:
        await self._bell.wait(seen)

    def _begin(self, host_id: int, entry: _Entry, now: float) -> None:
        host = self.directory.host(host_id)
        entry.due = None
        if host is None or host.refused or entry.task is not None:
            return
        if entry.failures and self._failing_in_flight >= FAILING_AT_ONCE:
            self._set_due(host_id, entry, now + 1.0)
            return
        entry.began = now
        entry.task = self._spawner.spawn(self._poll(host, entry), f"poll-{host_id}")

    async def _poll(self, host: Host, entry: _Entry) -> None:
        began = self.clock.monotonic()
        failing = entry.failures > 0
        self._failing_in_flight += failing
        answered = False
        try:
            answered = await self.cycle.look(host, entry.memory, entry.asking)
        finally:
            # Also when a defect of ours ended the poll (the spawner logs it): this host is looked at again.
            self._failing_in_flight -= failing
            self._end(host.id, entry, began, answered=answered)

    def _end(self, host_id: int, entry: _Entry, began: float, *, answered: bool) -> None:
        entry.task = None
        now = self.clock.monotonic()
        if answered:
            entry.failures = 0
            entry.count.ok += 1
            entry.count.last_ok = now
            self._ok += 1
        else:
            entry.failures += 1
            entry.count.failed += 1
            self._failed += 1
        if self._entries.get(host_id) is not entry or not self._running:
            return
        host = self.directory.host(host_id)
        if host is None or host.refused:
            return
        wait = pause(
            failures=entry.failures, interval=self.settings().poll_interval_s, took=now - began, draw=self._draw()
        )
        if entry.again:
            entry.again, wait = False, max(0.0, entry.began + NOT_SOONER - now)
        self._set_due(host_id, entry, now + wait)

    def _set_due(self, host_id: int, entry: _Entry, due: float) -> None:
        entry.due = due
        soonest = not self._queue or due < self._queue[0][0]
        heapq.heappush(self._queue, (due, host_id))
        if soonest:
            self._bell.ring()

    # --- one guest

    def _look_at(self, host_id: int, vmid: int) -> None:
        if (host_id, vmid) not in self._wanted:
            self._wanted.add((host_id, vmid))
            task = self._spawner.spawn(self._ask_current(host_id, vmid), f"current-{host_id}-{vmid}")
            self._current_tasks.add(task)
            task.add_done_callback(self._current_tasks.discard)

    async def _ask_current(self, host_id: int, vmid: int) -> None:
        asking = Asking()
        self._askings.add(asking)
        try:
            async with self._current.hold(host_id):
                # From here on another wish must ask again: this answer may be older than what it wants to see.
                self._wanted.discard((host_id, vmid))
                if self._running:
                    await self.cycle.look_at(host_id, vmid, asking)
        finally:
            self._wanted.discard((host_id, vmid))
            self._askings.discard(asking)

    # --- hosts that come, change and go

    def _join(self, host: Host, due: float) -> None:
        entry = self._entries[host.id] = _Entry(client_key(host))
        if not host.refused:
            self._set_due(host.id, entry, due)

    def _follow(self, kind: ObjectKind, number: int, change: Change) -> None:
        if kind != "host" or not self._running:
            return
        if change == "removed":
            entry = self._entries.pop(number, None)
            if entry is not None:
                entry.asking.close()
        elif change == "changed" and (host := self.directory.host(number)) is not None:
            entry = self._entries.get(number)
            now = self.clock.monotonic()
            if entry is None:
                self._join(host, now)
            elif entry.key != (key := client_key(host)):
                entry.key = key
                entry.failures = 0
                if entry.task is not None:
                    entry.again = True
                elif not host.refused:
                    self._set_due(number, entry, now)
