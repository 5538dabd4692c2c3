"""/version and /cluster/*: what pveproxy answers itself, from what was last published."""

from typing import TYPE_CHECKING, Any

from pharmq_sim import access
from pharmq_sim.api.tasks import task_row, visible_tasks
from pharmq_sim.dispatch import endpoint
from pharmq_sim.message import Request, parameter_error

if TYPE_CHECKING:
    from pharmq_sim.host import SimHost

#: version it plays -> what /version answers
VERSIONS = {
    "9": {"version": "9.2.11", "release": "9.2", "repoid": "14a22df35955d97d"},
    "8": {"version": "8.4.1", "release": "8.4", "repoid": "2a5fa54a8503f96d"},
    "7": {"version": "7.4-17", "release": "7.4", "repoid": "513c62be"},
}
MAX_RECENT = 25


def version_of(host: "SimHost") -> dict[str, str]:
    return VERSIONS[host.world.version.partition(".")[0]]


@endpoint("GET /version", "GET /nodes/{node}/version")
async def version(host: "SimHost", _request: Request) -> Any:
    return version_of(host)


@endpoint("GET /cluster")
async def index(_host: "SimHost", _request: Request) -> Any:
    names = ("backup", "config", "ha", "log", "nextid", "options", "replication", "resources", "status", "tasks")
    return [{"name": name} for name in names]


@endpoint("GET /cluster/resources")
async def resources(host: "SimHost", request: Request) -> Any:
    world, wanted = host.visible_world(), request.params.get("type")
    rows: list[dict[str, Any]] = []
    for row in host.published.resources(world, host.epoch()):
        shown = _visible(host, request, row)
        if shown is not None and _is_type(row["type"], wanted):
            rows.append(shown)
    return rows


def _is_type(type_: str, wanted: str | None) -> bool:
    return wanted is None or type_ == wanted or (wanted == "vm" and type_ in ("qemu", "lxc"))


def _visible(host: "SimHost", request: Request, row: dict[str, Any]) -> dict[str, Any] | None:
    """The row as the asker may see it: hidden, bare or whole [O token1-resources-noacl]."""
    world, authid = host.visible_world(), request.authid
    if row["type"] in ("qemu", "lxc"):
        return row if "VM.Audit" in access.privileges(world, authid, f"/vms/{row['vmid']}") else None
    if row["type"] == "storage":
        have = access.privileges(world, authid, f"/storage/{row['storage']}")
        return row if have & {"Datastore.Audit", "Datastore.AllocateSpace"} else None
    if row["type"] == "network":
        return row if access.privileges(world, authid, "/sdn") & {"SDN.Audit", "SDN.Use"} else None
    if "Sys.Audit" not in access.privileges(world, authid, f"/nodes/{row['node']}"):
        return host.published.node_row(world, row["node"], host.epoch(), full=False)
    return row


@endpoint("GET /cluster/tasks")
async def tasks(host: "SimHost", request: Request) -> Any:
    """Running ones and up to 25 finished ones; running rows carry neither status nor endtime."""
    mine = visible_tasks(host, request)
    active = [t for t in mine if not t.status]
    recent = [t for t in reversed(mine) if t.status][:MAX_RECENT]
    rows = []
    for task in [*active, *recent]:
        row = task_row(task)
        row.pop("pstart")
        row["saved"] = "1" if task.status else "0"
        if not task.status:
            row.pop("status")
        rows.append(row)
    return rows


@endpoint("GET /cluster/status")
async def status(host: "SimHost", _request: Request) -> Any:
    return [
        {
            "type": "node",
            "id": f"node/{name}",
            "name": name,
            "nodeid": number,
            "ip": host.address,
            "online": 1,
            "local": int(name == host.world.node),
            "level": "",
        }
        for number, name in enumerate(sorted(host.nodes()))
    ]


@endpoint("GET /cluster/nextid")
async def next_id(host: "SimHost", request: Request) -> Any:
    wanted = request.params.get("vmid")
    if wanted is not None:
        if int(wanted) in host.world.guests:
            raise parameter_error(vmid=f"VM {wanted} already exists")
        return wanted
    return str(next(vmid for vmid in range(100, 1_000_000) if vmid not in host.world.guests))


@endpoint("GET /cluster/options")
async def options(_host: "SimHost", _request: Request) -> Any:
    return {"mac_prefix": "BC:24:11"}


@endpoint("GET /cluster/backup", "GET /cluster/ha/resources", "GET /cluster/replication", "GET /pools")
async def empty(_host: "SimHost", _request: Request) -> Any:
    return []
