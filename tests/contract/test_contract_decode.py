"""Every recorded answer to a call of ours decodes in the client, and every recorded refusal has its own kind."""

from collections.abc import Callable
from typing import Any

import contract_facts as facts
import pytest

from pharmq.pve import accounts
from pharmq.pve import decode as d
from pharmq.pve import errors as e
from pharmq.pve.faults import fault_of
from pharmq.pve.http1 import Reply, ReplyParser

DECODERS: dict[str, Callable[[bytes], Any]] = {
    "GET /version": d.decode_version,
    "POST /access/ticket": d.decode_login,
    "GET /access/domains": d.decode_realms,
    "GET /access/permissions": d.decode_permissions,
    "GET /cluster/resources": d.decode_resources,
    "GET /cluster/tasks": d.decode_tasks,
    "GET /nodes/{node}/status": d.decode_node_status,
    "GET /nodes/{node}/tasks": d.decode_tasks,
    "GET /nodes/{node}/tasks/{upid}/status": d.decode_task_status,
    "GET /nodes/{node}/tasks/{upid}/log": d.decode_task_log,
    f"GET {facts.GUEST}/status/current": d.decode_current,
    f"GET {facts.GUEST}/config": d.decode_config,
    f"POST {facts.GUEST}/vncproxy": d.decode_vnc,
    f"GET {facts.GUEST}/agent/network-get-interfaces": d.decode_agent_interfaces,
    f"GET {facts.GUEST}/interfaces": d.decode_lxc_interfaces,
    f"POST {facts.GUEST}/termproxy": d.decode_term,
    "POST /nodes/{node}/termproxy": d.decode_term,
    "GET /access/users/{userid}/token": accounts.decode_tokens,
    "POST /access/users/{userid}/token/{tokenid}": accounts.decode_new_token,
    **{call: d.decode_upid for call in facts.CALLED if call.startswith(f"POST {facts.GUEST}/status/")},
    **{call: d.decode_upid for call in facts.CALLED if "/snapshot" in call or call.endswith("/vzdump")},
}
#: Recorded 500s that are plain faults of a host; every other one must have a kind of its own.
PLAIN = (
    "hostname lookup",
    "Timeout while waiting for port",
    "malformed JSON string",
    "can't upload",
    "unable to use snapshot name",
    "only root can set",
    "checksum mismatch",
    "create user failed",
    "create role failed",
    "no such token",
)
OURS = [exchange for exchange in facts.load().exchanges if exchange.called]


def name_of(exchange: facts.Exchange) -> str:
    return exchange.name


def on_the_wire(exchange: facts.Exchange) -> Reply:
    """The exchange as bytes through our own parser."""
    body = exchange.body_bytes() if exchange.body != "" else b""
    head = [f"HTTP/1.1 {exchange.status} {exchange.reason}"]
    head += [f"Connection: {value}" for value in exchange.connection]
    if "content-length" in exchange.headers:
        head.append(f"Content-Length: {len(body)}")
    parser = ReplyParser()
    found = parser.feed("\r\n".join([*head, "", ""]).encode() + body) or parser.eof()
    assert found is not None
    return found


def decoder_of(exchange: facts.Exchange) -> Callable[[bytes], Any] | None:
    found = [decode for call, decode in DECODERS.items() if facts.matches(call, exchange.template)]
    return found[0] if found else None


def test_there_is_something_to_check() -> None:
    assert len(OURS) >= 100
    undecoded = {x.template for x in OURS if x.status == 200 and decoder_of(x) is None}
    assert undecoded <= {
        "GET /nodes",
        "GET /cluster/status",
        "GET /access/ticket",
        "GET /nodes/{node}/qemu/{vmid}/vncwebsocket",
        # Nothing of these answers is read.
        "PUT /nodes/{node}/qemu/{vmid}/config",
        "POST /nodes/{node}/qemu/{vmid}/agent/ping",
        "POST /access/roles",
        "PUT /access/roles/{roleid}",
        "DELETE /access/roles/{roleid}",
        "POST /access/users",
        "DELETE /access/users/{userid}",
        "DELETE /access/users/{userid}/token/{tokenid}",
        "PUT /access/acl",
        "PUT /access/password",
    }


@pytest.mark.parametrize("exchange", [x for x in OURS if x.status == 200 and decoder_of(x)], ids=name_of)
def test_an_answer_decodes(exchange: facts.Exchange) -> None:
    reply = on_the_wire(exchange)
    decode = decoder_of(exchange)
    assert decode is not None
    found = decode(reply.body)
    if exchange.template == "GET /cluster/resources":
        rows = exchange.body["data"]
        assert {row.vmid for row in found.guests} == {row["vmid"] for row in rows if row["type"] in ("qemu", "lxc")}
        assert len(found.nodes) == sum(row["type"] == "node" for row in rows)
        assert len(found.storages) == sum(row["type"] == "storage" for row in rows)


@pytest.mark.parametrize("exchange", [x for x in OURS if x.status >= 300], ids=name_of)
def test_a_refusal_has_its_kind(exchange: facts.Exchange) -> None:
    write = exchange.method != "GET"
    found = fault_of(on_the_wire(exchange), write=write)
    if exchange.status == 596:
        assert type(found) is (e.OutcomeUnknown if write else e.HostFault)
    elif exchange.status == 500 and not exchange.reason.startswith(PLAIN):
        assert type(found) is not e.HostFault, exchange.reason
    elif exchange.status == 403:
        assert isinstance(found, e.PermissionDenied)
        if "Permission check failed (/" in exchange.reason:
            assert found.path
            assert found.privilege
    elif exchange.status == 400:
        assert isinstance(found, e.ParameterRefused)
        assert found.errors == exchange.body.get("errors", {})
    else:
        kinds = {401: (e.CredentialRefused, e.ConsoleTicketRefused), 501: (e.NotSupported,)}
        assert isinstance(found, kinds.get(exchange.status, (e.HostFault,)))
    assert found.detail
