"""The course of one item: send, find again, watch, end. A thin shell around ``outcome``; every step that matters is
committed before the next one touches the host."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy import Connection

from pharmq.access import Scope
from pharmq.base.clock import Clock
from pharmq.base.errors import NotFound, PharmqError
from pharmq.db import Database, Tx
from pharmq.db.together import Together
from pharmq.jobs.afterwards import READY_VERBS, Afterwards
from pharmq.jobs.asking import HostClient, ask, guest_of
from pharmq.jobs.board import Board
from pharmq.jobs.events import finished_entry, outcome_entry
from pharmq.jobs.gates import Gates
from pharmq.jobs.model import PRIVILEGES, Ending, Item, Mark
from pharmq.jobs.outcome import (
    candidates,
    lock_contention,
    mark_of,
    of_exit,
    of_refusal,
    params_of,
    task_types,
)
from pharmq.jobs.permission import ActorNow, refusal_now
from pharmq.jobs.store import LEASE_S, JobsStore
from pharmq.journal import Journal
from pharmq.pve import (
    ClusterDown,
    CredentialRefused,
    GuestConfig,
    Locked,
    ParameterRefused,
    PveError,
    TaskRow,
    Unreachable,
    Upid,
)

log = logging.getLogger(__name__)


class Pace(NamedTuple):
    """Seconds, all of them."""

    watch_first: float = 0.25
    watch_more: float = 1.1
    """Each pause is so many times the one before: the end of a task is noticed within a tenth of its length."""
    watch_most: float = 2.0
    look_first: float = 2.0
    look_most: float = 15.0
    doubt: float = 600.0
    """How long the host's task list may still tell what became of a request; and a silent host be watched."""
    longest_task: float = 3600.0
    longest_backup: float = 12 * 3600.0
    lock_patience: float = 60.0
    """A stop leaves the configuration lock held for up to 30 s, and each attempt itself waits 10 s for it."""
    lock_pause: float = 2.0
    resend_pause: float = 3.0
    reboot: float = 60.0


TRIES = 3
"""How often a request is tried that certainly never reached its host."""


class Surroundings(NamedTuple):
    """What every course needs. ``account`` is our user on a host, ``scope`` the guest with its ancestors now,
    ``acted`` tells the pollers that a guest (host id, VMID) should be looked at at once; without ``actor_now`` the
    permission is not asked for again. ``configured`` takes over what a guest (host id, VMID) is configured like after a
    change of ours."""

    db: Database
    store: JobsStore
    board: Board
    journal: Journal
    clock: Clock
    clients: Callable[[int], HostClient]
    account: Callable[[int], str]
    scope: Callable[[Item], Scope]
    acted: Callable[[int, int], None]
    pace: Pace = Pace()
    actor_now: ActorNow | None = None
    configured: Callable[[int, int, GuestConfig], Awaitable[object]] | None = None


