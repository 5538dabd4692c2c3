"""Claims, leases and endings of jobs, the same on both databases, also when two come at once."""

import asyncio

import msgspec
import pytest
from sqlalchemy import false, update

from pharmq.access import Grant, scope_of
from pharmq.base.clock import ManualClock
from pharmq.db import Database
from pharmq.jobs.gates import Gates
from pharmq.jobs.model import ActorRef, Counts, Decision, Ending, Item, Mark, Target
from pharmq.jobs.store import JobsStore
from pharmq.jobs.tables import job_items

ACTOR = ActorRef("user", 1, "admin")
MARK = Mark(("UPID:pve:00000001:00000001:00000001:qmstart:100:root@pam:",), 7)
DO = Decision("do")


def target(number: int) -> Target:
    return Target(
        vm_id=number,
        host_id=1,
        vmid=100 + number,
        vm_name="키오스크",
        guest_type="qemu",
        node_name="pve",
        pharmacy_id=1,
        pharmacy_name="강남온누리약국",
        status="stopped",
        pve_status="stopped",
        scope=scope_of(vm_id=number),
    )


class Room:
    def __init__(self, db: Database) -> None:
        self.db = db
        self.now = ManualClock().now()
        self.store = JobsStore(db, "run-1")
        self.acts = 0

    async def job(self, *targets: Target, decision: Decision = DO) -> list[Item]:
        self.acts += 1
        async with self.db.transaction(durable=True) as tx:
            job_id = await tx.conn.run_sync(
                self.store.add_job,
                act_id=f"act-{self.acts}",
                verb="start",
                force=False,
                timeout_s=None,
                actor=ACTOR,
                source="192.0.2.1",
                now=self.now,
                state="queued",
            )
            await tx.conn.run_sync(self.store.add_items, job_id, [(each, decision) for each in targets], self.now)
            return await tx.conn.run_sync(self.store.items_of, job_id)

    async def claim(self, item: Item, owner: str = "run-1") -> bool:
        async with self.db.transaction(durable=True) as tx:
            return await tx.conn.run_sync(JobsStore(self.db, owner).claim, item, MARK, self.now)

    async def end(self, item: Item, owner: str = "run-1") -> Counts | None:
        store = JobsStore(self.db, owner)
        async with self.db.transaction(durable=True) as tx:
            if not await tx.conn.run_sync(store.end, item.id, Ending("succeeded"), self.now):
                return None
            await asyncio.sleep(0.02)
            return await tx.conn.run_sync(store.close_job, item.job_id, self.now)

    async def state(self, item: Item) -> Item:
        async with self.db.read() as conn:
            found = await conn.run_sync(self.store.item_now, item.id)
        assert found is not None
        return found


@pytest.fixture
def room(db: Database) -> Room:
    return Room(db)


async def test_an_item_goes_its_way_and_only_once(room: Room) -> None:
    (item,) = await room.job(target(1))
    assert await room.claim(item)
    assert not await room.claim(item, "run-2")
    found = await room.state(item)
    assert (found.state, found.attempt, found.mark, found.started_at) == ("sending", 1, MARK, room.now)
    upid = "UPID:pve:00000002:00000001:00000001:qmstart:101:root@pam:"
    async with room.db.transaction() as tx:
        assert not await tx.conn.run_sync(JobsStore(room.db, "run-2").watch, item.id, upid)
        assert await tx.conn.run_sync(room.store.watch, item.id, upid)
        assert not await tx.conn.run_sync(room.store.unsend, found)
    found = await room.state(item)
    assert (found.state, found.upid) == ("watching", upid)
    async with room.db.transaction() as tx:
        assert await tx.conn.run_sync(room.store.claim_again, found, Mark(), room.now)
    found = await room.state(item)
    assert (found.state, found.upid, found.attempt) == ("sending", None, 2)
    assert await room.end(item) == Counts(succeeded=1, total=1)
    assert await room.end(item) is None
    async with room.db.read() as conn:
        job = await conn.run_sync(room.store.job, item.job_id)
        assert job is not None
        assert (job.state, job.counts, job.actor) == ("done", Counts(succeeded=1, total=1), ACTOR)
        views, total = await conn.run_sync(room.store.item_page, item.job_id, 10, 0)
        assert (views[0].state, views[0].vm_name, views[0].reason_params, total) == ("succeeded", "키오스크", {}, 1)


async def test_of_many_claims_at_once_one_wins(room: Room) -> None:
    (item,) = await room.job(target(1))
    won = await asyncio.gather(*(room.claim(item, f"run-{number}") for number in range(6)))
    assert sum(won) == 1


async def test_two_items_of_one_guest_are_not_sent_at_the_same_time(room: Room) -> None:
    items = [*await room.job(target(1)), *await room.job(target(1)), *await room.job(target(1))]
    won = await asyncio.gather(*(room.claim(item) for item in items))
    assert sum(won) == 1
    first = items[won.index(True)]
    await room.end(first)
    rest = [item for item in items if item is not first]
    assert sum([await room.claim(item) for item in rest]) == 1


