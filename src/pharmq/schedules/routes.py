"""Schedules: when guests are started, shut down, restarted or backed up by themselves."""

from datetime import date
from typing import Annotated, Any

from litestar import delete, get, post, put
from litestar.params import Parameter, QueryParameter

from pharmq.access import Actor, Privilege
from pharmq.http import Limit, Offset, Page
from pharmq.jobs.routes import Accepted
from pharmq.schedules.model import Calendar, Preview, RunView, ScheduleForm, ScheduleView
from pharmq.schedules.service import SchedulesService

SEE: dict[str, Any] = {"privilege": Privilege.SEE}
EDIT: dict[str, Any] = {"privilege": Privilege.SCHEDULE_EDIT}


@get("/api/schedules", operation_id="listSchedules", summary="Schedules, next ones first", tags=["schedules"], opt=SEE)
async def list_schedules(
    actor: Actor, schedules: SchedulesService, limit: Limit = 100, offset: Offset = 0
) -> Page[ScheduleView]:
    return Page(*await schedules.page(actor, limit, offset))


@post("/api/schedules", operation_id="addSchedule", summary="Add a schedule", tags=["schedules"], opt=EDIT)
async def add_schedule(actor: Actor, schedules: SchedulesService, data: ScheduleForm) -> ScheduleView:
    return await schedules.add(actor, data)


@post(
    "/api/schedules/preview",
    status_code=200,
    operation_id="previewSchedule",
    summary="The next five runs of a schedule before it is saved",
    tags=["schedules"],
    opt=EDIT,
)
async def preview_schedule(actor: Actor, schedules: SchedulesService, data: ScheduleForm) -> Preview:
    return await schedules.preview(actor, data)


@get("/api/schedules/calendar", operation_id="scheduleCalendar", summary="A week of slots", tags=["schedules"], opt=SEE)
async def calendar(
    actor: Actor,
    schedules: SchedulesService,
    first: Annotated[date | None, QueryParameter(name="from", description="A local day; today when left out")] = None,
    days: Annotated[int, Parameter(ge=1, le=42)] = 7,
    zone: Annotated[str, Parameter(max_length=64)] = "Asia/Seoul",
) -> Calendar:
    """What was and what is planned, with the public holidays in between."""
    return await schedules.calendar(actor, first, days, zone)


@get("/api/schedules/{schedule_id:int}", operation_id="getSchedule", summary="A schedule", tags=["schedules"], opt=SEE)
async def get_schedule(actor: Actor, schedules: SchedulesService, schedule_id: int) -> ScheduleView:
    return await schedules.get(actor, schedule_id)


@put(
    "/api/schedules/{schedule_id:int}",
    operation_id="changeSchedule",
    summary="Change a schedule",
    tags=["schedules"],
    opt=EDIT,
)
async def change_schedule(
    actor: Actor, schedules: SchedulesService, schedule_id: int, data: ScheduleForm
) -> ScheduleView:
    """From then on it runs with the rights of who changed it."""
    return await schedules.change(actor, schedule_id, data)


@delete(
    "/api/schedules/{schedule_id:int}",
    operation_id="removeSchedule",
    summary="Remove a schedule and its history",
    tags=["schedules"],
    opt=EDIT,
)
async def remove_schedule(actor: Actor, schedules: SchedulesService, schedule_id: int) -> None:
    await schedules.remove(actor, schedule_id)


@post(
    "/api/schedules/{schedule_id:int}/pause",
    status_code=200,
    operation_id="pauseSchedule",
    summary="Pause a schedule",
    tags=["schedules"],
    opt=EDIT,
)
async def pause_schedule(actor: Actor, schedules: SchedulesService, schedule_id: int) -> ScheduleView:
    return await schedules.enable(actor, schedule_id, on=False)


@post(
    "/api/schedules/{schedule_id:int}/resume",
    status_code=200,
    operation_id="resumeSchedule",
    summary="Resume a schedule",
    tags=["schedules"],
    opt=EDIT,
)
async def resume_schedule(actor: Actor, schedules: SchedulesService, schedule_id: int) -> ScheduleView:
    """What came while it was paused is not made up for."""
    return await schedules.enable(actor, schedule_id, on=True)


@post(
    "/api/schedules/{schedule_id:int}/run",
    status_code=202,
    operation_id="runSchedule",
    summary="Run a schedule now",
    tags=["schedules"],
    opt=SEE,
)
async def run_schedule(actor: Actor, schedules: SchedulesService, schedule_id: int) -> Accepted:
    """With the rights of who asks, whatever the time, day or overlap."""
    return Accepted(await schedules.run_now(actor, schedule_id))


@get(
    "/api/schedules/{schedule_id:int}/runs",
    operation_id="listScheduleRuns",
    summary="What became of a schedule's slots, newest first",
    tags=["schedules"],
    opt=SEE,
)
async def list_runs(
    actor: Actor, schedules: SchedulesService, schedule_id: int, limit: Limit = 100, offset: Offset = 0
) -> Page[RunView]:
    return Page(*await schedules.runs(actor, schedule_id, limit, offset))


ROUTES = [
    list_schedules,
    add_schedule,
    preview_schedule,
    calendar,
    get_schedule,
    change_schedule,
    remove_schedule,
    pause_schedule,
    resume_schedule,
    run_schedule,
    list_runs,
]
