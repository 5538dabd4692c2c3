"""What a job leaves in the journal: one request, one outcome per guest that was acted on, one end.

``params.cause`` is there when a schedule or a retry is behind it. So a guest that a schedule has stopped is told from
one that failed: its last ``power.shutdown|stop|suspend`` outcome is ``succeeded`` with ``cause.kind == "schedule"``.
"""

from typing import Any

import msgspec

from pharmq.access import EVERYTHING, Scope, where
from pharmq.jobs.model import Counts, Ending, Item, JobView, Verb
from pharmq.jobs.options import Cause
from pharmq.jobs.outcome import is_power
from pharmq.journal import Entry, Who


def request_entry(job: JobView, source: str | None, scope: Scope | None) -> Entry:
    """``scope``: of the only guest; a job over several belongs to the whole."""
    return Entry(
        kind=kind_of(job.verb),
        phase="request",
        act_id=job.act_id,
        who=Who(job.actor.kind, job.actor.id, job.actor.name, source),
        where=where(scope or EVERYTHING),
        params={
            "job_id": job.id,
            "force": job.force,
            "total": job.counts.total,
            "skipped": job.counts.skipped,
            **caused(job.cause),
        },
    )


def outcome_entry(item: Item, ending: Ending, scope: Scope) -> Entry:
    return Entry(
        kind=kind_of(item.verb),
        phase="outcome",
        act_id=item.act_id,
        who=who_of(item),
        where=where(scope),
        params={
            "job_id": item.job_id,
            "item_id": item.id,
            "vm_name": item.vm_name,
            "vmid": item.vmid,
            "force": item.force,
            "reason": ending.reason,
            "reason_params": dict(ending.params),
            **caused(item.cause),
        },
        outcome=ending.state,
        upid=item.upid,
    )


def finished_entry(item: Item, counts: Counts) -> Entry:
    """The job of this item, its last, has ended."""
    numbers = {name: getattr(counts, name) for name in counts.__struct_fields__}
    params = {"job_id": item.job_id, "verb": item.verb, "force": item.force, **numbers, **caused(item.cause)}
    return Entry(kind="job.finished", act_id=item.act_id, who=who_of(item), params=params)


def kind_of(verb: Verb) -> str:
    return f"power.{verb}" if is_power(verb) else f"guest.{verb}"


def caused(cause: Cause | None) -> dict[str, Any]:
    return {} if cause is None else {"cause": msgspec.to_builtins(cause)}


def who_of(item: Item) -> Who:
    return Who(item.actor.kind, item.actor.id, item.actor.name, item.source)
