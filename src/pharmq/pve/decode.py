"""Bytes to structs. Types vary between answers (a port as text, a number as "0.00"), so decoding is lax about
numbers, strict about shape; what does not fit is a ProtocolError that names the field."""

import re
from typing import Any, Generic, TypeVar

import msgspec

from pharmq.base.secret import Secret
from pharmq.pve.errors import ProtocolError
from pharmq.pve.model import (
    Address,
    Count,
    Current,
    GuestConfig,
    GuestRow,
    Interface,
    LogLine,
    NodeRow,
    NodeStatus,
    Realm,
    Resources,
    StorageRow,
    TaskLog,
    TaskRow,
    TaskStatus,
    Upid,
    Version,
    VncTicket,
)

T = TypeVar("T")


class _Data(msgspec.Struct, Generic[T], gc=False):
    data: T


class _Login(msgspec.Struct, gc=False, rename={"csrf": "CSRFPreventionToken", "need_tfa": "NeedTFA"}):
    ticket: str
    csrf: str = ""
    username: str = ""
    need_tfa: Count = 0


class _Vnc(msgspec.Struct, gc=False):
    port: Count
    ticket: str
    upid: str
    user: str = ""
    password: str | None = None


class _Log(msgspec.Struct, gc=False):
    data: list[LogLine]
    total: Count = 0


class _Ip(msgspec.Struct, gc=False, rename="kebab"):
    ip_address: str = ""
    ip_address_type: str = ""
    prefix: Count | None = None


class _Interface(msgspec.Struct, gc=False, rename="kebab"):
    name: str = ""
    hardware_address: str | None = None
    ip_addresses: list[_Ip] | None = None
    # Containers before PVE 8.2 give one address per family, with its prefix, and nothing else.
    hwaddr: str | None = None
    inet: str | None = None
    inet6: str | None = None


class _Interfaces(msgspec.Struct, gc=False):
    result: list[_Interface]


# PostgreSQL takes no NUL in a text, and no name or log line has one. (An escaped backslash before it is none.)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_MISSING = re.compile(r"missing required field `([^`]*)`")


class _Decoder(Generic[T]):
    """Decodes one kind of answer; errors name the field without our own ``$.data``."""

    def __init__(self, kind: Any) -> None:
        self._decoder = msgspec.json.Decoder(kind, strict=False)

    def __call__(self, body: bytes) -> T:
        if b"\\u0000" in body and _NUL.search(body):
            raise ProtocolError("a NUL character", "body", executed="unknown")
        try:
            return self._decoder.decode(body)  # type: ignore[no-any-return]
        except msgspec.ValidationError as error:
            text, _, where = str(error).partition(" - at `$")
            missing = _MISSING.search(text)
            field = where.rstrip("`").removeprefix(".data") + (f".{missing[1]}" if missing else "")
            raise ProtocolError(text, field.lstrip(".") or "data", executed="unknown") from None
        except (msgspec.DecodeError, ValueError, OverflowError, RecursionError) as error:
            raise ProtocolError(f"not JSON: {error}", "body", executed="unknown") from None


_rows: _Decoder[_Data[list[GuestRow]]] = _Decoder(_Data[list[GuestRow]])
_login: _Decoder[_Data[_Login]] = _Decoder(_Data[_Login])
_version: _Decoder[_Data[Version]] = _Decoder(_Data[Version])
_node: _Decoder[_Data[NodeStatus]] = _Decoder(_Data[NodeStatus])
_current: _Decoder[_Data[Current]] = _Decoder(_Data[Current])
_text: _Decoder[_Data[str]] = _Decoder(_Data[str])
_task: _Decoder[_Data[TaskStatus]] = _Decoder(_Data[TaskStatus])
_tasks: _Decoder[_Data[list[TaskRow]]] = _Decoder(_Data[list[TaskRow]])
_log: _Decoder[_Log] = _Decoder(_Log)
_vnc: _Decoder[_Data[_Vnc]] = _Decoder(_Data[_Vnc])
_realms: _Decoder[_Data[list[Realm]]] = _Decoder(_Data[list[Realm]])
_agent: _Decoder[_Data[_Interfaces]] = _Decoder(_Data[_Interfaces])
_lxc: _Decoder[_Data[list[_Interface] | None]] = _Decoder(_Data[list[_Interface] | None])
_permissions: _Decoder[_Data[dict[str, dict[str, Count]]]] = _Decoder(_Data[dict[str, dict[str, Count]]])
_config: _Decoder[_Data[dict[str, Any]]] = _Decoder(_Data[dict[str, Any]])


def decode_login(body: bytes) -> _Login:
    return _login(body).data


def decode_version(body: bytes) -> Version:
    return _version(body).data


def decode_node_status(body: bytes) -> NodeStatus:
    return _node(body).data


def decode_current(body: bytes) -> Current:
    return _current(body).data


def decode_task_status(body: bytes) -> TaskStatus:
    return _task(body).data


def decode_tasks(body: bytes) -> tuple[TaskRow, ...]:
    return tuple(_tasks(body).data)


def decode_task_log(body: bytes) -> TaskLog:
    log = _log(body)
    return TaskLog(tuple(log.data), log.total)


