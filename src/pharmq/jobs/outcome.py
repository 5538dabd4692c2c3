"""What a host's words mean for an item: pure rules over exit statuses, errors and task lists.

Texts and types are those observed on Proxmox VE 9.2 (recordings 02-lifecycle, 07-proxy-errors, 10-lxc).
"""

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias, TypeGuard

from pharmq.jobs.model import POWER_VERBS, Ending, GuestKind, Mark, PowerVerb, ReasonParams, Verb
from pharmq.pve import AlreadyRunning, Current, NotRunning, PveError, TaskRow, exit_ok

MARKED = 10
"""How many of the newest tasks of its kind an item remembers before it sends."""

_LOCK_TIMEOUT = re.compile(r"can't lock file .*got timeout|got lock timeout", re.DOTALL)
_POWERDOWN_TIMEOUT = re.compile(r"powerdown failed|got timeout|timeout waiting on", re.IGNORECASE)
_ALREADY_RUNNING = re.compile(r"^(VM|CT) \d+ already running$")
_DETAIL_LIMIT = 300

Findings: TypeAlias = Literal["none", "one", "several"]


def is_power(verb: Verb) -> TypeGuard[PowerVerb]:
    return verb in POWER_VERBS


class Command(NamedTuple):
    """How a power verb is said to Proxmox."""

    verb: PowerVerb
    force_stop: bool = False
    overrule_shutdown: bool = False
    takes_time: bool = False


def command(verb: PowerVerb, *, force: bool) -> Command:
    """``stop`` asks the guest to shut down and cuts the power only with ``force``; a forced shutdown gives the guest
    its time first. A forced stop also ends a shutdown that still waits for the guest."""
    if verb == "stop":
        return Command("stop", overrule_shutdown=True) if force else Command("shutdown", takes_time=True)
    if verb == "shutdown":
        return Command("shutdown", force_stop=force, takes_time=True)
    return Command(verb, takes_time=verb == "reboot")


_CARE_TYPES: dict[Verb, dict[GuestKind, frozenset[str]]] = {
    "snapshot": {"qemu": frozenset({"qmsnapshot"}), "lxc": frozenset({"vzsnapshot"})},
    "rollback": {"qemu": frozenset({"qmrollback"}), "lxc": frozenset({"vzrollback"})},
    "snapshot_delete": {"qemu": frozenset({"qmdelsnapshot"}), "lxc": frozenset({"vzdelsnapshot"})},
    "backup": {"qemu": frozenset({"vzdump"}), "lxc": frozenset({"vzdump"})},
    "onboot": {"qemu": frozenset(), "lxc": frozenset()},
}

_TYPES: dict[GuestKind, dict[str, frozenset[str]]] = {
    "qemu": {
        "start": frozenset({"qmstart", "hastart"}),
        "shutdown": frozenset({"qmshutdown", "hastop"}),
        "stop": frozenset({"qmstop", "hastop"}),
        "reboot": frozenset({"qmreboot"}),
        "reset": frozenset({"qmreset"}),
        "suspend": frozenset({"qmpause", "qmsuspend"}),
        "resume": frozenset({"qmresume"}),
    },
    "lxc": {
        "start": frozenset({"vzstart", "hastart"}),
        "shutdown": frozenset({"vzshutdown", "hastop"}),
        "stop": frozenset({"vzstop", "hastop"}),
        "reboot": frozenset({"vzreboot"}),
        "reset": frozenset(),
        "suspend": frozenset({"vzsuspend"}),
        "resume": frozenset({"vzresume"}),
    },
}


def task_types(kind: GuestKind, verb: Verb, *, force: bool) -> frozenset[str]:
    """The types of task that this item's request may become on the host; none for what it does at once."""
    if not is_power(verb):
        return _CARE_TYPES[verb][kind]
    return _TYPES[kind][command(verb, force=force).verb]


def mark_of(rows: Iterable[TaskRow], types: frozenset[str]) -> Mark:
    """Remember the newest tasks of these types, before sending one."""
    newest = sorted((row for row in rows if row.type in types), key=lambda row: -row.starttime)[:MARKED]
    return Mark(tuple(row.upid for row in newest), newest[-1].starttime if len(newest) == MARKED else 0)


def candidates(
    rows: Iterable[TaskRow], mark: Mark, types: frozenset[str], *, user: str, known: frozenset[str] = frozenset()
) -> list[TaskRow]:
    """Tasks that can only have come after the mark. ``user``: our account on the host, with or without a token's
    name; ``known``: UPIDs that belong to other items."""
    account = user.partition("!")[0]
    return [
        row
        for row in rows
        if row.type in types
        and row.starttime >= mark.floor
        and row.upid not in mark.upids
        and row.upid not in known
        and (not account or row.user.partition("!")[0] == account)
    ]


def lock_contention(exitstatus: str) -> bool:
    """The task found the guest's configuration file locked by another and did nothing."""
    return _LOCK_TIMEOUT.search(exitstatus) is not None


def of_exit(verb: Verb, exitstatus: str, *, force: bool) -> Ending:
    """The ending that a finished task's exit status means."""
    text = " ".join(exitstatus.split())[:_DETAIL_LIMIT]
    if exitstatus == "OK":
        return Ending("succeeded")
    if exit_ok(exitstatus):
        return Ending("succeeded", "job.warnings", {"detail": text})
    if text in ("", "unexpected status"):
        return Ending("unknown", "job.task_cut")
    said = command(verb, force=force).verb if is_power(verb) else verb
    if said == "start" and _ALREADY_RUNNING.match(text):
        return Ending("skipped", "job.already_running")
    if lock_contention(text):
        return Ending("failed", "job.config_locked", {"detail": text})
    if said in ("shutdown", "reboot") and _POWERDOWN_TIMEOUT.search(text):
        return Ending("failed", "job.shutdown_timeout", {"detail": text})
    if "received interrupt" in text:
        return Ending("failed", "job.interrupted", {"detail": text})
    return Ending("failed", "job.task_failed", {"detail": text})


def of_refusal(verb: Verb, error: PveError) -> Ending:
    """The ending when the host certainly did not do it, and said so at once."""
    if isinstance(error, AlreadyRunning):
        return Ending("skipped", "job.already_running")
    if isinstance(error, NotRunning):
        return Ending("skipped", "job.already_stopped" if verb in ("shutdown", "stop") else "job.not_running")
    return Ending("failed", f"pve.{error.code}", params_of(error))


def params_of(error: PveError) -> ReasonParams:
    return dict(error.params)


def back_after_reboot(current: Current, since_s: float) -> bool:
    """A reboot has come full circle: the guest runs, and not since before we asked. ``qmreboot`` ends when the guest
    went down; it is started again about 2 s later without a task of its own."""
    return current.status == "running" and current.uptime <= since_s + 1
