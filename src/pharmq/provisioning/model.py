"""What is known of our account on a host, and what the API says of it."""

from collections import Counter
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from pharmq.access import Actor, Grant, Privilege
from pharmq.hosts.forms import Id, SecretText, Username
from pharmq.provisioning.plan import Operation, Step

AccountState: TypeAlias = Literal["none", "queued", "working", "waiting", "stopped", "ready"]


class Asker(msgspec.Struct, frozen=True):
    """Who asked for what is under way; it may end long after they have left the page."""

    kind: Literal["user", "token", "system"]
    id: int | None
    name: str
    source: str | None

    def actor(self) -> Actor:
        return Actor(self.kind, self.id, self.name, (Grant("/", frozenset(Privilege)),), self.source)


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``service_accounts``; secrets as sealed as there. ``operation`` None: nothing is under way."""

    host_id: int
    username: str
    created_at: datetime
    updated_at: datetime
    password: bytes | None = None
    password_next: bytes | None = None
    token: str | None = None
    token_next: str | None = None
    token_next_value: bytes | None = None
    token_old: str | None = None
    privileges: tuple[str, ...] = ()
    operation: Operation | None = None
    step: Step | None = None
    act_id: str | None = None
    forget_set: int | None = None
    keep_host: bool = False
    reason: str | None = None
    reason_params: dict[str, Any] = {}
    attempts: int = 0
    next_at: datetime | None = None
    asked: Asker | None = None
    rotated_at: datetime | None = None

    @property
    def stopped(self) -> bool:
        """It goes on only when a person says so."""
        return self.operation is not None and self.reason is not None and self.next_at is None


# --- the API


class Administrator(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account that may make roles and users. Used, kept in memory until then, never stored."""

    username: Username
    secret: SecretText


class ProvisionForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``host_ids`` left out: every host without an account of ours. ``administrator`` left out: each host's present
    password. ``forget_set``: delete the shared credential once the last host has left it."""

    host_ids: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=30_000)] | None = None
    administrator: Administrator | None = None
    forget_set: bool = True


class RotateForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``host_ids`` left out: every host with an account of ours."""

    host_ids: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=30_000)] | None = None


class RemoveForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``forget_host``: the host is given back and leaves PharmQ; else it goes on with ``administrator``'s password."""

    administrator: Administrator | None = None
    forget_host: bool = True


class Refusal(msgspec.Struct, frozen=True):
    host_id: int
    code: str


class Accepted(msgspec.Struct, frozen=True):
    """``refused`` hosts are left as they are."""

    accepted: int
    refused: list[Refusal]


class AccountRow(msgspec.Struct, frozen=True, kw_only=True):
    """``state``: none | queued | working | waiting (tried again at ``next_at``) | stopped (needs a person) | ready.
    ``step`` is the one that comes next, so it says where an operation stopped."""

    host_id: int
    host_ip: str
    pharmacy_id: int
    pharmacy_name: str
    host_username: str
    credential_kind: str
    state: AccountState
    username: str | None = None
    token: str | None = None
    privileges: tuple[str, ...] = ()
    operation: str | None = None
    step: str | None = None
    reason: str | None = None
    reason_params: dict[str, Any] = {}
    attempts: int = 0
    next_at: datetime | None = None
    rotated_at: datetime | None = None
    due_at: datetime | None = None
    overdue: bool = False


class AccountsReport(msgspec.Struct, frozen=True, kw_only=True):
    """``rotate_days`` 0: no policy. ``oldest``: when the longest unrotated token was made."""

    hosts: int
    ready: int
    none: int
    queued: int
    working: int
    waiting: int
    stopped: int
    overdue: int
    rotate_days: int
    provision_automatically: bool
    oldest: datetime | None
    reasons: dict[str, int]


def report_of(rows: list[AccountRow], rotate_days: int, *, automatic: bool) -> AccountsReport:
    states = Counter(row.state for row in rows)
    return AccountsReport(
        hosts=len(rows),
        ready=states["ready"],
        none=states["none"],
        queued=states["queued"],
        working=states["working"],
        waiting=states["waiting"],
        stopped=states["stopped"],
        overdue=sum(row.overdue for row in rows),
        rotate_days=rotate_days,
        provision_automatically=automatic,
        oldest=min((row.rotated_at for row in rows if row.rotated_at), default=None),
        reasons=dict(Counter(row.reason for row in rows if row.reason)),
    )
