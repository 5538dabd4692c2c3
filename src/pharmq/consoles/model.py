"""What a console is, to whom it belongs and why it ended. Plain values; no I/O."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, Protocol
from urllib.parse import quote

import msgspec

from pharmq.access import Scope
from pharmq.base.errors import Conflict, PharmqError, Unavailable
from pharmq.pve import (
    Current,
    Endpoint,
    Guest,
    GuestConfig,
    Pins,
    Resources,
    TaskLog,
    TaskStatus,
    Upid,
    Version,
    VncTicket,
)

State = Literal["issued", "opening", "open", "closed"]
Kind = Literal["screen", "terminal", "shell"]
"""``terminal``: of a container or a VM's serial port; ``shell``: of the node itself."""
Mode = Literal["control", "view"]
VmType = Literal["kiosk", "pos", "server", "backup", "other"]
CauseParam = str | int

CLAIM_SECONDS: Final = 30.0
"""How long a one-time session id may be claimed after it was issued."""

CLOSE_CODES: Final[Mapping[str, int]] = {
    # 44xx: a refusal or a state that only a person or the VM changes; a client must not try again by itself.
    "console.protocol_error": 4400,
    "console.not_signed_in": 4401,
    "console.not_allowed": 4403,
    "console.vm_gone": 4404,
    "console.origin_refused": 4405,
    "console.session_expired": 4406,
    "console.session_used": 4407,
    "console.vm_stopped": 4408,
    "console.no_picture": 4409,
    "console.no_permission": 4410,
    "console.credential_refused": 4411,
    "console.certificate_changed": 4412,
    "console.vm_moved": 4413,
    "console.vm_stopped_during": 4414,
    "console.ended_by_operator": 4415,
    "console.need_tfa": 4416,
    "console.session_unknown": 4417,
    "console.closed_by_user": 4418,
    "console.revoked": 4419,
    "console.locked": 4428,
    "console.user_full": 4420,
    "console.idle_limit": 4421,
    "console.time_limit": 4422,
    "console.contract_forbids": 4423,
    "console.reason_required": 4424,
    "console.start_failed": 4425,
    "console.no_terminal": 4426,
    "console.terminal_refused": 4427,
    # 45xx: the circumstances of this moment; a client may ask for a new session and try again with back-off.
    "console.host_unreachable": 4501,
    "console.too_late": 4502,
    "console.task_failed": 4503,
    "console.host_busy": 4504,
    "console.closed_by_host": 4505,
    "console.idle_cut": 4506,
    "console.server_stopping": 4507,
    "console.server_restarted": 4508,
    "console.vm_busy": 4509,
    "console.host_fault": 4510,
    "console.host_garbled": 4511,
    "console.no_answer": 4512,
    "console.password_refused": 4513,
    "console.internal": 4514,
    "console.browser_lost": 4515,
    "console.browser_stalled": 4516,
    "console.server_full": 4517,
    "console.start_late": 4518,
    "console.host_silent": 4519,
}
"""Every way a console ends, as the WebSocket close code (RFC 6455 leaves 4000-4999 to applications)."""

REASON_LIMIT: Final = 123
"""Bytes of a WebSocket close reason (RFC 6455 section 5.5: 125 less the code)."""


class Cause(msgspec.Struct, frozen=True):
    """Why a console did not open or ended: a catalogue code and its parameters."""

    code: str
    params: Mapping[str, CauseParam] = {}

    @property
    def close_code(self) -> int:
        return CLOSE_CODES[self.code]

    @property
    def retriable(self) -> bool:
        """Trying again by itself may help (never after a refusal)."""
        return self.close_code >= 4500

    @property
    def reason(self) -> str:
        """``code?k=v&k=v``, values percent-encoded, at most 123 bytes; the last value that does not fit is cut."""
        text, mark = self.code, "?"
        for name, value in self.params.items():
            room = REASON_LIMIT - len(text) - len(mark) - len(name) - 1
            fitted = _fit(str(value), room)
            if fitted:
                text += f"{mark}{name}={fitted}"
                mark = "&"
        return text

    def error(self) -> PharmqError:
        """The same as an HTTP problem: 503 for what passes by itself, else 409."""
        kind = Unavailable if self.retriable else Conflict
        return kind(self.code, params=dict(self.params))


def _fit(value: str, room: int) -> str:
    encoded = ""
    for letter in value:
        piece = quote(letter, safe="")
        if len(encoded) + len(piece) > room:
            break
        encoded += piece
    return encoded


