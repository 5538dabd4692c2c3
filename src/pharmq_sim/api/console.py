"""The call sites of consoles; the rules themselves are in ``pharmq_sim.console``."""

from typing import TYPE_CHECKING, Any

from pharmq_sim.dispatch import endpoint
from pharmq_sim.message import ApiError, Hijacked, Request
from pharmq_sim.world import Guest, Kind

if TYPE_CHECKING:
    from pharmq_sim.host import SimHost

QEMU = "/nodes/{node}/qemu/{vmid}"
LXC = "/nodes/{node}/lxc/{vmid}"
NODE = "/nodes/{node}"


def _kind(request: Request) -> Kind:
    return "qemu" if request.path.split("/")[3] == "qemu" else "lxc"


def _guest(host: "SimHost", request: Request) -> Guest:
    return host.need_guest(request, _kind(request))


@endpoint(f"POST {QEMU}/vncproxy", f"POST {LXC}/vncproxy")
async def vncproxy(host: "SimHost", request: Request) -> Any:
    return await host.consoles.vncproxy(_guest(host, request), request.authid, request.params)


@endpoint(f"POST {QEMU}/termproxy", f"POST {LXC}/termproxy")
async def termproxy(host: "SimHost", request: Request) -> Any:
    return await host.consoles.termproxy(_guest(host, request), request.authid, request.params)


@endpoint(f"POST {NODE}/termproxy")
async def node_termproxy(host: "SimHost", request: Request) -> Any:
    return await host.consoles.termproxy(None, request.authid, request.params)


@endpoint(f"POST {NODE}/vncshell")
async def vncshell(_host: "SimHost", request: Request) -> Any:
    """Only what a manager must know of it: tokens cannot use it [11-vncterm]."""
    if request.is_token:
        raise ApiError(500, f"value '{request.authid}' does not look like a valid user name")
    raise ApiError(501, f"Method 'POST {request.path}' not implemented")


@endpoint(f"GET {QEMU}/vncwebsocket", f"GET {LXC}/vncwebsocket", f"GET {NODE}/vncwebsocket")
async def vncwebsocket(host: "SimHost", request: Request) -> Any:
    guest = _guest(host, request) if "vmid" in request.params else None
    if request.reader is None or request.writer is None:
        raise ApiError(500, "no connection to upgrade")
    if guest is not None and (fault := host.faults.get("vm_stopped_during_console")) is not None:
        host.spawn(_stop_later(host, guest, float(fault.get("s", 2))), f"stop {guest.vmid} during console")
    data = await host.consoles.websocket(request, guest, request.reader, request.writer)
    if data is None:
        raise Hijacked
    return data


async def _stop_later(host: "SimHost", guest: Guest, seconds: float) -> None:
    from pharmq_sim.api.power import power_off

    await host.clock.sleep(seconds)
    if guest.running:
        power_off(host, guest)
