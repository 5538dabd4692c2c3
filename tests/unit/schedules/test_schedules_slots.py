"""A year of moments against tables made by hand from the calendar of the Korean government, and a zone with DST."""

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pharmq.base.errors import Invalid
from pharmq.hosts.model import Hours, Pharmacy
from pharmq.schedules.public_days import holiday, holidays_between
from pharmq.schedules.rules import WEEKDAYS, Around, Cron, Weekly, When, check
from pharmq.schedules.slots import Slot, closed_on, slots

SEOUL = ZoneInfo("Asia/Seoul")
WORKDAYS = WEEKDAYS[:5]

HOLIDAYS = {
    2026: {
        "01-01", "02-16", "02-17", "02-18", "03-01", "03-02", "05-01", "05-05", "05-24", "05-25", "06-03", "06-06",
        "07-17", "08-15", "08-17", "09-24", "09-25", "09-26", "10-03", "10-05", "10-09", "12-25",
    },
    2027: {
        "01-01", "02-06", "02-07", "02-08", "02-09", "03-01", "05-01", "05-03", "05-05", "05-13", "06-06", "07-17",
        "07-19", "08-15", "08-16", "09-14", "09-15", "09-16", "10-03", "10-04", "10-09", "10-11", "12-25", "12-27",
    },
}  # fmt: skip
"""By hand: 2026 has 설날 on 17 February and 추석 on 25 September (its Saturday gets no substitute), 2027 설날 on
Sunday 7 February (substitute on Tuesday) and 추석 on 15 September; 삼일절, 어린이날, 석가탄신일, 제헌절, 광복절,
개천절, 한글날, 성탄절 and 노동절 are substituted on the next working day, 신정 and 현충일 are not. 3 June 2026 is
the day of the local elections."""


def local(year: int, month: int, day: int, hour: int = 0, minute: int = 0, zone: ZoneInfo = SEOUL) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=zone)


def of_year(when: When, year: int, zone: ZoneInfo = SEOUL) -> list[Slot]:
    first = local(year, 1, 1, zone=zone) - timedelta(seconds=1)
    return list(slots(when, first, local(year + 1, 1, 1, zone=zone) - timedelta(seconds=1)))


@pytest.mark.parametrize("year", [2026, 2027])
def test_public_holidays_are_those_of_the_table(year: int) -> None:
    found = {day.strftime("%m-%d") for day, _ in holidays_between(date(year, 1, 1), date(year, 12, 31))}
    assert found == HOLIDAYS[year]
    assert holiday(date(2026, 2, 17)) == "설날"
    assert holiday(date(2026, 2, 19)) is None


@pytest.mark.parametrize(("year", "count"), [(2026, 245), (2027, 246)])
@pytest.mark.parametrize(
    "rule", [Weekly(days=WORKDAYS, times=("08:30",)), Cron(expression="30 8 * * 1-5")], ids=["weekly", "cron"]
)
def test_a_year_of_working_days_skips_every_holiday(rule: Weekly | Cron, year: int, count: int) -> None:
    """261 working days in either year; 16 of them are holidays in 2026, 15 in 2027."""
    expected = []
    day = date(year, 1, 1)
    while day.year == year:
        if day.weekday() < 5 and day.strftime("%m-%d") not in HOLIDAYS[year]:
            expected.append(local(year, day.month, day.day, 8, 30))
        day += timedelta(days=1)
    found = of_year(When(rule=rule, holidays="skip"), year)
    assert [slot.at for slot in found] == expected
    assert len(found) == count
    assert len(of_year(When(rule=rule), year)) == 261


@pytest.mark.parametrize("year", [2026, 2027])
def test_only_on_holidays_is_the_rest(year: int) -> None:
    rule = Weekly(days=WEEKDAYS, times=("10:00",))
    found = of_year(When(rule=rule, holidays="only"), year)
    assert {slot.day.strftime("%m-%d") for slot in found} == HOLIDAYS[year]
    assert {(slot.at + timedelta(hours=9)).strftime("%H:%M") for slot in found} == {"10:00"}


def test_what_was_avoided_is_told() -> None:
    told: list[object] = []
    when = When(rule=Weekly(days=WORKDAYS, times=("08:30",)), holidays="skip", excepted=(date(2026, 9, 28),))
    found = slots(when, local(2026, 9, 23, 9), avoided=told)  # type: ignore[arg-type]
    assert [next(found).day for _ in range(3)] == [date(2026, 9, 29), date(2026, 9, 30), date(2026, 10, 1)]
    assert told == [
        (date(2026, 9, 24), "holiday"),
        (date(2026, 9, 25), "holiday"),
        (date(2026, 9, 28), "exception"),
    ]
    told.clear()
    cron = When(rule=Cron(expression="*/10 8 * * *"), holidays="skip")
    assert next(slots(cron, local(2026, 12, 24, 20), avoided=told)).at == local(2026, 12, 26, 8)  # type: ignore[arg-type]
    assert told == [(date(2026, 12, 25), "holiday")]


