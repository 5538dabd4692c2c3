"""The node: status, storages, certificates, rrd, backups [05-read/node-*, 08-more/vzdump*]."""

from datetime import UTC
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import DNSName, IPAddress, SubjectAlternativeName

from pharmq_sim import access
from pharmq_sim.api.cluster import version_of
from pharmq_sim.dispatch import endpoint
from pharmq_sim.message import Request, parameter_error
from pharmq_sim.rrd import node_points, timeframe
from pharmq_sim.world import Storage, TaskRecord

if TYPE_CHECKING:
    from pharmq_sim.host import SimHost

BASE = "/nodes/{node}"


@endpoint("GET /nodes")
async def nodes(host: "SimHost", request: Request) -> Any:
    world = host.visible_world()
    rows = []
    for name in sorted(host.nodes()):
        audit = "Sys.Audit" in access.privileges(world, request.authid, f"/nodes/{name}")
        row = host.published.node_row(world, name, host.epoch(), full=audit)
        row.pop("cgroup-mode")
        row["ssl_fingerprint"] = host.fingerprint
        rows.append(row)
    return rows


@endpoint(f"GET {BASE}")
async def index(_host: "SimHost", _request: Request) -> Any:
    names = ("certificates", "lxc", "network", "qemu", "rrddata", "status", "storage", "tasks", "version", "vzdump")
    return [{"name": name} for name in names]


@endpoint(f"GET {BASE}/status")
async def status(host: "SimHost", request: Request) -> Any:
    world = host.world
    row = host.published.node_row(world, request.params["node"], host.epoch())
    used = row.get("mem", 2 << 30)
    root = next(iter(world.storages.values()))
    release = "6.18.4-1-pve"
    kernel = "#1 SMP PREEMPT_DYNAMIC PMX 6.18.4-1"
    load = host.published.load * world.cores
    answer = version_of(host)
    return {
        "uptime": max(0, int(host.epoch() - world.booted)),
        "cpu": host.published.load,
        "wait": 0.00355512237210547,
        "idle": 0,
        "loadavg": [f"{load * f:.2f}" for f in (1, 0.9, 0.8)],
        "memory": {
            "total": world.memory,
            "used": used,
            "free": world.memory - used,
            "available": world.memory - used + (512 << 20),
        },
        "swap": {"total": 8 << 30, "used": 0, "free": 8 << 30},
        "rootfs": {
            "total": root.total,
            "used": root.used,
            "free": root.total - root.used,
            "avail": root.total - root.used,
        },
        "ksm": {"shared": 0},
        "cpuinfo": {
            "vendor": "GenuineIntel",
            "model": "Intel(R) N100",
            "family": "6",
            "cores": world.cores,
            "cpus": world.cores,
            "sockets": 1,
            "mhz": "800.000",
            "user_hz": 100,
            "hvm": "1",
            "flags": "fpu vme de pse tsc msr pae",
        },
        "boot-info": {"mode": "efi", "secureboot": 0},
        "current-kernel": {"sysname": "Linux", "release": release, "version": kernel, "machine": "x86_64"},
        "kversion": f"Linux {release} {kernel}",
        "pveversion": f"pve-manager/{answer['version']}/{answer['repoid']}",
    }


@endpoint(f"GET {BASE}/rrddata")
async def rrddata(host: "SimHost", request: Request) -> Any:
    return node_points(host.world, host.epoch(), timeframe(request.params))


@endpoint(f"GET {BASE}/certificates/info")
async def certificates(host: "SimHost", _request: Request) -> Any:
    leaf = host.identity.leaf
    names = leaf.extensions.get_extension_for_class(SubjectAlternativeName).value
    key = leaf.public_key()
    kind = "rsaEncryption" if isinstance(key, rsa.RSAPublicKey) else "id-ecPublicKey"
    bits = key.key_size if hasattr(key, "key_size") else 0
    san = [
        n.value.exploded if isinstance(n, IPAddress) else n.value for n in names if isinstance(n, DNSName | IPAddress)
    ]
    return [
        {
            "filename": "pve-ssl.pem",
            "fingerprint": host.fingerprint,
            "subject": f"/OU=PVE Cluster Node/O=Proxmox Virtual Environment/CN={host.world.node}",
            "issuer": "/CN=Proxmox Virtual Environment/O=PVE Cluster Manager CA",
            "notbefore": int(leaf.not_valid_before_utc.astimezone(UTC).timestamp()),
            "notafter": int(leaf.not_valid_after_utc.astimezone(UTC).timestamp()),
            "public-key-type": kind,
            "public-key-bits": bits,
            "san": san,
            "pem": host.identity.pem,
        }
    ]


