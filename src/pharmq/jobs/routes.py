"""Power actions and the jobs they become."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter, QueryParameter

from pharmq.access import Actor, Privilege
from pharmq.http import Limit, Offset, Page
from pharmq.jobs.forms import FilterIn, VmIn
from pharmq.jobs.model import DryRun, ItemState, ItemView, JobState, JobView, PowerVerb, TaskLogView, Verb, VmRef
from pharmq.jobs.onboot import OnbootRow, OnbootService
from pharmq.jobs.options import PLAIN, JobOptions
from pharmq.jobs.service import JobsService

SEE: dict[str, Any] = {"privilege": Privilege.SEE}
POWER: dict[str, Any] = {"privilege": Privilege.POWER}
SNAPSHOT: dict[str, Any] = {"privilege": Privilege.SNAPSHOT}
EDIT: dict[str, Any] = {"privilege": Privilege.GUEST_EDIT}


class BatchIn(msgspec.Struct, forbid_unknown_fields=True):
    """Either ``vms`` or ``filter``, resolved now. ``force``: cut the power (``stop``), or do so when the guest has not
    shut down in time (``shutdown``). ``timeout_s``: how long a guest gets to shut down; the host's own default when
    left out."""

    vms: Annotated[list[VmIn], msgspec.Meta(min_length=1, max_length=20_000)] | None = None
    filter: FilterIn | None = None
    force: bool = False
    timeout_s: Annotated[int, msgspec.Meta(ge=1, le=3600)] | None = None
    dry_run: bool = False
    options: JobOptions = PLAIN


class RetryIn(msgspec.Struct, forbid_unknown_fields=True):
    """Which of the job's items to take again. ``unknown`` ones may have been done: look before asking for them."""

    states: Annotated[
        tuple[Literal["failed", "unknown", "cancelled"], ...], msgspec.Meta(min_length=1, max_length=3)
    ] = ("failed",)


class Accepted(msgspec.Struct, frozen=True):
    job: JobView


@post(
    "/api/vms/batch/{verb:str}",
    status_code=202,
    operation_id="batchPower",
    summary="Start, shut down, stop, reboot, reset, suspend or resume guests",
    tags=["jobs"],
    opt=POWER,
    responses={200: ResponseSpec(DryRun, description="What would be done (dry_run)", generate_examples=False)},
)
async def batch(actor: Actor, jobs: JobsService, verb: PowerVerb, data: BatchIn) -> Response[Accepted]:
    """Answers 202 with a job at once; ``dry_run`` answers 200 with what would be done. ``stop`` asks the guest to
    shut down and cuts the power only with ``force``."""
    return await _submit(actor, jobs, verb, data)


@post(
    "/api/vms/protect/{verb:str}",
    status_code=202,
    operation_id="batchProtect",
    summary="Take, roll back or delete snapshots of guests, or back them up now",
    tags=["jobs"],
    opt=SNAPSHOT,
    responses={200: ResponseSpec(DryRun, description="What would be done (dry_run)", generate_examples=False)},
)
async def protect(
    actor: Actor,
    jobs: JobsService,
    verb: Literal["snapshot", "rollback", "snapshot_delete", "backup"],
    data: BatchIn,
) -> Response[Accepted]:
    """A job like any other; the first three take ``options.snapshot``, a backup may take ``options.backup``."""
    return await _submit(actor, jobs, verb, data)


@get(
    "/api/vms/onboot",
    operation_id="listOnboot",
    summary="Guests that a power cut would leave off",
    tags=["jobs"],
    opt=SEE,
)
async def list_onboot(
    actor: Actor, onboot: OnbootService, pharmacy_id: int | None = None, limit: Limit = 100, offset: Offset = 0
) -> Page[OnbootRow]:
    """Those that their host does not start when it boots itself, as far as their configuration was read."""
    return Page(*onboot.missing(actor, pharmacy_id, limit, offset))


