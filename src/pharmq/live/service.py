"""Collects what changed, and every quarter of a second gives each browser what it may see of it.

One encoded body per delta is shared by all who see everything; the last ones stay in a ring, from which a browser
that lost its connection resumes. A browser that falls behind gets a fresh snapshot instead of an endless queue.
"""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import NamedTuple, TypeAlias

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from pharmq.access import SYSTEM, Actor, Privilege, Scope, allows
from pharmq.base.bell import Bell
from pharmq.base.clock import Clock, within
from pharmq.base.spawn import Spawner
from pharmq.db import Database
from pharmq.journal import Journal, Row
from pharmq.live import wire
from pharmq.live.subscriber import Subscriber

log = logging.getLogger(__name__)

TICK_S = 0.25
IDLE_S = 5.0
SAMPLES_EVERY_S = 2.0
HEARTBEAT_S = 20.0
PART_ROWS = 500
RING_DELTAS = 512
RING_BYTES = 8 * 2**20
EVENTS_PER_DELTA = 200

Samples: TypeAlias = tuple[list[list[object]], list[list[object]]]
"""Of guests and of hosts: lists that begin with an id."""


class Kind(NamedTuple):
    """Where rows of one kind come from: ``encode`` gives JSON or None when it is gone, ``scope`` and ``row``, the same
    before it is encoded, None likewise. ``own``: an actor sees it, whatever they hold in that scope. Kinds of which
    there are few have no ``row``."""

    encode: Callable[[int], bytes | None]
    ids: Callable[[], Iterable[int]]
    scope: Callable[[int], Scope | None]
    own: Callable[[Actor, int], bool]
    row: Callable[[int], msgspec.Struct | None] | None


class Measured(NamedTuple):
    """Measurements since the last delta: ``[id, cpu, memory, ...]`` lists by what they measure."""

    vms: Callable[[Iterable[int]], list[list[object]]]
    hosts: Callable[[Iterable[int]], list[list[object]]]


