"""The journal as files: CSV that Korean Excel opens, JSON lines. Asked for with a reason, recorded before and after."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from pharmq.access import EVERYTHING, Actor, Privilege, allows_anywhere, require, where, who
from pharmq.audit.search import AuditRow, AuditSearch
from pharmq.audit.service import AuditService, EventRow
from pharmq.audit.wanted import AuditFilter, EventFilter
from pharmq.base.clock import Clock
from pharmq.base.errors import FieldError, Forbidden, Invalid
from pharmq.base.ids import new_act_id
from pharmq.base.messages import Language, catalogue, render
from pharmq.db import Database
from pharmq.journal import Entry, Journal

T = TypeVar("T")

AT_MOST = 1_000_000
SEOUL = ZoneInfo("Asia/Seoul")
COLUMNS = (
    "seq", "at", "actor", "source", "family", "kind", "pharmacy", "vm", "host_id", "outcome", "duration_s", "reason",
    "details", "act_id", "upid",
)  # fmt: skip
EVENT_COLUMNS = (
    "seq", "at", "actor", "family", "kind", "phase", "pharmacy", "vm", "host_id", "outcome", "details",
    "act_id", "upid",
)  # fmt: skip
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


Format: TypeAlias = Literal["csv", "jsonl"]
ReasonText: TypeAlias = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]


class ExportForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``reason``: what it is for, in a few words; it is recorded."""

    format: Format
    reason: ReasonText
    filter: AuditFilter = AuditFilter()


class EventExportForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As ``ExportForm``, for the event list."""

    format: Format
    reason: ReasonText
    filter: EventFilter = EventFilter()


class Writing(NamedTuple, Generic[T]):
    """How rows become a file."""

    head: Callable[[Language], bytes]
    rows: Callable[[Sequence[T], Language], bytes]


def reasoned(text: str) -> str:
    """The reason, trimmed. Raises Invalid when there is none."""
    reason = text.strip()
    if len(reason) < 2:
        raise Invalid("request.invalid", fields={"reason": [FieldError("audit.reason_needed")]})
    return reason


class AuditExport:
    def __init__(self, db: Database, journal: Journal, search: AuditSearch, events: AuditService, clock: Clock) -> None:
        self.db = db
        self.journal = journal
        self.search = search
        self.events = events
        self.clock = clock

    async def begin(self, actor: Actor, form: ExportForm) -> AsyncIterator[bytes]:
        """What people did, in pieces. The request is recorded before the first, how many rows went out after the last
        (or when the reader leaves). Raises Forbidden, Invalid."""
        for privilege in (Privilege.EXPORT, Privilege.AUDIT_READ):
            require(actor, privilege, EVERYTHING)
        rows = self.search.everything(actor, form.filter, AT_MOST)
        act_id = await self._asked(actor, "export.audit", form)
        writing: Writing[AuditRow] = (
            Writing(csv_head, csv_rows) if form.format == "csv" else Writing(_no_head, json_lines)
        )
        return self._pieces(actor, "export.audit", act_id, writing, rows)

    async def begin_events(self, actor: Actor, form: EventExportForm) -> AsyncIterator[bytes]:
        """The event list, as far as the actor may see it and take it along. Raises Forbidden, Invalid."""
        if not allows_anywhere(actor, Privilege.EXPORT):
            raise Forbidden("access.forbidden", params={"privilege": Privilege.EXPORT.value})
        rows = self.events.everything(actor, form.filter, AT_MOST)
        act_id = await self._asked(actor, "export.events", form)
        writing: Writing[EventRow] = (
            Writing(events_head, event_rows) if form.format == "csv" else Writing(_no_head, json_lines)
        )
        return self._pieces(actor, "export.events", act_id, writing, rows)

    async def _asked(self, actor: Actor, kind: str, form: ExportForm | EventExportForm) -> str:
        act_id = new_act_id(self.clock.now())
        wanted = msgspec.to_builtins(form.filter)
        chosen = {name: value for name, value in wanted.items() if value not in (None, [], ()) and name != "person"}
        params: dict[str, Any] = {"reason": reasoned(form.reason), "format": form.format, "filter": chosen}
        entry = Entry(
            kind=kind,
            phase="request",
            act_id=act_id,
            who=who(actor),
            where=where(EVERYTHING),
            params=params,
            private={"person": form.filter.person} if form.filter.person else {},
        )
        async with self.db.transaction(durable=True) as tx:
            await self.journal.append(tx, entry)
        return act_id

    async def _pieces(
        self, actor: Actor, kind: str, act_id: str, writing: Writing[T], found: AsyncIterator[list[T]]
    ) -> AsyncIterator[bytes]:
        rows, outcome = 0, "export.interrupted"
        try:
            yield writing.head(actor.lang)
            async for batch in found:
                rows += len(batch)
                yield writing.rows(batch, actor.lang)
            outcome = "ok"
        finally:
            entry = Entry(
                kind=kind,
                phase="outcome",
                act_id=act_id,
                who=who(actor),
                where=where(EVERYTHING),
                params={"rows": rows},
                outcome=outcome,
            )
            async with self.db.transaction(durable=True) as tx:
                await self.journal.append(tx, entry)


def _no_head(_: Language) -> bytes:
    return b""


def csv_head(language: Language) -> bytes:
    """The byte order mark by which Excel knows UTF-8, and the columns' names."""
    return _head(COLUMNS, language)


