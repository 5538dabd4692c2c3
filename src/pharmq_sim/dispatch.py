"""From a parsed request to an answer: authentication, route, privileges, parameters, daemon, handler."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, unquote

import msgspec

from pharmq.base.clock import within
from pharmq_sim import access
from pharmq_sim.message import ApiError, Hijacked, Reply, Request, parameter_error
from pharmq_sim.schema import ENDPOINTS, ROUTES, Endpoint, complaints

if TYPE_CHECKING:
    from pharmq_sim.host import SimHost

Handler = Callable[["SimHost", Request], Awaitable[Any]]
SomeHandler = TypeVar("SomeHandler", bound=Handler)
HANDLERS: dict[str, Handler] = {}

PROXY_TIMEOUT = 30.0
#: takes ``regenerate`` since May 2026, which no 7 or 8 has
REGENERATES = "PUT /access/users/{userid}/token/{tokenid}"
#: pveproxy answers these itself although the schema calls them protected: nothing else is needed for them
OPEN_PATHS = {"GET /access/ticket", "POST /access/ticket", "GET /access/domains"}


def endpoint(*keys: str) -> Callable[[SomeHandler], SomeHandler]:
    """Register a handler for ``METHOD /path/{template}`` keys of the schema."""

    def register(handler: SomeHandler) -> SomeHandler:
        for key in keys:
            if key not in ENDPOINTS:
                raise KeyError(f"{key} is not in the schema that the simulator carries")
            HANDLERS[key] = handler
        return handler

    return register


@dataclass(slots=True)
class Answer:
    status: int
    reason: str
    body: bytes | None
    #: None: no Content-Type (and with body None no Content-Length)
    content_type: str | None = None
    protected: bool = False
    #: seconds that must have passed since the request was read
    not_before: float = 0.0


JSON_TYPE = "application/json;charset=UTF-8"


def success(result: Any, *, protected: bool, format_: str) -> Answer:
    reply = result if isinstance(result, Reply) else Reply(result)
    shape = {"data": reply.data, **reply.extra}
    if format_ == "extjs":
        shape["success"] = 1
    return Answer(200, "OK", msgspec.json.encode(shape), JSON_TYPE, protected)


def failure(error: ApiError, *, protected: bool, format_: str) -> Answer:
    delay = 3.0 if error.status == 401 else 0.0
    if error.bare:
        return Answer(error.status, error.reason, None, not_before=delay)
    if error.text:
        return Answer(error.status, error.reason, error.message.encode())
    shape: dict[str, Any] = {"message": error.message, "data": None}
    if error.errors:
        shape["errors"] = error.errors
    if format_ == "extjs":
        shape |= {"success": 0, "status": str(error.status)}
        return Answer(200, "OK", msgspec.json.encode(shape), JSON_TYPE, protected, not_before=delay)
    return Answer(error.status, error.reason, msgspec.json.encode(shape), JSON_TYPE, not_before=delay)


def split_target(target: str) -> tuple[str, list[str], str]:
    """(format, unquoted path segments, query) of a request target below /api2."""
    path, _, query = target.partition("?")
    segments = [unquote(s) for s in path.split("/") if s]
    if not segments or segments[0] != "api2" or ".." in segments:
        raise ApiError(501, "no such uri", text=True)
    if len(segments) < 2:
        raise ApiError(501, "no such uri", text=True)
    if segments[1] not in ("json", "extjs"):
        rest = segments[2:]
        uri = "/" + "/".join(rest) if rest else "/"
        raise ApiError(501, f"no formatter for uri {uri}, {segments[1]}", text=True)
    return segments[1], segments[2:], query


def body_params(headers: dict[str, str], body: bytes) -> dict[str, str]:
    """Parameters of a form or JSON body, as text; lists are joined by NUL like Perl's parser does."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if not body:
        return {}
    if kind == "application/json":
        try:
            raw = msgspec.json.decode(body)
        except msgspec.DecodeError:
            words = (
                "malformed JSON string, neither tag, array, object, number, string or atom, at character offset "
                f'{len(body)} (before "(end of string)") at /usr/share/perl5/PVE/APIServer/AnyEvent.pm line 934.'
            )
            raise ApiError(500, words, text=True) from None
        return {k: _as_text(v) for k, v in raw.items()} if isinstance(raw, dict) else {}
    if kind in ("application/x-www-form-urlencoded", ""):
        return _pairs(body.decode("utf-8", "replace"))
    raise ApiError(506, f"upload 'Content-Type '{kind}' not implemented", text=True)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, list):
        return "\0".join(_as_text(v) for v in value)
    return "" if value is None else str(value)


def _pairs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        found[name] = f"{found[name]}\0{value}" if name in found else value
    return found


def identify(host: "SimHost", request: Request, key: str) -> str:
    """The authid, or "" where nobody needs to be known."""
    if "pmxcfs_down" in host.faults:
        raise ApiError(
            500,
            "RPCEnvironment init request failed: Unable to load access control list: Connection refused",
            bare=True,
        )
    if key in OPEN_PATHS:
        return ""
    if "credential_revoked" in host.faults or "http_401" in host.faults:
        raise ApiError(401, "Authentication failed!", bare=True)
    return access.identify(host.world, request.headers, request.method, host.epoch())


