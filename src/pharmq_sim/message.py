"""The few shapes that travel between the HTTP server, the endpoints and the consoles."""

from dataclasses import dataclass, field
from typing import Any


class ApiError(Exception):
    """An answer other than 200. ``reason`` stands in the status line and, with a newline, in the body.

    ``delay`` asks for the three seconds that a 401 takes; ``bare`` answers send no body and no Content-Length.
    """

    def __init__(
        self, status: int, reason: str, *, errors: dict[str, str] | None = None, bare: bool = False
    ) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.errors = errors
        self.bare = bare


def parameter_error(**errors: str) -> ApiError:
    """The 400 that Proxmox gives for every kind of refused parameter."""
    return ApiError(400, "Parameter verification failed.", errors=errors)


@dataclass(slots=True)
class Request:
    """One request as read from the wire. ``path`` is below the format ("/nodes/pve/status"), unquoted."""

    method: str
    target: str
    path: str
    format: str
    headers: dict[str, str]
    params: dict[str, str] = field(default_factory=dict)
    authid: str = ""

    @property
    def userid(self) -> str:
        return self.authid.partition("!")[0]


@dataclass(slots=True)
class Reply:
    """A successful answer; ``total`` and ``changes`` stand beside ``data`` at the top level when set."""

    data: Any
    extra: dict[str, Any] = field(default_factory=dict)
