"""The monthly review: who did how much, at what hours, from where; dormant accounts; signed by a person. And the
breach pack: what one person saw and took away in a period."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from pharmq.access import EVERYTHING, Actor, Privilege, require, where, who
from pharmq.access.tables import users
from pharmq.audit import store
from pharmq.audit.export import SEOUL, reasoned
from pharmq.audit.search import AuditRow, AuditSearch, require_reading
from pharmq.audit.tables import audit_reviews
from pharmq.audit.wanted import EARLIEST, AuditFilter, Aware
from pharmq.base.clock import Clock
from pharmq.base.errors import Conflict, FieldError, Invalid
from pharmq.base.ids import new_act_id
from pharmq.db import Database
from pharmq.journal import Entry, Journal, Row, newest_first
from pharmq.journal.tables import journal as table

DORMANT = timedelta(days=90)
WORKING_HOURS = range(7, 22)
"""Local hours in which acts are usual, on weekdays and Saturdays; pharmacies are open until 22."""
MANY_EXPORTS = 5
LONGEST_SCREEN = timedelta(days=8)
"""A little more than the longest that settings let a screen stay open."""
ROWS_AT_MOST = 1_000_000


class PersonReview(msgspec.Struct, frozen=True, kw_only=True):
    """One person's month. ``unusual`` counts acts at night and on Sundays; ``remarks`` are catalogue codes."""

    user_id: int | None
    name: str | None
    acts: int
    sign_ins: int
    refused: int
    consoles: int
    exports: int
    access_changes: int
    unusual: int
    addresses: int
    remarks: tuple[str, ...]


class DormantAccount(msgspec.Struct, frozen=True, kw_only=True):
    user_id: int
    name: str
    last_sign_in: datetime | None


class ReviewReport(msgspec.Struct, frozen=True, kw_only=True):
    month: str
    people: list[PersonReview]
    dormant: list[DormantAccount]
    signed_at: datetime | None = None
    signed_by: int | None = None
    note: str = ""


class ReviewMonth(msgspec.Struct, frozen=True):
    """``ended``: only then may it be signed."""

    month: str
    ended: bool
    signed_at: datetime | None
    signed_by: int | None


class SignForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    note: Annotated[str, Meta(max_length=2000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")] = ""


class PackForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user_id: Annotated[int, Meta(ge=1, le=2**53)]
    since: Aware
    until: Aware
    reason: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]


class SeenScreen(msgspec.Struct, frozen=True, kw_only=True):
    """``closed_at`` null: still open, or its end is outside the period."""

    act_id: str | None
    pharmacy_id: int | None
    pharmacy_name: str | None
    vm_id: int | None
    vm_name: str | None
    opened_at: datetime
    closed_at: datetime | None
    duration_s: float | None
    details: dict[str, Any]


class BreachPack(msgspec.Struct, frozen=True, kw_only=True):
    user_id: int
    since: datetime
    until: datetime
    screens: list[SeenScreen]
    exports: list[AuditRow]
    screenshots: list[AuditRow]
    sign_ins: list[AuditRow]
    addresses: list[str]
    pharmacies: list[str]
    acts: int


class ReviewService:
    def __init__(self, db: Database, journal: Journal, search: AuditSearch, clock: Clock) -> None:
        self.db = db
        self.journal = journal
        self.search = search
        self.clock = clock

    async def months(self, actor: Actor) -> list[ReviewMonth]:
        """This month and the last twelve, as far as something is kept of them, newest first, and which are signed."""
        require_reading(actor)
        async with self.db.read() as conn:
            signed = {row.month: row for row in await conn.execute(select(audit_reviews))}
            oldest = await store.oldest(conn)
        now = self.clock.now().astimezone(SEOUL)
        found, at = [], now.replace(day=1)
        for back in range(13):
            month, row = f"{at:%Y-%m}", signed.get(f"{at:%Y-%m}")
            if row is not None or (oldest is not None and bounds(month)[1] > oldest[1]):
                signed_at, signed_by = (row.signed_at, row.signed_by) if row is not None else (None, None)
                found.append(ReviewMonth(month, back > 0, signed_at, signed_by))
            at = (at - timedelta(days=1)).replace(day=1)
        return found

    async def report(self, actor: Actor, month: str) -> ReviewReport:
        """A signed month as it was signed, any other as it stands now."""
        require_reading(actor)
        since, until = bounds(month)
        async with self.db.read() as conn:
            row = (await conn.execute(select(audit_reviews).where(audit_reviews.c.month == month))).first()
            named = {one.id: one for one in await conn.execute(select(users))}
        if row is not None:
            report = msgspec.convert(row.report, ReviewReport)
            people = [
                msgspec.structs.replace(one, name=named[one.user_id].name if one.user_id in named else None)
                for one in report.people
            ]
            return msgspec.structs.replace(
                report, people=people, signed_at=row.signed_at, signed_by=row.signed_by, note=row.note
            )
        rows: list[AuditRow] = []
        wanted = AuditFilter(since=since, until=until, by=("user", "token"))
        async for batch in self.search.everything(actor, wanted, ROWS_AT_MOST):
            rows += batch
        dormant = [
            DormantAccount(user_id=user.id, name=user.name, last_sign_in=user.signed_in_at)
            for user in named.values()
            if user.disabled_at is None and until - (user.signed_in_at or user.created_at) > DORMANT
        ]
        return ReviewReport(month=month, people=people_of(rows), dormant=sorted(dormant, key=lambda one: one.name))

    async def sign(self, actor: Actor, month: str, note: str) -> ReviewReport:
        """Keep the report as it stands, with who has seen it. Raises Conflict."""
        _, until = bounds(month)
        now = self.clock.now()
        if now < until:
            raise Conflict("audit.month_open", params={"month": month})
        report = await self.report(actor, month)
        if report.signed_at is not None:
            raise Conflict("audit.already_signed", params={"month": month})
        # Numbers only: names must stay erasable.
        people = [msgspec.structs.replace(one, name=None) for one in report.people if one.user_id is not None]
        dormant = [msgspec.structs.replace(one, name="") for one in report.dormant]
        kept = msgspec.structs.replace(report, people=people, dormant=dormant)
        entry = Entry(
            kind="audit.reviewed",
            act_id=new_act_id(now),
            who=who(actor),
            where=where(EVERYTHING),
            params={"month": month, "people": len(people), "dormant": len(dormant), "note": note},
        )
        values = {"month": month, "report": kept, "note": note, "signed_by": actor.id or 0, "signed_at": now}
        try:
            async with self.db.transaction(durable=True) as tx:
                await tx.conn.execute(insert(audit_reviews).values(**values))
                await self.journal.append(tx, entry)
        except IntegrityError:
            raise Conflict("audit.already_signed", params={"month": month}) from None
        return await self.report(actor, month)

    async def pack(self, actor: Actor, form: PackForm) -> BreachPack:
        """What a person saw and took in a period; itself an export, recorded. Raises Forbidden, Invalid."""
        require(actor, Privilege.EXPORT, EVERYTHING)
        require_reading(actor)
        reason = reasoned(form.reason)
        if form.until <= form.since:
            raise Invalid("request.invalid", fields={"until": [FieldError("audit.range_needed")]})
        rows: list[AuditRow] = []
        wanted = AuditFilter(actor_id=(form.user_id,), since=form.since, until=form.until)
        async for batch in self.search.everything(actor, wanted, ROWS_AT_MOST):
            rows += batch
        rows.reverse()
        earlier = await self._opened_before(actor, form)
        # Ends are looked up by the act: a server that died closed the screen itself, and later than the period.
        opened = [row for row in (*earlier, *rows) if row.kind == "console.opened" and row.act_id is not None]
        ends = await self._ends([row.act_id for row in opened if row.act_id is not None])
        still = [row for row in earlier if (end := ends.get(row.act_id)) is None or end.at >= form.since]
        found = packed(form, rows, ends, still)
        entry = Entry(
            kind="export.breach_pack",
            act_id=new_act_id(self.clock.now()),
            who=who(actor),
            where=where(EVERYTHING),
            params={"user_id": form.user_id, "since": form.since, "until": form.until, "reason": reason},
            outcome="ok",
        )
        async with self.db.transaction(durable=True) as tx:
            await self.journal.append(tx, entry)
        return found

    async def _opened_before(self, actor: Actor, form: PackForm) -> list[AuditRow]:
        """Screens that may still have been open when the period began, oldest first."""
        wanted = AuditFilter(
            actor_id=(form.user_id,),
            kind=("console.opened",),
            since=max(form.since, EARLIEST + LONGEST_SCREEN) - LONGEST_SCREEN,
            until=form.since,
        )
        found: list[AuditRow] = []
        async for batch in self.search.everything(actor, wanted, ROWS_AT_MOST):
            found += batch
        return found[::-1]

    async def _ends(self, acts: list[str]) -> dict[str | None, Row]:
        found: dict[str | None, Row] = {}
        for place in range(0, len(acts), 500):
            query = newest_first(table.c.act_id.in_(acts[place : place + 500]), table.c.kind == "console.closed")
            async with self.db.read() as conn:
                found |= {row.act_id: row for row in await self.journal.select(conn, query, 1000)}
        return found


def bounds(month: str) -> tuple[datetime, datetime]:
    """A month's beginning and end, Korean time. Raises Invalid."""
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", month):
        raise Invalid("request.invalid", fields={"month": [FieldError("audit.month_malformed")]})
    begin = datetime(int(month[:4]), int(month[5:]), 1, tzinfo=SEOUL)
    end = (begin + timedelta(days=32)).replace(day=1)
    return begin.astimezone(UTC), end.astimezone(UTC)


def is_unusual(at: datetime) -> bool:
    """At night, or on a Sunday, Korean time."""
    local = at.astimezone(SEOUL)
    return local.hour not in WORKING_HOURS or local.weekday() == 6


def people_of(rows: list[AuditRow]) -> list[PersonReview]:
    """One row per person, those with most remarks first. Attempts under unknown names come together, without id."""
    by_person: dict[int | None, list[AuditRow]] = {}
    for row in rows:
        by_person.setdefault(row.actor.id, []).append(row)
    found = [_person(number, theirs) for number, theirs in by_person.items()]
    return sorted(found, key=lambda one: (-len(one.remarks), -one.acts, one.user_id or 0))


def _person(number: int | None, rows: list[AuditRow]) -> PersonReview:
    kinds = Counter(row.kind for row in rows)
    families = Counter(row.kind.partition(".")[0] for row in rows)
    unusual = sum(is_unusual(row.at) for row in rows)
    remarks = []
    if unusual:
        remarks.append("audit.remark_unusual_hours")
    if families["export"] >= MANY_EXPORTS:
        remarks.append("audit.remark_many_exports")
    if kinds["session.refused"] >= 10:
        remarks.append("audit.remark_many_refusals")
    return PersonReview(
        user_id=number,
        name=rows[0].actor.name if number is not None else None,
        acts=len(rows),
        sign_ins=kinds["session.opened"],
        refused=kinds["session.refused"],
        consoles=kinds["console.opened"],
        exports=families["export"],
        access_changes=families["access"] + families["credential"],
        unusual=unusual,
        addresses=len({row.actor.source for row in rows if row.actor.source}),
        remarks=tuple(remarks),
    )


def packed(
    form: PackForm, rows: list[AuditRow], ends: dict[str | None, Row], still: Sequence[AuditRow] = ()
) -> BreachPack:
    """``rows`` oldest first, ``ends`` of screens by act; ``still``: screens opened before the period, open in it."""
    screens = [
        _screen(row, ends.get(row.act_id))
        for row in (*still, *rows)
        if row.kind == "console.opened" and row.outcome in (None, "ok")
    ]
    return BreachPack(
        user_id=form.user_id,
        since=form.since,
        until=form.until,
        screens=screens,
        exports=[row for row in rows if row.kind.startswith("export.")],
        screenshots=[row for row in rows if "screenshot" in row.kind],
        sign_ins=[row for row in rows if row.kind.startswith("session.")],
        addresses=sorted({row.actor.source for row in rows if row.actor.source}),
        pharmacies=sorted({screen.pharmacy_name for screen in screens if screen.pharmacy_name}),
        acts=len(rows),
    )


def _screen(opened: AuditRow, closed: Row | None) -> SeenScreen:
    details = opened.params | (closed.params if closed else {})
    return SeenScreen(
        act_id=opened.act_id,
        pharmacy_id=opened.pharmacy_id,
        pharmacy_name=opened.pharmacy_name,
        vm_id=opened.vm_id,
        vm_name=opened.vm_name,
        opened_at=opened.at,
        closed_at=closed.at if closed else None,
        duration_s=round((closed.at - opened.at).total_seconds(), 3) if closed else None,
        details=details,
    )
