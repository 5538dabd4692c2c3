from datetime import UTC, datetime, timedelta

from pharmq.schedules.due import REMEMBERED, judge
from pharmq.schedules.rules import Missed
from pharmq.schedules.slots import Slot

NOW = datetime(2026, 11, 23, 1, 24, tzinfo=UTC)


def ago(*seconds: float) -> list[Slot]:
    return [Slot(NOW - timedelta(seconds=each), NOW.date()) for each in seconds]


def test_on_time_runs_whatever_the_rule_says() -> None:
    due = ago(60, 1)
    for do in ("skip", "once", "when_back"):
        found = judge(due, NOW, Missed(do=do))  # type: ignore[arg-type]
        assert (found.run, found.late, found.lost_count) == (tuple(due), False, 0)


def test_a_missed_one_is_skipped_or_made_up_for_once() -> None:
    due = ago(7200, 3000, 1200)
    skipped = judge(due, NOW, Missed(do="skip"))
    assert (skipped.run, skipped.lost, skipped.lost_count) == ((), tuple(due), 3)
    once = judge(due, NOW, Missed(do="once", within_s=1800))
    assert (once.run, once.late, once.lost_count) == ((due[2],), True, 2)
    too_old = judge(due, NOW, Missed(do="once", within_s=600))
    assert (too_old.run, too_old.lost_count) == ((), 3)


def test_the_next_one_makes_up_for_all_before() -> None:
    due = ago(1200, 5)
    found = judge(due, NOW, Missed(do="once", within_s=86400))
    assert (found.run, found.late, found.lost) == ((due[1],), False, (due[0],))


def test_of_very_many_only_the_newest_are_kept() -> None:
    due = [Slot(NOW - timedelta(minutes=minute), NOW.date()) for minute in range(5000, 5, -1)]
    found = judge(iter(due), NOW, Missed(do="once", within_s=600))
    assert found.run == (due[-1],)
    assert found.lost == tuple(due[-REMEMBERED - 1 : -1])
    assert found.lost_count == len(due) - 1