async def answer(host: "SimHost", request: Request, segments: list[str], body: bytes) -> Answer:
    """The whole way of one request. Raises Hijacked when the endpoint took the connection over."""
    protected = False
    try:
        path = "/" + "/".join(segments)
        route = ROUTES.find(request.method, segments)
        key = f"{request.method} {route[0]}" if route else f"{request.method} {path}"
        request.path = path
        request.authid = identify(host, request, key)
        request.params = _read_params(request, body)
        _forced_failures(host)
        if route is None:
            raise ApiError(501, f"Method '{request.method} {path}' not implemented")
        request.params |= route[1]
        spec = ENDPOINTS[key]
        protected = bool(spec.protected)
        result = await _call(host, request, key, spec)
        return success(result, protected=protected, format_=request.format)
    except ApiError as error:
        return failure(error, protected=protected, format_=request.format)


def _read_params(request: Request, body: bytes) -> dict[str, str]:
    if body and request.method in ("GET", "DELETE"):
        raise ApiError(501, f"Unexpected content for method '{request.method}'", text=True)
    query = request.target.partition("?")[2]
    return _pairs(query) | body_params(request.headers, body)


def _forced_failures(host: "SimHost") -> None:
    if "http_403" in host.faults:
        raise ApiError(403, "Permission check failed (/, Sys.Audit)")
    if (fault := host.faults.get("http_5xx")) is not None:
        raise ApiError(int(fault.get("status", 500)), str(fault.get("reason", "internal error")))


async def _call(host: "SimHost", request: Request, key: str, spec: Endpoint) -> Any:
    if request.is_token and not spec.allowtoken:
        words = f"Permission check failed (URI '{request.path}' not available with API token, need proper ticket."
        raise ApiError(403, words, message=words + "\n)\n")
    if spec.permissions.check is not None and not (spec.permissions.user and request.authid):
        world = host.world if "acl_lost" not in host.faults else host.world_without_grants()
        rule = rule_for(host.world.version, key, spec.permissions.check)
        access.check_rule(world, request.authid, rule, request.params)
    node = request.params.get("node")
    if node is not None and node not in host.nodes():
        raise ApiError(
            500,
            f"hostname lookup '{node}' failed - failed to get address info for: {node}: Name or service not known",
        )
    if spec.protected:
        return await _by_daemon(host, request, key, spec)
    return await _run(host, request, key, spec)


def for_version(version: str, key: str, spec: Endpoint) -> Endpoint:
    """The endpoint as that version declares it: only what a manager can notice differs."""
    if is_old(version) and key == REGENERATES:
        kept = {name: param for name, param in spec.params.items() if name != "regenerate"}
        return msgspec.structs.replace(spec, params=kept)
    return spec


def rule_for(version: str, key: str, rule: list[Any]) -> list[Any]:
    """Before 9 there was one privilege, VM.Monitor, in the place of the VM.GuestAgent.* ones."""
    if is_old(version) and "/agent/" in key:
        return ["perm", "/vms/{vmid}", ["VM.Monitor"]]
    return rule


def is_old(version: str) -> bool:
    return version.partition(".")[0] in ("7", "8")


async def _run(host: "SimHost", request: Request, key: str, spec: Endpoint) -> Any:
    if errors := complaints(for_version(host.world.version, key, spec), request.params):
        raise parameter_error(**errors)
    handler = HANDLERS.get(key)
    if handler is None:
        raise ApiError(501, f"Method '{request.method} {request.path}' not implemented")
    return await handler(host, request)


async def _by_daemon(host: "SimHost", request: Request, key: str, spec: Endpoint) -> Any:
    """Protected paths go to pvedaemon with its three blocking workers; pveproxy waits 30 s for it."""
    faults = host.faults
    if "595" in faults:
        raise ApiError(595, "Connection refused", bare=True)

    async def work() -> Any:
        await faults.cleared("pvedaemon_hung")
        async with host.workers:
            return await _run(host, request, key, spec)

    if "596_executed" in faults and request.method != "GET":
        host.spawn(_quietly(work()), f"executed {key}")
        await host.clock.sleep(PROXY_TIMEOUT)
        raise ApiError(596, "Connection timed out", bare=True)
    if "pvedaemon_hung" not in faults and not host.workers.locked():
        return await work()
    # the daemon goes on working after pveproxy gave up: that is why a 596 on a write may have been executed
    task = host.spawn(_quietly(work()), f"waiting {key}")
    try:
        outcome = await within(host.clock, PROXY_TIMEOUT, _shielded(task))
    except TimeoutError:
        raise ApiError(596, "Connection timed out", bare=True) from None
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


async def _shielded(task: "asyncio.Task[Any]") -> Any:
    return await asyncio.shield(task)


async def _quietly(work: Any) -> Any:
    """The result or the refusal of ``work`` as a value: nobody may be waiting for it any more."""
    try:
        return await work
    except (ApiError, Hijacked) as refusal:
        return refusal
