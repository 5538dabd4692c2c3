"""What the account may do, and which step follows which. Pure."""

import secrets
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from pharmq.base.secret import Secret

Operation: TypeAlias = Literal["provision", "rotate", "remove"]
Step: TypeAlias = Literal[
    "role", "user", "grant", "password", "token", "verify", "switch", "old_token", "fallback", "erase", "drop"
]

USER = "pharmq@pve"
ROLE = "PharmQ"
COMMENT = "PharmQ"

STEPS: dict[Operation, tuple[Step, ...]] = {
    "provision": ("role", "user", "grant", "token", "verify", "switch", "old_token"),
    "rotate": ("password", "token", "verify", "switch", "old_token"),
    "remove": ("fallback", "erase", "drop"),
}
NEEDS_ADMINISTRATOR: frozenset[Step] = frozenset({"role", "user", "grant", "fallback", "erase"})

ESSENTIAL = frozenset({"VM.Audit", "VM.PowerMgmt", "VM.Console", "Sys.Audit"})
"""Without these PharmQ is of no use there: power, screens, what runs."""
WANTED = ESSENTIAL | {
    "VM.Snapshot",
    "VM.Snapshot.Rollback",
    "VM.Backup",
    "Datastore.Audit",
    "Datastore.AllocateSpace",
    "Pool.Audit",
}
AGENT = {9: frozenset({"VM.GuestAgent.Audit"}), 8: frozenset({"VM.Monitor"}), 7: frozenset({"VM.Monitor"})}
"""The privilege that reading a guest's addresses needs: it was renamed in 9."""

RETRY = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))


def privileges_for(version: str) -> frozenset[str]:
    """By version, as far as known; what a host does not know is left out by trial (``without``)."""
    major = version.partition(".")[0]
    return WANTED | AGENT.get(int(major) if major.isdigit() else 9, AGENT[9])


def without(privileges: frozenset[str], unknown: str) -> frozenset[str] | None:
    """The role without a privilege that the host does not know; None when it cannot do without."""
    if unknown in ESSENTIAL or unknown not in privileges:
        return None
    return privileges - {unknown}


def after(operation: Operation, step: Step) -> Step | None:
    """The step that follows; None at the end."""
    steps = STEPS[operation]
    place = steps.index(step) + 1
    return steps[place] if place < len(steps) else None


def lacking(privileges: frozenset[str], granted: frozenset[str]) -> frozenset[str]:
    return privileges - granted


def new_password() -> Secret:
    """43 characters of 256 random bits; Proxmox takes up to 64."""
    return Secret(secrets.token_urlsafe(32))


def new_token_name(now: datetime) -> str:
    """Sorts by day, differs each time; letters first, as Proxmox wants it."""
    return f"mgr-{now:%Y%m%d}-{secrets.token_hex(4)}"


def retry_at(now: datetime, attempts: int) -> datetime:
    """When a step that failed for a passing reason is tried again."""
    return now + RETRY[min(attempts, len(RETRY)) - 1]


def overdue(rotated_at: datetime | None, now: datetime, days: int) -> bool:
    """Whether a rotation every ``days`` days is due; 0 is never."""
    return bool(days) and (rotated_at is None or now - rotated_at >= timedelta(days=days))
