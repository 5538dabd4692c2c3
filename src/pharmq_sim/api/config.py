"""Guest configuration: reading, changing at once (PUT) or as a task (POST), pending values [05-read, 08-more]."""

import hashlib
from typing import TYPE_CHECKING, Any

from pharmq_sim.api.guests import kind_of
from pharmq_sim.api.power import check_lock
from pharmq_sim.dispatch import endpoint
from pharmq_sim.message import ApiError, Request
from pharmq_sim.schema import is_true
from pharmq_sim.world import Guest, TaskRecord

if TYPE_CHECKING:
    from pharmq_sim.host import SimHost

QEMU = "/nodes/{node}/qemu/{vmid}"
LXC = "/nodes/{node}/lxc/{vmid}"
#: what a running QEMU guest takes only at its next start
COLD = {"cores", "memory", "vga", "agent", "serial0", "cpu", "machine"}
CONTROL = {"node", "vmid", "digest", "delete", "revert", "skiplock", "force", "background_delay"}
ROOT_ONLY = {"args", "hookscript"}


def config_of(guest: Guest) -> dict[str, Any]:
    """The configuration as it is now, without digest; types as recorded (memory is text for QEMU)."""
    if guest.kind == "lxc":
        config: dict[str, Any] = {
            "arch": "amd64",
            "hostname": guest.name,
            "memory": guest.memory >> 20,
            "swap": 0,
            "cores": guest.cores,
            "ostype": "debian",
            "rootfs": f"local:{guest.vmid}/vm-{guest.vmid}-disk-0.raw,size={guest.disk >> 30}G",
            "net0": f"name=eth0,bridge=vmbr0,hwaddr={guest.mac},ip=dhcp,type=veth",
            "unprivileged": 1,
        }
    else:
        config = {
            "name": guest.name,
            "memory": str(guest.memory >> 20),
            "cores": guest.cores,
            "ostype": "l26",
            "scsihw": "virtio-scsi-single",
            "scsi0": f"local:{guest.vmid}/vm-{guest.vmid}-disk-0.qcow2,size={guest.disk >> 30}G",
            "net0": f"virtio={guest.mac},bridge=vmbr0",
            "boot": "order=scsi0;net0",
            "smbios1": f"uuid={guest.uuid}",
            "vmgenid": guest.uuid,
            "meta": f"creation-qemu=10.0.2,ctime={guest.ctime}",
        }
        if guest.agent != "off":
            config["agent"] = "enabled=1"
        if guest.vga != "std":
            config["vga"] = guest.vga
        if guest.serial:
            config["serial0"] = "socket"
    if guest.onboot:
        config["onboot"] = 1
    for key in ("tags", "description", "lock"):
        if value := getattr(guest, key):
            config[key] = value
    if guest.template:
        config["template"] = 1
    if guest.snapshots:
        config["parent"] = guest.snapshots[-1].name
    return config | {k: v for k, v in guest.extra.items() if not k.startswith("_")}


def digest_of(guest: Guest) -> str:
    text = repr(sorted(config_of(guest).items())) + repr(sorted(guest.pending.items()))
    return hashlib.sha1(text.encode()).hexdigest()


@endpoint(f"GET {QEMU}/config", f"GET {LXC}/config")
async def config(host: "SimHost", request: Request) -> Any:
    guest = host.need_guest(request, kind_of(request))
    values = config_of(guest)
    if not is_true(request.params.get("current")):
        values |= {key: typed(key, value) for key, value in guest.pending.items()}
    return {**values, "digest": digest_of(guest)}


@endpoint(f"GET {QEMU}/pending", f"GET {LXC}/pending")
async def pending(host: "SimHost", request: Request) -> Any:
    guest = host.need_guest(request, kind_of(request))
    rows: list[dict[str, Any]] = []
    for key, value in {**config_of(guest), "digest": digest_of(guest)}.items():
        row = {"key": key, "value": value}
        if key in guest.pending:
            row["pending"] = typed(key, guest.pending[key])
        rows.append(row)
    return rows


def typed(key: str, value: str) -> Any:
    """A value as the configuration's parser gives it back: whole numbers, but memory is text."""
    return int(value) if key in ("cores", "sockets", "onboot", "cpuunits") and value.isdigit() else value


def apply_pending(guest: Guest) -> None:
    for key, value in guest.pending.items():
        _set(guest, key, value)
    guest.pending = {}


def _set(guest: Guest, key: str, value: str | None) -> None:
    """One key of the configuration; None removes it."""
    if key in ("name", "hostname"):
        guest.name = value or f"{'VM' if guest.kind == 'qemu' else 'CT'}{guest.vmid}"
    elif key == "tags":
        parts = (value or "").replace(",", ";").replace(" ", ";").split(";")
        guest.tags = ";".join(sorted({p for p in parts if p}))
    elif key == "description":
        guest.description = value or ""
    elif key == "cores":
        guest.cores = int(value or 1)
    elif key == "memory":
        guest.memory = int(value or 512) << 20
    elif key == "onboot":
        guest.onboot = is_true(value)
    elif key == "lock":
        guest.lock = value or ""
    elif key == "vga":
        guest.vga = value or "std"
    elif key == "serial0":
        guest.serial = value is not None
    elif key == "agent":
        enabled = value is not None and value.split(",")[0].removeprefix("enabled=") == "1"
        guest.agent = "off" if not enabled else "ok" if guest.agent == "off" else guest.agent
    elif value is None:
        guest.extra.pop(key, None)
    else:
        guest.extra[key] = value


def _check(guest: Guest, request: Request) -> dict[str, str | None]:
    """The wanted changes; raises what Proxmox raises before it changes anything."""
    params = request.params
    changes: dict[str, str | None] = {k: v for k, v in params.items() if k not in CONTROL}
    for key in [k for k in params.get("delete", "").replace(" ", ",").split(",") if k]:
        changes[key] = None
    for key in ROOT_ONLY & changes.keys():
        if request.authid != "root@pam":
            raise ApiError(500, f"only root can set '{key}' config")
    if changes.keys() != {"lock"} or not is_true(params.get("skiplock")):
        check_lock(guest, request)
    if "digest" in params and params["digest"] != digest_of(guest):
        raise ApiError(500, "checksum mismatch (file change by other user?)")
    return changes


def _change(host: "SimHost", guest: Guest, changes: dict[str, str | None], request: Request) -> None:
    for key in [k for k in request.params.get("revert", "").split(",") if k]:
        guest.pending.pop(key, None)
    for key, value in changes.items():
        if guest.running and guest.kind == "qemu" and key in COLD and value is not None:
            guest.pending[key] = value
        else:
            _set(guest, key, value)
    host.dirty = True


@endpoint(f"PUT {QEMU}/config", f"PUT {LXC}/config")
async def put_config(host: "SimHost", request: Request) -> Any:
    guest = host.need_guest(request, kind_of(request))
    async with host.locks.hold(guest):
        _change(host, guest, _check(guest, request), request)


@endpoint(f"POST {QEMU}/config")
async def post_config(host: "SimHost", request: Request) -> Any:
    guest = host.need_guest(request, "qemu")

    async def work(task: TaskRecord) -> str:
        async with host.locks.hold(guest, task):
            changes = _check(guest, request)
            task.log += [f"update VM {guest.vmid}: -{k} {v}" for k, v in changes.items() if v is not None]
            _change(host, guest, changes, request)
        return "OK"

    return host.run_task("qmconfig", str(guest.vmid), request.authid, work).upid
