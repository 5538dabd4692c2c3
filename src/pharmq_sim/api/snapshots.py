"""Snapshots: list, create, delete, roll back, describe [02-lifecycle/snapshot-*, 08-more/snap*]."""

from typing import TYPE_CHECKING, Any

from pharmq_sim.api.config import config_of, digest_of
from pharmq_sim.api.guests import kind_of
from pharmq_sim.api.power import check_lock, power_off, power_on
from pharmq_sim.dispatch import endpoint
from pharmq_sim.message import ApiError, Request
from pharmq_sim.schema import is_true
from pharmq_sim.world import Guest, Snapshot, TaskRecord

if TYPE_CHECKING:
    from pharmq_sim.host import SimHost

QEMU = "/nodes/{node}/qemu/{vmid}/snapshot"
LXC = "/nodes/{node}/lxc/{vmid}/snapshot"
ONE = "{snapname}"


def _row(guest: Guest, snapshot: Snapshot) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": snapshot.name,
        "description": snapshot.description,
        "snaptime": snapshot.snaptime,
    }
    if guest.kind == "qemu":
        row["vmstate"] = int(snapshot.vmstate)
    if snapshot.parent:
        row["parent"] = snapshot.parent
    return row


@endpoint(f"GET {QEMU}", f"GET {LXC}")
async def snapshots(host: "SimHost", request: Request) -> Any:
    guest = host.need_guest(request, kind_of(request))
    here: dict[str, Any] = {
        "name": "current",
        "description": "You are here!",
        "digest": digest_of(guest),
        "running": int(guest.running),
    }
    if guest.snapshots:
        here["parent"] = guest.snapshots[-1].name
    return [*(_row(guest, s) for s in guest.snapshots), here]


def _find(guest: Guest, name: str) -> Snapshot:
    found = next((s for s in guest.snapshots if s.name == name), None)
    if found is None:
        raise ApiError(500, f"snapshot '{name}' does not exist")
    return found


def _type(guest: Guest, verb: str) -> str:
    prefix = "qm" if guest.kind == "qemu" else "vz"
    return f"{prefix}{verb}"


@endpoint(f"POST {QEMU}", f"POST {LXC}")
async def create(host: "SimHost", request: Request) -> Any:
    guest, params = host.need_guest(request, kind_of(request)), request.params
    name = params["snapname"]
    if name == "current":
        raise ApiError(500, "unable to use snapshot name 'current' (reserved name)")

    async def work(task: TaskRecord) -> str:
        async with host.locks.hold(guest, task):
            check_lock(guest, request)
            if any(s.name == name for s in guest.snapshots):
                return f"snapshot name '{name}' already used"
            vmstate = is_true(params.get("vmstate")) and guest.running and guest.kind == "qemu"
            if vmstate:
                task.log.append("saving VM state and RAM using storage 'local'")
                await host.clock.sleep(4.0)
            task.log.append(f"snapshotting 'drive-scsi0' (local:{guest.vmid}/vm-{guest.vmid}-disk-0.qcow2)")
            await host.clock.sleep(0.5)
            parent = guest.snapshots[-1].name if guest.snapshots else ""
            guest.snapshots.append(
                Snapshot(name, int(host.epoch()), params.get("description", ""), parent, vmstate, running=guest.running)
            )
            host.dirty = True
        return "OK"

    return host.run_task(_type(guest, "snapshot"), str(guest.vmid), request.authid, work).upid


@endpoint(f"GET {QEMU}/{ONE}", f"GET {LXC}/{ONE}")
async def index(_host: "SimHost", _request: Request) -> Any:
    return [{"cmd": "config"}, {"cmd": "rollback"}]


@endpoint(f"GET {QEMU}/{ONE}/config", f"GET {LXC}/{ONE}/config")
async def get_config(host: "SimHost", request: Request) -> Any:
    guest = host.need_guest(request, kind_of(request))
    snapshot = _find(guest, request.params["snapname"])
    values = config_of(guest) | {"snaptime": snapshot.snaptime, "digest": digest_of(guest)}
    if snapshot.description:
        values["description"] = snapshot.description
    return values


@endpoint(f"PUT {QEMU}/{ONE}/config", f"PUT {LXC}/{ONE}/config")
async def describe(host: "SimHost", request: Request) -> Any:
    guest = host.need_guest(request, kind_of(request))
    _find(guest, request.params["snapname"]).description = request.params.get("description", "")
    host.dirty = True


@endpoint(f"DELETE {QEMU}/{ONE}", f"DELETE {LXC}/{ONE}")
async def delete(host: "SimHost", request: Request) -> Any:
    guest, name = host.need_guest(request, kind_of(request)), request.params["snapname"]

    async def work(task: TaskRecord) -> str:
        async with host.locks.hold(guest, task):
            check_lock(guest, request)
            gone = _find(guest, name)
            await host.clock.sleep(0.5)
            for other in guest.snapshots:
                if other.parent == name:
                    other.parent = gone.parent
            guest.snapshots.remove(gone)
            host.dirty = True
        return "OK"

    return host.run_task(_type(guest, "delsnapshot"), str(guest.vmid), request.authid, work).upid


@endpoint(f"POST {QEMU}/{ONE}/rollback", f"POST {LXC}/{ONE}/rollback")
async def rollback(host: "SimHost", request: Request) -> Any:
    guest, name = host.need_guest(request, kind_of(request)), request.params["snapname"]

    async def work(task: TaskRecord) -> str:
        async with host.locks.hold(guest, task):
            check_lock(guest, request)
            snapshot = _find(guest, name)
            await host.clock.sleep(0.5)
            if guest.running:
                power_off(host, guest)
            if snapshot.vmstate:
                power_on(host, guest)
        if is_true(request.params.get("start")) and not guest.running:
            # a task of its own: the rollback is "OK" before the guest runs
            host.run_task("qmstart", str(guest.vmid), request.authid, lambda _task: _start(host, guest))
        return "OK"

    return host.run_task(_type(guest, "rollback"), str(guest.vmid), request.authid, work).upid


async def _start(host: "SimHost", guest: Guest) -> str:
    await host.clock.sleep(0.4)
    if not guest.running:
        power_on(host, guest)
    return "OK"
