"""HTTP of what people did: search, export, review, breach pack, forwarding."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.params import Parameter
from litestar.response import Stream
from msgspec import Meta

from pharmq.access import Actor, Privilege
from pharmq.audit.auditing import Auditing
from pharmq.audit.export import EventExportForm, ExportForm, Format
from pharmq.audit.forward import ForwardState
from pharmq.audit.retention import RetentionState
from pharmq.audit.review import BreachPack, PackForm, ReviewMonth, ReviewReport, SignForm
from pharmq.audit.search import AuditRow, require_reading
from pharmq.audit.wanted import AuditFilter, Doer, Ending, aware, kinds_of, known, plain
from pharmq.http import MAX_ID, Limit, Page

READ: dict[str, Any] = {"privilege": Privilege.AUDIT_READ}
EXPORT: dict[str, Any] = {"privilege": Privilege.EXPORT}
MEDIA: dict[Format, str] = {"csv": "text/csv", "jsonl": "application/jsonl"}
FILE = EXPORT | {"files": tuple(MEDIA.values())}
Ids = Annotated[list[int] | None, Parameter(max_items=100)]
TAGS = ["audit"]


@get("/api/audit", operation_id="listAudit", summary="What people did, newest first", tags=TAGS, opt=READ)
async def list_audit(
    actor: Actor,
    auditing: Auditing,
    actor_id: Ids = None,
    person: Annotated[str | None, Parameter(max_length=128, description="Part of a name, or an address")] = None,
    pharmacy_id: Ids = None,
    host_id: Ids = None,
    vm_id: Ids = None,
    kind: Annotated[list[str] | None, Parameter(max_items=100)] = None,
    act_id: Annotated[str | None, Parameter(max_length=26)] = None,
    since: datetime | None = None,
    until: datetime | None = None,
    outcome: Annotated[list[Ending] | None, Parameter(max_items=3)] = None,
    by: Annotated[list[Doer] | None, Parameter(max_items=3, description="Left out: people and PharmQ itself")] = None,
    before: Annotated[int | None, Parameter(ge=1, le=MAX_ID)] = None,
    limit: Limit = 100,
) -> Page[AuditRow]:
    """``total`` counts this page; ask with ``before`` = the last row's ``seq`` for the next one."""
    wanted = AuditFilter(
        actor_id=known(actor_id),
        person=None if person is None else plain(person),
        pharmacy_id=known(pharmacy_id),
        host_id=known(host_id),
        vm_id=known(vm_id),
        kind=kinds_of(kind),
        act_id=None if act_id is None else plain(act_id),
        since=aware(since),
        until=aware(until),
        outcome=tuple(outcome or ()),
        by=tuple(by or ()),
    )
    return Page(*await auditing.search.page(actor, wanted, before, limit))


@post(
    "/api/audit/export",
    operation_id="exportAudit",
    summary="What people did, as a file",
    tags=TAGS,
    opt=FILE,
    status_code=200,
)
async def export_audit(actor: Actor, auditing: Auditing, data: ExportForm) -> Stream:
    """CSV with a byte order mark (opens in Korean Excel) or JSON lines. The reason is recorded."""
    return _file(await auditing.export.begin(actor, data), "audit", data.format)


@get("/api/audit/reviews", operation_id="listAuditReviews", summary="Months and who reviewed them", tags=TAGS, opt=READ)
async def list_reviews(actor: Actor, auditing: Auditing) -> list[ReviewMonth]:
    return await auditing.review.months(actor)


@get(
    "/api/audit/reviews/{month:str}",
    operation_id="getAuditReview",
    summary="One month's review",
    tags=TAGS,
    opt=READ,
)
async def get_review(actor: Actor, auditing: Auditing, month: str) -> ReviewReport:
    return await auditing.review.report(actor, month)


@post(
    "/api/audit/reviews/{month:str}",
    operation_id="signAuditReview",
    summary="Sign a month's review",
    tags=TAGS,
    opt=READ,
)
async def sign_review(actor: Actor, auditing: Auditing, month: str, data: SignForm) -> ReviewReport:
    return await auditing.review.sign(actor, month, data.note.strip())


@post(
    "/api/audit/breach-pack",
    operation_id="makeBreachPack",
    summary="Which screens a person saw and what they took in a period",
    tags=TAGS,
    opt=EXPORT,
    status_code=200,
)
async def breach_pack(actor: Actor, auditing: Auditing, data: PackForm) -> BreachPack:
    return await auditing.review.pack(actor, data)


@get(
    "/api/audit/forwarding",
    operation_id="getAuditForwarding",
    summary="How far the log server has come",
    tags=TAGS,
    opt=READ,
)
async def get_forwarding(actor: Actor, auditing: Auditing) -> ForwardState:
    require_reading(actor)
    return await auditing.forwarder.state()


@get(
    "/api/audit/retention",
    operation_id="getAuditRetention",
    summary="How long the journal is kept, and what was cut",
    tags=TAGS,
    opt=READ,
)
async def get_retention(actor: Actor, auditing: Auditing) -> RetentionState:
    return await auditing.retention.state(actor)


@post(
    "/api/events/export",
    operation_id="exportEvents",
    summary="What happened, as a file",
    tags=TAGS,
    opt=FILE,
    status_code=200,
)
async def export_events(actor: Actor, auditing: Auditing, data: EventExportForm) -> Stream:
    """Rows that the caller may both see and export. CSV or JSON lines; the reason is recorded."""
    return _file(await auditing.export.begin_events(actor, data), "events", data.format)


def _file(pieces: AsyncIterator[bytes], what: str, form: Format) -> Stream:
    name = f"pharmq-{what}.{form}"
    return Stream(pieces, media_type=MEDIA[form], headers={"Content-Disposition": f'attachment; filename="{name}"'})


class EraseForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user_id: Annotated[int, Meta(ge=1, le=2**53)]
    reason: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]


class Erased(msgspec.Struct, frozen=True):
    rows: int


@post(
    "/api/audit/erase",
    operation_id="eraseFromAudit",
    summary="Erase a former user's names and addresses from the journal",
    tags=TAGS,
    opt={"privilege": Privilege.ACCESS_EDIT, "recent": True},
    status_code=200,
)
async def erase(actor: Actor, auditing: Auditing, data: EraseForm) -> Erased:
    """What was done stays, under the user's number. Only for accounts that are disabled or gone; for good."""
    return Erased(await auditing.retention.erase(actor, data.user_id, data.reason))


ROUTES = [
    list_audit,
    export_audit,
    export_events,
    list_reviews,
    get_review,
    sign_review,
    breach_pack,
    get_forwarding,
    get_retention,
    erase,
]
