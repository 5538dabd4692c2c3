"""The few shapes that travel between the HTTP server, the endpoints and the consoles."""

import asyncio
from dataclasses import dataclass, field
from typing import Any


class ApiError(Exception):
    """An answer other than 200. ``reason`` stands in the status line and, with a newline, in the JSON body.

    ``bare``: no body and no Content-Length at all (401 before authentication, 595, 596).
    ``text``: the body is the reason as plain bytes without a type (malformed requests).
    ``message``: the body's message where it differs from the reason.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        *,
        errors: dict[str, str] | None = None,
        bare: bool = False,
        text: bool = False,
        message: str | None = None,
    ) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.errors = errors
        self.bare = bare
        self.text = text
        # 501 and 424 are raised without the newline that a Perl die carries [O err-404-like-unknown-path]
        self.message = message or (reason if status in (501, 424) else f"{reason}\n")


def parameter_error(**errors: str) -> ApiError:
    """The 400 that Proxmox gives for every kind of refused parameter."""
    return ApiError(400, "Parameter verification failed.", errors=errors)


@dataclass(slots=True)
class Request:
    """One request as read from the wire. ``path`` is below the format ("/nodes/pve/status"), unquoted;
    ``headers`` have lower-case names; ``params`` holds path, query and body parameters together."""

    method: str
    target: str
    path: str
    format: str
    headers: dict[str, str]
    params: dict[str, str] = field(default_factory=dict)
    authid: str = ""
    #: set where the endpoint takes the connection over (vncwebsocket)
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    @property
    def userid(self) -> str:
        return self.authid.partition("!")[0]

    @property
    def is_token(self) -> bool:
        return "!" in self.authid


@dataclass(slots=True)
class Reply:
    """A successful answer; ``extra`` stands beside ``data`` at the top level (total, changes)."""

    data: Any
    extra: dict[str, Any] = field(default_factory=dict)


class Hijacked(Exception):
    """Raised by an endpoint that took the connection over; nothing is to be answered."""
