"""The console routes. The WebSocket itself is ``socket.ConsoleSocket``."""

from typing import Annotated

import msgspec
from litestar import delete, get, post
from litestar.params import Parameter

from pharmq.access import Actor, Privilege
from pharmq.consoles.model import SessionRow, Ticket, VmType
from pharmq.consoles.service import ConsolesService
from pharmq.http import Limit, Offset, Page

Id = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
Vmid = Annotated[int, msgspec.Meta(ge=1, le=999_999_999)]
SessionId = Annotated[str, Parameter(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]


class ConnectIn(msgspec.Struct, forbid_unknown_fields=True):
    """``vm_type`` and ``host_id`` narrow the choice when a pharmacy has several VMs with that VMID."""

    pharmacy_id: Id
    vmid: Vmid
    vm_type: VmType | None = None
    host_id: Id | None = None


@post(
    "/api/vnc/connect",
    status_code=200,
    operation_id="connectConsole",
    summary="A one-time address of a VM's screen",
    tags=["consoles"],
    opt={"privilege": Privilege.CONSOLE_CONTROL},
)
async def connect_console(actor: Actor, data: ConnectIn, consoles: ConsolesService) -> Ticket:
    return await consoles.connect(actor, data.pharmacy_id, data.vmid, data.vm_type, data.host_id)


@post(
    "/api/vnc/refresh/{session_id:str}",
    status_code=200,
    operation_id="refreshConsole",
    summary="A new one-time address of the same VM's screen",
    tags=["consoles"],
    opt={"privilege": Privilege.CONSOLE_CONTROL},
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
    opt={"privilege": Privilege.CONSOLE_CONTROL},
)
async def end_console(actor: Actor, session_id: SessionId, consoles: ConsolesService) -> None:
    await consoles.end(actor, session_id)


ROUTES = [connect_console, refresh_console, list_consoles, end_console]
