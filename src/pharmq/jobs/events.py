"""What a job leaves in the journal: one request, one outcome per guest that was acted on, one end."""

from pharmq.access import EVERYTHING, Scope, where
from pharmq.jobs.model import Counts, Ending, Item, JobView
from pharmq.journal import Entry, Who


def request_entry(job: JobView, source: str | None, scope: Scope | None) -> Entry:
    """``scope``: of the only guest; a job over several belongs to the whole."""
    return Entry(
        kind=f"power.{job.verb}",
        phase="request",
        act_id=job.act_id,
        who=Who(job.actor.kind, job.actor.id, job.actor.name, source),
        where=where(scope or EVERYTHING),
        params={"job_id": job.id, "force": job.force, "total": job.counts.total, "skipped": job.counts.skipped},
    )


def outcome_entry(item: Item, ending: Ending, scope: Scope) -> Entry:
    return Entry(
        kind=f"power.{item.verb}",
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
        },
        outcome=ending.state,
        upid=item.upid,
    )


def finished_entry(item: Item, counts: Counts) -> Entry:
    """The job of this item, its last, has ended."""
    numbers = {name: getattr(counts, name) for name in counts.__struct_fields__}
    params = {"job_id": item.job_id, "verb": item.verb, "force": item.force, **numbers}
    return Entry(kind="job.finished", act_id=item.act_id, who=who_of(item), params=params)


def who_of(item: Item) -> Who:
    return Who(item.actor.kind, item.actor.id, item.actor.name, item.source)
