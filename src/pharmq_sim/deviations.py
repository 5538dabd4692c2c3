"""Where recorded answers break the official schema, and the simulator follows the recordings.

Found by checking every recorded 200 of a served endpoint against the schema's declared return type; a test
holds the simulator to each line. Schema: 9.2; recordings: groups of real exchanges with pve-manager 9.2.11.
"""

from typing import NamedTuple


class Deviation(NamedTuple):
    """``field`` is a path in ``data`` ("" the value itself, ``[]`` each element)."""

    endpoint: str
    field: str
    schema: str
    recorded: str
    recording: str


DEVIATIONS: tuple[Deviation, ...] = (
    Deviation("GET /cluster/nextid", "", "integer", "string", "02-lifecycle/nextid"),
    Deviation(
        "GET /nodes/{node}/qemu/{vmid}/status/current",
        "clipboard",
        "string",
        "null",
        "02-lifecycle/status-after-qemu-killed",
    ),
    Deviation(
        "POST /nodes/{node}/qemu/{vmid}/vncproxy",
        "port",
        "integer",
        "string",
        "03-console/vncproxy-stopped-vm.vncproxy",
    ),
    Deviation(
        "POST /access/users/{userid}/token/{tokenid}",
        "info.expire",
        "integer",
        "string",
        "04-tokens/token-create-expire-soon",
    ),
    Deviation(
        "POST /access/users/{userid}/token/{tokenid}",
        "info.privsep",
        "boolean",
        "string",
        "04-tokens/token-create-expire-soon",
    ),
    Deviation(
        "PUT /access/users/{userid}/token/{tokenid}",
        "expire",
        "integer",
        "string",
        "04-tokens/token-update-expire-comment",
    ),
    Deviation("GET /access/users", "[].tokens", "array", "null", "05-read/access-users"),
    Deviation(
        "GET /nodes/{node}/storage/{storage}/content", "[].parent", "string", "null", "05-read/node-storage-content"
    ),
    Deviation("GET /nodes/{node}/qemu/{vmid}/pending", "[].value", "string", "integer", "05-read/qemu-pending"),
    Deviation("GET /nodes/{node}/qemu/{vmid}/pending", "[].pending", "string", "integer", "08-more/pending2"),
    Deviation(
        "POST /nodes/{node}/termproxy", "port", "integer", "string", "09-termproxy/node-shell-cmd-login.termproxy"
    ),
    Deviation(
        "POST /nodes/{node}/qemu/{vmid}/termproxy",
        "port",
        "integer",
        "string",
        "09-termproxy/vm-serial-cookie.termproxy",
    ),
    Deviation("GET /nodes/{node}/lxc", "[].pressureiosome", "number", "string", "10-lxc/lxc-list-running"),
    Deviation("GET /nodes/{node}/lxc", "[].pressurememoryfull", "number", "string", "10-lxc/lxc-list-running"),
    Deviation("GET /nodes/{node}/lxc", "[].pressurememorysome", "number", "string", "10-lxc/lxc-list-running"),
    Deviation("GET /nodes/{node}/lxc", "[].pressureiofull", "number", "string", "10-lxc/lxc-list-running"),
    Deviation("GET /nodes/{node}/lxc", "[].pressurecpusome", "number", "string", "10-lxc/lxc-list-running"),
    Deviation(
        "GET /nodes/{node}/lxc/{vmid}/status/current", "pressureiosome", "number", "string", "10-lxc/lxc-status-running"
    ),
    Deviation(
        "GET /nodes/{node}/lxc/{vmid}/status/current",
        "pressurememoryfull",
        "number",
        "string",
        "10-lxc/lxc-status-running",
    ),
    Deviation(
        "GET /nodes/{node}/lxc/{vmid}/status/current",
        "pressurememorysome",
        "number",
        "string",
        "10-lxc/lxc-status-running",
    ),
    Deviation(
        "GET /nodes/{node}/lxc/{vmid}/status/current", "pressureiofull", "number", "string", "10-lxc/lxc-status-running"
    ),
    Deviation(
        "GET /nodes/{node}/lxc/{vmid}/status/current",
        "pressurecpusome",
        "number",
        "string",
        "10-lxc/lxc-status-running",
    ),
    Deviation("POST /nodes/{node}/lxc/{vmid}/termproxy", "port", "integer", "string", "10-lxc/lxc-termproxy-stopped"),
    Deviation(
        "POST /nodes/{node}/lxc/{vmid}/vncproxy", "port", "integer", "string", "11-vncterm/lxc-vncproxy-ws.create"
    ),
    Deviation("POST /nodes/{node}/vncshell", "port", "integer", "string", "11-vncterm/node-vncshell-no-ws.create"),
)