class Course:
    """``slow`` is called when the item stops being a load: its host has gone silent, its fate is looked for, or it is
    only waited for. ``released`` takes items that this one's end lets go, after some seconds."""

    def __init__(
        self,
        around: Surroundings,
        together: Together,
        afterwards: Afterwards,
        slow: Callable[[], None],
        released: Callable[[Sequence[Item], float], None],
    ) -> None:
        self.around = around
        self._together = together
        self._afterwards = afterwards
        self._slow = slow
        self._released = released
        self._locked_since: float | None = None

    async def run(self, item: Item) -> None:
        """Take the item to its end, or as far as it is ours."""
        at: Item | None = item
        while at is not None:
            if at.state == "queued":
                at = await self._send(at)
            elif at.state == "sending":
                at = await self._find(at)
            else:
                at = await self._watch(at)

    # --- queued: send

    async def _send(self, item: Item) -> Item | None:
        around = self.around
        refusal = await refusal_now(around.actor_now, PRIVILEGES[item.verb], item, around.scope(item))
        if refusal is not None:
            return await self._end(item, refusal)
        try:
            client = self._client(item)
            mark = await self._mark(client, item)
        except NotFound:
            return await self._end(item, Ending("failed", "job.host_gone"))
        except PveError as error:
            return await self._not_sent(item, error)
        claimed_at = self.around.clock.monotonic()
        claimed = await self._claim(item, mark)
        if claimed is None or claimed.state == "sending":
            return None if claimed is None else await self._post(client, claimed, claimed_at)
        # Another item of this guest is being sent; it may be looked for during ten minutes.
        self._slow()
        await self.around.clock.sleep(self.around.pace.lock_pause)
        return claimed

    async def _claim(self, item: Item, mark: Mark) -> Item | None:
        """The item in ``sending``: ours; in ``queued``: not yet; None: no longer ours to send."""
        around = self.around
        now = around.clock.now()
        won = replace(item, state="sending", attempt=item.attempt + 1, mark=mark, started_at=item.started_at or now)
        begins = self._begins_job(item)

        def write(conn: Connection, tx: Tx) -> Item | None:
            if not around.store.claim(conn, item, mark, now):
                found = around.store.item_now(conn, item.id)
                return found if found is not None and found.state == "queued" else None
            if begins:
                self._begin_job(conn, tx, item, now)
            tx.after_commit(lambda: around.board.moved(won))
            return won

        return await self._together.do(write)

    def _begins_job(self, item: Item) -> bool:
        """Once per job; the board knows whether we have done so already."""
        known = self.around.board.job(item.job_id)
        return known is None or known.state == "queued"

    def _begin_job(self, conn: Connection, tx: Tx, item: Item, now: datetime) -> None:
        self.around.store.begin_job(conn, item.job_id, now)
        tx.after_commit(lambda: self.around.board.began(item.job_id, now))

    async def _post(
        self, client: HostClient, item: Item, claimed_at: float, before: Ending | None = None
    ) -> Item | None:
        """The one place that makes a host do something. ``before``: how the item's last task ended; what has once
        reached a host ends so when it cannot be sent again, and is not put back among what has not begun."""
        if self.around.clock.monotonic() - claimed_at > LEASE_S / 2:
            # This process stood still: another may believe the item to be its own by now, and look for our task.
            pause = self.around.pace.resend_pause
            return await (self._unsend(item, pause) if before is None else self._end(item, before))
        try:
            upid = await ask(client, item)
        except PveError as error:
            if error.executed != "no":
                return item
            return await (self._not_sent(item, error) if before is None else self._end(item, before))
        if upid is not None:
            return await self._adopt(item, upid.text)
        await self._end(item, Ending("succeeded"))
        await self._read_back(client, item)
        return None

    async def _read_back(self, client: HostClient, item: Item) -> None:
        """What was changed shows at once, not with the next regular reading of the configuration."""
        if self.around.configured is None:
            return
        try:
            config = await client.config(guest_of(item))
        except PveError as error:
            log.info("host %d guest %d: its new configuration is read later: %s", item.host_id, item.vmid, error)
        else:
            await self.around.configured(item.host_id, item.vmid, config)

    async def _not_sent(self, item: Item, error: PveError) -> Item | None:
        """The host certainly did not do it. A connection that failed is tried again, an answer is an answer."""
        if isinstance(error, Locked) and lock_contention(error.detail) and self._patient(item):
            return await self._unsend(item, self.around.pace.lock_pause)
        if isinstance(error, Unreachable | ClusterDown) and item.attempt < TRIES and not error.permanent:
            return await self._unsend(item, self.around.pace.resend_pause)
        return await self._end(item, of_refusal(item.verb, error))

    async def _unsend(self, item: Item, pause: float) -> Item | None:
        around = self.around

        def write(conn: Connection, tx: Tx) -> Item | None:
            back = around.store.item_now(conn, item.id) if around.store.unsend(conn, item) else None
            if back is not None:
                tx.after_commit(lambda: around.board.moved(back))
            return back

        back = await self._together.do(write)
        if back is not None:
            await around.clock.sleep(pause)
        return back

    async def _adopt(self, item: Item, upid: str) -> Item | None:
        """sending -> watching."""
        around = self.around
        watched = replace(item, state="watching", upid=upid)

        def write(conn: Connection, tx: Tx) -> bool:
            if ours := around.store.watch(conn, item.id, upid):
                tx.after_commit(lambda: around.board.moved(watched))
            return ours

        return watched if await self._together.do(write) else None

    async def _mark(self, client: HostClient, item: Item) -> Mark:
        types = task_types(item.guest_type, item.verb, force=item.force)
        return mark_of(await client.tasks(item.node_name, vmid=item.vmid), types) if types else Mark()

    # --- sending, without an answer: look for it

    async def _find(self, item: Item) -> Item | None:
        """Nobody knows whether the host did it. Its task list may; we never send again."""
        around, pace = self.around, self.around.pace
        self._slow()
        until = around.clock.monotonic() + pace.doubt
        pause, said = pace.look_first, Ending("unknown", "job.outcome_unknown")
        while True:
            try:
                if item.verb == "onboot" and await self._starts_at_boot(item):
                    return await self._end(item, Ending("succeeded"))
                found = await self._candidates(item)
            except NotFound:
                return await self._end(item, Ending("unknown", "job.host_gone"))
            except PveError as error:
                said = Ending("unknown", "job.host_silent", {"reason": error.code})
            else:
                said = Ending("unknown", "job.outcome_unknown")
                if len(found) == 1:
                    return await self._adopt(item, found[0].upid)
                if found:
                    return await self._end(item, Ending("unknown", "job.several_tasks", {"count": len(found)}))
            if around.clock.monotonic() >= until:
                return await self._end(item, said)
            await around.clock.sleep(pause)
            pause = min(pause * 1.5, pace.look_most)

    async def _starts_at_boot(self, item: Item) -> bool:
        """What leaves no task is looked up where it would show."""
        return (await self._client(item).config(guest_of(item))).onboot

    async def _candidates(self, item: Item) -> list[TaskRow]:
        around = self.around
        if item.verb == "onboot":
            return []
        rows = await self._client(item).tasks(item.node_name, vmid=item.vmid)
        known = await around.db.ask(lambda conn: around.store.upids_of(conn, item))
        return candidates(
            rows,
            item.mark or Mark(),
            task_types(item.guest_type, item.verb, force=item.force),
            user=around.account(item.host_id),
            known=known,
        )

    # --- watching

    async def _watch(self, item: Item) -> Item | None:
        around, pace = self.around, self.around.pace
        upid = Upid.parse(item.upid or "")
        began = heard = around.clock.monotonic()
        pause = pace.watch_first
        while True:
            await around.clock.sleep(pause)
            pause = min(pause * pace.watch_more, pace.watch_most)
            now = around.clock.monotonic()
            try:
                status = await self._client(item).task_status(upid)
            except NotFound:
                return await self._end(item, Ending("unknown", "job.host_gone"))
            except ParameterRefused as error:
                return await self._end(item, Ending("unknown", "job.task_forgotten", params_of(error)))
            except PveError as error:
                self._slow()
                if now - heard > pace.doubt:
                    return await self._end(item, Ending("unknown", "job.host_silent", {"reason": error.code}))
                pause = pace.look_most
                continue
            heard = now
            if not status.running:
                return await self._judge(item, status.exitstatus or "")
            if now - began > (pace.longest_backup if item.verb == "backup" else pace.longest_task):
                return await self._end(item, Ending("unknown", "job.task_endless"))

    async def _judge(self, item: Item, exitstatus: str) -> Item | None:
        ending = of_exit(item.verb, exitstatus, force=item.force)
        if item.verb == "start" and ending.reason == "job.config_locked" and self._patient(item):
            return await self._start_again(item, ending)
        if item.verb == "reboot" and ending.state == "succeeded":
            ending = await self._afterwards.back(item, ending)
        if item.options.ready_s and item.verb in READY_VERBS and ending.state == "succeeded":
            self._slow()
            ending = await self._afterwards.usable(item, ending)
        return await self._end(item, ending)

    def _patient(self, item: Item) -> bool:
        """Starts only: a lock left by a stop passes by itself, and a start that found it did nothing."""
        now = self.around.clock.monotonic()
        if self._locked_since is None:
            self._locked_since = now
        return item.verb == "start" and now - self._locked_since <= self.around.pace.lock_patience

    async def _start_again(self, item: Item, ending: Ending) -> Item | None:
        """The task is over and certainly did nothing, so this is a new sending with an intent of its own."""
        around = self.around
        await around.clock.sleep(around.pace.lock_pause)
        try:
            client = self._client(item)
            mark = await self._mark(client, item)
        except (NotFound, PveError):
            # The host stopped answering between two attempts: what the last one said is what we know.
            return await self._end(item, ending)
        claimed_at = around.clock.monotonic()
        now = around.clock.now()

        def write(conn: Connection, tx: Tx) -> Item | None:
            won = around.store.claim_again(conn, item, mark, now)
            again = around.store.item_now(conn, item.id) if won else None
            if again is not None:
                tx.after_commit(lambda: around.board.moved(again))
            return again

        again = await self._together.do(write)
        return None if again is None else await self._post(client, again, claimed_at, ending)

    # --- the end

    async def _end(self, item: Item, ending: Ending) -> Item | None:
        """A final state, its row in the journal, what it lets go or stops, and the job's end when it was the last:
        one transaction."""
        around = self.around
        now = around.clock.now()
        entry = outcome_entry(item, ending, around.scope(item))
        begins = self._begins_job(item)

        def write(conn: Connection, tx: Tx) -> bool:
            if not around.store.end(conn, item.id, ending, now):
                return False
            if begins:
                self._begin_job(conn, tx, item, now)
            tx.after_commit(lambda: around.board.moved(replace(item, state=ending.state)))
            self._open_gates(conn, tx, item, now)
            around.journal.add(tx, entry)
            counts = around.store.close_job(conn, item.job_id, now)
            if counts is not None:
                tx.after_commit(lambda: around.board.ended(item.job_id, counts, now))
                around.journal.add(tx, finished_entry(item, counts))
            return True

        if await self._together.do(write):
            around.acted(item.host_id, item.vmid)
        return None

    def _open_gates(self, conn: Connection, tx: Tx, item: Item, now: datetime) -> None:
        moved = Gates(self.around.store).after(conn, item, now)
        if moved.cancelled:
            tx.after_commit(lambda: self.around.board.stopped(item.job_id, "failures", moved.cancelled))
        if moved.released:
            tx.after_commit(lambda: self._released(moved.released, moved.pause))

    def _client(self, item: Item) -> HostClient:
        return client_of(self.around, item)


def client_of(around: Surroundings, item: Item) -> HostClient:
    """Raises NotFound when the host was removed, a PveError when its credential cannot be used."""
    try:
        return around.clients(item.host_id)
    except NotFound:
        raise
    except PharmqError as error:
        # The sealed credential cannot be opened: for this item the same as one that the host refused.
        raise CredentialRefused(str(error)) from error
