"""Guests, search and the numbers of the dashboard. Everything is answered from memory; no host is waited for."""

from typing import Annotated, Any, Literal, cast

from litestar import Response, delete, get, patch, post
from litestar.params import Parameter

from pharmq.access import Actor, Privilege
from pharmq.http import Limit, Offset, Page
from pharmq.inventory.forms import SyncAnswer, VmPatch
from pharmq.inventory.model import SearchHit, Summary, VmFilter, VmKind, VmRow, VmStatus
from pharmq.inventory.service import InventoryService
from pharmq.inventory.view import Sort

SEE: dict[str, Any] = {"privilege": Privilege.SEE}
EDIT: dict[str, Any] = {"privilege": Privilege.GUEST_EDIT}
Words = Annotated[str, Parameter(max_length=256, description="Words that must all match; prefixes narrow: `type:pos`")]
Ids = Annotated[list[int] | None, Parameter(max_items=1000)]
Tags = Annotated[list[str] | None, Parameter(max_items=100)]


def page(inventory: InventoryService, actor: Actor, wanted: VmFilter, sort: str, limit: int, offset: int) -> Any:
    """One page as the answer's bytes: rows are encoded once and shared by everybody who asks."""
    ids = inventory.select.ids(actor, wanted)
    total = len(inventory.view) if ids is None else len(ids)
    body = inventory.rows.page(inventory.view.page(ids, sort, limit, offset), total)
    return Response(content=body, media_type="application/json")


@get("/api/vms", operation_id="listVms", summary="List guests", tags=["inventory"], opt=SEE)
async def list_vms(
    actor: Actor,
    inventory: InventoryService,
    pharmacy_id: Ids = None,
    group_id: Ids = None,
    host_id: Ids = None,
    type: list[VmKind] | None = None,
    status: list[VmStatus] | None = None,
    host_status: list[Literal["online", "offline", "maintenance"]] | None = None,
    tag: Tags = None,
    missing: bool | None = None,
    q: Words = "",
    sort: Sort = "pharmacy",
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response[Page[VmRow]]:
    """Values of one parameter are alternatives; different parameters must all hold."""
    wanted = VmFilter(
        pharmacy_id=tuple(pharmacy_id or ()),
        group_id=tuple(group_id or ()),
        host_id=tuple(host_id or ()),
        type=tuple(type or ()),
        status=tuple(status or ()),
        host_status=tuple(host_status or ()),
        tag=tuple(tag or ()),
        missing=missing,
        q=q,
    )
    return cast("Response[Page[VmRow]]", page(inventory, actor, wanted, sort, limit, offset))


@get(
    "/api/vms/pharmacy/{pharmacy_id:int}",
    operation_id="listPharmacyVms",
    summary="Guests of one pharmacy",
    tags=["inventory"],
    opt=SEE,
)
async def list_pharmacy_vms(
    actor: Actor,
    inventory: InventoryService,
    pharmacy_id: int,
    sort: Sort = "pharmacy",
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response[Page[VmRow]]:
    inventory.select.pharmacy(actor, pharmacy_id)
    wanted = VmFilter(pharmacy_id=(pharmacy_id,))
    return cast("Response[Page[VmRow]]", page(inventory, actor, wanted, sort, limit, offset))


@get("/api/vms/sync", operation_id="syncVms", summary="Look at all hosts now", tags=["inventory"], opt=SEE)
async def sync_vms(actor: Actor, inventory: InventoryService) -> SyncAnswer:
    """Asks the pollers and answers at once; what they find arrives on the stream."""
    return SyncAnswer(inventory.sync(actor))


@post(
    "/api/vms/sync",
    status_code=200,
    operation_id="syncVmsNow",
    summary="Look at all hosts now",
    tags=["inventory"],
    opt=SEE,
)
async def sync_vms_now(actor: Actor, inventory: InventoryService) -> SyncAnswer:
    return SyncAnswer(inventory.sync(actor))


@get("/api/vms/{vm_id:int}", operation_id="getVm", summary="One guest", tags=["inventory"], opt=SEE)
async def get_vm(actor: Actor, inventory: InventoryService, vm_id: int) -> VmRow:
    return inventory.row(inventory.vm(actor, vm_id))


@patch("/api/vms/{vm_id:int}", operation_id="editVm", summary="Note about a guest", tags=["inventory"], opt=EDIT)
async def edit_vm(actor: Actor, inventory: InventoryService, vm_id: int, data: VmPatch) -> VmRow:
    """Sets PharmQ's own view of the guest; nothing is sent to its host."""
    return inventory.row(await inventory.edit(actor, vm_id, data))


@delete("/api/vms/{vm_id:int}", operation_id="purgeVm", summary="Forget a missing guest", tags=["inventory"], opt=EDIT)
async def purge_vm(actor: Actor, inventory: InventoryService, vm_id: int) -> None:
    """Only a guest that its host no longer lists; nothing is deleted on the host."""
    await inventory.purge(actor, vm_id)


@get("/api/search", operation_id="search", summary="Find anything", tags=["inventory"], opt=SEE)
async def search(
    actor: Actor,
    inventory: InventoryService,
    q: Words = "",
    limit: Annotated[int, Parameter(ge=1, le=1000)] = 20,
) -> Page[SearchHit]:
    """Pharmacies, hosts and guests, best first. Understands initial consonants and the other keyboard layout."""
    hits, total = inventory.select.search(actor, q, limit)
    return Page(hits, total)


@get("/api/summary", operation_id="getSummary", summary="The numbers of the dashboard", tags=["inventory"], opt=SEE)
async def get_summary(actor: Actor, inventory: InventoryService) -> Summary:
    return inventory.select.summary(actor)


ROUTES = [
    list_vms,
    list_pharmacy_vms,
    sync_vms,
    sync_vms_now,
    get_vm,
    edit_vm,
    purge_vm,
    search,
    get_summary,
]
