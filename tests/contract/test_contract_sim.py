"""The simulator answers as real hosts did: status, reason, Connection headers, header names, shape of the body.

Each case repeats a recorded request over real TLS, read by a few lines of our own, against a world that was
put into the recorded state. Waits run on the simulator's clock.
"""

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import contract_facts as facts
import pytest

from pharmq.base.clock import ManualClock
from pharmq_sim.host import SimHost
from pharmq_sim.testing import SimFleet
from pharmq_sim.world import Grant, Guest, Storage, TaskRecord, Token, User, World

PASSWORD = "rig-password"
NOW = ManualClock().now().timestamp()
MIB, GIB = 1 << 20, 1 << 30
TASK = "UPID:pve1:00001B2F:000662F0:6B03E4C6:qmreset:100:root@pam:"


class Answer(NamedTuple):
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: Any

    @property
    def connection(self) -> list[str]:
        return [value for name, value in self.headers if name.lower() == "connection"]


def rig(_number: int) -> World:
    """The rig of the recordings: pve1 with VMs 100-104 and container 200, one user, two tokens."""

    def guest(vmid: int, name: str, *, kind: Any = "qemu", running: bool = False, **more: Any) -> Guest:
        started = NOW - 600 if running else 0.0
        return Guest(vmid=vmid, kind=kind, name=name, running=running, started=started, pid=4000 + vmid, **more)

    guests = [
        guest(100, "tiny100", running=True, tags="prod;web", memory=64 * MIB, disk=GIB, cores=1, acpi=False),
        guest(101, "tiny101", memory=64 * MIB, disk=0, cores=1),
        guest(102, "linux102", running=True, memory=256 * MIB, disk=GIB, agent="ok", ips=["10.0.2.15"], serial=True),
        guest(103, "idle103", running=True, memory=32 * MIB, disk=0, run_state="paused"),
        guest(104, "serial104", memory=32 * MIB, disk=0, serial=True, vga="serial0"),
        guest(200, "ct200", kind="lxc", running=True, tags="ct", memory=64 * MIB, disk=12 * GIB),
    ]
    tokens = {"t0": Token("t0", "0", privsep=False), "t1": Token("t1", "1")}
    task = TaskRecord(
        upid=TASK, node="pve1", pid=0x1B2F, pstart=0x662F0, starttime=0x6B03E4C6, type="qmreset", id="100",
        authid="root@pam", endtime=0x6B03E4C6, status="OK", log=["TASK OK"],
    )  # fmt: skip
    return World(
        seed=7,
        node="pve1",
        guests={g.vmid: g for g in guests},
        storages={"local": Storage("local")},
        users={"root@pam": User("root@pam", PASSWORD, tokens=tokens), "nobody@pve": User("nobody@pve", PASSWORD)},
        grants=[],
        tasks=[task],
        booted=NOW - 7200,
        auth_key="rig",
    )


def power(vmid: int, running: bool) -> Callable[[SimHost], None]:
    def set_power(host: SimHost) -> None:
        found = host.world.guests[vmid]
        found.running = running
        found.started = NOW - 600 if running else 0.0

    return set_power


def agent(vmid: int, state: Any) -> Callable[[SimHost], None]:
    return lambda host: setattr(host.world.guests[vmid], "agent", state)


def fault(name: str) -> Callable[[SimHost], None]:
    return lambda host: host.faults.set(name)


def lock(vmid: int, name: str) -> Callable[[SimHost], None]:
    return lambda host: setattr(host.world.guests[vmid], "lock", name)


def grant_t1(host: SimHost) -> None:
    host.world.grants.append(Grant("/vms/100", "token", "root@pam!t1", "PVEVMUser"))


def service(host: SimHost) -> None:
    """What 12-provision was recorded with: a role, our user with a token, the role on everything."""
    tokens = {"mgr": Token("mgr", "m", privsep=False)}
    host.world.users["pharmq@pve"] = User("pharmq@pve", PASSWORD, tokens=tokens)
    host.world.roles["PharmQ"] = ["VM.Audit", "VM.Console", "Sys.Audit"]
    host.world.grants.append(Grant("/", "user", "pharmq@pve", "PharmQ"))


