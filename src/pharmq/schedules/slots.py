"""Which moments a rule means. Pure: a rule, a span of time and the pharmacies' hours go in, moments come out.

Daylight saving time, in zones that have it: a local time that does not exist on the day runs at the first moment
after the gap; one that comes twice runs the first time only. A cron whose minutes or hours begin with ``*`` means
"every so often" and follows elapsed time instead: nothing in the gap, both passes of the repeated hour.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from cronsim import CronSim

from pharmq.hosts.hours import SEOUL, moments
from pharmq.hosts.model import Hours, Pharmacy
from pharmq.schedules.public_days import holiday
from pharmq.schedules.rules import MAX_OFFSET_MIN, WEEKDAYS, Around, Cron, Weekly, When

HORIZON = timedelta(days=5 * 366)
"""Further ahead nobody looks: a rule without a moment within five years has none."""
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)

Avoid: TypeAlias = Literal["holiday", "exception"]


class Slot(NamedTuple):
    """A moment (UTC), the local day it belongs to, and for rules around opening hours the pharmacies it is for."""

    at: datetime
    day: date
    pharmacies: frozenset[int] | None = None


class Avoided(NamedTuple):
    """A day on which the rule would have run."""

    day: date
    why: Avoid


def slots(
    when: When,
    after: datetime,
    until: datetime | None = None,
    *,
    pharmacies: Iterable[Pharmacy] = (),
    avoided: list[Avoided] | None = None,
) -> Iterator[Slot]:
    """Moments later than ``after``, up to and with ``until``, in order. ``avoided`` is filled along the way with the
    days that the rule itself would have taken."""
    last = min(until or after + HORIZON, after + HORIZON)
    told = [] if avoided is None else avoided
    if isinstance(when.rule, Cron):
        found = _of_cron(when, when.rule, after, last, told)
    elif isinstance(when.rule, Weekly):
        found = _daily(when, when.rule.days, ZoneInfo(when.zone), _at_times(when), after, last, told)
    else:
        found = _daily(when, when.rule.days, SEOUL, _around(when.rule, pharmacies), after, last, told)
    for slot in found:
        if slot.at > last:
            return
        if slot.at > after:
            yield slot


def refused(when: When, day: date) -> Avoid | Literal["range", "no_holiday"] | None:
    """Why nothing runs on a local day that the rule itself would take; None when it does."""
    if (when.first and day < when.first) or (when.last and day > when.last):
        return "range"
    if day in when.excepted:
        return "exception"
    if when.holidays == "run":
        return None
    public = holiday(day) is not None
    if when.holidays == "skip":
        return "holiday" if public else None
    return None if public else "no_holiday"


def closed_on(pharmacy: Pharmacy, day: date) -> bool:
    """The pharmacy does not open on the day: an own closing day, or a weekday without hours. Unknown hours do not
    close it."""
    if day.isoformat() in pharmacy.closing_days:
        return True
    return pharmacy.hours.known and not pharmacy.hours.of(day.weekday())


def at_local(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """A local time of day as a moment; see the module for gaps and repetitions."""
    naive = datetime.combine(day, time(minute // 60, minute % 60))
    while True:
        moment = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) == naive:
            return moment
        naive += _MINUTE


# --- weekdays with times, and around opening hours

_OfDay: TypeAlias = Callable[[date], dict[datetime, frozenset[int] | None]]


def _daily(
    when: When,
    days: tuple[str, ...],
    zone: ZoneInfo,
    of_day: _OfDay,
    after: datetime,
    last: datetime,
    told: list[Avoided],
) -> Iterator[Slot]:
    """Day by day. A day's moments may lie half a day before or after it, so they are handed out in order only up to
    where the next day can begin."""
    reach = timedelta(minutes=MAX_OFFSET_MIN) if isinstance(when.rule, Around) else timedelta()
    day = (after - reach).astimezone(zone).date() - _DAY
    end = (last + reach).astimezone(zone).date() + _DAY
    waiting: dict[datetime, Slot] = {}
    order: list[datetime] = []
    while day <= end:
        why = "range" if WEEKDAYS[day.weekday()] not in days else refused(when, day)
        if why in ("holiday", "exception"):
            if any(after < at <= last for at in of_day(day)):
                told.append(Avoided(day, why))
        elif why is None:
            for at, whom in of_day(day).items():
                if at not in waiting:
                    waiting[at] = Slot(at, day, whom)
                    heapq.heappush(order, at)
                elif whom is not None:
                    waiting[at] = Slot(at, waiting[at].day, whom | (waiting[at].pharmacies or frozenset()))
        day += _DAY
        frontier = at_local(day, 0, zone) - reach
        while order and order[0] < frontier:
            yield waiting.pop(heapq.heappop(order))
        if frontier > last:
            return
    while order:
        yield waiting.pop(heapq.heappop(order))


def _at_times(when: When) -> _OfDay:
    assert isinstance(when.rule, Weekly)
    zone = ZoneInfo(when.zone)
    minutes = sorted({int(text[:2]) * 60 + int(text[3:]) for text in when.rule.times})
    return lambda day: {at_local(day, minute, zone): None for minute in minutes}


def _around(rule: Around, pharmacies: Iterable[Pharmacy]) -> _OfDay:
    """Pharmacies with the same hours are looked at once: there are thousands of them and a few dozen hours."""
    alike: dict[Hours, list[Pharmacy]] = {}
    for pharmacy in pharmacies:
        if pharmacy.hours.known:
            alike.setdefault(pharmacy.hours, []).append(pharmacy)
    offset = timedelta(minutes=rule.offset_min)

    def of_day(day: date) -> dict[datetime, frozenset[int] | None]:
        found: dict[datetime, frozenset[int]] = {}
        text = day.isoformat()
        for members in alike.values():
            spans = list(moments(_without_closing_days(members[0]), day, SEOUL))
            if not spans:
                continue
            edge = spans[0][1] if rule.edge == "open" else max(end for _, _, end in spans)
            at = edge.astimezone(UTC) + offset
            here = frozenset(one.id for one in members if text not in one.closing_days)
            if here:
                found[at] = found.get(at, frozenset()) | here
        return dict(found)

    return of_day


def _without_closing_days(pharmacy: Pharmacy) -> Pharmacy:
    return Pharmacy(pharmacy.id, pharmacy.code, pharmacy.name, hours=pharmacy.hours)


# --- cron


def _of_cron(when: When, rule: Cron, after: datetime, last: datetime, told: list[Avoided]) -> Iterator[Slot]:
    zone = ZoneInfo(when.zone)
    start = after.astimezone(zone)
    if when.first and start.date() < when.first:
        start = _last_second_before(when.first, zone)
    previous: datetime | None = None
    while True:
        jump: date | None = None
        for local in CronSim(rule.expression, start):
            at = local.astimezone(UTC)
            if at > last or (when.last and local.date() > when.last):
                return
            why = refused(when, local.date())
            if why is None:
                # Several local times in a gap become the same moment after it.
                if at != previous:
                    previous = at
                    yield Slot(at, local.date())
                continue
            if why in ("holiday", "exception") and at > after:
                told.append(Avoided(local.date(), why))
            jump = local.date() + _DAY
            break
        if jump is None:
            return
        start = _last_second_before(jump, zone)


def _last_second_before(day: date, zone: ZoneInfo) -> datetime:
    """From here the next tick of a cron is the day's midnight."""
    return (at_local(day, 0, zone) - timedelta(seconds=1)).astimezone(zone)
