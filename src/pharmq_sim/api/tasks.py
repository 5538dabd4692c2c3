"""Tasks of a node: lists, status, log, stop [05-read/node-tasks*, 08-more/task-*]."""

import re
from typing import TYPE_CHECKING, Any

from pharmq_sim import access
from pharmq_sim.dispatch import endpoint
from pharmq_sim.message import ApiError, Reply, Request, parameter_error
from pharmq_sim.schema import is_true
from pharmq_sim.world import TaskRecord

if TYPE_CHECKING:
    from pharmq_sim.host import SimHost

BASE = "/nodes/{node}/tasks"
UPID = re.compile(
    r"UPID:(?P<node>[a-zA-Z0-9-]+):(?P<pid>[0-9A-Fa-f]{8}):(?P<pstart>[0-9A-Fa-f]{8,9}):"
    r"(?P<start>[0-9A-Fa-f]{8}):(?P<type>[^:\s]+):(?P<id>[^:\s]*):(?P<user>[^:\s]+):"
)
STATUS_FILTERS = {"ok": "OK", "warning": "WARNINGS", "error": "error", "unknown": "unknown"}


def task_row(task: TaskRecord) -> dict[str, Any]:
    """A row of a list; status and endtime only once it has ended."""
    row: dict[str, Any] = {
        "upid": task.upid,
        "node": task.node,
        "pid": task.pid,
        "pstart": task.pstart,
        "starttime": task.starttime,
        "type": task.type,
        "id": task.id,
        "user": task.user,
        "status": task.status or "RUNNING",
    }
    if task.tokenid:
        row["tokenid"] = task.tokenid
    if task.status:
        row["endtime"] = task.endtime
    else:
        row["saved"] = "0"
    return row


def visible_tasks(host: "SimHost", request: Request) -> list[TaskRecord]:
    """Own tasks, or all of them with Sys.Audit on the node."""
    world = host.visible_world()
    if "Sys.Audit" in access.privileges(world, request.authid, f"/nodes/{world.node}"):
        return list(world.tasks)
    return [t for t in world.tasks if t.authid == request.authid]


def _status_kind(task: TaskRecord) -> str:
    if task.status == "OK":
        return "ok"
    if task.status.startswith("WARNINGS"):
        return "warning"
    return "unknown" if task.status == "unknown" else "error"


def _matches(task: TaskRecord, params: dict[str, str]) -> bool:
    if "vmid" in params and task.id != params["vmid"]:
        return False
    if "typefilter" in params and task.type != params["typefilter"]:
        return False
    if "userfilter" in params and params["userfilter"] not in task.authid:
        return False
    if "since" in params and task.starttime < int(params["since"]):
        return False
    if "until" in params and task.starttime > int(params["until"]):
        return False
    if is_true(params.get("errors")) and task.status in ("", "OK"):
        return False
    wanted = re.split(r"[,; \0]+", params.get("statusfilter", ""))
    return wanted == [""] or (bool(task.status) and _status_kind(task) in wanted)


@endpoint(f"GET {BASE}")
async def tasks(host: "SimHost", request: Request) -> Any:
    params = request.params
    source = params.get("source", "archive")
    mine = [t for t in visible_tasks(host, request) if t.node == params["node"]]
    active = [t for t in mine if not t.status] if source in ("active", "all") else []
    finished = [t for t in reversed(mine) if t.status] if source in ("archive", "all") else []
    finished.sort(key=lambda t: -t.starttime)
    found = [t for t in [*active, *finished] if _matches(t, params)]
    start, limit = int(params.get("start", 0)), int(params.get("limit", 50))
    return Reply([task_row(t) for t in found[start : start + limit]], {"total": len(found)})


def _task(host: "SimHost", request: Request) -> TaskRecord:
    upid = request.params["upid"]
    if not UPID.fullmatch(upid):
        raise parameter_error(upid="unable to parse worker upid")
    task = host.find_task(upid)
    if task is None:
        raise parameter_error(upid="no such task")
    world, node = host.visible_world(), request.params["node"]
    own = task.authid in (request.authid, request.userid) or task.user == request.authid
    if not own:
        access.require(world, request.authid, f"/nodes/{node}", ["Sys.Audit"])
    return task


@endpoint(f"GET {BASE}/{{upid}}")
async def index(_host: "SimHost", _request: Request) -> Any:
    return [{"name": "log"}, {"name": "status"}]


@endpoint(f"GET {BASE}/{{upid}}/status")
async def status(host: "SimHost", request: Request) -> Any:
    task = _task(host, request)
    row: dict[str, Any] = {
        "upid": task.upid,
        "node": task.node,
        "pid": task.pid,
        "pstart": task.pstart,
        "starttime": task.starttime,
        "type": task.type,
        "id": task.id,
        "user": task.user,
        "status": "stopped" if task.status else "running",
    }
    if task.tokenid:
        row["tokenid"] = task.tokenid
    if task.status:
        row["exitstatus"] = task.status
    return row


@endpoint(f"GET {BASE}/{{upid}}/log")
async def log(host: "SimHost", request: Request) -> Any:
    task = _task(host, request)
    lines = task.log or ["no content"]
    start, limit = int(request.params.get("start", 0)), int(request.params.get("limit", 50))
    rows = [{"n": start + n + 1, "t": text} for n, text in enumerate(lines[start : start + limit])]
    return Reply(rows, {"total": len(lines)})


@endpoint(f"DELETE {BASE}/{{upid}}")
async def stop(host: "SimHost", request: Request) -> Any:
    task = _task(host, request)
    if task.authid != request.authid:
        access.require(host.visible_world(), request.authid, f"/nodes/{task.node}", ["Sys.Modify"])
    if task.status:
        raise ApiError(500, "task not running")
    await host.clock.sleep(1.0)
    host.interrupt(task)
    return None