class LiveService:
    """``event``/``may_see_event``: a journal row on the wire, and who may see it. ``summary``: the numbers for an
    actor. ``fresh``: the same caller as of now, None when the session behind it has ended. ``refresh``: called before
    each delta, to bring up what changes only because time passes."""

    def __init__(
        self,
        db: Database,
        journal: Journal,
        clock: Clock,
        *,
        event: Callable[[Row], object],
        may_see_event: Callable[[Actor, Row], bool],
        summary: Callable[[Actor], object],
        fresh: Callable[[Actor], Awaitable[Actor | None]],
        refresh: Callable[[], None] = lambda: None,
    ) -> None:
        self.db = db
        self.journal = journal
        self.clock = clock
        self.epoch = secrets.token_hex(6)
        self.epoch_of_parts = f"{self.epoch}-part"
        """Marks streams that show a part: whoever may see more next time must not go on from there."""
        self.seq = 0
        self.measured: Measured | None = None
        self._event = event
        self._may_see_event = may_see_event
        self._summary = summary
        self._fresh = fresh
        self._refresh = refresh
        self._kinds: dict[str, Kind] = {}
        self._touched: dict[str, set[int]] = {}
        self._sampled_vms: set[int] = set()
        self._sampled_hosts: set[int] = set()
        self._sampled_at = clock.monotonic()
        self._rows: list[Row] = []
        self._ring: deque[tuple[int, bytes]] = deque()
        self._ring_bytes = 0
        self._shared_summary = b""
        self._subscribers: set[Subscriber] = set()
        self._bell = Bell()
        self._spawner = Spawner("live")

    # --- life

    async def start(self) -> None:
        async with self.db.read() as conn:
            head = await self.journal.head(conn)
        self._spawner.spawn(self._ticking(), "ticks")
        self._spawner.spawn(self._following(head), "journal")
        self._spawner.spawn(self._beating(), "heartbeat")

    async def aclose(self) -> None:
        for subscriber in list(self._subscribers):
            subscriber.close()
        await self._spawner.aclose()

    def close_for(self, session: str) -> None:
        """That session or token ended: so do its streams."""
        for subscriber in list(self._subscribers):
            if subscriber.actor.session == session:
                subscriber.close()

    def recheck(self, user_id: int | None) -> None:
        """What that user holds may have changed (None: anybody's): a stream whose caller holds something else now ends,
        and the browser that asks again is given what it may see from then on."""
        for subscriber in list(self._subscribers):
            if user_id is None or subscriber.actor.id == user_id:
                self._spawner.spawn(self._look_again(subscriber), "recheck")

    async def _look_again(self, subscriber: Subscriber) -> None:
        now = await self._fresh(subscriber.actor)
        if now is None or set(now.grants) != set(subscriber.actor.grants):
            subscriber.close()

    # --- what changes

    def register(
        self,
        kind: str,
        encode: Callable[[int], bytes | None],
        ids: Callable[[], Iterable[int]],
        scope: Callable[[int], Scope | None],
        *,
        own: Callable[[Actor, int], bool] = lambda _actor, _number: False,
        row: Callable[[int], msgspec.Struct | None] | None = None,
    ) -> None:
        """Rows of ``kind`` travel under that name. ``ids``: those of a snapshot."""
        self._kinds[kind] = Kind(encode, ids, scope, own, row)

    def touch(self, kind: str, number: int) -> None:
        """The row looks different now, or is gone."""
        self._touched.setdefault(kind, set()).add(number)
        self._bell.ring()

    def touch_all(self, kind: str, numbers: Iterable[int]) -> None:
        self._touched.setdefault(kind, set()).update(numbers)
        self._bell.ring()

    def sampled(self, *, vms: Iterable[int] = (), hosts: Iterable[int] = ()) -> None:
        """These were measured again. Measurements travel apart from rows, and wait for the next slow beat."""
        self._sampled_vms.update(vms)
        self._sampled_hosts.update(hosts)

    def recount(self) -> None:
        """A number of the summary changed without a row that would tell."""
        self._bell.ring()

    # --- one browser

    @property
    def subscribers(self) -> int:
        return len(self._subscribers)

    async def stream(self, actor: Actor, last_id: str | None, *, tables: bool = False) -> AsyncIterator[bytes]:
        """The messages for one browser, until its session ends. ``last_id``: where an earlier connection broke off;
        ``tables``: snapshots hold rows as tables where they can."""
        subscriber = Subscriber(actor, tables)
        missed = self._missed(subscriber, last_id)
        self._subscribers.add(subscriber)
        try:
            yield wire.RETRY
            if missed is None:
                subscriber.behind = True
            else:
                for part in missed:
                    yield part
            while not subscriber.closed:
                if subscriber.behind:
                    async for part in self._snapshot(subscriber):
                        yield part
                message = await subscriber.next()
                if message is not None:
                    yield message
        finally:
            self._subscribers.discard(subscriber)

    def _missed(self, subscriber: Subscriber, last_id: str | None) -> list[bytes] | None:
        """Deltas since ``last_id``; None when they are no longer (or were never) there."""
        place = wire.parse_id(last_id)
        if place is None or place[0] != self.epoch or not subscriber.everything:
            return None
        seq = place[1]
        oldest = self._ring[0][0] if self._ring else self.seq + 1
        if seq > self.seq or seq < oldest - 1:
            return None
        return [message for number, message in self._ring if number > seq]

    async def _snapshot(self, subscriber: Subscriber) -> AsyncIterator[bytes]:
        """All rows in parts. What changes while it is sent waits in the queue and is sent after it, whole rows."""
        subscriber.caught_up()
        subscriber.shown = {kind: set() for kind in self._kinds}
        seq = self.seq
        wanted = [
            (kind, number)
            for kind, source in self._kinds.items()
            for number in source.ids()
            if self._sees(subscriber, source, number)
        ]
        summary = wire.encode(self._summary(subscriber.actor))
        subscriber.summary = summary
        parts = max(1, -(-len(wanted) // PART_ROWS))
        for part in range(parts):
            rows: dict[str, list[bytes]] = {}
            tables: dict[str, list[msgspec.Struct]] = {}
            for kind, number in wanted[part * PART_ROWS : (part + 1) * PART_ROWS]:
                source = self._kinds[kind]
                if subscriber.tables and source.row is not None:
                    if (line := source.row(number)) is None:
                        continue
                    tables.setdefault(kind, []).append(line)
                elif (row := source.encode(number)) is not None:
                    rows.setdefault(kind, []).append(row)
                else:
                    continue
                if not subscriber.everything:
                    subscriber.shown[kind].add(number)
            epoch = self.epoch if subscriber.everything else self.epoch_of_parts
            yield wire.snapshot_part(
                epoch, seq, part, parts, rows, summary if part == 0 else None, wire.tables(tables) if tables else None
            )
            # Encoding 500 rows takes some milliseconds: let others run in between.
            await asyncio.sleep(0)
            if subscriber.closed or subscriber.behind:
                return

    def _sees(self, subscriber: Subscriber, source: Kind, number: int) -> bool:
        if subscriber.everything or source.own(subscriber.actor, number):
            return True
        scope = source.scope(number)
        return scope is not None and allows(subscriber.actor, Privilege.SEE, scope)

    # --- the beat

    async def _ticking(self) -> None:
        seen = self._bell.count
        while True:
            try:
                seen = await within(self.clock, IDLE_S, self._bell.wait(seen))
            except TimeoutError:
                seen = self._bell.count
            else:
                await self.clock.sleep(TICK_S)
                seen = self._bell.count
            try:
                self.flush()
            except Exception:
                # One bad row must not end everybody's stream; it is a defect, and said so.
                log.exception("a delta could not be made")

    def flush(self) -> None:
        """Send what was touched since the last time."""
        self._refresh()
        touched, self._touched = self._touched, {}
        events, self._rows = self._rows, []
        samples = self._samples() if self._samples_due() else ([], [])
        if not self._subscribers:
            # Nobody listens, and whoever comes gets a snapshot.
            self._ring.clear()
            self._ring_bytes = 0
            if touched or events:
                self.seq += 1
            return
        shared = self._shared_delta(touched, events, samples)
        scoped = [subscriber for subscriber in self._subscribers if not subscriber.everything]
        own = [(subscriber, self._own_delta(subscriber, touched, events, samples)) for subscriber in scoped]
        if not shared and not any(change for _, change in own):
            return
        self.seq += 1
        message = wire.delta(self.epoch, self.seq, shared)
        self._remember(message)
        for subscriber in self._subscribers:
            if subscriber.everything:
                subscriber.put(message)
        for subscriber, change in own:
            if change:
                subscriber.put(wire.delta(self.epoch_of_parts, self.seq, change))

    def _shared_delta(self, touched: dict[str, set[int]], events: list[Row], samples: Samples) -> wire.Delta:
        rows: dict[str, list[bytes]] = {}
        gone: dict[str, list[int]] = {}
        for kind, numbers in touched.items():
            if (source := self._kinds.get(kind)) is None:
                continue
            for number in numbers:
                row = source.encode(number)
                if row is None:
                    gone.setdefault(kind, []).append(number)
                else:
                    rows.setdefault(kind, []).append(row)
        summary = wire.encode(self._summary(SYSTEM))
        told = summary if summary != self._shared_summary else None
        self._shared_summary = summary
        encoded = [wire.encode(self._event(row)) for row in events[-EVENTS_PER_DELTA:]]
        vms, hosts = samples
        return wire.Delta(
            rows, gone, told, encoded, wire.encode(vms) if vms else None, wire.encode(hosts) if hosts else None
        )

    def _own_delta(
        self, subscriber: Subscriber, touched: dict[str, set[int]], events: list[Row], samples: Samples
    ) -> wire.Delta:
        rows: dict[str, list[bytes]] = {}
        gone: dict[str, list[int]] = {}
        for kind, numbers in touched.items():
            if (source := self._kinds.get(kind)) is None:
                continue
            shown = subscriber.shown.setdefault(kind, set())
            for number in numbers:
                row = source.encode(number) if self._sees(subscriber, source, number) else None
                if row is not None:
                    shown.add(number)
                    rows.setdefault(kind, []).append(row)
                elif number in shown:
                    shown.discard(number)
                    gone.setdefault(kind, []).append(number)
        summary = wire.encode(self._summary(subscriber.actor))
        told = summary if summary != subscriber.summary else None
        subscriber.summary = summary
        seen = [row for row in events if self._may_see_event(subscriber.actor, row)][-EVENTS_PER_DELTA:]
        vms = [sample for sample in samples[0] if sample[0] in subscriber.shown.get("vms", ())]
        hosts = [sample for sample in samples[1] if sample[0] in subscriber.shown.get("hosts", ())]
        return wire.Delta(
            rows,
            gone,
            told,
            [wire.encode(self._event(row)) for row in seen],
            wire.encode(vms) if vms else None,
            wire.encode(hosts) if hosts else None,
        )

    def _samples_due(self) -> bool:
        return self.clock.monotonic() - self._sampled_at >= SAMPLES_EVERY_S

    def _samples(self) -> Samples:
        vms, self._sampled_vms = self._sampled_vms, set()
        hosts, self._sampled_hosts = self._sampled_hosts, set()
        self._sampled_at = self.clock.monotonic()
        if self.measured is None or not self._subscribers:
            return [], []
        return self.measured.vms(vms), self.measured.hosts(hosts)

    def _remember(self, message: bytes) -> None:
        self._ring.append((self.seq, message))
        self._ring_bytes += len(message)
        while len(self._ring) > RING_DELTAS or self._ring_bytes > RING_BYTES:
            _, dropped = self._ring.popleft()
            self._ring_bytes -= len(dropped)

    # --- the journal, sessions

    async def _following(self, cursor: int) -> None:
        seen = self.journal.bell.count
        while True:
            own = self.journal.recent.after(cursor)
            if own is not None:
                seen = self.journal.bell.count
            try:
                rows = own if own is not None else await self._read(cursor)
            except SQLAlchemyError:
                log.exception("the journal could not be read; trying again")
                await self.clock.sleep(IDLE_S)
                continue
            if rows:
                cursor = rows[-1].seq
                self._rows.extend(rows)
                del self._rows[:-EVENTS_PER_DELTA]
                self._bell.ring()
            if rows and own is None:
                continue
            # Other processes (the command line) append too, and ring no bell here.
            try:
                seen = await within(self.clock, IDLE_S, self.journal.bell.wait(seen))
            except TimeoutError:
                seen = self.journal.bell.count

    async def _read(self, after: int) -> list[Row]:
        async with self.db.read() as conn:
            return await self.journal.read(conn, after)

    async def _beating(self) -> None:
        while True:
            await self.clock.sleep(HEARTBEAT_S)
            for subscriber in list(self._subscribers):
                try:
                    live = await self._fresh(subscriber.actor) is not None
                except SQLAlchemyError:
                    log.exception("a session could not be checked; its stream goes on until the next beat")
                    live = True
                if live:
                    subscriber.put(wire.PING)
                else:
                    subscriber.close()