@post(
    "/api/vms/onboot",
    status_code=202,
    operation_id="setOnboot",
    summary="Have guests started when their host boots",
    tags=["jobs"],
    opt=EDIT,
    responses={200: ResponseSpec(DryRun, description="What would be done (dry_run)", generate_examples=False)},
)
async def set_onboot(actor: Actor, jobs: JobsService, data: BatchIn) -> Response[Accepted]:
    """A job that sets ``onboot`` in each guest's configuration on its host."""
    return await _submit(actor, jobs, "onboot", data)


async def _submit(actor: Actor, jobs: JobsService, verb: Verb, data: BatchIn) -> Response[Accepted]:
    vms = None if data.vms is None else [VmRef(vm.host_id, vm.vmid) for vm in data.vms]
    wanted = None if data.filter is None else data.filter.meant()
    if data.dry_run:
        would = jobs.preview(actor, verb, vms=vms, wanted=wanted, force=data.force, options=data.options)
        return Response(would, status_code=200)  # type: ignore[arg-type]
    job = await jobs.submit(
        actor, verb, vms=vms, wanted=wanted, force=data.force, timeout_s=data.timeout_s, options=data.options
    )
    return Response(Accepted(job), status_code=202)


@get("/api/jobs", operation_id="listJobs", summary="Jobs, newest first", tags=["jobs"], opt=SEE)
async def list_jobs(
    actor: Actor,
    jobs: JobsService,
    # Litestar keeps the name "state" for itself.
    job_state: Annotated[JobState | None, QueryParameter(name="state")] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Page[JobView]:
    """Who may not see everything is shown their own jobs, and of others' jobs the part that they may see: state,
    times and counts are those of its guests."""
    return Page(*await jobs.page(actor, job_state, limit, offset))


@get("/api/jobs/{job_id:int}", operation_id="getJob", summary="One job", tags=["jobs"], opt=SEE)
async def get_job(actor: Actor, jobs: JobsService, job_id: int) -> JobView:
    return await jobs.get(actor, job_id)


@get(
    "/api/jobs/{job_id:int}/items",
    operation_id="listJobItems",
    summary="A job's guests with state and reason",
    tags=["jobs"],
    opt=SEE,
)
async def list_items(
    actor: Actor,
    jobs: JobsService,
    job_id: int,
    item_state: Annotated[list[ItemState] | None, QueryParameter(name="state")] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Page[ItemView]:
    """``state`` may be given several times: any of them."""
    return Page(*await jobs.items(actor, job_id, limit, offset, item_state or ()))


@post(
    "/api/jobs/{job_id:int}/cancel",
    status_code=200,
    operation_id="cancelJob",
    summary="Cancel what has not begun",
    tags=["jobs"],
    opt=POWER,
)
async def cancel_job(actor: Actor, jobs: JobsService, job_id: int) -> JobView:
    """What is under way on a host ends by itself."""
    return await jobs.cancel(actor, job_id)


@post(
    "/api/jobs/{job_id:int}/retry",
    status_code=202,
    operation_id="retryJob",
    summary="Do again what failed",
    tags=["jobs"],
    opt=SEE,
)
async def retry_job(actor: Actor, jobs: JobsService, job_id: int, data: RetryIn) -> Accepted:
    """A new job over those guests, with the same verb and options. What each verb needs is asked for each guest."""
    return Accepted(await jobs.retry(actor, job_id, data.states))


@get(
    "/api/jobs/{job_id:int}/items/{item_id:int}/log",
    operation_id="getJobItemLog",
    summary="The host's own log of an item's task",
    tags=["jobs"],
    opt=SEE,
)
async def item_log(
    actor: Actor,
    jobs: JobsService,
    job_id: int,
    item_id: int,
    limit: Annotated[int, Parameter(ge=1, le=5000)] = 500,
) -> TaskLogView:
    return await jobs.item_log(actor, job_id, item_id, limit)


ROUTES = [
    batch,
    protect,
    list_onboot,
    set_onboot,
    list_jobs,
    get_job,
    list_items,
    cancel_job,
    retry_job,
    item_log,
]
