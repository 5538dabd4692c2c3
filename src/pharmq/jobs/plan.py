"""What a verb means for one guest as we know it: do it, or skip it and why. Pure."""

from collections.abc import Mapping

from pharmq.jobs.model import CARE_VERBS, Decision, Target, Verb

DO = Decision("do")

_UNLESS_RUNNING: Mapping[Verb, Mapping[str, str]] = {
    "start": {"running": "job.already_running", "suspended": "job.paused"},
    "shutdown": {"stopped": "job.already_stopped", "suspended": "job.paused"},
    "stop": {"stopped": "job.already_stopped", "suspended": "job.paused"},
    "reboot": {"stopped": "job.not_running", "suspended": "job.paused"},
    "reset": {"stopped": "job.not_running"},
    "suspend": {"stopped": "job.not_running", "suspended": "job.already_suspended"},
    "resume": {"stopped": "job.not_running", "running": "job.already_running"},
}
"""By verb and status: why there is nothing to do. A paused guest answers neither to ACPI nor to its agent, so a
clean shutdown or reboot of it only runs into its time-out; a start of it fails with "already running"."""


def plan(target: Target, verb: Verb, *, force: bool) -> Decision:
    """Decide by what the inventory shows. ``unknown`` as status decides nothing: the host will say."""
    return _impossible(target, verb) or _host_in_the_way(target) or _already_so(target, verb, force=force) or DO


def _impossible(target: Target, verb: Verb) -> Decision | None:
    if target.missing:
        return Decision("skip", "job.missing")
    if target.template and verb != "backup":
        return Decision("skip", "job.template")
    if target.guest_type == "lxc" and verb == "reset":
        return Decision("skip", "job.no_reset")
    return None


def _host_in_the_way(target: Target) -> Decision | None:
    if target.host_status == "maintenance" and not target.named:
        return Decision("skip", "job.maintenance")
    if target.host_reason is not None:
        return Decision("skip", "job.host_offline", {"reason": target.host_reason})
    return None


def _already_so(target: Target, verb: Verb, *, force: bool) -> Decision | None:
    if verb == "onboot":
        return Decision("skip", "job.onboot_already") if target.onboot else None
    # A guest suspended to disk is stopped with the lock "suspended": start and resume both bring it back.
    if target.lock == "suspended" and target.status == "stopped" and verb in ("start", "resume"):
        return None
    # A snapshot, a rollback or a backup makes sense in any state.
    reason = None if verb in CARE_VERBS else _UNLESS_RUNNING[verb].get(target.status)
    if reason == "job.paused" and force and verb in ("shutdown", "stop"):
        reason = None
    if reason is not None:
        return Decision("skip", reason)
    if target.lock and target.lock != "suspended":
        return Decision("skip", "job.locked", {"lock": target.lock})
    return None
