"""Questions to the QEMU guest agent. An agent that does not answer blocks a pvedaemon worker for 3 s."""

from typing import TYPE_CHECKING, Any

from pharmq_sim.dispatch import endpoint
from pharmq_sim.message import ApiError, Request
from pharmq_sim.world import Guest

if TYPE_CHECKING:
    from pharmq_sim.host import SimHost

BASE = "/nodes/{node}/qemu/{vmid}/agent"
PATIENCE = 3.0
#: seconds after the start until the guest's system is up and its agent answers
BOOT_SECONDS = 8.0


async def _reach(host: "SimHost", request: Request) -> Guest:
    guest = host.need_guest(request, "qemu")
    if guest.agent == "off":
        raise ApiError(500, "No QEMU guest agent configured")
    if not guest.running:
        raise ApiError(500, f"VM {guest.vmid} is not running")
    booted = host.epoch() - guest.started >= BOOT_SECONDS
    silent = guest.agent == "silent" or guest.run_state != "running" or not booted
    if silent or "agent_starvation" in host.faults:
        await host.clock.sleep(PATIENCE)
        raise ApiError(500, "QEMU guest agent is not running")
    return guest


def _interface(name: str, mac: str, addresses: list[str]) -> dict[str, Any]:
    zero = ("rx-bytes", "rx-packets", "rx-errs", "rx-dropped", "tx-bytes", "tx-packets", "tx-errs", "tx-dropped")
    return {
        "name": name,
        "hardware-address": mac,
        "ip-addresses": [
            {
                "ip-address": a,
                "ip-address-type": "ipv6" if ":" in a else "ipv4",
                "prefix": 8 if a == "127.0.0.1" else 128 if a == "::1" else 64 if ":" in a else 24,
            }
            for a in addresses
        ],
        "statistics": dict.fromkeys(zero, 0),
    }


@endpoint(f"GET {BASE}/network-get-interfaces")
async def interfaces(host: "SimHost", request: Request) -> Any:
    guest = await _reach(host, request)
    lo = _interface("lo", "00:00:00:00:00:00", ["127.0.0.1", "::1"])
    return {"result": [lo, _interface("eth0", guest.mac.lower(), guest.ips)]}


@endpoint(f"POST {BASE}/ping")
async def ping(host: "SimHost", request: Request) -> Any:
    await _reach(host, request)
    return {"result": {}}


@endpoint(f"GET {BASE}/get-host-name")
async def host_name(host: "SimHost", request: Request) -> Any:
    guest = await _reach(host, request)
    return {"result": {"host-name": guest.name.lower()}}


@endpoint(f"GET {BASE}/get-osinfo")
async def os_info(host: "SimHost", request: Request) -> Any:
    await _reach(host, request)
    return {
        "result": {
            "kernel-version": "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-16)",
            "kernel-release": "6.1.0-56-cloud-amd64",
            "machine": "x86_64",
        }
    }


@endpoint(f"GET {BASE}/info")
async def info(host: "SimHost", request: Request) -> Any:
    await _reach(host, request)
    names = ("guest-ping", "guest-get-host-name", "guest-get-osinfo", "guest-network-get-interfaces")
    commands = [{"name": name, "enabled": True, "success-response": True} for name in names]
    return {"result": {"version": "7.2.22", "supported_commands": commands}}
