"""Is the pharmacy open? Pure: weekly spans, own closing days, one time zone."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pharmq.hosts.model import Hours, Opening, Pharmacy, Span

SEOUL = ZoneInfo("Asia/Seoul")
MAX_SPANS = 12


def opening(pharmacy: Pharmacy, now: datetime, zone: ZoneInfo = SEOUL) -> Opening:
    """``open`` with the current span, ``before`` with the next one of today (a break counts as before),
    ``after`` with today's last one, ``closed`` for a day without spans or an own closing day, ``unknown`` without
    any hours.

    Public holidays do not close a pharmacy: many are open by rota; own closing days say which are not.
    """
    if not pharmacy.hours.known:
        return Opening("unknown")
    local = now.astimezone(zone)
    today = local.date()
    # A span of yesterday may reach past midnight.
    for day in (today - timedelta(days=1), today):
        for span, start, end in moments(pharmacy, day, zone):
            if start <= local < end:
                return Opening("open", *span)
    spans = list(moments(pharmacy, today, zone))
    if not spans:
        return Opening("closed")
    for span, start, _ in spans:
        if local < start:
            return Opening("before", *span)
    return Opening("after", *spans[-1][0])


def moments(pharmacy: Pharmacy, day: date, zone: ZoneInfo) -> Iterator[tuple[Span, datetime, datetime]]:
    """A day's spans in order, with their beginnings and ends; none on an own closing day."""
    if day.isoformat() in pharmacy.closing_days:
        return
    for span in sorted(pharmacy.hours.of(day.weekday())):
        start, end = minutes(span[0]), minutes(span[1])
        ends_on = day if end > start else day + timedelta(days=1)
        yield span, _at(day, start, zone), _at(ends_on, end, zone)


def _at(day: date, minute: int, zone: ZoneInfo) -> datetime:
    if minute == 24 * 60:
        return datetime.combine(day + timedelta(days=1), time(), zone)
    return datetime.combine(day, time(minute // 60, minute % 60), zone)


def minutes(text: str) -> int:
    """``"09:30"`` as minutes since midnight, ``24:00`` allowed. Raises ValueError."""
    hour, colon, minute = text.partition(":")
    if not (
        colon and len(hour) == 2 and len(minute) == 2 and (hour + minute).isascii() and (hour + minute).isdecimal()
    ):
        raise ValueError("not a time of day")
    value = int(hour) * 60 + int(minute)
    if int(minute) > 59 or value > 24 * 60:
        raise ValueError("not a time of day")
    return value


def faults(hours: Hours) -> list[str]:
    """Weekdays whose spans are malformed, overlap or are too many; empty when all is well."""
    found = []
    for name in hours.__struct_fields__:
        spans: tuple[Span, ...] = getattr(hours, name)
        if len(spans) > MAX_SPANS:
            found.append(name)
            continue
        try:
            edges = sorted((minutes(start), minutes(end)) for start, end in spans)
        except ValueError:
            found.append(name)
            continue
        ends = [end if end > start else end + 24 * 60 for start, end in edges]
        overlap = any(edges[i + 1][0] < ends[i] for i in range(len(edges) - 1))
        if overlap or any(start == 24 * 60 or start == end for start, end in edges):
            found.append(name)
    return found
