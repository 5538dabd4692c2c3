"""What a reader of the journal asks for, and the conditions that it makes. Values of one field are alternatives."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, and_, exists, not_, or_, select

from pharmq.http import MAX_ID
from pharmq.journal import Row, Where
from pharmq.journal.service import person
from pharmq.journal.tables import journal as table

Aware: TypeAlias = Annotated[datetime, Meta(tz=True)]
Ending: TypeAlias = Literal["ok", "failed", "open"]
Doer: TypeAlias = Literal["user", "token", "system"]
EARLIEST, LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
GOOD = ("ok", "succeeded", "skipped")
"""Outcomes that need nobody's attention: done, or nothing to do."""
FOLDED = ("console.closed", "job.finished")
"""Ends that belong to an act which stands as a row of its own."""
SYSTEM_ACTS = (
    "access", "audit", "backup", "credential", "export", "guest", "job", "power", "schedule", "settings", "vault",
)  # fmt: skip
"""Families of kinds that are acts also when PharmQ itself did them: by schedule, by policy, from its command line."""


class EventFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``kind`` may end in ``.*``: ``power.*``. ``person``: part of a name, or an address."""

    actor_id: tuple[int, ...] = ()
    person: str | None = None
    pharmacy_id: tuple[int, ...] = ()
    host_id: tuple[int, ...] = ()
    vm_id: tuple[int, ...] = ()
    kind: tuple[str, ...] = ()
    act_id: str | None = None
    since: Aware | None = None
    until: Aware | None = None


class AuditFilter(EventFilter, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``outcome``: ``ok`` everything well, ``failed`` some part was not, ``open`` asked for and not ended.
    ``by``: people, their API tokens, PharmQ itself; left out: all."""

    outcome: tuple[Ending, ...] = ()
    by: tuple[Doer, ...] = ()


def conditions(wanted: EventFilter, *, addresses: bool) -> list[ColumnElement[bool]]:
    """``addresses``: whether the reader may find out who came from an address."""
    found: list[ColumnElement[bool]] = []
    places = _places(wanted)
    if wanted.actor_id:
        found.append(table.c.actor_id.in_(wanted.actor_id))
    if places:
        # An act on many VMs belongs to no pharmacy; its parts do.
        parts = select(table.c.act_id).where(*places, table.c.phase == "outcome")
        asked = and_(table.c.phase == "request", table.c.act_id.in_(parts))
        found.append(or_(and_(*places), asked) if isinstance(wanted, AuditFilter) else and_(*places))
    if wanted.kind:
        found.append(or_(*(kind_is(kind) for kind in wanted.kind)))
    if wanted.act_id is not None:
        found.append(table.c.act_id == wanted.act_id)
    if wanted.person:
        text = wanted.person.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        named = person.name.like(f"%{text}%", escape="\\")
        found.append(or_(named, person.source == wanted.person) if addresses else named)
    if wanted.since is not None:
        found.append(table.c.at >= _sane(wanted.since))
    if wanted.until is not None:
        found.append(table.c.at < _sane(wanted.until))
    return found


def _places(wanted: EventFilter) -> list[ColumnElement[bool]]:
    chosen = (
        (table.c.pharmacy_id, wanted.pharmacy_id),
        (table.c.host_id, wanted.host_id),
        (table.c.vm_id, wanted.vm_id),
    )
    return [column.in_(values) for column, values in chosen if values]


def is_at(where: Where, wanted: EventFilter) -> bool:
    """Whether the places that are asked for hold what happened here."""
    chosen = (
        (where.pharmacy_id, wanted.pharmacy_id),
        (where.host_id, wanted.host_id),
        (where.vm_id, wanted.vm_id),
    )
    return all(number in values for number, values in chosen if values)


def acts(wanted: AuditFilter, *, whole: bool = True) -> list[ColumnElement[bool]]:
    """Acts, not what became of them (an outcome that belongs to a request stands in its row), by whom and how ended.
    Not ``whole``: how an act on many ended is left open here, to be judged by what the reader sees of it
    (``ended_so``)."""
    asked = table.alias("asked")
    by_people = table.c.actor_kind.in_(("user", "token"))
    by_system = and_(table.c.actor_kind == "system", or_(*(kind_is(f"{family}.*") for family in SYSTEM_ACTS)))
    doers = {"user": table.c.actor_kind == "user", "token": table.c.actor_kind == "token", "system": by_system}
    found = [
        or_(*(doers[doer] for doer in wanted.by)) if wanted.by else or_(by_people, by_system),
        or_(table.c.phase != "outcome", table.c.act_id.is_(None)),
        not_(
            and_(table.c.kind.in_(FOLDED), exists().where(asked.c.act_id == table.c.act_id, asked.c.phase == "request"))
        ),
    ]
    if wanted.outcome:
        of_many = and_(table.c.phase == "request", table.c.pharmacy_id.is_(None), table.c.host_id.is_(None))
        found.append(or_(*(_ended(ending) for ending in wanted.outcome), *([] if whole else [of_many])))
    return found


def ended_so(outcomes: Sequence[Row], wanted: AuditFilter) -> bool:
    """Whether an act that ended in these, one at least, ended as it is asked for."""
    ending: Ending = "ok" if all(one.outcome in GOOD for one in outcomes) else "failed"
    return not wanted.outcome or ending in wanted.outcome


def _ended(ending: Ending) -> ColumnElement[bool]:
    part = table.alias("part")
    parts = and_(table.c.phase == "request", part.c.act_id == table.c.act_id, part.c.phase == "outcome")
    bad = or_(
        # How a console was closed is no failure.
        and_(table.c.outcome.is_not(None), table.c.outcome.not_in(GOOD), table.c.kind != "console.closed"),
        # A refusal has no outcome of its own: it is one.
        table.c.kind.in_(("session.refused", "console.refused", "access.refused")),
        exists().where(parts, part.c.outcome.not_in(GOOD)),
    )
    under_way = and_(table.c.phase == "request", not_(exists().where(parts)))
    if ending == "failed":
        return bad
    return under_way if ending == "open" else and_(not_(bad), not_(under_way))


def kind_is(kind: str) -> ColumnElement[bool]:
    """``power.start``, or a family: ``power.*``."""
    if not kind.endswith(".*"):
        return table.c.kind == kind
    # A range uses the index where LIKE would not (SQLite's ignores case); "/" follows ".".
    return and_(table.c.kind >= kind[:-1], table.c.kind < kind[:-2] + "/")


def _sane(at: datetime) -> datetime:
    """Years that every database and time zone can do with."""
    return min(max(at, EARLIEST), LATEST)


# --- from a query string


def known(ids: Sequence[int] | None) -> tuple[int, ...]:
    # An id no column can hold stands for nothing; 0 is no id either, and keeps the filter in force.
    return tuple(number if 0 < number <= MAX_ID else 0 for number in ids or ())


def kinds_of(kinds: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(plain(text)[:64] for text in kinds or ())


def plain(text: str) -> str:
    return text.replace("\x00", "")


def aware(at: datetime | None) -> datetime | None:
    # A time without a zone is taken as UTC, as the API writes it.
    return at if at is None or at.tzinfo is not None else at.replace(tzinfo=UTC)
