"""What can go wrong between us and one Proxmox host, as a small tree.

``code`` is a short host reason (``refused``, ``certificate_changed`` ...), the catalogue's sentence is
``pve.<code>``. ``executed`` answers the one question a write leaves open: did the host do it?
"""

from collections.abc import Mapping
from typing import ClassVar, Literal, TypeAlias

Executed: TypeAlias = Literal["no", "yes", "unknown"]
ParamValue: TypeAlias = "str | int | float | bool | None"
UnreachableKind: TypeAlias = Literal["refused", "timeout", "reset", "dns", "tls", "blocked"]

_DETAIL_LIMIT = 500


class PveError(Exception):
    """Base. ``detail`` is the host's or the system's own text (one line, for logs and parameters), never a secret.

    ``permanent``: trying the same again changes nothing until a person or the host's state changes.
    """

    code: str = "host_fault"
    permanent: bool = False
    default_executed: ClassVar[Executed] = "no"

    def __init__(self, detail: str = "", *, executed: Executed | None = None) -> None:
        self.detail = " ".join(detail.split())[:_DETAIL_LIMIT]
        self.executed: Executed = executed or self.default_executed
        super().__init__(self.detail)

    @property
    def params(self) -> Mapping[str, ParamValue]:
        """Parameters for the catalogue's sentence."""
        return {"detail": self.detail}

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else self.code


class Unreachable(PveError):
    """No answer came: the connection failed, or it died or stayed silent before a read was answered."""

    _CODES: ClassVar[dict[str, str]] = {
        "refused": "refused",
        "timeout": "timeout",
        "tls": "tls_failed",
        "reset": "unreachable",
        "dns": "unreachable",
        "blocked": "unreachable",
    }

    def __init__(self, kind: UnreachableKind, detail: str = "", *, executed: Executed | None = None) -> None:
        super().__init__(detail or kind, executed=executed)
        self.kind: UnreachableKind = kind
        self.code = self._CODES[kind]

    @property
    def params(self) -> Mapping[str, ParamValue]:
        return {"detail": self.detail, "kind": self.kind}


class CertificateChanged(PveError):
    """The leaf's SHA-256 is none of the pinned ones (or none is pinned). Raised before any byte of ours is sent."""

    code = "certificate_changed"
    permanent = True

    def __init__(self, expected: frozenset[str], seen: str) -> None:
        super().__init__(f"seen {seen}")
        self.expected = expected
        self.seen = seen

    @property
    def params(self) -> Mapping[str, ParamValue]:
        return {"seen": self.seen, "expected": ", ".join(sorted(self.expected))}


class CredentialRefused(PveError):
    """401 to a login, to a token, or to a ticket that was made a moment ago. The client is latched from then on."""

    code = "credential_refused"
    permanent = True


class NeedTfa(PveError):
    """The login answered 200 but asks for a second factor: its ticket is good for nothing. Latched."""

    code = "need_tfa"
    permanent = True


class PermissionDenied(PveError):
    """403: the account lacks a privilege. ``path`` and ``privilege`` are empty when the host did not name them."""

    code = "permission_denied"
    permanent = True

    def __init__(self, detail: str, path: str = "", privilege: str = "") -> None:
        super().__init__(detail)
        self.path = path
        self.privilege = privilege

    @property
    def params(self) -> Mapping[str, ParamValue]:
        return {"detail": self.detail, "path": self.path, "privilege": self.privilege}


class ClusterDown(PveError):
    """pmxcfs does not run on the host: every request fails with the same 500, whoever asks."""

    code = "cluster_down"


class HostFault(PveError):
    """The host answered, with an error of its own (500, 595 ...). ``reason`` is the text of its status line."""

    code = "host_fault"

    def __init__(self, status: int, reason: str, *, executed: Executed | None = None) -> None:
        super().__init__(f"{status} {reason}", executed=executed)
        self.status = status
        self.reason = reason

    @property
    def params(self) -> Mapping[str, ParamValue]:
        return {"detail": self.detail, "status": self.status, "reason": self.reason}


class AlreadyRunning(PveError):
    """A container that runs was told to start (QEMU says it in the task's exit status instead)."""

    code = "already_running"


class NotRunning(PveError):
    """The verb needs a running guest."""

    code = "not_running"


class NoSuchGuest(PveError):
    """The guest's configuration file is not on that node."""

    code = "no_such_guest"
    permanent = True


class Locked(PveError):
    """The guest is locked: by a running task's file lock (passes by itself) or by a lock in its configuration."""

    code = "locked"


class ParameterRefused(PveError):
    """400: ``errors`` names the parameters and the host's reason for each."""

    code = "parameter_refused"
    permanent = True

    def __init__(self, detail: str, errors: Mapping[str, str] | None = None) -> None:
        self.errors = dict(errors or {})
        named = "; ".join(f"{name}: {why}" for name, why in sorted(self.errors.items()))
        super().__init__(f"{detail} {named}".strip())


class NotSupported(PveError):
    """501, or a verb that this kind of guest does not have."""

    code = "not_supported"
    permanent = True


class AgentUnavailable(PveError):
    """The guest agent is not configured or does not answer; the guest itself may be fine."""

    code = "agent_unavailable"


class ConsoleTicketRefused(PveError):
    """The console's one-time ticket was not accepted (too late, other identity, other port)."""

    code = "console_ticket_refused"


class ConsoleSilent(PveError):
    """The console upgrade got no answer in time: the host's listener is gone (it waits 10 s, accepts once)."""

    code = "console_silent"


class OutcomeUnknown(PveError):
    """A write was sent and no answer says what became of it (596, time-out, reset). Look into the task list."""

    code = "outcome_unknown"
    default_executed = "unknown"


class ProtocolError(PveError):
    """The answer is not what Proxmox answers: garbage, half, too large, wrong types. ``field`` says where."""

    code = "protocol_error"

    def __init__(self, detail: str, field: str = "", *, executed: Executed | None = None) -> None:
        super().__init__(detail, executed=executed)
        self.field = field

    @property
    def params(self) -> Mapping[str, ParamValue]:
        return {"detail": self.detail, "field": self.field}
