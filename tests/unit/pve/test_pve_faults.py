"""The host's own words, told apart. The texts are those of recorded answers."""

import json

import pytest

from pharmq.pve import errors as e
from pharmq.pve.faults import fault_of, fault_of_exit
from pharmq.pve.http1 import Reply


def answer(status: int, reason: str, body: str | None = None) -> Reply:
    return Reply(
        status, reason, {}, (json.dumps({"data": None, "message": reason + "\n"}) if body is None else body).encode()
    )


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (500, "Configuration file 'nodes/pve1/qemu-server/999.conf' does not exist", e.NoSuchGuest),
        (500, "unable to find configuration file for VM 999 on node 'pve1'", e.NoSuchGuest),
        (500, "VM 101 not running", e.NotRunning),
        (500, "VM 102 is not running", e.NotRunning),
        (500, "CT 200 not running", e.NotRunning),
        (500, "CT 200 already running", e.AlreadyRunning),
        (500, "VM is locked (snapshot)", e.Locked),
        (500, "can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout", e.Locked),
        (500, "QEMU guest agent is not running", e.AgentUnavailable),
        (500, "No QEMU guest agent configured", e.AgentUnavailable),
        (
            500,
            "RPCEnvironment init request failed: Unable to load access control list: Connection refused",
            e.ClusterDown,
        ),
        (500, "hostname lookup 'nonode' failed - failed to get address info", e.HostFault),
        (595, "Connection refused", e.HostFault),
        (596, "Connection timed out", e.HostFault),
        (501, "Method 'POST /nodes/pve1/lxc/200/status/reset' not implemented", e.NotSupported),
        (401, "permission denied - invalid PVEVNC ticket", e.ConsoleTicketRefused),
        (401, "No ticket", e.CredentialRefused),
        (301, "Moved Permanently", e.HostFault),
    ],
)
def test_each_text_has_its_kind(status: int, reason: str, kind: type[e.PveError]) -> None:
    found = fault_of(answer(status, reason), write=False)
    assert type(found) is kind
    assert reason in found.detail


def test_an_empty_body_leaves_the_reason() -> None:
    found = fault_of(answer(595, "Connection refused", ""), write=True)
    assert isinstance(found, e.HostFault)
    assert (found.status, found.reason, found.executed) == (595, "Connection refused", "no")


def test_596_on_a_write_is_an_unknown_outcome() -> None:
    found = fault_of(answer(596, "Connection timed out", ""), write=True)
    assert isinstance(found, e.OutcomeUnknown)
    assert found.executed == "unknown"


def test_a_missing_privilege_is_named() -> None:
    found = fault_of(answer(403, "Permission check failed (/vms/101, VM.PowerMgmt)"), write=True)
    assert isinstance(found, e.PermissionDenied)
    assert (found.path, found.privilege) == ("/vms/101", "VM.PowerMgmt")


def test_refused_parameters_are_named() -> None:
    body = '{"data":null,"message":"Parameter verification failed.\\n","errors":{"vmid":"type check failed"}}'
    found = fault_of(answer(400, "Parameter verification failed.", body), write=False)
    assert isinstance(found, e.ParameterRefused)
    assert found.errors == {"vmid": "type check failed"}


def test_an_error_page_that_is_no_json_still_gives_the_reason() -> None:
    assert "502 Bad Gateway" in fault_of(answer(502, "Bad Gateway", "<html>"), write=False).detail


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("VM 100 already running", e.AlreadyRunning),
        ("can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout", e.Locked),
        ("VM quit/powerdown failed - got timeout", e.HostFault),
        ("received interrupt", e.HostFault),
    ],
)
def test_a_failed_task_speaks_the_same_language(text: str, kind: type[e.PveError]) -> None:
    assert type(fault_of_exit(text)) is kind
