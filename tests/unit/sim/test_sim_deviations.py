"""Where real answers break the schema, the simulator breaks it in the same way."""

from typing import Any

import pytest
from sim_rig import Client

from pharmq_sim.deviations import DEVIATIONS, Deviation
from pharmq_sim.host import SimHost
from pharmq_sim.schema import ENDPOINTS

NAMES = {str: "string", int: "integer", float: "number", type(None): "null", bool: "boolean", list: "array"}
#: what must be asked first, and with which parameters, so that the field is there
FORMS: dict[str, dict[str, str]] = {
    "POST /nodes/{node}/qemu/{vmid}/vncproxy": {"websocket": "1"},
    "POST /nodes/{node}/lxc/{vmid}/vncproxy": {"websocket": "1"},
    "POST /access/users/{userid}/token/{tokenid}": {"privsep": "0", "expire": "1795415099"},
    "PUT /access/users/{userid}/token/{tokenid}": {"expire": "0"},
}
#: answers that this simulator does not give: it says so with a 501 or leaves an optional field out
NOT_PLAYED = {("POST /nodes/{node}/vncshell", "port"), ("GET /nodes/{node}/qemu/{vmid}/status/current", "clipboard")}


def fields(data: Any, path: str) -> list[Any]:
    """Every value that ``path`` names in ``data``."""
    found = [data]
    for part in [p for p in path.replace("[]", ".[]").split(".") if p]:
        if part == "[]":
            found = [item for value in found for item in value]
        else:
            found = [value[part] for value in found if part in value]
    return found


@pytest.mark.parametrize("line", [d for d in DEVIATIONS if (d.endpoint, d.field) not in NOT_PLAYED], ids=str)
async def test_the_simulator_follows_the_recording(client: Client, host: SimHost, line: Deviation) -> None:
    assert line.endpoint in ENDPOINTS
    host.world.guests[102].running = True
    host.world.guests[100].pending = {"cores": "4"}
    method, _, template = line.endpoint.partition(" ")
    vmid = "200" if "/lxc" in template else "102" if "termproxy" in template else "100"
    path = template.format(node="pve", vmid=vmid, userid="root@pam", tokenid="t0", storage="local")
    if method == "PUT":
        await client.call("POST", path, {"privsep": "1"})
    if line.endpoint == "GET /access/users":
        path += "?full=1"
    got = await client.call(method, path, FORMS.get(line.endpoint))
    assert got.status == 200, got.reason
    kinds = {NAMES[type(value)] for value in fields(got.data, line.field)}
    assert line.recorded in kinds
