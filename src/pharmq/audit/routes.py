"""The event list."""

from datetime import datetime
from typing import Annotated

from litestar import get, post
from litestar.params import Parameter

from pharmq.access import EVERYTHING, Actor, Privilege, require
from pharmq.audit.proof import CheckState, ProofService, SignedHead
from pharmq.audit.service import AuditService, EventRow
from pharmq.audit.wanted import EventFilter, aware, kinds_of, known, plain
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
    actor_id: Ids = None,
    person: Annotated[
        str | None, Parameter(max_length=128, description="Part of a name; an address for auditors")
    ] = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: Annotated[int | None, Parameter(ge=1, le=MAX_ID, description="Only rows with a smaller seq")] = None,
    limit: Limit = 100,
) -> Page[EventRow]:
    """``total`` counts this page; ask with ``before`` = the last row's ``seq`` for the next one."""
    wanted = EventFilter(
        actor_id=known(actor_id),
        person=None if person is None else plain(person),
        pharmacy_id=known(pharmacy_id),
        host_id=known(host_id),
        vm_id=known(vm_id),
        kind=kinds_of(kind),
        act_id=None if act_id is None else plain(act_id),
        since=aware(since),
        until=aware(until),
    )
    return Page(*await audit.page(actor, wanted, before, limit))


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


@get(
    "/api/audit/head",
    operation_id="getAuditHead",
    summary="Where the journal stands, signed",
    tags=["audit"],
    opt={"privilege": Privilege.AUDIT_READ},
)
async def get_head(actor: Actor, proof: ProofService) -> SignedHead:
    return await proof.signed_head(actor)


ROUTES = [list_events, begin_check, get_check, get_head]
