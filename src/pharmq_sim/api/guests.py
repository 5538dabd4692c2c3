"""Guests: lists, current status, index, deletion, rrd [02-lifecycle, 05-read, 10-lxc]."""

from typing import TYPE_CHECKING, Any

from pharmq_sim import access
from pharmq_sim.api.power import check_lock
from pharmq_sim.dispatch import endpoint
from pharmq_sim.message import ApiError, Request
from pharmq_sim.pvestatd import cpu_of, memory_of, traffic_of, uptime_of
from pharmq_sim.rrd import guest_points, timeframe
from pharmq_sim.schema import is_true
from pharmq_sim.world import Guest, Kind, TaskRecord

if TYPE_CHECKING:
    from pharmq_sim.host import SimHost

QEMU = "/nodes/{node}/qemu"
LXC = "/nodes/{node}/lxc"
PRESSURES = [f"pressure{what}{how}" for what in ("cpu", "io", "memory") for how in ("some", "full")]


def kind_of(request: Request) -> Kind:
    return "qemu" if request.path.split("/")[3] == "qemu" else "lxc"


def guest_status(guest: Guest, now: float, *, full: bool) -> dict[str, Any]:
    """A row of the list; ``full`` adds what only status/current and full=1 know."""
    row: dict[str, Any] = {
        "vmid": guest.vmid,
        "name": guest.name,
        "status": "running" if guest.running else "stopped",
        "cpus": guest.cores,
        "cpu": cpu_of(guest, now),
        "mem": memory_of(guest, now),
        "maxmem": guest.memory,
        "disk": 0,
        "maxdisk": guest.disk,
        "netin": traffic_of(guest, now, 3),
        "netout": traffic_of(guest, now, 4),
        "uptime": uptime_of(guest, now),
    }
    if guest.tags:
        row["tags"] = guest.tags
    if guest.lock:
        row["lock"] = guest.lock
    if guest.template:
        row["template"] = 1
    if guest.running:
        row["pid"] = guest.pid
        # numbers for QEMU, text for containers [O 10-lxc/lxc-status-running]
        row |= dict.fromkeys(PRESSURES, 0 if guest.kind == "qemu" else "0.00")
    if guest.kind == "lxc":
        row |= {"type": "lxc", "swap": 0, "maxswap": 0, "diskread": 0, "diskwrite": 0}
        row["disk"] = guest.disk // 5 if guest.running else 0
        return row
    row["memhost"] = row["mem"]
    if guest.serial:
        row["serial"] = 1
    if full:
        row["qmpstatus"] = guest.run_state if guest.running else "stopped"
    return row


@endpoint(f"GET {QEMU}", f"GET {LXC}")
async def guests(host: "SimHost", request: Request) -> Any:
    kind, world, now = kind_of(request), host.visible_world(), host.epoch()
    full = is_true(request.params.get("full"))
    node = request.params["node"]
    return [
        guest_status(g, now, full=full)
        for g in world.guests.values()
        if g.kind == kind
        and (g.node or world.node) == node
        and "VM.Audit" in access.privileges(world, request.authid, f"/vms/{g.vmid}")
    ]


@endpoint(f"GET {QEMU}/{{vmid}}", f"GET {LXC}/{{vmid}}")
async def index(_host: "SimHost", request: Request) -> Any:
    names = ["config", "pending", "rrddata", "snapshot", "status", "termproxy", "vncproxy", "vncwebsocket"]
    names.append("agent" if kind_of(request) == "qemu" else "interfaces")
    return [{"subdir": name} for name in sorted(names)]


@endpoint(f"GET {QEMU}/{{vmid}}/status/current", f"GET {LXC}/{{vmid}}/status/current")
async def current(host: "SimHost", request: Request) -> Any:
    guest = host.need_guest(request, kind_of(request))
    row = guest_status(guest, host.epoch(), full=True)
    row["ha"] = {"managed": 0}
    if guest.kind == "qemu" and guest.agent != "off":
        row["agent"] = 1
    return row


@endpoint(f"GET {QEMU}/{{vmid}}/rrddata", f"GET {LXC}/{{vmid}}/rrddata")
async def rrddata(host: "SimHost", request: Request) -> Any:
    guest = host.need_guest(request, kind_of(request))
    return guest_points(guest, host.epoch(), timeframe(request.params))


@endpoint(f"GET {QEMU}/{{vmid}}/feature", f"GET {LXC}/{{vmid}}/feature")
async def feature(host: "SimHost", request: Request) -> Any:
    guest = host.need_guest(request, kind_of(request))
    has = request.params["feature"] == "snapshot" and "snapshot=0" not in guest.extra.get("_storage", "")
    return {"hasFeature": int(has), "nodes": [host.world.node]}


@endpoint(f"DELETE {QEMU}/{{vmid}}", f"DELETE {LXC}/{{vmid}}")
async def destroy(host: "SimHost", request: Request) -> Any:
    guest = host.need_guest(request, kind_of(request))
    label = "VM" if guest.kind == "qemu" else "CT"
    check_lock(guest, request)
    if guest.running:
        raise ApiError(500, f"{label} {guest.vmid} is running - destroy failed")

    async def work(task: TaskRecord) -> str:
        async with host.locks.hold(guest, task):
            await host.clock.sleep(0.2)
            if is_true(request.params.get("purge")):
                task.log.append(f"purging {label} {guest.vmid} from related configurations..")
            host.world.guests.pop(guest.vmid, None)
            host.tell(guest, "removed")
        return "OK"

    type_ = "qmdestroy" if guest.kind == "qemu" else "vzdestroy"
    return host.run_task(type_, str(guest.vmid), request.authid, work).upid
