"""Slots, lived through: served once, missed, overlapping, waiting for a host; and what people see of it."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from jobs_world import FakeHost
from pharmq.access import SYSTEM, Actor, Grant, Privilege
from pharmq.base.errors import Forbidden, Invalid, NotFound
from pharmq.hosts.model import Hours, Pharmacy
from pharmq.jobs.forms import FilterIn, VmIn
from pharmq.schedules.model import TargetsIn
from pharmq.schedules.rules import Around, Cron, Missed, Weekly, When
from schedules_world import ALL, DAILY, HandClock, Manager, form, manager

OWNER = Actor("user", 7, "김운영", (Grant("/", frozenset(Privilege)),))


def seoul(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """In November 2026."""
    return datetime(2026, 11, day, hour, minute, second, tzinfo=UTC) - timedelta(hours=9)


async def kinds(one: Manager) -> list[str]:
    async with one.process.db.read() as conn:
        return [row.kind for row in await one.process.journal.read(conn, 0, 1000)]


async def test_a_slot_makes_a_job_with_the_schedule_as_its_cause(one: Manager, hosts: dict[int, FakeHost]) -> None:
    made = await one.schedules.add(SYSTEM, form())
    assert made.next_at == seoul(24, 8, 30)
    await one.at(seoul(24, 8, 29, 59))
    assert await one.runs(made.id) == []
    await one.at(seoul(24, 8, 30, 1))
    assert all(guest.running for host in hosts.values() for guest in host.guests.values())
    (run,), _ = await one.schedules.runs(SYSTEM, made.id, 10, 0)
    assert (run.state, run.trigger, run.late, run.slot_at) == ("done", "slot", False, seoul(24, 8, 30))
    assert run.counts is not None
    assert (run.counts.succeeded, run.counts.total) == (4, 4)
    assert run.job_id is not None
    job = await one.process.jobs.get(SYSTEM, run.job_id)
    assert job.cause is not None
    assert (job.cause.kind, job.cause.id, job.cause.name) == ("schedule", made.id, "아침 시작")
    found = await one.schedules.get(SYSTEM, made.id)
    assert found.next_at == seoul(25, 8, 30)
    assert found.last_run is not None
    assert found.last_run.id == run.id


async def test_a_scheduled_stop_leaves_the_fact_for_monitoring(one: Manager, hosts: dict[int, FakeHost]) -> None:
    hosts[1].guests[100].running = True
    made = await one.schedules.add(SYSTEM, form(name="야간 종료", verb="shutdown"))
    await one.at(seoul(24, 8, 30))
    async with one.process.db.read() as conn:
        rows = await one.process.journal.read(conn, 0)
    (row,) = [row for row in rows if row.kind == "power.shutdown" and row.phase == "outcome"]
    assert (row.outcome, row.where.vm_id) == ("succeeded", 1100)
    assert row.params["cause"] == {"kind": "schedule", "id": made.id, "name": "야간 종료"}


async def test_looking_again_never_serves_a_slot_again(one: Manager, hosts: dict[int, FakeHost]) -> None:
    made = await one.schedules.add(SYSTEM, form())
    for second in (0, 1, 5, 60):
        await one.at(seoul(24, 8, 30, 0) + timedelta(seconds=second))
    assert len(await one.runs(made.id)) == 1


async def test_a_clock_that_is_set_back_serves_nothing_twice(one: Manager) -> None:
    made = await one.schedules.add(SYSTEM, form())
    await one.at(seoul(24, 8, 30))
    for back in (seoul(24, 8, 0), seoul(24, 8, 30), seoul(23, 23)):
        one.clock.at = back
        await one.schedules.keeper.freshen()
        await one.at(back)
    await one.at(seoul(24, 8, 30, 30))
    assert await one.runs(made.id) == [("23 23:30", "done", None)]
    await one.at(seoul(25, 8, 30))
    assert len(await one.runs(made.id)) == 2


async def test_a_clock_that_was_a_year_ahead_does_not_kill_a_schedule(one: Manager) -> None:
    made = await one.schedules.add(SYSTEM, form(missed=Missed(do="skip")))
    one.clock.at = seoul(23, 9) + timedelta(days=365)
    await one.schedules.keeper.look()
    one.clock.at = seoul(23, 9)
    await one.schedules.keeper.freshen()
    await one.at(seoul(24, 8, 30))
    assert ("23 23:30", "done", None) in await one.runs(made.id)


async def test_two_managers_serve_each_slot_once(url: str, hand: HandClock, hosts: dict[int, FakeHost]) -> None:
    async with manager(url, hand, hosts, "run-1") as one, manager(url, hand, hosts, "run-2") as two:
        made = await one.schedules.add(SYSTEM, form(when=When(rule=Cron(expression="*/10 * * * *"))))
        for minute in range(10, 60, 10):
            hand.at = seoul(23, 9, minute)
            await asyncio.gather(one.schedules.keeper.look(), two.schedules.keeper.look())
            for each in (one, two):
                await each.finished()
        runs = await one.runs(made.id)
        assert [state for _, state, _ in runs] == ["done"] * 5
        _, total = await one.process.jobs.page(SYSTEM)
        assert total == 5


async def test_a_death_between_claim_and_progress_serves_nothing_twice(
    url: str, hand: HandClock, hosts: dict[int, FakeHost], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with manager(url, hand, hosts, "run-1") as one:
        made = await one.schedules.add(SYSTEM, form())

        async def die(*_: object) -> bool:
            raise RuntimeError("power cut")

        monkeypatch.setattr(one.schedules.store, "progress", die)
        hand.at = seoul(24, 8, 30)
        with pytest.raises(RuntimeError):
            await one.schedules.keeper.look()
    async with manager(url, hand, hosts, "run-2") as two:
        await two.at(seoul(24, 8, 31))
        await two.at(seoul(24, 8, 40))
        assert await two.runs(made.id) == [("23 23:30", "done", None)]
        assert (await two.process.jobs.page(SYSTEM))[1] == 1
        found = await two.schedules.get(SYSTEM, made.id)
        assert found.next_at == seoul(25, 8, 30)


# --- missed


@pytest.mark.parametrize(
    ("missed", "hours", "expected"),
    [
        (Missed(do="skip"), 1, ["missed"]),
        (Missed(do="once", within_s=2 * 3600), 1, ["done"]),
        (Missed(do="once", within_s=1800), 1, ["missed"]),
        (Missed(do="once", within_s=2 * 3600), 49, ["missed", "missed", "done"]),
        (Missed(do="when_back", within_s=2 * 3600), 1, ["done"]),
    ],
)
async def test_what_the_manager_slept_through(
    url: str, hand: HandClock, hosts: dict[int, FakeHost], missed: Missed, hours: int, expected: list[str]
) -> None:
    async with manager(url, hand, hosts, "run-1") as one:
        made = await one.schedules.add(SYSTEM, form(missed=missed))
    async with manager(url, hand, hosts, "run-2") as two:
        await two.at(seoul(24, 8, 30) + timedelta(hours=hours))
        runs, _ = await two.schedules.runs(SYSTEM, made.id, 10, 0)
        assert [run.state for run in reversed(runs)] == expected
        assert runs[0].late == (expected[-1] == "done")
        assert {run.reason for run in runs if run.state == "missed"} <= {"schedule.missed"}
        assert (await kinds(two)).count("schedule.missed") == int("missed" in expected)


async def test_guests_of_an_offline_host_get_their_turn_when_it_is_back(
    one: Manager, hosts: dict[int, FakeHost]
) -> None:
    made = await one.schedules.add(SYSTEM, form(missed=Missed(do="when_back", within_s=7200)))
    one.offline(2)
    await one.at(seoul(24, 8, 30))
    assert [guest.running for guest in hosts[2].guests.values()] == [False, False]
    assert (await one.schedules.get(SYSTEM, made.id)).waiting_hosts == 1
    await one.at(seoul(24, 8, 50))
    one.clock.at = seoul(24, 9)
    one.online(2)
    await one.at(seoul(24, 9, 0, 5))
    assert not hosts[2].sent, "its guests have not been looked at yet"
    await one.at(seoul(24, 9, 0, 20))
    assert [guest.running for guest in hosts[2].guests.values()] == [True, True]
    await one.at(seoul(24, 9, 5))
    runs, _ = await one.schedules.runs(SYSTEM, made.id, 10, 0)
    assert [(run.trigger, run.state) for run in runs] == [("back", "done"), ("slot", "done")]
    assert len(hosts[2].sent) == 2
    assert (await one.schedules.get(SYSTEM, made.id)).waiting_hosts == 0


async def test_a_host_that_stays_away_is_given_up_and_a_new_slot_replaces_the_old(
    one: Manager, hosts: dict[int, FakeHost]
) -> None:
    made = await one.schedules.add(SYSTEM, form(missed=Missed(do="when_back", within_s=3600)))
    one.offline(2)
    await one.at(seoul(24, 8, 30))
    await one.at(seoul(24, 9, 31))
    (given_up, _), _ = await one.schedules.runs(SYSTEM, made.id, 10, 0)
    assert (given_up.trigger, given_up.state, given_up.reason) == ("back", "missed", "schedule.host_not_back")
    assert given_up.reason_params == {"name": "약국 2", "count": 2}
    long = await one.schedules.add(SYSTEM, form(missed=Missed(do="when_back", within_s=7 * 86400)))
    await one.at(seoul(25, 8, 30))
    await one.at(seoul(26, 8, 30))
    assert (await one.schedules.get(SYSTEM, long.id)).waiting_hosts == 1
    async with one.process.db.read() as conn:
        waiting = [each for each in await one.schedules.store.waiting(conn) if each.schedule_id == long.id]
    assert [each.until for each in waiting] == [seoul(26, 8, 30) + timedelta(days=7)]


# --- overlap


async def test_an_overlapping_slot_is_skipped_or_waits(one: Manager, hosts: dict[int, FakeHost]) -> None:
    every_ten = When(rule=Cron(expression="*/10 * * * *"))
    skips = await one.schedules.add(SYSTEM, form(name="건너뜀", when=every_ten))
    queues = await one.schedules.add(SYSTEM, form(name="차례로", when=every_ten, overlap="queue"))
    for host in hosts.values():
        host.deaf_until = 1e9
    await one.at(seoul(23, 9, 10), finish=False)
    await one.at(seoul(23, 9, 20), finish=False)
    await one.at(seoul(23, 9, 30), finish=False)
    assert [state for _, state, _ in await one.runs(skips.id)] == ["running", "skipped", "skipped"]
    assert [reason for _, _, reason in await one.runs(skips.id)][1:] == ["schedule.overlap"] * 2
    found = [(state, reason) for _, state, reason in await one.runs(queues.id)]
    assert found == [("running", None), ("queued", None), ("skipped", "schedule.queue_full")]
    for host in hosts.values():
        host.deaf_until = -1.0
    await one.finished()
    await one.finished()
    assert [state for _, state, _ in await one.runs(queues.id)] == ["done", "done", "skipped"]
    _, total = await one.process.jobs.page(SYSTEM)
    assert total == 3


# --- whom


async def test_a_filter_is_evaluated_when_it_runs(one: Manager, hosts: dict[int, FakeHost]) -> None:
    made = await one.schedules.add(SYSTEM, form(targets=TargetsIn(filter=FilterIn(host_id=2))))
    from jobs_world import FakeGuest

    hosts[2].guests[105] = FakeGuest(105)
    await one.at(seoul(24, 8, 30))
    assert hosts[2].guests[105].running
    assert hosts[1].sent == []
    del hosts[2].guests[100], hosts[2].guests[101], hosts[2].guests[105]
    await one.at(seoul(25, 8, 30))
    assert (await one.runs(made.id))[-1][1:] == ("skipped", "job.nothing_matches")


async def test_a_named_guest_is_that_one_and_no_later_one(one: Manager, hosts: dict[int, FakeHost]) -> None:
    named = TargetsIn(vms=(VmIn(1, 100), VmIn(1, 101)))
    made = await one.schedules.add(SYSTEM, form(targets=named))
    one.view.vm_ids[1, 100] = 77  # the VMID belongs to another guest now
    await one.at(seoul(24, 8, 30))
    assert hosts[1].sent == [101]
    found = await one.schedules.get(SYSTEM, made.id)
    assert found.targets.vms is not None
    assert [(guest.vmid, guest.gone) for guest in found.targets.vms] == [(100, True), (101, False)]
    with pytest.raises(NotFound):
        await one.schedules.add(SYSTEM, form(targets=TargetsIn(vms=(VmIn(1, 999),))))


async def test_around_opening_each_pharmacy_has_its_own_moment(one: Manager, hosts: dict[int, FakeHost]) -> None:
    late = (("11:00", "20:00"),)
    hours = Hours(mon=late, tue=late, wed=late, thu=late, fri=late)
    one.directory.put_pharmacy(Pharmacy(2, "P-2", "약국 2", hours=hours, closing_days=("2026-11-25",)))
    before = When(rule=Around(edge="open", offset_min=-30))
    made = await one.schedules.add(SYSTEM, form(when=before))
    await one.at(seoul(24, 8, 30))
    assert (len(hosts[1].sent), len(hosts[2].sent)) == (2, 0)
    await one.at(seoul(24, 10, 30))
    assert (len(hosts[1].sent), len(hosts[2].sent)) == (2, 2)
    assert (await one.schedules.get(SYSTEM, made.id)).next_at == seoul(25, 8, 30)
    # Hours that change move the next moment without a new saving.
    one.directory.put_pharmacy(Pharmacy(1, "P-1", "약국 1", hours=hours))
    await one.schedules.keeper.freshen()
    assert (await one.schedules.get(SYSTEM, made.id)).next_at == seoul(25, 10, 30)


async def test_closed_pharmacies_are_left_out_if_asked(one: Manager, hosts: dict[int, FakeHost]) -> None:
    closed = Pharmacy(2, "P-2", "약국 2", hours=one.directory.pharmacy(1).hours, closing_days=("2026-11-24",))  # type: ignore[union-attr]
    one.directory.put_pharmacy(closed)
    await one.schedules.add(SYSTEM, form(when=When(rule=DAILY, closed="skip")))
    await one.at(seoul(24, 8, 30))
    assert (len(hosts[1].sent), len(hosts[2].sent)) == (2, 0)
    await one.at(seoul(25, 8, 30))
    assert len(hosts[2].sent) == 2


# --- in whose name


async def test_it_runs_with_the_owners_rights_of_the_moment(one: Manager, hosts: dict[int, FakeHost]) -> None:
    one.actors[7] = OWNER
    made = await one.schedules.add(OWNER, form())
    await one.at(seoul(24, 8, 30))
    assert len(hosts[1].sent) == 2
    hosts[1].guests[100].running = hosts[2].guests[100].running = False
    one.actors[7] = Actor("user", 7, "김운영", (Grant("/host/2", frozenset(Privilege)),))
    await one.at(seoul(25, 8, 30))
    assert (len(hosts[1].sent), len(hosts[2].sent)) == (2, 3)
    one.actors[7] = None
    await one.at(seoul(26, 8, 30))
    assert (await one.runs(made.id))[-1][1:] == ("failed", "schedule.owner_gone")
    assert "schedule.failed" in await kinds(one)


async def test_a_leaving_persons_schedules_go_to_the_heir_or_pause(one: Manager) -> None:
    made = await one.schedules.add(OWNER, form())
    async with one.process.db.transaction() as tx:
        assert await one.schedules.store.hand_over(tx.conn, 7, 9, "박후임") == 1
    found = await one.schedules.get(SYSTEM, made.id)
    assert (found.owner.id, found.owner.name, found.enabled) == (9, "박후임", True)
    async with one.process.db.transaction() as tx:
        assert await one.schedules.store.hand_over(tx.conn, 9, None, None) == 1
    assert not (await one.schedules.get(SYSTEM, made.id)).enabled


async def test_who_may_see_and_change_what(one: Manager) -> None:
    mine = await one.schedules.add(OWNER, form(name="내 것"))
    stranger = Actor("user", 8, "stranger", (Grant("/host/1", frozenset(Privilege)),))
    with pytest.raises(NotFound):
        await one.schedules.get(stranger, mine.id)
    assert (await one.schedules.page(stranger, 10, 0))[1] == 0
    viewer = Actor("user", 9, "viewer", (Grant("/", frozenset({Privilege.SEE})),))
    assert not (await one.schedules.get(viewer, mine.id)).may_edit
    for act in (
        one.schedules.enable(viewer, mine.id, on=False),
        one.schedules.remove(viewer, mine.id),
        one.schedules.change(viewer, mine.id, form()),
        one.schedules.run_now(viewer, mine.id),
        one.schedules.add(viewer, form()),
    ):
        with pytest.raises(Forbidden):
            await act
    # Guests that one may not act on cannot be named in a schedule.
    with pytest.raises(Forbidden):
        await one.schedules.add(
            Actor("user", 5, "half", (Grant("/", frozenset({Privilege.SEE, Privilege.SCHEDULE_EDIT})),)),
            form(targets=TargetsIn(vms=(VmIn(1, 100),))),
        )


# --- told to browsers


async def test_whatever_changes_a_schedule_is_told_once_by_every_manager(
    url: str, hand: HandClock, hosts: dict[int, FakeHost]
) -> None:
    async with manager(url, hand, hosts, "run-1") as one, manager(url, hand, hosts, "run-2") as two:
        one.actors[7] = OWNER
        told: list[list[int]] = [[], []]
        for each, heard in zip((one, two), told, strict=True):
            each.schedules.board.touch = heard.append

        async def hear() -> list[int]:
            """What each has told since, the second after looks of its own: nobody there did anything."""
            for _ in range(2):
                await two.schedules.board.look()
            heard = [len(each) for each in told]
            assert {number for each in told for number in each} <= {made.id}
            for each in told:
                each.clear()
            return heard

        made = await one.schedules.add(OWNER, form(overlap="queue", when=When(rule=_at("08:30", "08:31"))))
        assert await hear() == [1, 1]
        assert await hear() == [0, 0]
        await one.schedules.change(OWNER, made.id, form(overlap="queue", when=When(rule=_at("08:30", "08:31"))))
        await one.schedules.enable(OWNER, made.id, on=False)
        await one.schedules.enable(OWNER, made.id, on=True)
        assert await hear() == [3, 1]
        for host in hosts.values():
            host.deaf_until = 1e9
        await one.at(seoul(24, 8, 30), finish=False)  # a run begins, and another moment is the next
        assert await hear() == [1, 1]
        await one.at(seoul(24, 8, 31), finish=False)  # one more waits for it, of which the journal says nothing
        assert await hear() == [1, 1]
        for host in hosts.values():
            host.deaf_until = -1.0
        for _ in range(2):  # the first ends, and then the one that waited
            await one.finished()
            assert min(await hear()) == 1
        await one.at(seoul(24, 8, 31, 40))
        assert await hear() == [0, 0]
        async with one.process.db.transaction() as tx:
            await one.schedules.store.hand_over(tx.conn, 7, 9, "박후임")
        await one.schedules.keeper.look()
        assert await hear() == [1, 1]
        heir = Actor("user", 9, "박후임", ())
        assert [one.schedules.board.is_own(actor, made.id) for actor in (OWNER, heir, SYSTEM)] == [False, True, False]
        await one.schedules.run_now(SYSTEM, made.id)
        assert await hear() == [1, 1]
        await one.schedules.remove(SYSTEM, made.id)
        assert min(await hear()) >= 1
        assert [each.schedules.board.encoded(made.id) for each in (one, two)] == [None, None]


# --- handling


async def test_pause_resume_change_remove_and_run_now(one: Manager, hosts: dict[int, FakeHost]) -> None:
    made = await one.schedules.add(SYSTEM, form())
    assert not (await one.schedules.enable(SYSTEM, made.id, on=False)).enabled
    await one.at(seoul(24, 8, 30))
    assert await one.runs(made.id) == []
    resumed = await one.schedules.enable(SYSTEM, made.id, on=True)
    assert resumed.next_at == seoul(25, 8, 30)
    await one.at(seoul(24, 9, 0))
    assert await one.runs(made.id) == [], "what came while it was paused is not missed"
    job = await one.schedules.run_now(SYSTEM, made.id)
    await one.finished()
    runs, _ = await one.schedules.runs(SYSTEM, made.id, 10, 0)
    assert [(run.trigger, run.job_id, run.state) for run in runs] == [("hand", job.id, "done")]
    changed = await one.schedules.change(SYSTEM, made.id, form(name="저녁", when=When(rule=_at("21:00"))))
    assert (changed.name, changed.next_at) == ("저녁", seoul(24, 21))
    await one.schedules.remove(SYSTEM, made.id)
    with pytest.raises(NotFound):
        await one.schedules.get(SYSTEM, made.id)
    assert [kind for kind in await kinds(one) if kind.startswith("schedule.")] == [
        "schedule.added", "schedule.paused", "schedule.resumed", "schedule.ran", "schedule.changed",
        "schedule.removed",
    ]  # fmt: skip


def _at(*times: str) -> Weekly:
    return Weekly(days=DAILY.days, times=times)


async def test_the_next_five_are_shown_with_the_holidays_they_avoid(one: Manager) -> None:
    one.clock.at = datetime(2026, 12, 22, tzinfo=UTC)
    one.process.targets.changes[1, 100] = {"status": "running"}
    weekdays = Weekly(days=("mon", "tue", "wed", "thu", "fri"), times=("08:30",))
    when = When(rule=weekdays, holidays="skip", excepted=(date(2026, 12, 24),))
    found = await one.schedules.preview(SYSTEM, form(when=when))
    assert [run.day.isoformat() for run in found.runs] == [
        "2026-12-23", "2026-12-28", "2026-12-29", "2026-12-30", "2026-12-31",
    ]  # fmt: skip
    assert [(each.day.day, each.why, each.name) for each in found.avoided] == [
        (24, "exception", None),
        (25, "holiday", "기독탄신일"),
    ]
    assert (found.guests, found.skipped, found.pharmacies, found.without_hours) == (3, 1, 2, 0)
    only = await one.schedules.preview(SYSTEM, form(when=When(rule=DAILY, holidays="only")))
    assert [(run.day.isoformat(), run.holiday) for run in only.runs][:2] == [
        ("2026-12-25", "기독탄신일"),
        ("2027-01-01", "신정연휴"),
    ]
    one.directory.put_pharmacy(Pharmacy(2, "P-2", "약국 2"))
    opening = await one.schedules.preview(SYSTEM, form(when=When(rule=Around(edge="open"))))
    assert (opening.without_hours, opening.runs[0].pharmacies) == (1, 1)


async def test_a_week_shows_what_was_and_what_will_be(one: Manager) -> None:
    made = await one.schedules.add(SYSTEM, form())
    busy = await one.schedules.add(
        SYSTEM, form(name="매분", when=When(rule=Cron(expression="* * * * *")), enabled=True)
    )
    await one.schedules.enable(SYSTEM, busy.id, on=False)
    await one.at(seoul(24, 8, 30))
    await one.schedules.enable(SYSTEM, busy.id, on=True)
    found = await one.schedules.calendar(SYSTEM, date(2026, 11, 23), 7, "Asia/Seoul")
    mine = [(entry.at, entry.state) for entry in found.items if entry.schedule_id == made.id]
    assert mine == [(seoul(24, 8, 30), "done"), *((seoul(day, 8, 30), "planned") for day in range(25, 30))]
    assert found.truncated == [busy.id]
    christmas = await one.schedules.calendar(SYSTEM, date(2026, 12, 21), 7, "Asia/Seoul")
    assert [(each.day, each.name) for each in christmas.holidays] == [(date(2026, 12, 25), "기독탄신일")]
    with pytest.raises(Invalid):
        await one.schedules.calendar(SYSTEM, date(2026, 12, 21), 7, "Asia/Nowhere")
    with pytest.raises(Invalid):
        await one.schedules.calendar(SYSTEM, date(9999, 12, 31), 7, "Asia/Seoul")


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"when": When(rule=DAILY, last=date(2026, 1, 1))}, "when"),
        ({"when": When(rule=Cron(expression="0 0 31 4 *"))}, "when.rule.expression"),
        ({"when": When(rule=DAILY, zone="Mars/Olympus")}, "when.zone"),
    ],
)
async def test_what_would_never_run_is_refused(one: Manager, more: dict[str, Any], where: str) -> None:
    with pytest.raises(Invalid) as caught:
        await one.schedules.add(SYSTEM, form(**more))
    assert list(caught.value.fields) == [where]


async def test_targets_are_a_list_or_a_filter(one: Manager) -> None:
    for targets in (TargetsIn(), TargetsIn(vms=(VmIn(1, 100),), filter=FilterIn())):
        with pytest.raises(Invalid) as caught:
            await one.schedules.add(SYSTEM, form(targets=targets))
        assert caught.value.code == "job.targets"
    assert ALL.vms is None