def test_from_and_until_are_local_days_with_both_ends() -> None:
    rule = Weekly(days=WEEKDAYS, times=("00:00", "23:59"))
    when = When(rule=rule, first=date(2026, 12, 1), last=date(2026, 12, 2))
    expected = [local(2026, 12, 1), local(2026, 12, 1, 23, 59), local(2026, 12, 2), local(2026, 12, 2, 23, 59)]
    assert [slot.at for slot in slots(when, local(2026, 11, 1))] == expected
    cron = When(rule=Cron(expression="0,59 0,23 * * *"), first=date(2026, 12, 1), last=date(2026, 12, 1))
    assert [slot.at.astimezone(SEOUL).strftime("%H:%M") for slot in slots(cron, local(2026, 11, 1))] == [
        "00:00", "00:59", "23:00", "23:59",
    ]  # fmt: skip
    assert list(slots(When(rule=rule, last=date(2026, 10, 1)), local(2026, 11, 1))) == []


# --- daylight saving time: New York goes 02:00 -> 03:00 on 8 March 2026 and 02:00 -> 01:00 on 1 November

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    "rule",
    [Weekly(days=WEEKDAYS, times=("02:00", "02:30")), Cron(expression="0,30 2 * * *")],
    ids=["weekly", "cron"],
)
def test_times_in_the_gap_run_once_right_after_it(rule: Weekly | Cron) -> None:
    when = When(rule=rule, zone="America/New_York")
    span = slots(when, local(2026, 3, 7, 2, 45, NEW_YORK), local(2026, 3, 9, 3, 0, NEW_YORK))
    assert [slot.at for slot in span] == [
        datetime(2026, 3, 8, 7, 0, tzinfo=UTC),  # 03:00 EDT
        datetime(2026, 3, 9, 6, 0, tzinfo=UTC),
        datetime(2026, 3, 9, 6, 30, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    "rule", [Weekly(days=WEEKDAYS, times=("01:30",)), Cron(expression="30 1 * * *")], ids=["weekly", "cron"]
)
def test_a_time_that_comes_twice_runs_the_first_time(rule: Weekly | Cron) -> None:
    when = When(rule=rule, zone="America/New_York")
    found = list(slots(when, datetime(2026, 10, 31, 12, tzinfo=UTC), datetime(2026, 11, 2, 12, tzinfo=UTC)))
    assert [slot.at for slot in found] == [
        datetime(2026, 11, 1, 5, 30, tzinfo=UTC),  # EDT
        datetime(2026, 11, 2, 6, 30, tzinfo=UTC),  # EST
    ]
    # Asked from within the second pass, the first pass is over.
    assert next(slots(when, datetime(2026, 11, 1, 6, 10, tzinfo=UTC))).at == found[1].at


def test_every_so_often_follows_elapsed_time() -> None:
    when = When(rule=Cron(expression="*/30 * * * *"), zone="America/New_York")
    spring = list(slots(when, datetime(2026, 3, 8, 6, 0, tzinfo=UTC), datetime(2026, 3, 8, 9, 0, tzinfo=UTC)))
    autumn = list(slots(when, datetime(2026, 11, 1, 4, 0, tzinfo=UTC), datetime(2026, 11, 1, 7, 0, tzinfo=UTC)))
    for found in (spring, autumn):
        assert len(found) == 6
        assert {b.at - a.at for a, b in itertools.pairwise(found)} == {timedelta(minutes=30)}


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Seoul", "Australia/Lord_Howe", "Africa/Cairo"])
def test_a_daily_time_runs_once_on_every_day_of_the_year(zone: str) -> None:
    for at in ("00:00", "00:30", "01:45", "02:15", "23:59"):
        when = When(rule=Weekly(days=WEEKDAYS, times=(at,)), zone=zone)
        found = of_year(when, 2026, ZoneInfo(zone))
        assert len(found) == 365
        assert len({slot.day for slot in found}) == 365
        assert all(a.at < b.at for a, b in itertools.pairwise(found))


# --- around opening hours

WEEK = (("09:00", "13:00"), ("14:00", "19:00"))
ONE = Pharmacy(
    1, "P-1", "하나", hours=Hours(mon=WEEK, tue=WEEK, wed=WEEK, thu=WEEK, fri=WEEK, sat=(("09:30", "13:00"),))
)
TWO = Pharmacy(2, "P-2", "둘", hours=ONE.hours, closing_days=("2026-11-24",))
NIGHT = Pharmacy(3, "P-3", "밤", hours=Hours(mon=(("18:00", "02:00"),)))
UNKNOWN = Pharmacy(4, "P-4", "모름")
ALL = (ONE, TWO, NIGHT, UNKNOWN)


def around(
    edge: str, offset: int, first: datetime, last: datetime, **more: object
) -> list[tuple[str, tuple[int, ...]]]:
    when = When(rule=Around(edge=edge, offset_min=offset), **more)  # type: ignore[arg-type]
    return [
        (slot.at.astimezone(SEOUL).strftime("%d %H:%M"), tuple(sorted(slot.pharmacies or ())))
        for slot in slots(when, first, last, pharmacies=ALL)
    ]


def test_half_an_hour_before_each_pharmacy_opens() -> None:
    """Monday 23 November 2026 to the next Monday; the second pharmacy is closed on Tuesday, on Sunday all are."""
    found = around("open", -30, local(2026, 11, 23), local(2026, 11, 30, 23))
    assert found == [
        ("23 08:30", (1, 2)), ("23 17:30", (3,)), ("24 08:30", (1,)), ("25 08:30", (1, 2)), ("26 08:30", (1, 2)),
        ("27 08:30", (1, 2)), ("28 09:00", (1, 2)), ("30 08:30", (1, 2)), ("30 17:30", (3,)),
    ]  # fmt: skip


def test_closing_is_the_days_last_end_also_past_midnight() -> None:
    found = around("close", 15, local(2026, 11, 23), local(2026, 11, 24, 23))
    assert found == [("23 19:15", (1, 2)), ("24 02:15", (3,)), ("24 19:15", (1,))]


def test_holidays_and_exceptions_go_by_the_day_of_opening() -> None:
    christmas = around("open", -30, local(2026, 12, 25), local(2026, 12, 26, 23), holidays="skip")
    assert christmas == [("26 09:00", (1, 2))]
    # Ten hours before Saturday's 09:30 is on the holiday itself; ten hours before the holiday's 09:00 is left out.
    early = around("open", -600, local(2026, 12, 24, 12), local(2026, 12, 26), holidays="skip")
    assert early == [("25 23:30", (1, 2))]


def test_moments_of_different_days_come_in_order_and_together() -> None:
    found = around("open", 720, local(2026, 11, 23), local(2026, 11, 25))
    assert found == [("23 21:00", (1, 2)), ("24 06:00", (3,)), ("24 21:00", (1,))]


def test_closed_is_an_own_day_or_a_weekday_without_hours() -> None:
    sunday, tuesday = date(2026, 11, 22), date(2026, 11, 24)
    assert closed_on(ONE, sunday)
    assert not closed_on(ONE, tuesday)
    assert closed_on(TWO, tuesday)
    assert not closed_on(UNKNOWN, sunday)


# --- properties

rules = st.one_of(
    st.builds(
        Weekly,
        days=st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=7).map(tuple),
        times=st.lists(st.sampled_from(["00:00", "02:30", "08:30", "23:59"]), min_size=1, max_size=3).map(tuple),
    ),
    st.sampled_from(["30 8 * * 1-5", "*/20 * * * *", "0 2,3 * * *", "0 0 1 * *", "15 1 * * 0"]).map(Cron),
    st.builds(Around, edge=st.sampled_from(["open", "close"]), offset_min=st.integers(-720, 720)),
)
whens = st.builds(
    When,
    rule=rules,
    zone=st.sampled_from(["Asia/Seoul", "America/New_York", "Europe/London", "UTC"]),
    holidays=st.sampled_from(["run", "skip", "only"]),
)