def events_head(language: Language) -> bytes:
    return _head(EVENT_COLUMNS, language)


def _head(columns: Sequence[str], language: Language) -> bytes:
    return b"\xef\xbb\xbf" + _lines([[render(f"audit.column_{name}", {}, language).title for name in columns]])


def csv_rows(rows: Sequence[AuditRow], language: Language) -> bytes:
    return _lines([_cells(row, language) for row in rows])


def event_rows(rows: Sequence[EventRow], language: Language) -> bytes:
    return _lines([_event_cells(row, language) for row in rows])


def json_lines(rows: Sequence[msgspec.Struct], _: Language = "ko") -> bytes:
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


JSON_FILE: Writing[Any] = Writing(_no_head, json_lines)


def _family(kind: str, language: Language) -> str:
    """What sort of thing it is, for people; empty for a kind that is newer than these words."""
    code = f"audit.family_{kind.partition('.')[0]}"
    return render(code, {}, language).title if code in catalogue(language) else ""


def safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + text if text.startswith(_DANGEROUS) else text


def local(at: datetime) -> str:
    """As Excel reads a time: Korean local time."""
    return at.astimezone(SEOUL).strftime("%Y-%m-%d %H:%M:%S")


def _cells(row: AuditRow, language: Language) -> list[str]:
    details = {name: value for name, value in row.params.items() if name != "reason"}
    outcome = row.outcome or ", ".join(f"{name} {count}" for name, count in sorted(row.outcomes.items()))
    name = row.actor.name or (f"#{row.actor.id}" if row.actor.id is not None else row.actor.kind)
    seconds = "" if row.duration_ms is None else f"{row.duration_ms / 1000:.3f}"
    return [
        str(row.seq),
        local(row.at),
        name,
        row.actor.source or "",
        _family(row.kind, language),
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


def _event_cells(row: EventRow, language: Language) -> list[str]:
    name = row.actor.name or (f"#{row.actor.id}" if row.actor.id is not None else row.actor.kind)
    return [
        str(row.seq),
        local(row.at),
        name,
        _family(row.kind, language),
        row.kind,
        row.phase,
        row.pharmacy_name or "",
        row.vm_name or "",
        "" if row.host_id is None else str(row.host_id),
        row.outcome or "",
        msgspec.json.encode(row.params).decode() if row.params else "",
        row.act_id or "",
        row.upid or "",
    ]


def _lines(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([safe(cell) for cell in row] for row in rows)
    return text.getvalue().encode()
