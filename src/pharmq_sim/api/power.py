"""Power verbs of QEMU guests as worker tasks, with the durations and exit statuses of 02-lifecycle."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from pharmq.base.clock import within
from pharmq_sim.dispatch import endpoint
from pharmq_sim.message import ApiError, Request
from pharmq_sim.schema import is_true
from pharmq_sim.world import Guest, TaskRecord

if TYPE_CHECKING:
    from pharmq_sim.host import SimHost

BASE = "/nodes/{node}/qemu/{vmid}/status"
START_SECONDS = 0.4
STOP_SECONDS = 0.1
QUICK_SECONDS = 0.05
SHUTDOWN_TIMEOUT = 60
#: qmeventd notices the end of a QEMU process and runs `qm cleanup` this much later
CLEANUP_DELAY = 0.6
#: ... which then waits for "the" QEMU to end, even if that is already the next one
CLEANUP_PATIENCE = 30.0
#: a reboot is a shutdown after which qmeventd starts the guest again, without a task
REBOOT_GAP = 2.0


def power_on(host: "SimHost", guest: Guest) -> None:
    """The guest's process runs from now on; pending configuration becomes current."""
    from pharmq_sim.api.config import apply_pending

    apply_pending(guest)
    host.world.next_pid += host.random.randint(3, 30)
    guest.pid = host.world.next_pid
    guest.running = True
    guest.run_state = "running"
    guest.started = host.epoch()
    host.tell(guest, "started")


def power_off(host: "SimHost", guest: Guest, *, restart: bool = False) -> None:
    """The guest's process ended (by a verb, by itself, by a fault)."""
    guest.running = False
    guest.run_state = "running"
    guest.pid = 0
    host.tell(guest, "stopped")
    if guest.kind == "qemu" or restart:
        host.spawn(cleanup(host, guest, restart=restart), f"cleanup {guest.vmid}")


async def cleanup(host: "SimHost", guest: Guest, *, restart: bool) -> None:
    """What qmeventd does after a QEMU process ended [C CLI/qm.pm:1098-1131]."""
    await host.clock.sleep(REBOOT_GAP if restart else CLEANUP_DELAY)
    if host.world.guests.get(guest.vmid) is not guest:
        return
    if restart:
        if not guest.running:
            power_on(host, guest)
    elif guest.running:
        # stopped and started again at once: the lock is held although nobody works on the guest
        await host.locks.hold_for(guest.vmid, CLEANUP_PATIENCE)


def _missing(request: Request) -> ApiError:
    node, vmid = request.params["node"], request.params["vmid"]
    return ApiError(500, f"unable to find configuration file for VM {vmid} on node '{node}'")


def check_lock(guest: Guest, request: Request) -> None:
    """Refuse work on a guest with a configuration lock; only root may skip it."""
    if is_true(request.params.get("skiplock")):
        if request.authid != "root@pam":
            raise ApiError(400, "Parameter verification failed.", errors={"skiplock": "Only root may use this option."})
        return
    if guest.lock:
        raise ApiError(500, f"{'VM' if guest.kind == 'qemu' else 'CT'} is locked ({guest.lock})")


def _find(host: "SimHost", request: Request) -> Guest:
    guest = host.guest(request.params["node"], int(request.params["vmid"]), "qemu")
    if guest is None:
        raise _missing(request)
    return guest


def _need_running(host: "SimHost", request: Request) -> Guest:
    guest = _find(host, request)
    if not guest.running:
        raise ApiError(500, f"VM {guest.vmid} not running")
    return guest


Work = Callable[[TaskRecord], Coroutine[Any, Any, str]]


def _launch(host: "SimHost", request: Request, type_: str, work: Work) -> str:
    return host.run_task(type_, request.params["vmid"], request.authid, work).upid


@endpoint(f"POST {BASE}/start")
async def start(host: "SimHost", request: Request) -> str:
    async def work(task: TaskRecord) -> str:
        guest = host.need_guest(request, "qemu")
        async with host.locks.hold(guest, task):
            if guest.lock == "suspended":
                guest.lock = ""
            check_lock(guest, request)
            if guest.template:
                return "you can't start a vm if it's a template"
            if guest.running:
                return f"VM {guest.vmid} already running"
            await host.clock.sleep(START_SECONDS)
            power_on(host, guest)
        return "OK"

    return _launch(host, request, "qmstart", work)


