"""What an answer with an error status means. Pure; the texts are Proxmox's own, told apart because it answers 500
to nearly everything (a missing guest, a lock, a stopped guest, a dead pmxcfs)."""

import re

import msgspec

from pharmq.pve.errors import (
    AgentUnavailable,
    AlreadyRunning,
    ClusterDown,
    ConsoleTicketRefused,
    CredentialRefused,
    HostFault,
    Locked,
    NoSuchGuest,
    NotRunning,
    NotSupported,
    OutcomeUnknown,
    ParameterRefused,
    PermissionDenied,
    PveError,
)
from pharmq.pve.http1 import Reply

_PERMISSION = re.compile(r"Permission check failed \((?P<path>/[^,)]*),\s*(?P<privilege>[^)]+)\)")
_NO_GUEST = re.compile(
    r"Configuration file '.*/(qemu-server|lxc)/\d+\.conf' does not exist|unable to find configuration file for"
)
_STOPPED = re.compile(r"\b(VM|CT) \d+ (is )?not running\b")
_RUNNING = re.compile(r"\b(VM|CT) \d+ (is )?already running\b")
_LOCKED = re.compile(r"\b(VM|CT) is locked\b|can't lock file|got lock timeout|unable to (acquire|create) lock")
_AGENT = re.compile(r"guest agent|agent is not running|No QEMU guest agent", re.IGNORECASE)
_CLUSTER = re.compile(
    r"Unable to load access control list|RPCEnvironment init request failed|ipcc_send_rec|pmxcfs|"
    r"cluster filesystem|Transport endpoint is not connected",
    re.IGNORECASE,
)


class _ErrorBody(msgspec.Struct, gc=False):
    message: str | None = None
    errors: dict[str, str] | None = None


_error_body = msgspec.json.Decoder(_ErrorBody, strict=False)


def error_text(reply: Reply) -> tuple[str, dict[str, str]]:
    """The host's words: ``message`` of the body or else the reason phrase, and the ``errors`` by parameter."""
    try:
        body = _error_body.decode(reply.body) if reply.body else _ErrorBody()
    except msgspec.MsgspecError:
        body = _ErrorBody()  # an error page of something else: the reason phrase has to do
    return (body.message or reply.reason).strip(), body.errors or {}


def fault_of(reply: Reply, *, write: bool) -> PveError:
    """The error that a reply with status >= 300 means. ``write``: the request may have changed something."""
    text, errors = error_text(reply)
    status = reply.status
    if status == 401:
        if "invalid PVEVNC ticket" in text:
            return ConsoleTicketRefused(text)
        return CredentialRefused(text)
    if status == 403:
        match = _PERMISSION.search(text)
        return PermissionDenied(text, match["path"], match["privilege"]) if match else PermissionDenied(text)
    if status == 400:
        return ParameterRefused(text, errors)
    if status == 501:
        return NotSupported(text)
    if status == 596 and write:
        # The request waits in the daemon's socket and may run when it wakes: observed, a VM started that way.
        return OutcomeUnknown(f"596 {text}")
    return _fault_of_text(text) or HostFault(status, text)


def _fault_of_text(text: str) -> PveError | None:
    if _CLUSTER.search(text):
        return ClusterDown(text)
    if _NO_GUEST.search(text):
        return NoSuchGuest(text)
    if _RUNNING.search(text):
        return AlreadyRunning(text)
    if _STOPPED.search(text):
        return NotRunning(text)
    if _LOCKED.search(text):
        return Locked(text)
    if _AGENT.search(text):
        return AgentUnavailable(text)
    return None


def fault_of_exit(exitstatus: str) -> PveError:
    """What a failed task's exit status means, in the same tree: a task says late what a request says at once."""
    return _fault_of_text(exitstatus) or HostFault(0, exitstatus)