def user(userid: str) -> Callable[[SimHost], None]:
    return lambda host: host.world.users.update({userid: User(userid, PASSWORD)})


def no_token(name: str) -> Callable[[SimHost], None]:
    return lambda host: host.world.users["root@pam"].tokens.pop(name, None)


def token(name: str) -> Callable[[SimHost], None]:
    return lambda host: host.world.users["root@pam"].tokens.update({name: Token(name, "2", expire=int(NOW) + 60)})


def nothing(_host: SimHost) -> None: ...


#: Recording -> who asks (none, ticket, bad, nobody, svc, tokens t0, t1, mgr) and how the world is put beforehand.
CASES: dict[str, tuple[str, Callable[[SimHost], None]]] = {
    "01-login/domains-noauth": ("none", nothing),
    "01-login/err-500-nonexist-vm-status": ("ticket", nothing),
    "01-login/err-500-nonexist-vm": ("ticket", nothing),
    "01-login/err-unknown-node": ("ticket", nothing),
    "01-login/get-bad-ticket": ("bad", nothing),
    "01-login/get-cookie-raw-not-urlencoded": ("ticket", nothing),
    "01-login/get-json-extra-param": ("ticket", nothing),
    "01-login/get-no-ticket": ("none", nothing),
    "01-login/login-empty-form": ("none", nothing),
    "01-login/login-no-password": ("none", nothing),
    "01-login/permissions-self": ("ticket", nothing),
    "02-lifecycle/agent-network-get-interfaces": ("ticket", nothing),
    "02-lifecycle/agent-not-configured": ("ticket", nothing),
    "02-lifecycle/agent-not-running-vm-stopped": ("ticket", power(102, False)),
    "02-lifecycle/agent-too-early": ("ticket", agent(102, "silent")),
    "02-lifecycle/config-vm100": ("ticket", nothing),
    "02-lifecycle/nonexistent-vmid-reboot": ("ticket", nothing),
    "02-lifecycle/nonexistent-vmid-reset": ("ticket", nothing),
    "02-lifecycle/nonexistent-vmid-resume": ("ticket", nothing),
    "02-lifecycle/nonexistent-vmid-shutdown": ("ticket", nothing),
    "02-lifecycle/nonexistent-vmid-start": ("ticket", nothing),
    "02-lifecycle/nonexistent-vmid-stop": ("ticket", nothing),
    "02-lifecycle/nonexistent-vmid-suspend": ("ticket", nothing),
    "02-lifecycle/reboot-stopped": ("ticket", nothing),
    "02-lifecycle/reboot-timeout5": ("ticket", nothing),
    "02-lifecycle/reset-running": ("ticket", nothing),
    "02-lifecycle/reset-stopped": ("ticket", nothing),
    "02-lifecycle/resume-not-suspended": ("ticket", nothing),
    "02-lifecycle/resume-stopped": ("ticket", nothing),
    "02-lifecycle/start-bad-param": ("ticket", nothing),
    "02-lifecycle/status-after-forcestop": ("ticket", power(100, False)),
    "02-lifecycle/status-after-qemu-killed": ("ticket", nothing),
    "02-lifecycle/status-vm100-running": ("ticket", nothing),
    "02-lifecycle/status-vm102-running": ("ticket", nothing),
    "02-lifecycle/suspend-running": ("ticket", nothing),
    "02-lifecycle/suspend-stopped": ("ticket", nothing),
    "03-console/vncproxy-no-permission": ("nobody", nothing),
    "03-console/vncproxy-nonexistent-vm.vncproxy": ("ticket", nothing),
    "03-console/vncproxy-stopped-vm.vncproxy": ("ticket", nothing),
    "04-tokens/token0-cluster-resources": ("t0", nothing),
    "04-tokens/token1-cluster-tasks": ("t1", nothing),
    "04-tokens/token1-node-status-denied": ("t1", nothing),
    "04-tokens/token1-nodes": ("t1", nothing),
    "04-tokens/token1-qemu-config-noacl": ("t1", nothing),
    "04-tokens/token1-resources-after-acl": ("t1", grant_t1),
    "04-tokens/token1-resources-noacl": ("t1", nothing),
    "04-tokens/token1-start-denied-on-101": ("t1", grant_t1),
    "05-read/cluster-resources-type-bogus": ("ticket", nothing),
    "05-read/cluster-resources-type-node": ("ticket", nothing),
    "05-read/cluster-resources-type-sdn": ("ticket", nothing),
    "05-read/cluster-resources-type-storage": ("ticket", nothing),
    "05-read/cluster-resources": ("ticket", nothing),
    "05-read/cluster-status": ("ticket", nothing),
    "05-read/cluster-tasks": ("ticket", nothing),
    "05-read/node-status": ("ticket", nothing),
    "05-read/node-tasks-bad-upid": ("ticket", nothing),
    "05-read/node-tasks-limit0": ("ticket", nothing),
    "05-read/nodes": ("ticket", nothing),
    "05-read/resources-with-paused-vm103": ("ticket", nothing),
    "07-proxy-errors/pvedaemon-down-get": ("t0", fault("595")),
    "07-proxy-errors/pvedaemon-down-login": ("none", fault("595")),
    "07-proxy-errors/pvedaemon-down-unprotected": ("t0", fault("595")),
    "07-proxy-errors/pvedaemon-hung-get-status": ("ticket", fault("pvedaemon_hung")),
    "07-proxy-errors/pvedaemon-hung-post-start": ("ticket", fault("596_executed")),
    "07-proxy-errors/pvedaemon-hung-resources-still-ok": ("ticket", fault("pvedaemon_hung")),
    "08-more/agent-on-locked": ("ticket", nothing),
    "08-more/resources-with-lock": ("ticket", lock(100, "snapshot")),
    "10-lxc/lxc-config": ("ticket", nothing),
    "10-lxc/lxc-interfaces": ("ticket", nothing),
    "10-lxc/lxc-reset-notimpl": ("ticket", nothing),
    "10-lxc/lxc-shutdown": ("ticket", nothing),
    "10-lxc/lxc-start-running": ("ticket", nothing),
    "10-lxc/lxc-start": ("ticket", power(200, False)),
    "10-lxc/lxc-status-running": ("ticket", nothing),
    "10-lxc/lxc-status-stopped": ("ticket", power(200, False)),
    "10-lxc/lxc-stop-stopped": ("ticket", power(200, False)),
    "10-lxc/resources-with-lxc": ("ticket", nothing),
    "11-vncterm/lxc-vncproxy-ws.create": ("ticket", nothing),
    "01-login/err-403-permission-post": ("nobody", nothing),
    "01-login/write-ok-user-add": ("ticket", nothing),
    "01-login/write-user-add-dup": ("ticket", user("t1@pve")),
    "04-tokens/acl-token1": ("ticket", nothing),
    "04-tokens/token-create-badname": ("ticket", nothing),
    "04-tokens/token-create-default": ("ticket", nothing),
    "04-tokens/token-create-privsep0": ("ticket", no_token("t0")),
    "04-tokens/token-create-privsep1": ("ticket", no_token("t1")),
    "04-tokens/token-delete": ("ticket", token("tdef")),
    "04-tokens/token-delete-nonexist": ("ticket", nothing),
    "04-tokens/token-list": ("ticket", token("tsoon")),
    "04-tokens/token0-change-password": ("t0", user("t1@pve")),
    "09-termproxy/node-shell-cmd-login.termproxy": ("ticket", nothing),
    "09-termproxy/node-shell-no-perm": ("nobody", nothing),
    "09-termproxy/vm-serial-cookie.termproxy": ("ticket", nothing),
    "10-lxc/lxc-termproxy-stopped": ("ticket", power(200, False)),
    "12-provision/role-create": ("ticket", nothing),
    "12-provision/role-create-again": ("ticket", service),
    "12-provision/role-create-unknown-privilege": ("ticket", nothing),
    "12-provision/role-delete-in-use": ("ticket", service),
    "12-provision/role-update": ("ticket", service),
    "12-provision/svc-changes-own-password-without-confirmation": ("svc", service),
    "12-provision/svc-sets-acl-denied": ("svc", service),
    "12-provision/svc-token-lists-own": ("svc", service),
    "12-provision/svc-user-delete": ("ticket", service),
    "12-provision/token-creates-token": ("mgr", service),
    "12-provision/token-deletes-itself-denied-or-not": ("mgr", service),
    "12-provision/token-reads-own-tokens": ("mgr", service),
}
BY_NAME = {exchange.name: exchange for exchange in facts.load().exchanges}