@endpoint(f"POST {BASE}/stop")
async def stop(host: "SimHost", request: Request) -> str:
    async def work(task: TaskRecord) -> str:
        guest = _find(host, request)
        if is_true(request.params.get("overrule-shutdown")):
            overrule(host, task, "qmshutdown")
        async with host.locks.hold(guest, task):
            check_lock(guest, request)
            if guest.running:
                await host.clock.sleep(STOP_SECONDS)
                power_off(host, guest)
        return "OK"

    return _launch(host, request, "qmstop", work)


def overrule(host: "SimHost", task: TaskRecord, type_: str) -> None:
    """Kill queued or running shutdowns of the same guest."""
    others = [t for t in host.world.tasks if t.type == type_ and t.id == task.id and not t.status]
    if others:
        task.log.append(f"overruled {type_} tasks: {', '.join(t.upid for t in others)}")
    for other in others:
        host.interrupt(other)


async def powerdown(host: "SimHost", guest: Guest, timeout: float) -> bool:
    """Press the power button and wait; whether the guest went down within ``timeout`` seconds."""
    reacts = guest.acpi and guest.run_state == "running"
    try:
        await within(host.clock, timeout, host.clock.sleep(guest.shutdown_s if reacts else timeout + 1))
    except TimeoutError:
        return not guest.running
    return True


@endpoint(f"POST {BASE}/shutdown")
async def shutdown(host: "SimHost", request: Request) -> str:
    force = is_true(request.params.get("forceStop"))
    known = host.guest(request.params["node"], int(request.params["vmid"]), "qemu")
    if known is not None and known.running and known.run_state == "paused":
        if not force:
            raise ApiError(500, "VM is paused - cannot shutdown")
        return await stop(host, request)

    async def work(task: TaskRecord) -> str:
        guest = _find(host, request)
        async with host.locks.hold(guest, task):
            check_lock(guest, request)
            if not guest.running:
                return "OK"
            if not await powerdown(host, guest, float(request.params.get("timeout", SHUTDOWN_TIMEOUT))):
                if not force:
                    return "VM quit/powerdown failed - got timeout"
                task.log.append("VM still running - terminating now with SIGTERM")
                await host.clock.sleep(STOP_SECONDS)
            if guest.running:
                power_off(host, guest)
        return "OK"

    return _launch(host, request, "qmshutdown", work)


@endpoint(f"POST {BASE}/reboot")
async def reboot(host: "SimHost", request: Request) -> str:
    guest = _need_running(host, request)

    async def work(task: TaskRecord) -> str:
        async with host.locks.hold(guest, task):
            check_lock(guest, request)
            if not await powerdown(host, guest, float(request.params.get("timeout", SHUTDOWN_TIMEOUT))):
                return "VM quit/powerdown failed - got timeout"
            power_off(host, guest, restart=True)
        return "OK"

    return _launch(host, request, "qmreboot", work)


def _quick(host: "SimHost", request: Request, type_: str, act: Callable[[Guest], None]) -> str:
    guest = _need_running(host, request)

    async def work(task: TaskRecord) -> str:
        async with host.locks.hold(guest, task):
            check_lock(guest, request)
            await host.clock.sleep(QUICK_SECONDS)
            act(guest)
        return "OK"

    return _launch(host, request, type_, work)


@endpoint(f"POST {BASE}/reset")
async def reset(host: "SimHost", request: Request) -> str:
    return _quick(host, request, "qmreset", lambda guest: host.tell(guest, "reset"))


@endpoint(f"POST {BASE}/suspend")
async def suspend(host: "SimHost", request: Request) -> str:
    if is_true(request.params.get("todisk")):
        return _quick(host, request, "qmsuspend", lambda guest: _hibernate(host, guest))
    return _quick(host, request, "qmpause", lambda guest: _set_state(host, guest, "paused"))


@endpoint(f"POST {BASE}/resume")
async def resume(host: "SimHost", request: Request) -> str:
    return _quick(host, request, "qmresume", lambda guest: _set_state(host, guest, "running"))


def _set_state(host: "SimHost", guest: Guest, state: str) -> None:
    guest.run_state = state
    host.tell(guest, "paused" if state == "paused" else "resumed")


def _hibernate(host: "SimHost", guest: Guest) -> None:
    guest.lock = "suspended"
    power_off(host, guest)
