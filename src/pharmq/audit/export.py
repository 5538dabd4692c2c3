"""Audit rows as files: CSV that Korean Excel opens, JSON lines. Asked for with a reason, recorded before and after."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from pharmq.access import EVERYTHING, Actor, Privilege, require, where, who
from pharmq.audit.search import AuditFilter, AuditRow, AuditSearch
from pharmq.base.clock import Clock
from pharmq.base.errors import FieldError, Invalid
from pharmq.base.ids import new_act_id
from pharmq.base.messages import Language, render
from pharmq.db import Database
from pharmq.journal import Entry, Journal

AT_MOST = 1_000_000
SEOUL = ZoneInfo("Asia/Seoul")
COLUMNS = (
    "seq", "at", "actor", "source", "kind", "pharmacy", "vm", "host_id", "outcome", "duration_s", "reason", "details",
    "act_id", "upid",
)  # fmt: skip
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


class ExportForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``reason``: what it is for, in a few words; it is recorded."""

    format: Literal["csv", "jsonl"]
    reason: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
    filter: AuditFilter = AuditFilter()


def reasoned(text: str) -> str:
    """The reason, trimmed. Raises Invalid when there is none."""
    reason = text.strip()
    if len(reason) < 2:
        raise Invalid("request.invalid", fields={"reason": [FieldError("audit.reason_needed")]})
    return reason


class AuditExport:
    def __init__(self, db: Database, journal: Journal, search: AuditSearch, clock: Clock) -> None:
        self.db = db
        self.journal = journal
        self.search = search
        self.clock = clock

    async def begin(self, actor: Actor, form: ExportForm) -> AsyncIterator[bytes]:
        """The file in pieces. The request is recorded before the first, how many rows went out after the last (or when
        the reader leaves). Raises Forbidden, Invalid."""
        for privilege in (Privilege.EXPORT, Privilege.AUDIT_READ):
            require(actor, privilege, EVERYTHING)
        act_id = new_act_id(self.clock.now())
        wanted = msgspec.to_builtins(form.filter)
        params: dict[str, Any] = {
            "reason": reasoned(form.reason),
            "format": form.format,
            "filter": {
                name: value for name, value in wanted.items() if value not in (None, [], ()) and name != "person"
            },
        }
        entry = Entry(
            kind="export.audit",
            phase="request",
            act_id=act_id,
            who=who(actor),
            where=where(EVERYTHING),
            params=params,
            private={"person": form.filter.person} if form.filter.person else {},
        )
        async with self.db.transaction(durable=True) as tx:
            await self.journal.append(tx, entry)
        return self._pieces(actor, form, act_id)

    async def _pieces(self, actor: Actor, form: ExportForm, act_id: str) -> AsyncIterator[bytes]:
        rows, outcome = 0, "export.interrupted"
        try:
            if form.format == "csv":
                yield csv_head(actor.lang)
            async for batch in self.search.everything(actor, form.filter, AT_MOST):
                rows += len(batch)
                yield csv_rows(batch) if form.format == "csv" else json_lines(batch)
            outcome = "ok"
        finally:
            entry = Entry(
                kind="export.audit",
                phase="outcome",
                act_id=act_id,
                who=who(actor),
                where=where(EVERYTHING),
                params={"rows": rows},
                outcome=outcome,
            )
            async with self.db.transaction(durable=True) as tx:
                await self.journal.append(tx, entry)


def csv_head(language: Language) -> bytes:
    """The byte order mark by which Excel knows UTF-8, and the columns' names."""
    return b"\xef\xbb\xbf" + _lines([[render(f"audit.column_{name}", {}, language).title for name in COLUMNS]])


def csv_rows(rows: list[AuditRow]) -> bytes:
    return _lines([_cells(row) for row in rows])


def json_lines(rows: list[AuditRow]) -> bytes:
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + text if text.startswith(_DANGEROUS) else text


def local(at: datetime) -> str:
    """As Excel reads a time: Korean local time."""
    return at.astimezone(SEOUL).strftime("%Y-%m-%d %H:%M:%S")


def _cells(row: AuditRow) -> list[str]:
    details = {name: value for name, value in row.params.items() if name != "reason"}
    outcome = row.outcome or ", ".join(f"{name} {count}" for name, count in sorted(row.outcomes.items()))
    name = row.actor.name or (f"#{row.actor.id}" if row.actor.id is not None else row.actor.kind)
    seconds = "" if row.duration_ms is None else f"{row.duration_ms / 1000:.3f}"
    return [
        str(row.seq),
        local(row.at),
        name,
        row.actor.source or "",
        row.kind,
        row.pharmacy_name or "",
        row.vm_name or "",
        "" if row.host_id is None else str(row.host_id),
        outcome,
        seconds,
        row.reason or "",
        msgspec.json.encode(details).decode() if details else "",
        row.act_id or "",
        row.upid or "",
    ]


def _lines(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([safe(cell) for cell in row] for row in rows)
    return text.getvalue().encode()