class Rig:
    def __init__(self, host: SimHost, clock: ManualClock) -> None:
        self.host, self.clock = host, clock

    async def ask(
        self, method: str, path: str, form: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """One request on its own connection, while the simulator's clock runs."""
        work = asyncio.ensure_future(self._ask(method, path, form, headers or {}))
        for _ in range(2000):
            if work.done():
                break
            await asyncio.sleep(0.001)
            await self.clock.advance(0.25)
        return await asyncio.wait_for(work, 60)

    async def _ask(self, method: str, path: str, form: dict[str, Any] | None, headers: dict[str, str]) -> Answer:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        reader, writer = await asyncio.open_connection("127.0.0.1", self.host.port, ssl=context)
        lines = [f"{method} {facts.PREFIX}{path} HTTP/1.1", "Host: 127.0.0.1:8006"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        body = b""
        if form is not None:
            body = urlencode(form).encode()
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")[:-4].split("\r\n")
        _, status, reason = (head[0] + " ").split(" ", 2)
        got = [(name, value.strip()) for name, _, value in (line.partition(":") for line in head[1:])]
        length = next((int(value) for name, value in got if name.lower() == "content-length"), None)
        raw = await (reader.read() if length is None else reader.readexactly(length))
        writer.transport.abort()
        try:
            parsed = json.loads(raw)
        except ValueError:
            parsed = raw.decode("latin-1")
        return Answer(int(status), reason.strip(), got, parsed)

    async def headers_for(self, who: str) -> dict[str, str]:
        if who in ("t0", "t1"):
            return {"Authorization": f"PVEAPIToken=root@pam!{who}={who[1]}"}
        if who == "mgr":
            return {"Authorization": "PVEAPIToken=pharmq@pve!mgr=m"}
        if who == "none":
            return {}
        if who == "bad":
            return {"Cookie": "PVEAuthCookie=PVE%3Aroot%40pam%3A6B03D9EB%3A%3Aabc"}
        name = {"nobody": "nobody@pve", "svc": "pharmq@pve"}.get(who, "root@pam")
        login = await self.ask("POST", "/access/ticket", {"username": name, "password": PASSWORD})
        data = login.body["data"]
        return {
            "Cookie": f"PVEAuthCookie={quote(data['ticket'], safe='')}",
            "CSRFPreventionToken": data["CSRFPreventionToken"],
        }


@pytest.fixture
async def world() -> AsyncIterator[Rig]:
    clock = ManualClock()
    async with SimFleet(1, clock=clock, world=rig) as fleet:
        yield Rig(fleet[0], clock)


@pytest.mark.parametrize("name", sorted(CASES))
async def test_the_simulator_answers_like_the_recorded_host(name: str, world: Rig) -> None:
    recorded = BY_NAME.get(name)
    assert recorded is not None, f"{name} is not among the facts"
    who, prepare = CASES[name]
    if prepare is service:
        prepare(world.host)  # who asks is made by it
    headers = await world.headers_for(who)
    if prepare is not service:
        prepare(world.host)
    await world.clock.advance(11)  # pvestatd publishes every 10 s
    form = recorded.form and {key: PASSWORD if value == "..." else value for key, value in recorded.form.items()}
    answer = await world.ask(recorded.method, recorded.path, form, headers)
    assert (answer.status, answer.reason) == (recorded.status, recorded.reason)
    assert answer.connection == recorded.connection
    assert sorted({key.lower() for key, _ in answer.headers}) == recorded.headers
    compare(recorded, answer)


@pytest.mark.parametrize("how", ["ok", "wrong"])
async def test_a_login(how: str, world: Rig) -> None:
    form = {"username": "root@pam", "password": PASSWORD if how == "ok" else "no"}
    answer = await world.ask("POST", "/access/ticket", form)
    wanted = 200 if how == "ok" else 401
    recorded = next(x for x in BY_NAME.values() if x.template == "POST /access/ticket" and x.status == wanted)
    assert (answer.status, answer.reason, answer.connection) == (wanted, recorded.reason, recorded.connection)
    assert sorted({key.lower() for key, _ in answer.headers}) == recorded.headers
    compare(recorded, answer)


@pytest.mark.parametrize("what", ["status", "log"])
async def test_a_finished_task(what: str, world: Rig) -> None:
    headers = await world.headers_for("ticket")
    answer = await world.ask("GET", f"/nodes/pve1/tasks/{quote(TASK, safe='')}/{what}", None, headers)
    recorded = next(x for x in BY_NAME.values() if x.template.endswith(f"/tasks/{{upid}}/{what}") and x.status == 200)
    assert (answer.status, answer.connection) == (200, recorded.connection)
    compare(recorded, answer)


async def test_a_write_without_csrf_is_refused_after_three_seconds(world: Rig) -> None:
    headers = await world.headers_for("ticket")
    headers.pop("CSRFPreventionToken")
    before = world.clock.monotonic()
    answer = await world.ask("POST", "/nodes/pve1/qemu/100/status/start", {}, headers)
    assert (answer.status, answer.reason, answer.body) == (401, "Permission denied - invalid csrf token", "")
    assert "content-length" not in {name.lower() for name, _ in answer.headers}
    assert world.clock.monotonic() - before >= 3


# -- shapes -----------------------------------------------------------------------------------------------------


def compare(recorded: facts.Exchange, answer: Answer) -> None:
    """Errors must say the same; of data, keys and types must be such as real hosts give."""
    if not isinstance(recorded.body, dict):
        assert answer.body == recorded.body
        return
    assert isinstance(answer.body, dict)
    if recorded.status >= 300:
        assert answer.body == recorded.body
        return
    alike = [x.body for x in BY_NAME.values() if (x.template, x.status) == (recorded.template, recorded.status)]
    known: dict[str, set[str]] = {}
    for body in alike:
        for place, kind in places(body):
            known.setdefault(place, set()).add(kind)
    declared = facts.load().calls[recorded.template].returns if recorded.template in facts.load().calls else []
    open_keys = recorded.template.endswith(("/config", "/access/permissions"))
    for place, kind in places(answer.body):
        if place in known:
            assert kind in known[place], f"{place} is {kind}, recorded as {known[place]}"
        elif not open_keys and re.sub(r"\[.*\]$", "", place.rpartition(".")[2]) not in declared:
            pytest.fail(f"{place} was never seen in an answer of {recorded.template}")
    always = required(alike)
    for place, keys in objects(answer.body):
        assert always.get(place, set()) <= keys, f"{place} lacks {always.get(place, set()) - keys}"


def places(value: Any, at: str = "$") -> list[tuple[str, str]]:
    """(path, type) of everything in ``value``; list rows share a path, split by their ``type``."""
    if isinstance(value, dict):
        found = [(at, "object")]
        for key, entry in value.items():
            found += places(entry, f"{at}.{'*' if key.startswith('/') else key}")
        return found
    if isinstance(value, list):
        return [(at, "list"), *(pair for row in value for pair in places(row, f"{at}{_row(row)}"))]
    if isinstance(value, bool) or value is None:
        return [(at, str(value))]
    return [(at, "number" if isinstance(value, int | float) else "text")]


def objects(value: Any, at: str = "$") -> list[tuple[str, set[str]]]:
    if isinstance(value, dict):
        found = [(at, set(value))]
        for key, entry in value.items():
            found += objects(entry, f"{at}.{'*' if key.startswith('/') else key}")
        return found
    if isinstance(value, list):
        return [pair for row in value for pair in objects(row, f"{at}{_row(row)}")]
    return []


def required(bodies: list[Any]) -> dict[str, set[str]]:
    """Keys that every recorded object of a path has."""
    always: dict[str, set[str]] = {}
    for body in bodies:
        for place, keys in objects(body):
            always[place] = always[place] & keys if place in always else set(keys)
    return always


def _row(row: Any) -> str:
    kind = row.get("type") if isinstance(row, dict) else None
    return f"[{kind}]" if isinstance(kind, str) and re.fullmatch("qemu|lxc|node|storage|network", kind) else "[]"
