"""The demo: a simulated fleet, the real manager against it, enrolled through its own API."""

import asyncio
import gc
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from pharmq.base.clock import Clock, SystemClock
from pharmq_sim.console import Consoles
from pharmq_sim.fleet import Fleet
from pharmq_sim.manager import DemoFailed, Manager
from pharmq_sim.mix import Trouble, troubles
from pharmq_sim.plan import GUESTS_PER_HOST
from pharmq_sim.qemu import QemuGuest, available

USERNAME = "root@pam"
#: hosts in one enrolment call
ENROL_AT_ONCE = 50
POLL_SECONDS = 0.5
#: after this the demo gives up waiting and says what it sees
PATIENCE_SECONDS = 180.0
SETTLE_SECONDS = 25.0


@dataclass(frozen=True, slots=True)
class Options:
    hosts: int
    port: int
    data_dir: Path
    qemu: int = 0
    faults: list[str] | None = None
    control_port: int = 0
    guests_per_host: float = GUESTS_PER_HOST


class Steps:
    """Progress on the terminal: one bar per step."""

    def __init__(self, console: Console) -> None:
        self.progress = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=False,
        )
        self._tasks: dict[str, TaskID] = {}

    def show(self, what: str, done: int, total: int) -> None:
        if what not in self._tasks:
            self._tasks[what] = self.progress.add_task(what, total=total)
        self.progress.update(self._tasks[what], completed=done, total=total)


async def _enrol(manager: Manager, fleet: Fleet, steps: Steps) -> None:
    """Add every host that is not there yet, by the CSV enrolment with its review of fingerprints."""
    total = len(fleet.hosts)
    known = (await manager.call("GET", "/api/proxmox/hosts?limit=1"))["total"]
    if known >= total:
        return
    steps.show("enrol", 0, total)
    credential = await _credential(manager, fleet.password)
    fingerprints = {host.address: host.fingerprint for host in fleet.hosts}
    heading, *lines = fleet.csv_path.read_text("utf-8-sig").splitlines()
    for start in range(0, total, ENROL_AT_ONCE):
        part = "\n".join([heading, *lines[start : start + ENROL_AT_ONCE]])
        checked = await manager.call("POST", "/api/enrolments/check", {"csv": part})
        rows = [row for item in checked["items"] if (row := _reviewed(item, fingerprints)) is not None]
        if rows:
            answer = await manager.call("POST", "/api/enrolments", {"rows": rows, "credential_id": credential})
            failed = [item for item in answer["items"] if item["result"] == "error"]
            if failed:
                raise DemoFailed(f"enrolment failed for {len(failed)} hosts, first: {failed[0]}")
        steps.show("enrol", min(start + ENROL_AT_ONCE, total), total)


def _reviewed(item: dict[str, Any], fingerprints: dict[str, str]) -> dict[str, Any] | None:
    """What a person does on the review page: compare the fingerprint with the host's own, then confirm it."""
    if item["result"] == "exists":
        return None
    if item["result"] != "ok":
        raise DemoFailed(f"enrolment of line {item['line']} refused: {item}")
    if item["fingerprint"] != fingerprints[item["host_ip"]]:
        raise DemoFailed(f"line {item['line']}: {item['fingerprint']} is not the host's certificate")
    kept = {key: item[key] for key in ("line", "host_ip", "host_port", "node", "fingerprint")}
    return {**item["pharmacy"], **kept}


async def _credential(manager: Manager, password: str) -> int:
    name = "root@pam (demo)"
    for row in (await manager.call("GET", "/api/credentials"))["items"]:
        if row["name"] == name:
            return int(row["id"])
    body = {"name": name, "kind": "password", "username": USERNAME, "secret": password}
    return int((await manager.call("POST", "/api/credentials", body))["id"])


async def _until(
    manager: Manager, steps: Steps, clock: Clock, what: str, wanted: int, count: Any, *, changed: bool = False
) -> None:
    """Wait until ``count(summary)`` reaches ``wanted``. ``changed``: somebody has used this fleet before and may have
    pinned, removed or added hosts, so after a while it is ready as it is."""
    deadline = clock.monotonic() + (SETTLE_SECONDS if changed else PATIENCE_SECONDS)
    while True:
        summary = await manager.call("GET", "/api/summary")
        done = int(count(summary))
        steps.show(what, min(done, wanted), wanted)
        if done >= wanted:
            return
        if clock.monotonic() > deadline:
            if changed:
                return
            raise DemoFailed(f"{what}: {done} of {wanted} after {PATIENCE_SECONDS:.0f} s; summary: {summary}")
        await clock.sleep(POLL_SECONDS)


