"""Every call the client can make exists in the official schema, with those parameters and values it allows."""

import inspect
import re
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, unquote

import contract_facts as facts
import pytest

import pharmq.pve.client as client_module
from pharmq.base.clock import ManualClock
from pharmq.base.secret import Secret
from pharmq.pve import VERBS, Endpoint, Guest, NotSupported, PasswordCredential, PveClient, Timeouts, Upid, VncTicket
from pharmq.pve.accounts import Accounts
from pharmq.pve.http1 import Reply
from pharmq.pve.wire import Request

QEMU, LXC = Guest("pve1", "qemu", 100), Guest("pve1", "lxc", 200)
UPID = Upid.parse("UPID:pve1:000012CA:00024360:6B03DA38:qmcreate:100:root@pam:")
VNC = VncTicket(5900, Secret("7^=#4%/*:PVEVNC:6B03DC03::a+b/c=="), Secret("7^=#4%/*"), UPID, "root@pam")
INTERFACES = b'{"data":{"result":[]}}'
ANSWERS: tuple[tuple[str, bytes], ...] = (
    ("/access/ticket", b'{"data":{"ticket":"PVE:x","CSRFPreventionToken":"y"}}'),
    ("/version", b'{"data":{"version":"9.2.11"}}'),
    ("/cluster/resources", b'{"data":[]}'),
    ("/access/permissions", b'{"data":{}}'),
    ("/agent/network-get-interfaces", INTERFACES),
    ("/interfaces", b'{"data":[]}'),
    ("/config", b'{"data":{}}'),
    ("/log", b'{"data":[],"total":0}'),
    ("/tasks", b'{"data":[]}'),
    ("/vncproxy", b'{"data":{"port":"5900","ticket":"t","upid":"%s"}}' % UPID.text.encode()),
    ("/termproxy", b'{"data":{"port":"5900","ticket":"t","upid":"%s","user":"root@pam"}}' % UPID.text.encode()),
    ("/token", b'{"data":[]}'),
    ("/token/pharmq1", b'{"data":{"value":"v","full-tokenid":"pharmq@pve!pharmq1"}}'),
    ("/current", b'{"data":{"status":"running"}}'),
    ("/status", b'{"data":{"status":"stopped"}}'),
)