@settings(max_examples=150, deadline=None)
@given(
    when=whens,
    start=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1)),
    cut=st.integers(1, 20 * 24 * 60),
)
def test_looking_in_two_steps_finds_the_same(when: When, start: datetime, cut: int) -> None:
    """However often and whenever somebody looks, every moment is found once, in order."""
    first = start.replace(tzinfo=UTC)
    middle, last = first + timedelta(minutes=cut), first + timedelta(days=21)
    whole = list(slots(when, first, last, pharmacies=ALL))
    parts = [*slots(when, first, middle, pharmacies=ALL), *slots(when, middle, last, pharmacies=ALL)]
    assert whole == parts
    assert all(a.at < b.at for a, b in itertools.pairwise(whole))
    assert all(first < slot.at <= last for slot in whole)


@pytest.mark.parametrize(
    ("when", "field"),
    [
        (When(rule=Cron(expression="61 * * * *")), "when.rule.expression"),
        (When(rule=Cron(expression="* * * * * *")), "when.rule.expression"),
        (When(rule=Cron(expression="0 0 31 2 *")), "when.rule.expression"),
        (When(rule=Weekly(days=("mon",), times=("08:30",)), zone="Asia/Pyongyangg"), "when.zone"),
        (
            When(rule=Weekly(days=("mon",), times=("08:30",)), first=date(2026, 2, 1), last=date(2026, 1, 1)),
            "when.until",
        ),
    ],
)
def test_what_cannot_be_meant_is_named(when: When, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        check(when)
    assert list(caught.value.fields) == [field]


def test_a_rule_without_a_moment_ends() -> None:
    when = When(rule=Weekly(days=("mon",), times=("08:30",)), first=date(2026, 11, 24), last=date(2026, 11, 29))
    assert list(slots(when, local(2026, 1, 1))) == []
    never = When(rule=Cron(expression="0 9 * * *"), holidays="only", first=date(2026, 11, 1), last=date(2026, 11, 30))
    assert list(slots(never, local(2026, 1, 1))) == []
