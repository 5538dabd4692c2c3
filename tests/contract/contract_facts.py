"""Facts about Proxmox VE: which calls exist with which parameters, and what real hosts answered.

``facts/`` holds a reduced copy (what we call, one answer of each kind); ``script/contract SHARED`` runs the same
tests over everything in SHARED, ``--write`` makes the reduced copy anew.
"""

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

FACTS = Path(__file__).parent / "facts"
SHARED = "PHARMQ_CONTRACT_SHARED"
PREFIX = "/api2/json"

GUEST = "/nodes/{node}/{kind}/{vmid}"
#: Templates of what we call or simulate; {kind} is qemu or lxc.
CALLED = (
    "GET /version",
    "POST /access/ticket",
    "GET /access/domains",
    "GET /access/permissions",
    "GET /cluster/resources",
    "GET /cluster/status",
    "GET /cluster/tasks",
    "GET /nodes",
    "GET /nodes/{node}/status",
    "GET /nodes/{node}/tasks",
    "GET /nodes/{node}/tasks/{upid}/status",
    "GET /nodes/{node}/tasks/{upid}/log",
    *(f"POST {GUEST}/status/{verb}" for verb in ("start", "stop", "shutdown", "reboot", "reset", "suspend", "resume")),
    f"GET {GUEST}/status/current",
    f"GET {GUEST}/config",
    f"POST {GUEST}/vncproxy",
    f"GET {GUEST}/vncwebsocket",
    f"POST {GUEST}/termproxy",
    "POST /nodes/{node}/termproxy",
    "GET /nodes/{node}/vncwebsocket",
    f"GET {GUEST}/agent/network-get-interfaces",
    f"GET {GUEST}/interfaces",
    f"PUT {GUEST}/config",
    f"POST {GUEST}/snapshot",
    f"DELETE {GUEST}/snapshot/{{snapname}}",
    f"POST {GUEST}/snapshot/{{snapname}}/rollback",
    f"POST {GUEST}/agent/ping",
    "POST /nodes/{node}/vzdump",
    "POST /access/roles",
    "PUT /access/roles/{roleid}",
    "DELETE /access/roles/{roleid}",
    "POST /access/users",
    "DELETE /access/users/{userid}",
    "PUT /access/acl",
    "PUT /access/password",
    "GET /access/users/{userid}/token",
    "POST /access/users/{userid}/token/{tokenid}",
    "DELETE /access/users/{userid}/token/{tokenid}",
)  # fmt: skip


class Call(NamedTuple):
    """One method of the official schema. ``params``: name -> its rules, path parameters included; ``returns``:
    every key that it declares anywhere in its answer."""

    params: dict[str, dict[str, Any]]
    protected: bool
    returns: list[str]