class Recorder:
    """Takes requests instead of a host and answers each by the end of its path."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def exchange(self, endpoint: Endpoint, request: Request, timeout: float) -> Reply:
        self.requests.append(request)
        path = request.path.partition("?")[0]
        for ending, body in ANSWERS:
            if path.endswith(ending):
                return Reply(200, "OK", {}, body)
        return Reply(200, "OK", {}, b'{"data":"%s"}' % UPID.text.encode())


Drive = Callable[[PveClient], Awaitable[object]]
CALLS: dict[str, list[Drive]] = {
    "login": [lambda c: c.login()],
    "version": [lambda c: c.version()],
    "resources": [lambda c: c.resources()],
    "permissions": [lambda c: c.permissions()],
    "node_status": [lambda c: c.node_status("pve1")],
    "current": [lambda c: c.current(QEMU), lambda c: c.current(LXC)],
    "config": [lambda c: c.config(QEMU), lambda c: c.config(LXC)],
    "task_status": [lambda c: c.task_status(UPID)],
    "task_log": [lambda c: c.task_log(UPID, 0, 500)],
    "tasks": [
        lambda c: c.tasks("pve1"),
        lambda c: c.tasks("pve1", vmid=100, since=1, until=2, typefilter="qmstart", source="active", start=1, limit=2),
    ],
    "agent_interfaces": [lambda c: c.agent_interfaces(QEMU)],
    "lxc_interfaces": [lambda c: c.lxc_interfaces(LXC)],
    "power": [
        lambda c, guest=guest, verb=verb: c.power(  # type: ignore[misc]
            guest, verb, timeout_s=30, force_stop=True, overrule_shutdown=True
        )
        for guest in (QEMU, LXC)
        for verb in VERBS
        if (guest.kind, verb) != ("lxc", "reset")
    ],
    "vncproxy": [lambda c: c.vncproxy(QEMU), lambda c: c.vncproxy(LXC)],
    "termproxy": [lambda c: c.termproxy(QEMU), lambda c: c.termproxy(LXC), lambda c: c.termproxy("pve1")],
    "open_websocket": [
        lambda c: c.open_websocket(QEMU, VNC),
        lambda c: c.open_websocket(LXC, VNC),
        lambda c: c.open_websocket("pve1", VNC),
    ],
    "close": [],
    "snapshot": [
        lambda c: c.snapshot(QEMU, "before-update", description="판올림 전", memory=True),
        lambda c: c.snapshot(LXC, "before-update", memory=True),
    ],
    "rollback": [lambda c: c.rollback(QEMU, "before-update", start=True), lambda c: c.rollback(LXC, "before-update")],
    "delete_snapshot": [lambda c: c.delete_snapshot(QEMU, "before-update"), lambda c: c.delete_snapshot(LXC, "x1")],
    "backup": [lambda c: c.backup(QEMU), lambda c: c.backup(LXC, storage="local", mode="stop", notes="PharmQ")],
    "set_onboot": [lambda c: c.set_onboot(QEMU, on=True), lambda c: c.set_onboot(LXC, on=False)],
    "agent_ping": [lambda c: c.agent_ping(QEMU)],
}
OWN, OTHER = Secret("own"), Secret("other")
ACCOUNT_CALLS: dict[str, list[Drive]] = {
    "put_role": [lambda c: Accounts(c).put_role("PharmQ", ["VM.Audit", "Sys.Audit"])],
    "delete_role": [lambda c: Accounts(c).delete_role("PharmQ")],
    "create_user": [lambda c: Accounts(c).create_user("pharmq@pve", OTHER, "PharmQ")],
    "delete_user": [lambda c: Accounts(c).delete_user("pharmq@pve")],
    "grant": [lambda c: Accounts(c).grant("pharmq@pve", "PharmQ")],
    "set_password": [lambda c: Accounts(c).set_password("pharmq@pve", OTHER, OWN)],
    "tokens": [lambda c: Accounts(c).tokens("pharmq@pve")],
    "create_token": [lambda c: Accounts(c).create_token("pharmq@pve", "pharmq1")],
    "delete_token": [lambda c: Accounts(c).delete_token("pharmq@pve", "pharmq1")],
}


@pytest.mark.parametrize(("kind", "calls"), [(PveClient, CALLS), (Accounts, ACCOUNT_CALLS)])
def test_every_public_method_is_driven(kind: type, calls: dict[str, list[Drive]]) -> None:
    public = {name for name, _ in inspect.getmembers(kind, inspect.iscoroutinefunction) if not name.startswith("_")}
    assert public == set(calls)


@pytest.mark.parametrize("name", sorted(CALLS | ACCOUNT_CALLS))
async def test_its_calls_are_in_the_schema(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()

    async def upgrade(endpoint: Endpoint, request: Request, *_: object) -> None:
        recorder.requests.append(request)

    monkeypatch.setattr(client_module, "open_console", upgrade)
    for drive in (CALLS | ACCOUNT_CALLS)[name]:
        client = PveClient(
            Endpoint("192.0.2.1"),
            PasswordCredential("root@pam", Secret("pw")),
            frozenset({"AA"}),
            clock=ManualClock(),
            timeouts=Timeouts(),
            transport=recorder,
        )
        before = len(recorder.requests)
        await drive(client)
        assert len(recorder.requests) > before
    for request in recorder.requests:
        check(request)


async def test_what_the_schema_does_not_have_is_refused_by_us() -> None:
    recorder = Recorder()
    client = PveClient(
        Endpoint("192.0.2.1"),
        PasswordCredential("root@pam", Secret("pw")),
        frozenset(),
        clock=ManualClock(),
        transport=recorder,
    )
    with pytest.raises(NotSupported):
        await client.power(LXC, "reset")
    assert recorder.requests == []
    assert "POST /nodes/{node}/lxc/{vmid}/status/reset" not in facts.load().calls


def check(request: Request) -> None:
    template = f"{request.method} {facts.template_of(request.path)}"
    call = facts.load().calls.get(template)
    assert call is not None, f"{template} is not in the schema"
    query = request.path.partition("?")[2]
    sent = dict(parse_qsl(query, keep_blank_values=True) + parse_qsl(request.form or "", keep_blank_values=True))
    in_path = dict(zip(re.findall(r"\{(\w+)\}", template), _values(template, request), strict=True))
    for name, value in (sent | in_path).items():
        assert name in call.params, f"{template} has no parameter {name}"
        fits(f"{template} {name}", value, call.params[name])
    missing = {name for name, rules in call.params.items() if not rules.get("optional") and name not in sent | in_path}
    assert not missing, f"{template} needs {missing}"


def _values(template: str, request: Request) -> list[str]:
    pattern = re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(template.partition(" ")[2]))
    match = re.fullmatch(pattern, request.path.partition("?")[0])
    assert match
    return [unquote(value) for value in match.groups()]


def fits(where: str, value: str, rules: dict[str, object]) -> None:
    kind = rules.get("type")
    if kind == "boolean":
        assert value in ("0", "1"), where
    elif kind in ("integer", "number"):
        assert re.fullmatch(r"-?\d+", value), where
        assert int(value) >= float(str(rules.get("minimum", value))), where
        assert int(value) <= float(str(rules.get("maximum", value))), where
    if "enum" in rules:
        assert value in rules["enum"], where  # type: ignore[operator]
