"""The event list."""

from typing import Annotated

from litestar import get, post
from litestar.params import Parameter

from pharmq.access import EVERYTHING, Actor, Privilege, require
from pharmq.audit.proof import CheckState, ProofService
from pharmq.audit.service import AuditService, EventFilter, EventRow
from pharmq.http import MAX_ID, Limit, Page

Ids = Annotated[list[int] | None, Parameter(max_items=100)]
Kinds = Annotated[list[str] | None, Parameter(max_items=100, description="A kind, or a family of them: `power.*`")]


@get(
    "/api/events",
    operation_id="listEvents",
    summary="What happened, newest first",
    tags=["audit"],
    opt={"privilege": Privilege.SEE},
)
async def list_events(
    actor: Actor,
    audit: AuditService,
    pharmacy_id: Ids = None,
    host_id: Ids = None,
    vm_id: Ids = None,
    kind: Kinds = None,
    act_id: Annotated[str | None, Parameter(max_length=26)] = None,
    before: Annotated[int | None, Parameter(ge=1, le=MAX_ID, description="Only rows with a smaller seq")] = None,
    limit: Limit = 100,
) -> Page[EventRow]:
    """``total`` counts this page; ask with ``before`` = the last row's ``seq`` for the next one."""
    wanted = EventFilter(
        pharmacy_id=_known(pharmacy_id),
        host_id=_known(host_id),
        vm_id=_known(vm_id),
        kind=tuple(text.replace("\x00", "")[:64] for text in kind or ()),
        act_id=None if act_id is None else act_id.replace("\x00", ""),
    )
    return Page(*await audit.page(actor, wanted, before, limit))


def _known(ids: list[int] | None) -> tuple[int, ...]:
    # An id no column can hold stands for nothing; 0 is no id either, and keeps the filter in force.
    return tuple(number if 0 < number <= MAX_ID else 0 for number in ids or ())


@post(
    "/api/audit/verify",
    operation_id="beginAuditCheck",
    summary="Check the whole journal",
    tags=["audit"],
    opt={"privilege": Privilege.AUDIT_READ},
    status_code=202,
)
async def begin_check(actor: Actor, proof: ProofService) -> CheckState:
    """Runs on; ask for its state. What comes of it is recorded."""
    return proof.begin_check(actor)


@get(
    "/api/audit/verify",
    operation_id="getAuditCheck",
    summary="The running check, and the result of the last one",
    tags=["audit"],
    opt={"privilege": Privilege.AUDIT_READ},
)
async def get_check(actor: Actor, proof: ProofService) -> CheckState:
    """Findings carry a catalogue code and the rows concerned; the result is this process's, the journal has all."""
    require(actor, Privilege.AUDIT_READ, EVERYTHING)
    return proof.state


ROUTES = [list_events, begin_check, get_check]
