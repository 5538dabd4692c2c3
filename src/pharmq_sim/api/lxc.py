"""Power verbs of containers: what QEMU reports as a failed task is an immediate 500 here [10-lxc]."""

from typing import TYPE_CHECKING, Any

from pharmq_sim.api.power import (
    SHUTDOWN_TIMEOUT,
    STOP_SECONDS,
    check_lock,
    overrule,
    power_off,
    power_on,
    powerdown,
)
from pharmq_sim.dispatch import endpoint
from pharmq_sim.message import ApiError, Request
from pharmq_sim.schema import is_true
from pharmq_sim.world import Guest, TaskRecord

if TYPE_CHECKING:
    from pharmq_sim.host import SimHost

BASE = "/nodes/{node}/lxc/{vmid}"
START_SECONDS = 0.6


def _need(host: "SimHost", request: Request, *, running: bool) -> Guest:
    guest = host.need_guest(request, "lxc")
    check_lock(guest, request)
    if guest.running and not running:
        raise ApiError(500, f"CT {guest.vmid} already running")
    if running and not guest.running:
        raise ApiError(500, f"CT {guest.vmid} not running")
    return guest


@endpoint(f"POST {BASE}/status/start")
async def start(host: "SimHost", request: Request) -> str:
    guest = _need(host, request, running=False)

    async def work(task: TaskRecord) -> str:
        async with host.locks.hold(guest, task):
            await host.clock.sleep(START_SECONDS)
            if not guest.running:
                power_on(host, guest)
        return "OK"

    return host.run_task("vzstart", str(guest.vmid), request.authid, work).upid


@endpoint(f"POST {BASE}/status/stop")
async def stop(host: "SimHost", request: Request) -> str:
    guest = _need(host, request, running=True)

    async def work(task: TaskRecord) -> str:
        if is_true(request.params.get("overrule-shutdown")):
            overrule(host, task, "vzshutdown")
        async with host.locks.hold(guest, task):
            await host.clock.sleep(STOP_SECONDS)
            if guest.running:
                power_off(host, guest)
        return "OK"

    return host.run_task("vzstop", str(guest.vmid), request.authid, work).upid


async def _down(host: "SimHost", guest: Guest, task: TaskRecord, request: Request, *, restart: bool) -> str:
    async with host.locks.hold(guest, task):
        timeout = float(request.params.get("timeout", SHUTDOWN_TIMEOUT))
        if not await powerdown(host, guest, timeout) and not is_true(request.params.get("forceStop")):
            return "container did not stop"
        if guest.running:
            power_off(host, guest, restart=restart)
    return "OK"


@endpoint(f"POST {BASE}/status/shutdown")
async def shutdown(host: "SimHost", request: Request) -> str:
    guest = _need(host, request, running=True)

    async def work(task: TaskRecord) -> str:
        return await _down(host, guest, task, request, restart=False)

    return host.run_task("vzshutdown", str(guest.vmid), request.authid, work).upid


@endpoint(f"POST {BASE}/status/reboot")
async def reboot(host: "SimHost", request: Request) -> str:
    guest = _need(host, request, running=True)

    async def work(task: TaskRecord) -> str:
        return await _down(host, guest, task, request, restart=True)

    return host.run_task("vzreboot", str(guest.vmid), request.authid, work).upid


@endpoint(f"POST {BASE}/status/suspend", f"POST {BASE}/status/resume")
async def checkpoint(host: "SimHost", request: Request) -> str:
    """Suspending a container needs CRIU, which Proxmox ships but which practically never succeeds."""
    suspends = request.path.endswith("suspend")
    guest = _need(host, request, running=suspends)
    switch = "-s" if suspends else "-r"

    async def work(_task: TaskRecord) -> str:
        await host.clock.sleep(START_SECONDS)
        return f"command 'lxc-checkpoint -n {guest.vmid} {switch} -D /var/lib/vz/dump' failed: exit code 1"

    type_ = "vzsuspend" if suspends else "vzresume"
    return host.run_task(type_, str(guest.vmid), request.authid, work).upid


@endpoint(f"GET {BASE}/interfaces")
async def interfaces(host: "SimHost", request: Request) -> Any:
    guest = host.need_guest(request, "lxc")
    if not guest.running:
        return []
    loopback = {
        "name": "lo",
        "hwaddr": "00:00:00:00:00:00",
        "hardware-address": "00:00:00:00:00:00",
        "inet": "127.0.0.1/8",
        "inet6": "::1/128",
        "ip-addresses": [
            {"ip-address": "127.0.0.1", "ip-address-type": "inet", "prefix": "8"},
            {"ip-address": "::1", "ip-address-type": "inet6", "prefix": "128"},
        ],
    }
    eth0: dict[str, Any] = {
        "name": "eth0",
        "hwaddr": guest.mac.lower(),
        "hardware-address": guest.mac.lower(),
        "ip-addresses": [
            {
                "ip-address": ip,
                "ip-address-type": "inet6" if ":" in ip else "inet",
                "prefix": "64" if ":" in ip else "24",
            }
            for ip in guest.ips
        ],
    }
    if guest.ips:
        eth0["inet"] = f"{guest.ips[0]}/24"
    return [loopback, eth0]
