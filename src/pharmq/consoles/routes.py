"""The console routes. The WebSocket itself is ``socket.ConsoleSocket``."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal

import msgspec
from litestar import delete, get, post, put
from litestar.params import Parameter
from litestar.response import Stream

from pharmq.access import Actor, Privilege
from pharmq.consoles.check import CheckLine
from pharmq.consoles.model import Mode, ScreenRow, SessionRow, Ticket, VmType, Wish
from pharmq.consoles.pictures import picture_taken
from pharmq.consoles.service import ConsolesService
from pharmq.http import Limit, Offset, Page

Id = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
Vmid = Annotated[int, msgspec.Meta(ge=1, le=999_999_999)]
Purpose = Annotated[str, msgspec.Meta(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
SessionId = Annotated[str, Parameter(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]


class ConnectIn(msgspec.Struct, forbid_unknown_fields=True):
    """``vm_type`` and ``host_id`` narrow the choice when a pharmacy has several VMs with that VMID. ``mode`` left out:
    control where it is allowed, else only to watch. ``start``: a stopped VM is started first. ``purpose``: why, where
    the pharmacy's contract asks for a reason."""

    pharmacy_id: Id
    vmid: Vmid
    vm_type: VmType | None = None
    host_id: Id | None = None
    kind: Literal["screen", "terminal"] = "screen"
    mode: Mode | None = None
    start: bool = False
    purpose: Purpose = ""


class ShellIn(msgspec.Struct, forbid_unknown_fields=True):
    purpose: Purpose = ""


class ModeIn(msgspec.Struct, forbid_unknown_fields=True):
    """``force``: take control although somebody else has it."""

    mode: Mode
    force: bool = False


@post(
    "/api/vnc/connect",
    status_code=200,
    operation_id="connectConsole",
    summary="A one-time address of a VM's screen or terminal",
    tags=["consoles"],
    opt={"privilege": Privilege.SEE},
)
async def connect_console(actor: Actor, data: ConnectIn, consoles: ConsolesService) -> Ticket:
    wish = Wish(data.kind, data.mode, data.start, data.purpose)
    return await consoles.connect(actor, data.pharmacy_id, data.vmid, data.vm_type, data.host_id, wish)


@post(
    "/api/proxmox/hosts/{host_id:int}/shell",
    status_code=200,
    operation_id="connectShell",
    summary="A one-time address of a node's own shell",
    tags=["consoles"],
    opt={"privilege": Privilege.NODE_SHELL},
)
async def connect_shell(actor: Actor, host_id: int, data: ShellIn, consoles: ConsolesService) -> Ticket:
    return await consoles.shell(actor, host_id, data.purpose)


@post(
    "/api/vnc/refresh/{session_id:str}",
    status_code=200,
    operation_id="refreshConsole",
    summary="A new one-time address of the same console",
    tags=["consoles"],
    opt={"privilege": Privilege.SEE},
)
async def refresh_console(actor: Actor, session_id: SessionId, consoles: ConsolesService) -> Ticket:
    return await consoles.refresh(actor, session_id)


@get(
    "/api/vnc/sessions",
    operation_id="listConsoles",
    summary="Consoles that are opening or open",
    tags=["consoles"],
    opt={"privilege": Privilege.SEE},
)
async def list_consoles(
    actor: Actor, consoles: ConsolesService, limit: Limit = 100, offset: Offset = 0
) -> Page[SessionRow]:
    rows = consoles.sessions(actor)
    return Page(rows[offset : offset + limit], len(rows))


@delete(
    "/api/vnc/sessions/{session_id:str}",
    operation_id="endConsole",
    summary="End a console: one's own, or anybody's with session.kill",
    tags=["consoles"],
    opt={"privilege": Privilege.SEE},
)
async def end_console(actor: Actor, session_id: SessionId, consoles: ConsolesService) -> None:
    await consoles.end(actor, session_id)


@put(
    "/api/vnc/sessions/{session_id:str}/mode",
    operation_id="setConsoleMode",
    summary="Take control of a screen, hand it over, or only watch",
    tags=["consoles"],
    opt={"privilege": Privilege.SEE},
)
async def set_console_mode(actor: Actor, session_id: SessionId, data: ModeIn, consoles: ConsolesService) -> ScreenRow:
    """``session_id`` is the ``session_key`` of the session that shall control or watch: one's own, or somebody's to
    whom the controller hands over."""
    return await consoles.set_mode(actor, session_id, data.mode, force=data.force)


@post(
    "/api/vms/{vm_id:int}/screenshot",
    operation_id="takeScreenshot",
    summary="Say that a picture of a screen is taken",
    tags=["consoles"],
    opt={"privilege": Privilege.CONSOLE_SCREENSHOT},
    status_code=204,
)
async def take_screenshot(actor: Actor, vm_id: int, consoles: ConsolesService) -> None:
    """Before the browser saves it: permitted and recorded."""
    await picture_taken(consoles, actor, vm_id)


@get(
    "/api/vms/{vm_id:int}/viewers",
    operation_id="listViewers",
    summary="Who is on a VM's screen",
    tags=["consoles"],
    opt={"privilege": Privilege.SEE},
)
async def list_viewers(actor: Actor, vm_id: int, consoles: ConsolesService) -> ScreenRow:
    return consoles.viewers(actor, vm_id)


@post(
    "/api/vms/{vm_id:int}/console-check",
    status_code=200,
    operation_id="checkConsole",
    summary="Every step of opening a VM's screen, as lines of JSON while they happen",
    tags=["consoles"],
    opt={"privilege": Privilege.SEE},
)
async def check_console(actor: Actor, vm_id: int, consoles: ConsolesService) -> Stream:
    """The answer is ``application/x-ndjson``: one ``CheckLine`` a line."""
    lines = await consoles.check(actor, vm_id)
    return Stream(_encoded(lines), media_type="application/x-ndjson", headers={"X-Accel-Buffering": "no"})


async def _encoded(lines: AsyncIterator[CheckLine]) -> AsyncIterator[bytes]:
    async for line in lines:
        yield msgspec.json.encode(line) + b"\n"


ROUTES = [
    check_console,
    connect_console,
    connect_shell,
    refresh_console,
    list_consoles,
    end_console,
    set_console_mode,
    list_viewers,
    take_screenshot,
]