async def test_the_last_two_items_ending_at_once_close_the_job_once(room: Room) -> None:
    items = await room.job(target(1), target(2), target(3))
    for item in items:
        assert await room.claim(item)
    closed = [counts for counts in await asyncio.gather(*map(room.end, items)) if counts is not None]
    assert closed == [Counts(succeeded=3, total=3)]


async def test_a_lease_that_ran_out_is_taken_over_once(room: Room) -> None:
    (item,) = await room.job(target(1))
    await room.claim(item)
    other = JobsStore(room.db, "run-2")
    async with room.db.read() as conn:
        assert await conn.run_sync(other.lost, [], 10) == []
    async with room.db.transaction() as tx:
        await tx.conn.execute(update(job_items).values(lease_until=1.0))
    async with room.db.read() as conn:
        assert await conn.run_sync(other.lost, [], 10) == [item.id]
        assert await conn.run_sync(room.store.lost, [item.id], 10) == []

    async def take(owner: str) -> int:
        async with room.db.transaction() as tx:
            return len(await tx.conn.run_sync(JobsStore(room.db, owner).take_over, [item.id]))

    assert sum(await asyncio.gather(take("run-2"), take("run-3"))) == 1
    # Whoever had it before changes nothing any more.
    assert await room.end(item) is None
    assert (await room.state(item)).state == "sending"


async def test_renewing_and_giving_back(room: Room) -> None:
    (item,) = await room.job(target(1))
    await room.claim(item)
    async with room.db.transaction() as tx:
        await tx.conn.execute(update(job_items).values(lease_until=1.0))
        await tx.conn.run_sync(room.store.renew, [item.id])
        assert await tx.conn.run_sync(room.store.lost, [], 10) == []
        await tx.conn.run_sync(
            room.store.release,
        )
        assert await tx.conn.run_sync(room.store.lost, [], 10) == [item.id]


async def test_cancelling_takes_what_waits(room: Room) -> None:
    items = await room.job(target(1), target(2))
    await room.claim(items[0])
    async with room.db.transaction() as tx:
        cancelled = await tx.conn.run_sync(Gates(room.store).stop, items[0].job_id, "person", room.now)
        assert [(item.id, item.state) for item in cancelled] == [(items[1].id, "cancelled")]
        assert await tx.conn.run_sync(room.store.close_job, items[0].job_id, room.now) is None
    assert not await room.claim(items[1])
    assert await room.end(items[0]) == Counts(succeeded=1, cancelled=1, total=2)
    async with room.db.read() as conn:
        rows, total = await conn.run_sync(room.store.page, room.store.in_state("cancelled"), 10, 0)
        assert ([row.state for row in rows], total) == (["cancelled"], 1)
        others = room.store.own_or_part(ActorRef("user", 2, "other"), false())
        assert (await conn.run_sync(room.store.page, [others], 10, 0))[1] == 0
        assert (
            await conn.run_sync(
                room.store.open_jobs,
            )
            == []
        )
        assert (
            await conn.run_sync(
                room.store.open_items,
            )
            == []
        )


async def test_what_was_skipped_by_plan_never_waits(room: Room) -> None:
    assert await room.job(target(1), decision=Decision("skip", "job.locked", {"lock": "backup"})) == []
    async with room.db.read() as conn:
        assert await conn.run_sync(room.store.queued, 0, 10) == []
        (view,), _ = await conn.run_sync(room.store.item_page, 1, 10, 0)
    assert (view.state, view.reason, view.reason_params) == ("skipped", "job.locked", {"lock": "backup"})


async def test_a_job_is_shown_in_part(room: Room) -> None:
    mine = [msgspec.structs.replace(target(number), pharmacy_id=4) for number in (1, 2)]
    first, *_ = await room.job(*mine, target(3))
    await room.job(*mine, decision=Decision("skip", "job.already_running"))
    await room.job(target(4))
    assert await room.claim(first)
    await room.end(first)
    seen = room.store.below([Grant("/group/7", frozenset())], {7: (4,)}.__getitem__)
    other = ActorRef("user", None, None)
    async with room.db.read() as conn:
        found = {}
        for state in (None, "queued", "running", "done", "cancelled"):
            wanted = room.store.own_or_part(other, seen, state)
            jobs, total = await conn.run_sync(room.store.page, [wanted], 10, 0)
            assert total == len(jobs)
            found[state] = [job.id for job in jobs]
        assert found == {None: [2, 1], "queued": [], "running": [1], "done": [2], "cancelled": []}
        whole, _ = await conn.run_sync(room.store.page, [room.store.own_or_part(ACTOR, seen)], 10, 0)
        assert [job.id for job in whole] == [3, 2, 1]
        parts = await conn.run_sync(room.store.parts, whole, seen)
    assert [(number, job.state, job.counts) for number, job in sorted(parts.items())] == [
        (1, "running", Counts(succeeded=1, queued=1, total=2)),
        (2, "done", Counts(skipped=2, total=2)),
    ]
    assert (parts[1].started_at, parts[1].finished_at) == (room.now, None)
    assert (parts[2].started_at, parts[2].finished_at) == (room.now, room.now)
