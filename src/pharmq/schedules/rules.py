"""When a schedule runs, as a value: what people save and what ``slots`` computes from."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from cronsim import CronSim, CronSimError
from msgspec import Meta

from pharmq.base.errors import FieldError, Invalid

Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TimeOfDay: TypeAlias = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z")]
Days: TypeAlias = Annotated[tuple[Weekday, ...], Meta(min_length=1, max_length=7)]

MAX_OFFSET_MIN = 12 * 60
_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)


class Weekly(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="weekly"):
    """At local times of day on some weekdays."""

    days: Days
    times: Annotated[tuple[TimeOfDay, ...], Meta(min_length=1, max_length=48)]


class Cron(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="cron"):
    """Five fields, read as Debian's cron reads them (``#``, ``L`` and ``LW`` for days as well)."""

    expression: Annotated[str, Meta(min_length=9, max_length=120, pattern=r"^[0-9A-Za-z*/,#\- ]+\Z")]


class Around(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="opening"):
    """``offset_min`` minutes after each pharmacy opens for the day, or closes for the day (its last span's end);
    negative is before. Pharmacies without known hours have no such moment."""

    edge: Literal["open", "close"]
    offset_min: Annotated[int, Meta(ge=-MAX_OFFSET_MIN, le=MAX_OFFSET_MIN)] = 0
    days: Days = WEEKDAYS


Rule: TypeAlias = Weekly | Cron | Around


class When(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    rename={"first": "from", "last": "until", "excepted": "except"},
):
    """``first`` and ``last``: local days, both included. ``holidays``: Korea's public holidays, substitutes and
    temporary ones included: run on them like on any day, skip them, or run on nothing else. ``closed``: whether
    pharmacies that are closed on the day are left out (around an opening they always are)."""

    rule: Rule
    zone: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+\-/]+\Z")] = "Asia/Seoul"
    first: date | None = None
    last: date | None = None
    excepted: Annotated[tuple[date, ...], Meta(max_length=400)] = ()
    holidays: Literal["run", "skip", "only"] = "run"
    closed: Literal["run", "skip"] = "run"


class Missed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of a slot that PharmQ could not serve in time.

    ``skip``: nothing. ``once``: when PharmQ was down, the latest one is made up for, if it is not older than
    ``within_s``. ``when_back``: that, and guests whose host was offline get their turn when it is back within the
    same time.
    """

    do: Literal["skip", "once", "when_back"] = "once"
    within_s: Annotated[int, Meta(ge=60, le=7 * 86400)] = 3600


Overlap: TypeAlias = Literal["skip", "queue"]


def check(when: When) -> None:
    """Raise Invalid with the field that cannot be meant."""
    faults: dict[str, list[FieldError]] = {}
    try:
        ZoneInfo(when.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        faults["when.zone"] = [FieldError("schedule.zone", {"zone": when.zone})]
    if when.first and when.last and when.last < when.first:
        faults["when.until"] = [FieldError("schedule.until_before_from")]
    if isinstance(when.rule, Cron):
        try:
            if len(when.rule.expression.split()) != 5:
                raise CronSimError("five fields")
            CronSim(when.rule.expression, _ANY_TIME)
        except CronSimError as error:
            faults["when.rule.expression"] = [FieldError("schedule.cron", {"detail": str(error)})]
    if faults:
        raise Invalid("request.invalid", fields=faults)