class ConsoleEnded(Exception):
    """Carries the cause through the layers of an opening."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.code)
        self.cause = cause


class Target(msgspec.Struct, frozen=True):
    """A VM as a console needs it, taken from the current view. ``missing``: its host no longer lists it;
    ``contract``: what the pharmacy allows. A node itself has ``vm_id`` and ``vmid`` 0."""

    vm_id: int
    host_id: int
    pharmacy_id: int
    pharmacy_name: str
    vmid: int
    vm_name: str
    vm_type: str
    guest: Guest
    status: str
    console: Literal["vnc", "none", "unknown"]
    missing: bool
    host_status: str
    host_reason: str | None
    scope: Scope
    contract: Literal["open", "reason", "forbidden"] = "open"

    @property
    def place(self) -> Guest | str:
        """Where a terminal is opened."""
        return self.guest if self.vm_id else self.guest.node


class Targets(Protocol):
    """Where VMs are looked up: the inventory's view in the product, a fixed list in tests."""

    def of_pharmacy(self, pharmacy_id: int, vmid: int) -> Sequence[Target]:
        """Every living VM with that VMID on the pharmacy's hosts."""
        ...

    def get(self, vm_id: int) -> Target | None: ...

    def node(self, host_id: int) -> Target | None:
        """The host's node itself."""
        ...


class HostStream(Protocol):
    """The host's side of a console: messages of a WebSocket (``pharmq.pve.ConsoleStream``)."""

    async def recv(self) -> bytes | None:
        """The next bytes; None when the host closed the connection."""
        ...

    async def recv_parts(self) -> list[bytes]:
        """The same, not joined; empty when the host closed the connection."""
        ...

    async def send(self, data: bytes) -> None:
        """Waits while the host is not taking bytes."""
        ...

    async def close(self) -> None: ...


class Host(Protocol):
    """The calls of ``pharmq.pve.PveClient`` that consoles make."""

    @property
    def uses_token(self) -> bool: ...
    @property
    def endpoint(self) -> Endpoint: ...
    @property
    def pins(self) -> Pins: ...
    async def login(self) -> None: ...
    async def version(self) -> Version: ...
    async def permissions(self) -> dict[str, frozenset[str]]: ...
    async def vncproxy(self, guest: Guest) -> VncTicket: ...
    async def termproxy(self, place: Guest | str) -> VncTicket: ...
    async def open_websocket(self, place: Guest | str, vnc: VncTicket) -> HostStream: ...
    async def current(self, guest: Guest) -> Current: ...
    async def config(self, guest: Guest) -> GuestConfig: ...
    async def resources(self) -> Resources: ...
    async def task_status(self, upid: Upid) -> TaskStatus: ...
    async def task_log(self, upid: Upid) -> TaskLog: ...


class Wish(msgspec.Struct, frozen=True):
    """What is asked for. ``mode`` None: control where it is allowed, else only to watch; ``start``: a stopped VM is
    started first; ``purpose``: why, where the pharmacy's contract asks."""

    kind: Kind = "screen"
    mode: Mode | None = None
    start: bool = False
    purpose: str = ""


class Started(msgspec.Struct, frozen=True):
    """How starting a VM ended; ``code`` and ``params`` say why it failed."""

    ok: bool
    code: str = ""
    params: Mapping[str, CauseParam] = {}


class Ticket(msgspec.Struct, frozen=True):
    """The answer of ``connect``: the browser opens ``websocket_url`` before ``expires_at``, once. ``session_key`` names
    the session in lists and acts; ``starts``: the VM is stopped and is started when the browser comes."""

    session_id: str
    websocket_url: str
    expires_at: datetime
    session_key: str = ""
    kind: Kind = "screen"
    mode: Mode = "control"
    starts: bool = False


class SessionRow(msgspec.Struct, frozen=True):
    """One console that is opening or open. ``rate`` is bytes per second towards the browser, lately; ``mode`` what
    holds now, ``wants`` what was asked for; ``phase`` of an opening."""

    session_key: str
    vm_id: int
    host_id: int
    pharmacy_id: int
    pharmacy_name: str
    vmid: int
    vm_name: str
    user_id: int | None
    actor_name: str
    state: State
    created_at: datetime
    opened_at: datetime | None
    bytes_up: int
    bytes_down: int
    rate: int
    kind: Kind = "screen"
    mode: Mode = "control"
    wants: Mode = "control"
    phase: Literal["starting", "connecting", "open"] = "open"
    purpose: str = ""


class Viewer(msgspec.Struct, frozen=True):
    """Somebody on a screen."""

    session_key: str
    user_id: int | None
    name: str
    kind: Kind
    mode: Mode
    wants: Mode
    phase: Literal["starting", "connecting", "open"]
    since: datetime


class ScreenRow(msgspec.Struct, frozen=True):
    """Who is on a VM's screen, oldest first. ``id`` is the VM's."""

    id: int
    viewers: list[Viewer]
