"""From what was seen to the cause that is told."""

import pytest

from pharmq import pve
from pharmq.consoles.diagnosis import (
    Evidence,
    Step,
    cause_of,
    cause_of_host,
    hides_picture,
    why_ended,
    why_not_opened,
)

LATE = Evidence(task="connection timed out", log=("TASK ERROR: connection timed out",), status="running")
STOPPED = Evidence(task="Failed to run vncproxy.", log=("VM 101 not running", "TASK ERROR: Failed to run vncproxy."))
SILENT = pve.ConsoleSilent("no answer within 9 s")
RESET = pve.Unreachable("reset", "closed")


@pytest.mark.parametrize(
    ("step", "error", "seen", "code"),
    [
        ("handshake", None, STOPPED, "console.vm_stopped"),
        ("handshake", None, Evidence(status="stopped"), "console.vm_stopped"),
        ("vncproxy", pve.NoSuchGuest("x"), Evidence(), "console.vm_gone"),
        ("vncproxy", pve.NoSuchGuest("x"), Evidence(gone=True, moved_to="pve2"), "console.vm_moved"),
        ("upgrade", SILENT, LATE, "console.too_late"),
        ("upgrade", SILENT, STOPPED, "console.vm_stopped"),
        ("upgrade", pve.ConsoleTicketRefused("invalid PVEVNC ticket"), Evidence(), "console.too_late"),
        ("handshake", None, LATE, "console.too_late"),
        ("handshake", RESET, Evidence(status="running"), "console.host_unreachable"),
        ("handshake", None, Evidence(task="", status="running", vga="none"), "console.no_picture"),
        ("handshake", None, Evidence(task="exit 1", status="running", log=("no socket",)), "console.task_failed"),
        ("handshake", None, Evidence(task="OK", status="running"), "console.closed_by_host"),
        ("handshake", None, Evidence(error=pve.Unreachable("timeout")), "console.host_unreachable"),
        ("first_byte", None, Evidence(task="", status="running"), "console.no_answer"),
        ("first_byte", None, Evidence(status="stopped"), "console.vm_stopped"),
        ("password", None, Evidence(task="OK", status="running"), "console.password_refused"),
        ("handshake", pve.ProtocolError("not RFB"), Evidence(status="running"), "console.host_garbled"),
    ],
)
def test_why_a_console_did_not_open(step: Step, error: pve.PveError | None, seen: Evidence, code: str) -> None:
    assert why_not_opened(step, error, seen).code == code


def test_a_permanent_error_is_not_explained_away() -> None:
    for error in (pve.CertificateChanged(frozenset(), "AA"), pve.CredentialRefused("401"), pve.NeedTfa()):
        assert why_not_opened("vncproxy", error, STOPPED) == cause_of(error)


@pytest.mark.parametrize(
    ("idle_s", "error", "seen", "code"),
    [
        (1, None, Evidence(status="stopped"), "console.vm_stopped_during"),
        (899, None, Evidence(status="stopped"), "console.vm_stopped_during"),
        (899, None, Evidence(status="running"), "console.idle_cut"),
        (60, None, Evidence(status="running"), "console.closed_by_host"),
        (60, None, Evidence(gone=True), "console.vm_gone"),
        (60, None, Evidence(gone=True, moved_to="b"), "console.vm_moved"),
        (60, RESET, Evidence(error=pve.Unreachable("refused")), "console.host_unreachable"),
        (899, None, Evidence(error=pve.CredentialRefused("x")), "console.credential_refused"),
        (60, pve.ProtocolError("masked"), Evidence(status="running"), "console.host_garbled"),
    ],
)
def test_why_a_console_ended(idle_s: float, error: pve.PveError | None, seen: Evidence, code: str) -> None:
    assert why_ended(idle_s, error, seen).code == code


def test_the_task_text_is_its_most_telling_line() -> None:
    seen = Evidence(task="exit code 1", log=("no content", "can't open socket", "TASK ERROR: exit code 1"))
    assert why_not_opened("handshake", None, seen).params == {"text": "can't open socket"}
    assert why_not_opened("handshake", None, Evidence(task="exit code 1")).params == {"text": "exit code 1"}


@pytest.mark.parametrize(
    ("vga", "hidden"),
    [
        ("none", True),
        ("type=none", True),
        ("none,clipboard=vnc", True),
        ("serial0", False),
        ("qxl,memory=32", False),
        (None, False),
    ],
)
def test_what_has_no_picture(vga: str | None, hidden: bool) -> None:
    assert hides_picture(vga) is hidden


def test_every_error_and_every_host_reason_has_a_cause() -> None:
    errors = [
        pve.PermissionDenied("403"),
        pve.OutcomeUnknown("596"),
        pve.HostFault(500, "x"),
        pve.ClusterDown("x"),
        pve.Locked("x"),
        pve.NotSupported("x"),
        pve.ParameterRefused("x"),
        pve.AgentUnavailable("x"),
        pve.NotRunning("x"),
    ]
    for error in errors:
        assert cause_of(error).close_code
    reasons = (
        "unreachable refused timeout tls_failed certificate_changed credential_refused need_tfa permission_denied "
        "cluster_down host_fault protocol_error too_slow never_checked"
    )
    for reason in reasons.split():
        assert cause_of_host(reason).params["reason"] == reason
        assert cause_of_host(reason).close_code
