"""What the browser tests play on: simulated hosts in this process, PharmQ as a process of its own over them."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from pharmq.base.clock import SystemClock
from pharmq_sim.console import Consoles
from pharmq_sim.control import act
from pharmq_sim.host import SimHost
from pharmq_sim.qemu import QemuGuest
from pharmq_sim.testing import PASSWORD, SimFleet, small_world
from pharmq_sim.world import Guest, World
from system_rig import SETUP, Running, free_port, running

ADMIN, ADMIN_PASSWORD = "admin", "a long enough password"
ALWAYS = {day: [("00:00", "24:00")] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
#: running on every host at rest: POS-1 (100), KIOSK-1 (101), BACKUP (200, a container); SERVER (102) is stopped
RUNNING = frozenset({100, 101, 200})
GUESTS = 4
#: the host's number and VMID of the one guest that a power cut would leave off
NOT_ONBOOT = (6, 102)
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Place:
    """A pharmacy; ``host``: it has one from the start. Only the first is open, whatever the time is."""

    name: str
    phone: str
    region: str
    host: bool = True
    open: bool = False


PLACES = (
    Place("강남온누리약국", "02-000-0417", "서울", open=True),
    Place("마포늘푸른약국", "02-000-0514", "서울"),
    Place("서초하나약국", "02-000-0611", "서울"),
    Place("수원햇살약국", "031-000-0708", "경기"),
    Place("부산새봄약국", "051-000-0805", "부산"),
    Place("대전한빛약국", "042-000-0902", "대전"),
    Place("인천미소약국", "032-000-0999", "인천", host=False),
)
#: one more host, of a pharmacy that nobody has registered yet
HOSTS = len(PLACES) + 1


def serve_command(folder: Path, port: int) -> list[str]:
    return ["-m", "pharmq", "serve", "--data-dir", str(folder / "data"), "--port", str(port)]


@asynccontextmanager
async def process_of(folder: Path, port: int) -> AsyncIterator[Running]:
    """PharmQ on what ``folder`` holds of earlier runs."""
    key = {"PHARMQ_KEY_FILE": str(folder / "keys" / "master.key")}
    async with running(serve_command(folder, port), **key) as process:
        yield process


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[Running, str, str]]:
    """A fresh PharmQ: (process, its URL, the one-time link of its first start)."""
    port = free_port()
    async with process_of(folder, port) as process:
        link = (await process.wait_for(SETUP, 60))[1]
        url = f"http://127.0.0.1:{port}"
        await ready(url)
        yield process, url, link


async def ready(url: str) -> None:
    async with aiohttp.ClientSession() as client:
        await until(lambda: _answers(client, url), f"{url} answers")


async def _answers(client: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with client.get(f"{url}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientConnectionError:
        return False


async def until(true: Callable[[], Awaitable[Any] | Any], what: str = "", seconds: float = PATIENCE_S) -> Any:
    """The first truthy value of ``true()``; fails with what it was last."""
    end = time.monotonic() + seconds
    while True:
        value = true()
        if isinstance(value, Awaitable):
            value = await value
        if value:
            return value
        assert time.monotonic() < end, f"{what or 'it'} never became true; last: {value!r}"
        await asyncio.sleep(0.05)


def world_of(number: int) -> World:
    world = small_world(number, now=time.time())
    for guest in world.guests.values():
        guest.title = PLACES[number - 1].name if number <= len(PLACES) else "광주소망약국"
        guest.shutdown_s = 0.5
    if number == NOT_ONBOOT[0]:
        world.guests[NOT_ONBOOT[1]].onboot = False
    return world


def quick_consoles(host: SimHost) -> Consoles:
    return Consoles(host, first_byte=(0.05, 0.1))


@dataclass
class Stage:
    """``api`` speaks as the administrator; hosts and pharmacies are counted from 1 as in ``PLACES``."""

    url: str
    fleet: SimFleet
    client: aiohttp.ClientSession
    process: Running
    folder: Path
    csrf: str = ""
    pharmacy_ids: list[int] = field(default_factory=list)
    host_ids: list[int] = field(default_factory=list)

    async def api(self, method: str, path: str, body: Any = None, *, well: bool = True) -> Any:
        headers = {"X-CSRF-Token": self.csrf, "Origin": self.url, "Accept-Language": "ko"}
        async with self.client.request(method, f"{self.url}{path}", json=body, headers=headers) as answer:
            text = await answer.text()
            assert not well or answer.status < 400, f"{method} {path}: {answer.status} {text[:1000]}"
            return await answer.json(content_type=None) if text else None

    def host(self, number: int) -> SimHost:
        return self.fleet.hosts[number - 1]

    def guest(self, number: int, vmid: int) -> Guest:
        return self.host(number).world.guests[vmid]

    async def vm(self, number: int, vmid: int) -> dict[str, Any]:
        """The row as the API has it now."""
        rows = (await self.api("GET", f"/api/vms/pharmacy/{self.pharmacy_ids[number - 1]}"))["items"]
        found: dict[str, Any] = next(row for row in rows if row["vmid"] == vmid)
        return found

    def screen(self, number: int, vmid: int) -> dict[str, Any]:
        """What arrived in the guest: typed, clicks, sessions."""
        return self.host(number).consoles.screen(self.guest(number, vmid))

    def console_tasks(self, number: int, vmid: int) -> list[Any]:
        """Every vncproxy the host was ever asked for, oldest first: one for each session of ours."""
        return [task for task in self.host(number).world.tasks if task.type == "vncproxy" and task.id == str(vmid)]

    async def told_of_consoles(self) -> str:
        """What the journal says of the last consoles, for the message of a test that fails."""
        rows = (await self.api("GET", "/api/events?kind=console.*&limit=12"))["items"]
        return "\n".join(f"{row['at']} {row['kind']} {row.get('outcome')} {row.get('params')}" for row in rows)

    def real(self, number: int, vmid: int) -> QemuGuest:
        """From now on this guest is a QEMU of its own, which boots with it."""
        guest = self.guest(number, vmid)
        made = QemuGuest(f"{vmid} {guest.name}")
        consoles = self.host(number).consoles
        assert isinstance(consoles, Consoles)
        consoles.use_qemu(guest, made)
        return made

    async def found(self) -> None:
        """First start: administrator, pharmacies, hosts, all guests known."""
        await self.api("PUT", "/api/settings", {"poll_interval_s": 2, "slow_interval_s": 30, "offline_after": 1})
        credential = await self.api(
            "POST",
            "/api/credentials",
            {"name": "전 약국 공통 root", "kind": "password", "username": "root@pam", "secret": PASSWORD},
        )
        regions = {name: await self._region(name) for name in dict.fromkeys(place.region for place in PLACES)}
        for number, place in enumerate(PLACES, 1):
            body: dict[str, Any] = {"code": f"P-{number:03}", "name": place.name, "phone": place.phone}
            body |= {"group_ids": [regions[place.region]]} | ({"hours": ALWAYS} if place.open else {})
            pharmacy = await self.api("POST", "/api/pharmacies", body)
            self.pharmacy_ids.append(pharmacy["id"])
            if place.host:
                self.host_ids.append(await self._add_host(number, pharmacy["id"], credential["id"]))

    async def _region(self, name: str) -> int:
        return int((await self.api("POST", "/api/groups", {"name": name, "kind": "region"}))["id"])

    async def _add_host(self, number: int, pharmacy_id: int, credential_id: int) -> int:
        sim = self.host(number)
        body = {
            "pharmacy_id": pharmacy_id,
            "host_ip": sim.address,
            "host_port": sim.port,
            "fingerprint": sim.fingerprint,
            "credential_id": credential_id,
        }
        return int((await self.api("POST", "/api/proxmox/hosts", body))["id"])

    async def calm(self) -> None:
        """As every test finds it: no faults, each guest as it was made, and PharmQ knows."""
        for host in self.fleet.hosts:
            if host.faults.names():
                host.faults.clear()
        if not self._moved() and await self._is_calm():
            return
        await self.look()
        await until(self._all_online, "all hosts online", 60)
        await until(self._put_back, "guests as they were made", 60)
        await until(self._is_calm, "a calm fleet", 60)

    def _moved(self) -> list[tuple[int, Guest]]:
        """Guests that are not as they were made, with the number of their host."""
        return [
            (number, guest)
            for number in range(1, len(self.host_ids) + 1)
            for guest in self.host(number).world.guests.values()
            if guest.running != (guest.vmid in RUNNING)
        ]

    async def _put_back(self) -> bool:
        """Through PharmQ: what it was told by `status/current` it keeps against what hosts publish later.

        What it does not know yet it skips, so this is asked again until nothing is left to do."""
        moved = self._moved()
        for verb, wanted in (("start", True), ("stop", False)):
            of_verb = [(number, guest) for number, guest in moved if (guest.vmid in RUNNING) == wanted]
            vms = [{"host_id": self.host_ids[number - 1], "vmid": guest.vmid} for number, guest in of_verb]
            if vms:
                body = {"vms": vms} | ({"force": True} if verb == "stop" else {})
                await self.api("POST", f"/api/vms/batch/{verb}", body)
        if moved:
            await asyncio.sleep(0.3)
            await self.look()
        return not moved

    def power(self, number: int, vmid: int, action: str) -> None:
        """What happens to a guest outside of PharmQ."""
        act(self.host(number), self.guest(number, vmid), action)

    def cookies(self) -> list[Any]:
        """The administrator's session, for a browser."""
        return [{"name": cookie.key, "value": cookie.value, "url": self.url} for cookie in self.client.cookie_jar]

    async def look(self) -> None:
        """Hosts publish what happened to their guests, and PharmQ looks, now instead of in some seconds."""
        for host in self.fleet.hosts:
            host.published.publish(host.world, host.epoch())
        await self.api("POST", "/api/vms/sync", {})

    async def status_of(self, number: int) -> str:
        return str((await self.api("GET", f"/api/proxmox/hosts/{self.host_ids[number - 1]}"))["status"])

    async def break_host(self, number: int, fault: str) -> None:
        """The fault is set and PharmQ knows."""
        self.host(number).faults.set(fault)
        await self.look()
        await until(lambda: self._is_offline(number), f"host {number} offline")

    async def _is_offline(self, number: int) -> bool:
        return await self.status_of(number) == "offline"

    async def _all_online(self) -> bool:
        hosts = (await self.api("GET", "/api/summary"))["hosts"]
        return bool(hosts["online"] == hosts["total"])

    async def _is_calm(self) -> bool:
        summary = await self.api("GET", "/api/summary")
        hosts, vms = summary["hosts"], summary["vms"]
        return bool(
            hosts["online"] == hosts["total"]
            and vms["total"] == GUESTS * hosts["total"]
            and vms["running_confirmed"] == len(RUNNING) * hosts["total"]
            and summary["consoles"]["open"] == 0
            and summary["jobs"]["running"] == 0
        )


@asynccontextmanager
async def stage_in(folder: Path) -> AsyncIterator[Stage]:
    async with (
        SimFleet(HOSTS, clock=SystemClock(), world=world_of, consoles=quick_consoles) as fleet,
        served(folder) as (process, url, link),
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client,
    ):
        stage = Stage(url, fleet, client, process, folder)
        body = {"token": urlsplit(link).fragment, "username": ADMIN, "password": ADMIN_PASSWORD}
        stage.csrf = (await stage.api("POST", "/api/setup", body))["csrf"]
        await stage.found()
        await stage.calm()
        yield stage