def decode_realms(body: bytes) -> tuple[Realm, ...]:
    return tuple(_realms(body).data)


def decode_permissions(body: bytes) -> dict[str, frozenset[str]]:
    """Privileges by path (``/``, ``/vms/100`` ...)."""
    return {path: frozenset(names) for path, names in _permissions(body).data.items()}


def decode_resources(body: bytes) -> Resources:
    """The hot path: one pass in C over the bytes; only the few node and storage rows are built a second time."""
    guests: list[GuestRow] = []
    nodes: list[NodeRow] = []
    storages: list[StorageRow] = []
    for row in _rows(body).data:
        kind = row.kind
        if kind == "qemu" or kind == "lxc":
            if row.vmid <= 0 or not row.node:
                raise ProtocolError("a guest without vmid or node", "vmid", executed="no")
            guests.append(row)
        elif kind == "node":
            nodes.append(
                NodeRow(
                    row.node, row.status, row.cpu, row.maxcpu, row.mem, row.maxmem, row.disk, row.maxdisk, row.uptime
                )
            )
        elif kind == "storage":
            storages.append(
                StorageRow(row.node, row.storage or "", row.status, row.plugintype or "", row.disk, row.maxdisk)
            )
    return Resources(tuple(guests), tuple(nodes), tuple(storages))


def decode_upid(body: bytes) -> Upid:
    try:
        return Upid.parse(_text(body).data)
    except ValueError as error:
        raise ProtocolError(str(error), "data", executed="unknown") from None


def decode_vnc(body: bytes) -> VncTicket:
    """Before April 2026 ``password`` came only when asked for; without it the ticket's first 8 characters are it."""
    vnc = _vnc(body).data
    if not 5900 <= vnc.port <= 5999:
        raise ProtocolError(f"port {vnc.port}", "port", executed="yes")
    try:
        upid = Upid.parse(vnc.upid)
    except ValueError as error:
        raise ProtocolError(str(error), "upid", executed="yes") from None
    return VncTicket(vnc.port, Secret(vnc.ticket), Secret(vnc.password or vnc.ticket[:8]), upid, vnc.user)


def decode_term(body: bytes) -> VncTicket:
    """As ``decode_vnc``; a terminal has no password, its ticket is the whole proof."""
    vnc = decode_vnc(body)
    return vnc._replace(password=Secret(""))


def decode_agent_interfaces(body: bytes) -> tuple[Interface, ...]:
    return tuple(_interface(row) for row in _agent(body).data.result)


def decode_lxc_interfaces(body: bytes) -> tuple[Interface, ...]:
    return tuple(_interface(row) for row in _lxc(body).data or ())


def _interface(row: _Interface) -> Interface:
    if row.ip_addresses is not None:
        pairs = [(entry.ip_address, entry.prefix) for entry in row.ip_addresses]
    else:
        pairs = []
        for text in (row.inet, row.inet6):
            if text:
                ip, _, prefix = text.partition("/")
                pairs.append((ip, _number(prefix)))
    addresses = tuple(Address(ip, "ipv6" if ":" in ip else "ipv4", prefix) for ip, prefix in pairs if ip)
    return Interface(row.name, (row.hardware_address or row.hwaddr or "").lower(), addresses)


_UUID = re.compile(r"\buuid=([0-9A-Fa-f-]{36})")
_CTIME = re.compile(r"\bctime=([0-9]{1,15})(?![0-9])")


def decode_config(body: bytes) -> GuestConfig:
    """QEMU and LXC alike (a container's name is ``hostname``)."""
    raw = {key: _plain(key, value) for key, value in _config(body).data.items()}
    uuid = _UUID.search(raw.get("smbios1", ""))
    ctime = _CTIME.search(raw.get("meta", ""))
    memory = _MEMORY.match(raw.get("memory", ""))
    return GuestConfig(
        name=raw.get("name") or raw.get("hostname"),
        description=raw.get("description"),
        tags=tuple(tag for tag in re.split(r"[;, ]+", raw.get("tags", "")) if tag),
        cores=_number(raw.get("cores")) or 1,
        sockets=_number(raw.get("sockets")) or 1,
        memory_mb=int(memory[1]) if memory else None,
        vga=raw.get("vga"),
        serial=any(key.startswith("serial") for key in raw),
        agent=_agent_enabled(raw.get("agent", "0")),
        onboot=raw.get("onboot", "0") == "1",
        template=raw.get("template", "0") == "1",
        lock=raw.get("lock"),
        smbios_uuid=uuid[1].lower() if uuid else None,
        vmgenid=raw.get("vmgenid"),
        ctime=int(ctime[1]) if ctime else None,
        digest=raw.get("digest"),
        raw=raw,
    )


# "256", or "current=256" since memory became a property string.
_MEMORY = re.compile(r"(?:current=)?([0-9]{1,12})(?![0-9])")


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and len(text) < 16 and text.isdecimal() else None


def _agent_enabled(value: str) -> bool:
    first = value.partition(",")[0].removeprefix("enabled=")
    return first == "1"


def _plain(key: str, value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str | int | float):
        return str(value)
    if value is None:
        return ""
    # LXC gives raw lxc.* lines as a list of pairs; they stay readable text here.
    return msgspec.json.encode(value).decode()
