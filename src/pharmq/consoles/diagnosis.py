"""From what was seen to the cause that a person is told. Pure: the asking is done by ``open`` and ``service``."""

from typing import Literal

import msgspec

from pharmq import pve
from pharmq.consoles.model import Cause, CauseParam

Step = Literal["vncproxy", "upgrade", "first_byte", "handshake", "password", "open"]
"""How far a console had come: asking for the ticket, the WebSocket, silence after it, the RFB handshake,
the RFB password, or in use."""

IDLE_CUT_SECONDS = 880.0
"""qm vncproxy ends a console after 900 s without a byte either way; what ends silently near that was cut by it."""

_HOST_REASONS = {
    "certificate_changed": "console.certificate_changed",
    "credential_refused": "console.credential_refused",
    "need_tfa": "console.need_tfa",
    "permission_denied": "console.no_permission",
    "cluster_down": "console.host_fault",
    "host_fault": "console.host_fault",
    "protocol_error": "console.host_garbled",
}

_BY_ERROR: tuple[tuple[type[pve.PveError], str], ...] = (
    (pve.CertificateChanged, "console.certificate_changed"),
    (pve.CredentialRefused, "console.credential_refused"),
    (pve.NeedTfa, "console.need_tfa"),
    (pve.PermissionDenied, "console.no_permission"),
    (pve.NoSuchGuest, "console.vm_gone"),
    (pve.NotRunning, "console.vm_stopped"),
    (pve.ConsoleSilent, "console.too_late"),
    (pve.ConsoleTicketRefused, "console.too_late"),
    (pve.Unreachable, "console.host_unreachable"),
    (pve.OutcomeUnknown, "console.host_unreachable"),
    (pve.ProtocolError, "console.host_garbled"),
)


class Evidence(msgspec.Struct, frozen=True):
    """What the host says afterwards; None where it was not asked or did not answer.

    ``task`` is the exit status of the vncproxy task ("" while it runs), ``log`` its lines; ``status`` the guest's,
    ``gone`` that the host knows no such guest, ``moved_to`` the node that has it now; ``vga`` its display setting.
    """

    task: str | None = None
    log: tuple[str, ...] = ()
    status: str | None = None
    gone: bool = False
    moved_to: str | None = None
    vga: str | None = None
    error: pve.PveError | None = None


def cause_of(error: pve.PveError) -> Cause:
    """What an error of the Proxmox client means to somebody who wanted a screen."""
    for kind, code in _BY_ERROR:
        if isinstance(error, kind):
            return Cause(code, _params(error))
    return Cause("console.host_fault", _params(error))


def cause_of_host(reason: str, detail: str = "") -> Cause:
    """The same from the reason code of a host that is known to be offline."""
    code = _HOST_REASONS.get(reason, "console.host_unreachable")
    return Cause(code, {"reason": reason, "detail": detail or reason})


def _params(error: pve.PveError) -> dict[str, CauseParam]:
    params: dict[str, CauseParam] = {"reason": error.code}
    # The system's own words about a failed connection name the host's address, which is no business of a browser.
    if error.detail and not isinstance(error, pve.Unreachable | pve.OutcomeUnknown):
        params["detail"] = error.detail
    return params


def why_not_opened(step: Step, error: pve.PveError | None, seen: Evidence) -> Cause:
    """The cause of an opening that failed at ``step``, by the host's own later words where it gave any."""
    if seen.moved_to is not None:
        return Cause("console.vm_moved", {"node": seen.moved_to})
    if error is not None and error.permanent and not isinstance(error, pve.NoSuchGuest):
        return cause_of(error)
    if seen.gone or isinstance(error, pve.NoSuchGuest):
        return Cause("console.vm_gone")
    if seen.status == "stopped" or _says(seen, "not running"):
        return Cause("console.vm_stopped")
    if hides_picture(seen.vga):
        return Cause("console.no_picture", {"vga": seen.vga or ""})
    if error is not None and not isinstance(error, pve.Unreachable | pve.ConsoleSilent):
        return cause_of(error)
    if _says(seen, "connection timed out") or isinstance(error, pve.ConsoleSilent):
        return Cause("console.too_late")
    if step == "password":
        return Cause("console.password_refused")
    if seen.task and not pve.exit_ok(seen.task):
        return Cause("console.task_failed", {"text": _task_text(seen)})
    if error is not None:
        return cause_of(error)
    if seen.error is not None:
        return cause_of(seen.error)
    if step == "first_byte":
        return Cause("console.no_answer")
    return Cause("console.closed_by_host")


def why_ended(idle_s: float, error: pve.PveError | None, seen: Evidence) -> Cause:
    """The cause of a console in use that the host's side ended; ``idle_s``: since the last byte either way."""
    if seen.moved_to is not None:
        return Cause("console.vm_moved", {"node": seen.moved_to})
    if seen.gone:
        return Cause("console.vm_gone")
    if seen.status == "stopped":
        return Cause("console.vm_stopped_during")
    if seen.error is not None:
        return cause_of(seen.error)
    if idle_s >= IDLE_CUT_SECONDS:
        return Cause("console.idle_cut")
    if isinstance(error, pve.ProtocolError):
        return cause_of(error)
    return Cause("console.closed_by_host")


def hides_picture(vga: str | None) -> bool:
    """``vga: none`` has no display at all (a passed-through card is configured that way); ``serialN`` has one, as
    a terminal drawn by vncterm."""
    return vga is not None and vga.partition(",")[0].removeprefix("type=") == "none"


def _says(seen: Evidence, words: str) -> bool:
    return any(words in line for line in (*seen.log, seen.task or ""))


def _task_text(seen: Evidence) -> str:
    """The most telling line: what stands before the final TASK ERROR, else the exit status."""
    told = [line for line in seen.log if line and not line.startswith("TASK ERROR") and line != "no content"]
    return (told[-1] if told else seen.task or "")[:200]