class Exchange(NamedTuple):
    """One recorded answer. ``auth``: none | cookie | token; ``connection``: the Connection headers in order;
    ``headers``: the names (lower-case) that came; ``body`` is parsed JSON, or text when it was none."""

    name: str
    method: str
    path: str
    auth: str
    form: dict[str, Any] | None
    status: int
    reason: str
    connection: list[str]
    headers: list[str]
    body: Any

    @property
    def template(self) -> str:
        return f"{self.method} {template_of(self.path)}"

    @property
    def called(self) -> bool:
        return any(matches(call, self.template) for call in CALLED)

    def body_bytes(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


class Upgrade(NamedTuple):
    """One recorded console upgrade. ``opened_by``, ``asked_by``: ticket, token, both or none; ``port``: same |
    a number; ``ticket``: same | stripped | wrong | none; ``headers``: those of the request that matter; ``answer``:
    the answer's head without its date and accept key; ``rfb``: what the host said after it."""

    name: str
    opened_by: str
    asked_by: str
    other_vm: bool
    port: str
    ticket: str
    headers: dict[str, str]
    answer: list[str]
    body: Any
    rfb: list[Any]


class Facts(NamedTuple):
    calls: dict[str, Call]
    exchanges: list[Exchange]
    upgrades: list[Upgrade]


def matches(template: str, concrete: str) -> bool:
    return concrete in {template.replace("{kind}", kind) for kind in ("qemu", "lxc")}


def template_of(path: str) -> str:
    """``/nodes/pve1/qemu/100/config?x=1`` -> ``/nodes/{node}/qemu/{vmid}/config``."""
    plain = path.partition("?")[0]
    plain = re.sub(r"/tasks/[^/]+", "/tasks/{upid}", plain)
    plain = re.sub(r"^/nodes/[^/]+", "/nodes/{node}", plain)
    plain = re.sub(r"/snapshot/[^/]+", "/snapshot/{snapname}", plain)
    plain = re.sub(r"^/access/roles/[^/]+", "/access/roles/{roleid}", plain)
    plain = re.sub(r"^/access/users/[^/]+", "/access/users/{userid}", plain)
    plain = re.sub(r"/token/[^/]+", "/token/{tokenid}", plain)
    return re.sub(r"/(qemu|lxc)/[^/]+", r"/\1/{vmid}", plain)


@cache
def load() -> Facts:
    """The full set when ``script/contract`` names where it is, else the stored one."""
    shared = os.environ.get(SHARED)
    if shared:
        return read_shared(Path(shared))
    calls = json.loads((FACTS / "schema.json").read_text())
    rows = json.loads((FACTS / "exchanges.json").read_text())
    upgrades = json.loads((FACTS / "upgrades.json").read_text())
    return Facts(
        {name: Call(**call) for name, call in calls.items()},
        [Exchange(**row) for row in rows],
        [Upgrade(**row) for row in upgrades],
    )


def read_shared(shared: Path) -> Facts:
    schema = json.loads((shared / "pve" / "api-schema-9.2.json").read_text())
    calls = {
        f"{method} {path}": Call(_params(about), bool(about.get("protected")), sorted(_keys(about.get("returns"))))
        for path, methods in schema.items()
        for method, about in methods.items()
    }
    exchanges, upgrades = [], []
    for file in sorted((shared / "pve" / "recordings").glob("*/*.json")):
        name, recording = f"{file.parent.name}/{file.stem}", json.loads(file.read_text())
        if (found := _exchange(name, recording)) is not None:
            exchanges.append(found)
        if (upgrade := _upgrade(name, recording)) is not None:
            upgrades.append(upgrade)
    return Facts(calls, exchanges, upgrades)


_SENT = ("upgrade", "sec-websocket-version", "sec-websocket-protocol", "sec-websocket-extensions", "origin")


def _upgrade(name: str, recording: Any) -> Upgrade | None:
    opened = recording.get("vncproxy") or recording.get("create") if isinstance(recording, dict) else None
    if opened is None or not isinstance(recording.get("request"), str) or not isinstance(recording["response"], str):
        return None
    opened = opened if isinstance(opened, dict) else json.loads(opened)
    if "ticket" not in opened:
        return None
    line, *rest = recording["request"].split("\r\n")
    sent = {key.lower(): value.strip() for key, _, value in (row.partition(":") for row in rest if row)}
    path, _, query = line.split(" ")[1].partition("?")
    asked = dict(parse_qsl(query))
    tickets = {opened["ticket"]: "same", opened["ticket"].partition(":")[2]: "stripped", None: "none"}
    auth = {(True, True): "both", (True, False): "ticket", (False, True): "token", (False, False): "none"}
    vmid = opened["upid"].split(":")[6]
    return Upgrade(
        name,
        "token" if "!" in opened["user"] else "ticket",
        auth["cookie" in sent, "authorization" in sent],
        bool(vmid) and f"/{vmid}/" not in path,
        "same" if asked.get("port") == str(opened["port"]) else asked.get("port", ""),
        tickets.get(asked.get("vncticket"), "wrong"),
        {key: sent[key] for key in _SENT if key in sent},
        [row for row in recording["response"].split("\r\n") if not re.match("Date|Expires|Sec-WebSocket-Accept", row)],
        recording.get("body") or "",
        [row for row in recording.get("rfb") or [] if isinstance(row, list) and row[0].startswith("S>C")],
    )


_RULES = ("type", "optional", "minimum", "maximum", "enum", "maxLength", "pattern", "default")


def _params(about: dict[str, Any]) -> dict[str, dict[str, Any]]:
    properties = (about.get("parameters") or {}).get("properties") or {}
    return {name: {rule: value[rule] for rule in _RULES if rule in value} for name, value in properties.items()}


def _keys(returns: Any) -> set[str]:
    if not isinstance(returns, dict):
        return set()
    properties = returns.get("properties") or {}
    inner = [*properties.values(), returns.get("items")]
    return set(properties) | {key for value in inner for key in _keys(value)}


def _exchange(name: str, recording: Any) -> Exchange | None:
    if not isinstance(recording, dict):
        return None
    request, response = recording.get("request"), recording.get("response")
    if not isinstance(request, dict) or not isinstance(response, dict):
        return None
    if not str(request.get("path", "")).startswith(PREFIX + "/") or not response.get("status"):
        return None
    sent = {key.lower(): value for key, value in (request.get("headers") or {}).items()}
    headers = response.get("headers") or []
    body = response.get("body") or ""
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = body
    return Exchange(
        name,
        request["method"],
        request["path"].removeprefix(PREFIX),
        "cookie" if "cookie" in sent else "token" if "authorization" in sent else "none",
        request.get("form"),
        response["status"],
        response.get("reason") or "",
        [value for key, value in headers if key.lower() == "connection"],
        sorted({key.lower() for key, _ in headers}),
        parsed,
    )


# -- the reduced copy -----------------------------------------------------------------------------------------


def write(shared: Path) -> None:
    full = read_shared(shared)
    calls = {name: call._asdict() for name, call in sorted(full.calls.items()) if any(matches(c, name) for c in CALLED)}
    kept: dict[tuple[Any, ...], Exchange] = {}
    for exchange in full.exchanges:
        if exchange.called and not exchange.name.startswith("06"):
            kept.setdefault(_kind(exchange), exchange)
    FACTS.mkdir(exist_ok=True)
    _dump(FACTS / "schema.json", calls)
    _dump(FACTS / "upgrades.json", [upgrade._asdict() for upgrade in full.upgrades])
    _dump(FACTS / "exchanges.json", [_reduced(exchange)._asdict() for exchange in kept.values()])


def _dump(path: Path, value: Any) -> None:
    """One entry a line: a change shows which fact changed."""
    dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
    if isinstance(value, dict):
        lines = ",\n".join(f"{dump(key)}:{dump(entry)}" for key, entry in value.items())
        path.write_text(f"{{\n{lines}\n}}\n")
    else:
        lines = ",\n".join(dump(entry) for entry in value)
        path.write_text(f"[\n{lines}\n]\n")


def _kind(exchange: Exchange) -> tuple[Any, ...]:
    """Answers of one kind teach the same: one of each is kept."""
    reason = re.sub(r"\d+|'[^']*'", "#", exchange.reason)
    return (exchange.template, exchange.status, reason, exchange.auth == "none", shape_key(exchange.body))


def shape_key(value: Any) -> Any:
    if isinstance(value, dict):
        keys = sorted(value)
        if any(key.startswith("/") for key in keys):
            return "paths"
        return tuple((key, shape_key(value[key])) for key in keys)
    if isinstance(value, list):
        return tuple(sorted({str(shape_key(entry)) for entry in value}))
    return type(value).__name__


def _reduced(exchange: Exchange) -> Exchange:
    form = exchange.form
    if form:
        form = {
            key: "..." if "password" in key and key != "generate-password" else _short(value)
            for key, value in form.items()
        }
    return exchange._replace(body=_short(exchange.body), form=form, path=_short(exchange.path))


def _short(value: Any) -> Any:
    """Long texts and signatures cut, of equal-looking rows only the first two kept."""
    if isinstance(value, dict):
        return {key: entry[:10] if key in ("cert", "flags") else _short(entry) for key, entry in value.items()}
    if isinstance(value, list):
        seen: dict[Any, int] = {}
        rows = []
        for row in value:
            key = str(shape_key(row))
            seen[key] = seen.get(key, 0) + 1
            if seen[key] <= 2:
                rows.append(_short(row))
        return rows
    if isinstance(value, str):
        value = re.sub(r"[A-Za-z0-9+/]{40,}={0,2}", lambda match: match[0][:6] + "...", value)
        value = re.sub(r"\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", r"\1-0-0-0-0", value)
        value = re.sub(r"(vncticket=[^&]{12})[^&]*", r"\1", value)
        return value if len(value) <= 300 else value[:300]
    return value
