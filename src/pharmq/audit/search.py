"""What people did: acts with their outcomes and durations, searched, and read to the end for an export."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import or_

from pharmq.access import EVERYTHING, Actor, Privilege, Scope, allows, allows_everywhere, require
from pharmq.audit.service import AuditService
from pharmq.audit.wanted import FOLDED, AuditFilter, acts, conditions, ended_so, is_at
from pharmq.db import Database
from pharmq.journal import Journal, Row, Where, newest_first
from pharmq.journal.tables import journal as table

SCAN = 500
SCANS_AT_MOST = 40


class AuditActor(msgspec.Struct, frozen=True):
    """``name`` is as it was then; null when it was erased."""

    kind: str
    id: int | None
    name: str | None
    source: str | None


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """An act or a fact about a person. ``outcomes`` counts how its parts ended (an act on many VMs has many);
    ``outcome`` is the one it has, when it has one; ``finished_at`` of a console is when it closed. ``before=seq`` of
    the last row gives the next page.

    Whoever may read the audit of some of an act's places only is told of these alone: ``params.total``, the outcomes
    and the times are those of the parts that ended there, as if there had been no others."""

    seq: int
    at: datetime
    act_id: str | None
    kind: str
    phase: str
    actor: AuditActor
    pharmacy_id: int | None
    pharmacy_name: str | None
    host_id: int | None
    vm_id: int | None
    vm_name: str | None
    params: dict[str, Any]
    reason: str | None
    outcome: str | None
    outcomes: dict[str, int]
    upid: str | None
    finished_at: datetime | None
    duration_ms: int | None


class AuditSearch:
    """Reads need ``audit.read`` where it happened; what nobody may place needs it on everything. An act on many VMs
    belongs to the whole, and its parts to their places: who may read some of these sees the act with them alone."""

    def __init__(self, db: Database, journal: Journal, events: AuditService) -> None:
        self.db = db
        self.journal = journal
        self.events = events

    def visible(self, actor: Actor, row: Row) -> bool:
        return allows(actor, Privilege.AUDIT_READ, Scope(frozenset(row.where.paths)))

    async def page(
        self, actor: Actor, wanted: AuditFilter, before: int | None, limit: int
    ) -> tuple[list[AuditRow], int]:
        """Newest first; the total is that of this page."""
        found: list[AuditRow] = []
        async for batch in self._batches(actor, wanted, before):
            found += batch
            if len(found) >= limit:
                break
        return found[:limit], min(len(found), limit)

    async def everything(self, actor: Actor, wanted: AuditFilter, at_most: int) -> AsyncIterator[list[AuditRow]]:
        """All of it, newest first, in batches."""
        given = 0
        async for batch in self._batches(actor, wanted, None, scans=None):
            yield batch[: at_most - given]
            given += len(batch)
            if given >= at_most:
                return

    async def _batches(
        self, actor: Actor, wanted: AuditFilter, before: int | None, scans: int | None = SCANS_AT_MOST
    ) -> AsyncIterator[list[AuditRow]]:
        whole = allows_everywhere(actor, Privilege.AUDIT_READ)
        wheres = [*conditions(wanted, addresses=True), *acts(wanted, whole=whole)]
        while scans is None or scans > 0:
            async with self.db.read() as conn:
                rows = await self.journal.select(conn, newest_first(*wheres, before=before), SCAN)
                asked = [row.act_id for row in rows if row.phase == "request" and row.act_id is not None]
                later = or_(table.c.phase == "outcome", table.c.kind.in_(FOLDED))
                query = newest_first(table.c.act_id.in_(asked), later)
                followed = await self.journal.select(conn, query, 50_000) if asked else []
            by_act: dict[str, list[Row]] = {}
            for row in followed:
                by_act.setdefault(row.act_id or "", []).append(row)
            seen = (self._seen(actor, wanted, row, by_act.get(row.act_id or "", [])) for row in rows)
            yield [row for row in seen if row is not None]
            if len(rows) < SCAN:
                return
            before = rows[-1].seq
            scans = None if scans is None else scans - 1

    def _seen(self, actor: Actor, wanted: AuditFilter, row: Row, followed: Sequence[Row]) -> AuditRow | None:
        """The row as this actor may see it. What the database has picked it for may lie where they may not look:
        then the filter is asked once more, of the parts that they see."""
        if self.visible(actor, row):
            return self._row(row, followed)
        parts = [one for one in followed if one.phase == "outcome" and self.visible(actor, one)]
        if not parts or not any(is_at(one.where, wanted) for one in parts) or not ended_so(parts, wanted):
            return None
        return self._row(_in_part(row, parts), parts)

    def _row(self, row: Row, followed: Sequence[Row]) -> AuditRow:
        event = self.events.row(row)
        if row.phase == "request":
            outcomes = [one for one in followed if one.phase == "outcome"]
        else:
            outcomes, followed = [row] if row.outcome is not None else [], []
        finished = max((one.at for one in followed or outcomes), default=None)
        only = outcomes[0] if len(outcomes) == 1 else None
        return AuditRow(
            seq=row.seq,
            at=row.at,
            act_id=row.act_id,
            kind=row.kind,
            phase=row.phase,
            actor=AuditActor(row.who.kind, row.who.id, row.who.name, row.who.source),
            pharmacy_id=event.pharmacy_id,
            pharmacy_name=event.pharmacy_name,
            host_id=event.host_id,
            vm_id=event.vm_id,
            vm_name=event.vm_name,
            params=_facts(row, only, followed),
            reason=_reason(row),
            outcome=only.outcome if only else None,
            outcomes=dict(Counter(outcome.outcome or "" for outcome in outcomes)),
            upid=only.upid if only else row.upid,
            finished_at=finished,
            duration_ms=round((finished - row.at).total_seconds() * 1000) if finished else None,
        )


def require_reading(actor: Actor) -> None:
    require(actor, Privilege.AUDIT_READ, EVERYTHING)


def _in_part(row: Row, parts: Sequence[Row]) -> Row:
    """A request as if these had been all its parts: nothing but what they say themselves, and how many they are."""
    told = {name: parts[0].params[name] for name in ("job_id", "force", "cause") if name in parts[0].params}
    places = [one.where for one in parts]
    where = Where(
        (),
        _common([place.pharmacy_id for place in places]),
        _common([place.host_id for place in places]),
        _common([place.vm_id for place in places]),
    )
    return msgspec.structs.replace(row, where=where, params=told | {"total": len(parts)})


def _common(ids: Sequence[int | None]) -> int | None:
    return ids[0] if len(set(ids)) == 1 else None


def _reason(row: Row) -> str | None:
    """What a person gave as theirs. Where machines refuse, ``reason`` is a code among the parameters."""
    found = row.params.get("purpose") or row.params.get("reason")
    return found if isinstance(found, str) and not row.kind.startswith(("session.", "host.", "vm.")) else None


def _facts(row: Row, only: Row | None, followed: Sequence[Row]) -> dict[str, Any]:
    """The request's parameters with what became known later: how many rows went out, why it failed, how a console
    ended."""
    found = dict(row.params)
    if only is not None and only is not row:
        found = only.params | found
        if (because := only.params.get("reason")) is not None:
            found["because"] = because
    for one in followed:
        if one.kind == "console.closed":
            found = one.params | found
    return found