def _storage_row(storage: Storage) -> dict[str, Any]:
    return {
        "type": storage.type,
        "content": storage.content,
        "total": storage.total,
        "used": storage.used,
        "avail": storage.total - storage.used,
        "active": 1,
        "enabled": 1,
        "shared": int(storage.shared),
    }


@endpoint(f"GET {BASE}/storage")
async def storages(host: "SimHost", request: Request) -> Any:
    world, rows = host.visible_world(), []
    for storage in world.storages.values():
        have = access.privileges(world, request.authid, f"/storage/{storage.name}")
        if have & {"Datastore.Audit", "Datastore.AllocateSpace"}:
            fraction = storage.used / storage.total
            rows.append({"storage": storage.name, "used_fraction": fraction, **_storage_row(storage)})
    return rows


def _storage(host: "SimHost", request: Request) -> Storage:
    storage = host.world.storages.get(request.params["storage"])
    if storage is None:
        raise parameter_error(storage="No such storage.")
    return storage


@endpoint(f"GET {BASE}/storage/{{storage}}/status")
async def storage_status(host: "SimHost", request: Request) -> Any:
    return _storage_row(_storage(host, request))


@endpoint(f"GET {BASE}/storage/{{storage}}/content")
async def storage_content(host: "SimHost", request: Request) -> Any:
    storage = _storage(host, request)
    return [
        {
            "content": "images" if g.kind == "qemu" else "rootdir",
            "volid": f"{storage.name}:{g.vmid}/vm-{g.vmid}-disk-0.qcow2",
            "vmid": g.vmid,
            "ctime": g.ctime,
            "parent": None,
            "size": g.disk,
            "used": g.disk // 4,
            "format": "qcow2" if g.kind == "qemu" else "raw",
        }
        for g in host.world.guests.values()
        if storage.name == "local"
    ]


@endpoint("GET /storage")
async def storage_config(host: "SimHost", _request: Request) -> Any:
    return [
        {"storage": s.name, "type": s.type, "path": s.path, "content": s.content, "digest": "0" * 40}
        for s in host.world.storages.values()
    ]


@endpoint(f"GET {BASE}/network", f"GET {BASE}/disks/list")
async def nothing(_host: "SimHost", _request: Request) -> Any:
    return []


@endpoint(f"GET {BASE}/dns")
async def dns(_host: "SimHost", _request: Request) -> Any:
    return {"dns1": "168.126.63.1"}


@endpoint(f"GET {BASE}/time")
async def time(host: "SimHost", _request: Request) -> Any:
    now = int(host.epoch())
    return {"timezone": "Asia/Seoul", "time": now, "localtime": now + 9 * 3600}


@endpoint(f"GET {BASE}/syslog")
async def syslog(_host: "SimHost", _request: Request) -> Any:
    return [{"n": 1, "t": "no content"}]


@endpoint(f"POST {BASE}/vzdump")
async def vzdump(host: "SimHost", request: Request) -> Any:
    """One task for all guests; it fails as a whole with "job errors" when one of them fails."""
    wanted = [v for v in request.params.get("vmid", "").replace(" ", ",").split(",") if v]
    if not wanted:
        raise parameter_error(vmid="property is missing and it is not optional")
    for vmid in wanted:
        access.require(host.visible_world(), request.authid, f"/vms/{vmid}", ["VM.Backup"])

    async def work(task: TaskRecord) -> str:
        task.log.append(f"INFO: starting new backup job: vzdump {' '.join(wanted)} --node {host.world.node}")
        failed = [vmid for vmid in wanted if not await _backup(host, task, int(vmid))]
        task.log.append("INFO: Backup job finished with errors" if failed else "INFO: Backup job finished successfully")
        return "job errors" if failed else "OK"

    return host.run_task("vzdump", wanted[0] if len(wanted) == 1 else "", request.authid, work).upid


async def _backup(host: "SimHost", task: TaskRecord, vmid: int) -> bool:
    guest = host.world.guests.get(vmid)
    if guest is None:
        task.log.append(f"ERROR: Backup of VM {vmid} failed - unable to find VM '{vmid}'")
        return False
    task.log.append(f"INFO: Starting Backup of VM {vmid} ({guest.kind})")
    if guest.lock:
        task.log.append(f"ERROR: Backup of VM {vmid} failed - VM is locked ({guest.lock})")
        return False
    guest.lock = "backup"
    try:
        for percent in range(0, 101, 25):
            task.log.append(f"INFO: {percent:3d}% of {guest.disk >> 30}.0 GiB")
            await host.clock.sleep(2.0)
    finally:
        guest.lock = ""
    task.log.append(f"INFO: Finished Backup of VM {vmid} (00:00:10)")
    return True