def _use_qemu(fleet: Fleet, wanted: int) -> None:
    """Put real QEMU behind the first ``wanted`` running VMs, the pharmacies known by name first."""
    if not wanted:
        return
    if not available():
        raise DemoFailed("--qemu needs qemu-system-x86_64 (Debian: apt-get install qemu-system-x86).")
    for host in fleet.hosts:
        assert isinstance(host.consoles, Consoles)
        for guest in host.world.guests.values():
            if wanted and guest.running and guest.kind == "qemu" and guest.screen in ("pos", "kiosk"):
                host.consoles.use_qemu(guest, QemuGuest(f"{guest.vmid} {guest.name}"))
                wanted -= 1


def _set(fleet: Fleet, mix: list[Trouble]) -> None:
    for trouble in mix:
        fleet.hosts[trouble.index].faults.set(trouble.name, **trouble.params)


async def run(options: Options, console: Console) -> None:
    """Run the demo until a signal ends it. Raises DemoFailed when it cannot come up."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    work = asyncio.ensure_future(_run(options, console, ended))
    stop = asyncio.ensure_future(ended.wait())
    await asyncio.wait([work, stop], return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if not work.done():
        # _run sees the event by itself once it is ready; while it is still coming up it is cut short
        work.cancel()
    try:
        await work
    except asyncio.CancelledError:
        return
    finally:
        # Python's last collections would walk every object of the worlds once more before it ends.
        gc.freeze()


async def _run(options: Options, console: Console, ended: asyncio.Event) -> None:
    clock, steps = SystemClock(), Steps(console)
    # The manager ends before its hosts: it should not see them go and write down a hundred failures.
    async with AsyncExitStack() as below, AsyncExitStack() as above:
        fleet = Fleet(
            options.data_dir / "sim",
            options.hosts,
            clock=clock,
            progress=steps.show,
            control_port=options.control_port,
            guests_per_host=options.guests_per_host,
        )
        manager = Manager(options.data_dir, options.port, clock)
        above.push_async_callback(manager.stop)
        manager.check_port()
        password = fleet.admin_password()
        with steps.progress:
            if (options.data_dir / "ready").exists():
                await _again(manager, fleet, steps, below, options)
            else:
                await _first(manager, fleet, steps, below, options)
        console.print(f"Break hosts: http://127.0.0.1:{fleet.control.port}/hosts", highlight=False)
        console.print(
            f"PharmQ is ready: {manager.url}  login admin / {password}  token {manager.token}",
            highlight=False,
            soft_wrap=True,
        )
        gone = asyncio.ensure_future(manager.wait_ended())
        signalled = asyncio.ensure_future(ended.wait())
        try:
            await asyncio.wait([gone, signalled], return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            signalled.cancel()
        if not ended.is_set():
            manager.check_alive()


async def _first(manager: Manager, fleet: Fleet, steps: Steps, below: AsyncExitStack, options: Options) -> None:
    """First start: enrol, see every host online and every guest known, then let the trouble begin."""
    mix, clock = troubles(options.hosts, options.faults), SystemClock()

    async def bring_up() -> None:
        await manager.prepare(fleet.admin_password())
        await manager.start()

    try:
        async with asyncio.TaskGroup() as both:
            # making certificates keeps one core busy, starting Python three times the other
            both.create_task(bring_up())
            both.create_task(below.enter_async_context(fleet))
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    _use_qemu(fleet, options.qemu)
    await _enrol(manager, fleet, steps)
    await _until(manager, steps, clock, "hosts online", options.hosts, lambda s: s["hosts"]["online"])
    guests = sum(len(host.world.guests) for host in fleet.hosts)
    await _until(manager, steps, clock, "guests known", guests, lambda s: s["vms"]["total"])
    _set(fleet, mix)
    (options.data_dir / "ready").touch()
    await manager.call("POST", "/api/vms/sync", {})
    await _offline(manager, steps, clock, mix)


async def _again(manager: Manager, fleet: Fleet, steps: Steps, below: AsyncExitStack, options: Options) -> None:
    """A restart changes nothing: the troubles of last time go on."""
    mix, clock = troubles(options.hosts, options.faults), SystemClock()
    await below.enter_async_context(fleet)
    _use_qemu(fleet, options.qemu)
    _set(fleet, mix)
    await manager.prepare(fleet.admin_password())
    await manager.start()
    await _offline(manager, steps, clock, mix, changed=True)
    well = options.hosts - len(mix)
    await _until(manager, steps, clock, "hosts online", well, lambda s: s["hosts"]["online"], changed=True)


async def _offline(manager: Manager, steps: Steps, clock: Clock, mix: list[Trouble], *, changed: bool = False) -> None:
    wanted = sum(trouble.offline for trouble in mix)
    if wanted:
        await _until(
            manager, steps, clock, "hosts going offline", wanted, lambda s: s["hosts"]["offline"], changed=changed
        )
