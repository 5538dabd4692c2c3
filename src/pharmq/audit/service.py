"""Pages of history. Rows keep codes and parameters; names are those of today, as far as their objects still stand."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement

from pharmq.access import Actor, Privilege, Scope, allows, allows_everywhere
from pharmq.audit.wanted import EventFilter, conditions
from pharmq.db import Database
from pharmq.hosts.directory import Directory
from pharmq.inventory import View
from pharmq.journal import Journal, Row, newest_first

_SCAN = 500
_SCANS_AT_MOST = 20
_PRIVATE = ("session.", "access.", "settings.", "credential.", "audit.", "export.", "vault.")
"""Kinds that tell of people and secrets rather than of machines: for those who may read the audit."""


class EventActor(msgspec.Struct, frozen=True):
    kind: str
    id: int | None
    name: str | None


class EventRow(msgspec.Struct, frozen=True):
    """A journal row on the wire. ``before=seq`` of the last row gives the next page."""

    seq: int
    at: datetime
    kind: str
    phase: str
    act_id: str | None
    actor: EventActor
    pharmacy_id: int | None
    pharmacy_name: str | None
    host_id: int | None
    vm_id: int | None
    vm_name: str | None
    params: dict[str, Any]
    outcome: str | None
    upid: str | None


class AuditService:
    def __init__(self, db: Database, journal: Journal, directory: Directory, view: View) -> None:
        self.db = db
        self.journal = journal
        self.directory = directory
        self.view = view

    def row(self, row: Row) -> EventRow:
        """A journal row with the names of today."""
        where = row.where
        pharmacy = None if where.pharmacy_id is None else self.directory.pharmacy(where.pharmacy_id)
        vm = None if where.vm_id is None else self.view.get(where.vm_id)
        name = vm.name if vm is not None else row.params.get("name") if where.vm_id is not None else None
        return EventRow(
            seq=row.seq,
            at=row.at,
            kind=row.kind,
            phase=row.phase,
            act_id=row.act_id,
            actor=EventActor(row.who.kind, row.who.id, row.who.name),
            pharmacy_id=where.pharmacy_id,
            pharmacy_name=None if pharmacy is None else pharmacy.name,
            host_id=where.host_id,
            vm_id=where.vm_id,
            vm_name=name if isinstance(name, str) else None,
            params=row.params,
            outcome=row.outcome,
            upid=row.upid,
        )

    def visible(self, actor: Actor, row: Row) -> bool:
        """Judged by the paths the object had when it happened, so that a later move opens nothing old."""
        scope = Scope(frozenset(row.where.paths))
        if row.kind.startswith(_PRIVATE) and not allows(actor, Privilege.AUDIT_READ, scope):
            return False
        return allows(actor, Privilege.SEE, scope)

    async def page(
        self, actor: Actor, wanted: EventFilter, before: int | None, limit: int
    ) -> tuple[list[EventRow], int]:
        """Newest first, strictly older than ``before``. The total is that of this page: history is not counted, it
        would cost reading all of it."""
        wheres = self._conditions(actor, wanted)
        everything = allows_everywhere(actor, Privilege.SEE) and allows_everywhere(actor, Privilege.AUDIT_READ)
        found: list[Row] = []
        async with self.db.read() as conn:
            for _ in range(_SCANS_AT_MOST):
                size = limit if everything else _SCAN
                rows = await self.journal.select(conn, newest_first(*wheres, before=before), size)
                found.extend(row for row in rows if everything or self.visible(actor, row))
                if everything or len(rows) < size or len(found) >= limit:
                    break
                before = rows[-1].seq
        shown = [self.row(row) for row in found[:limit]]
        return shown, len(shown)

    async def everything(self, actor: Actor, wanted: EventFilter, at_most: int) -> AsyncIterator[list[EventRow]]:
        """All that the actor may take along, newest first, in batches."""
        wheres, before, given = self._conditions(actor, wanted), None, 0
        while given < at_most:
            async with self.db.read() as conn:
                rows = await self.journal.select(conn, newest_first(*wheres, before=before), _SCAN)
            found = [row for row in rows if self.visible(actor, row) and _may_take(actor, row)]
            yield [self.row(row) for row in found[: at_most - given]]
            given += len(found)
            if len(rows) < _SCAN:
                return
            before = rows[-1].seq

    def _conditions(self, actor: Actor, wanted: EventFilter) -> list[ColumnElement[bool]]:
        return conditions(wanted, addresses=allows_everywhere(actor, Privilege.AUDIT_READ))


def _may_take(actor: Actor, row: Row) -> bool:
    return allows(actor, Privilege.EXPORT, Scope(frozenset(row.where.paths)))
