from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmq.hosts.hours import SEOUL, faults, minutes, opening
from pharmq.hosts.model import Hours, Opening, Pharmacy

WEEK = Hours(
    mon=(("09:00", "13:00"), ("14:00", "19:00")),
    tue=(("09:00", "19:00"),),
    fri=(("20:00", "02:00"),),
    sat=(("00:00", "24:00"),),
)


def at(text: str, hours: Hours = WEEK, closing: tuple[str, ...] = ()) -> Opening:
    pharmacy = Pharmacy(id=1, code="P", name="약국", hours=hours, closing_days=closing)
    return opening(pharmacy, datetime.fromisoformat(text).replace(tzinfo=SEOUL))


@pytest.mark.parametrize(
    ("moment", "state", "start", "end"),
    [
        ("2026-11-23T08:59", "before", "09:00", "13:00"),  # a Monday
        ("2026-11-23T09:00", "open", "09:00", "13:00"),
        ("2026-11-23T12:59", "open", "09:00", "13:00"),
        ("2026-11-23T13:00", "before", "14:00", "19:00"),
        ("2026-11-23T18:59", "open", "14:00", "19:00"),
        ("2026-11-23T19:00", "after", "14:00", "19:00"),
        ("2026-11-25T12:00", "closed", None, None),
        ("2026-11-27T23:00", "open", "20:00", "02:00"),
        ("2026-11-28T01:59", "open", "20:00", "02:00"),
        ("2026-11-28T23:59", "open", "00:00", "24:00"),
        ("2026-11-29T00:00", "closed", None, None),
    ],
)
def test_states_of_a_week(moment: str, state: str, start: str | None, end: str | None) -> None:
    assert at(moment) == Opening(state, start, end)  # type: ignore[arg-type]


def test_an_own_closing_day_closes() -> None:
    assert at("2026-11-24T12:00").state == "open"
    assert at("2026-11-24T12:00", closing=("2026-11-24",)).state == "closed"


def test_a_night_that_began_on_an_open_day_goes_on_into_a_closing_day() -> None:
    assert at("2026-11-28T01:00", closing=("2026-11-28",)).state == "open"
    assert at("2026-11-28T03:00", closing=("2026-11-28",)).state == "closed"


def test_without_hours_nothing_is_claimed() -> None:
    assert at("2026-11-24T12:00", hours=Hours()).state == "unknown"


def test_other_time_zones_mean_the_same_moment() -> None:
    pharmacy = Pharmacy(id=1, code="P", name="약국", hours=WEEK)
    assert opening(pharmacy, datetime.fromisoformat("2026-11-23T00:30:00+00:00")).state == "open"


@pytest.mark.parametrize("text", ["9:00", "24:01", "12:60", "ab:cd", "12-30", "", "١٢:٠٠"])
def test_what_is_not_a_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time of day"):
        minutes(text)


@pytest.mark.parametrize(
    "spans",
    [
        (("09:00", "09:00"),),
        (("09:00", "13:00"), ("12:00", "14:00")),
        (("24:00", "02:00"),),
        (("9", "10"),),
        tuple((f"{h:02}:00", f"{h:02}:30") for h in range(13)),
    ],
)
def test_faulty_days_are_named(spans: tuple[tuple[str, str], ...]) -> None:
    assert faults(Hours(tue=spans)) == ["tue"]


def test_sound_hours_have_no_faults() -> None:
    assert faults(WEEK) == []


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)))
def test_open_always_lies_within_its_span(moment: datetime) -> None:
    local = moment.replace(tzinfo=SEOUL)
    found = opening(Pharmacy(id=1, code="P", name="약국", hours=WEEK), local)
    if found.state == "open":
        now = local.hour * 60 + local.minute
        start, end = minutes(found.start or ""), minutes(found.end or "")
        assert start <= now < end if end > start else now >= start or now < end
