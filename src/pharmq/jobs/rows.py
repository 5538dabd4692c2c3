"""Rows of the jobs tables as values, and back."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Row, Select, select

from pharmq.jobs.model import (
    UNDER_WAY,
    ActorRef,
    Counts,
    Decision,
    Item,
    ItemState,
    ItemView,
    JobState,
    JobView,
    Mark,
    Target,
)
from pharmq.jobs.options import PLAIN, Cause, JobOptions
from pharmq.jobs.tables import job_items, jobs
from pharmq.jobs.waves import Place


def counts_of(states: dict[ItemState, int]) -> Counts:
    running = sum(states.get(state, 0) for state in UNDER_WAY)
    finals = {name: states.get(name, 0) for name in ("succeeded", "failed", "skipped", "unknown", "cancelled")}
    return Counts(queued=states.get("queued", 0), running=running, total=sum(states.values()), **finals)


def item_values(job_id: int, target: Target, decision: Decision, place: Place, now: datetime) -> dict[str, Any]:
    skipped = decision.plan == "skip"
    return {
        "job_id": job_id,
        "vm_id": target.vm_id,
        "host_id": target.host_id,
        "pharmacy_id": target.pharmacy_id,
        "pharmacy_name": target.pharmacy_name,
        "vmid": target.vmid,
        "vm_name": target.vm_name,
        "guest_type": target.guest_type,
        "node_name": target.node_name,
        "state": "skipped" if skipped else "queued",
        "reason": decision.reason,
        "reason_params": dict(decision.params),
        "finished_at": now if skipped else None,
        "wave": place.wave,
        "turn": place.turn,
        "free_at": None if place.held else 0.0,
    }


def select_items() -> Select[Any]:
    return select(
        job_items,
        jobs.c.act_id,
        jobs.c.verb,
        jobs.c.force,
        jobs.c.timeout_s,
        jobs.c.actor_kind,
        jobs.c.actor_id,
        jobs.c.actor_name,
        jobs.c.actor_token,
        jobs.c.source,
        jobs.c.options,
        jobs.c.cause,
    ).join(jobs, jobs.c.id == job_items.c.job_id)


def as_item(row: Row[Any]) -> Item:
    return Item(
        id=row.id,
        job_id=row.job_id,
        act_id=row.act_id,
        verb=row.verb,
        force=bool(row.force),
        timeout_s=row.timeout_s,
        actor=ActorRef(row.actor_kind, row.actor_id, row.actor_name, row.actor_token),
        source=row.source,
        vm_id=row.vm_id,
        host_id=row.host_id,
        pharmacy_id=row.pharmacy_id,
        vmid=row.vmid,
        vm_name=row.vm_name,
        guest_type=row.guest_type,
        node_name=row.node_name,
        state=row.state,
        upid=row.upid,
        attempt=row.attempt,
        mark=None if row.mark is None else msgspec.convert(row.mark, Mark),
        started_at=row.started_at,
        options=_options(row),
        cause=_cause(row),
        wave=row.wave,
        turn=row.turn,
        free_at=row.free_at,
    )


def _options(row: Row[Any]) -> JobOptions:
    return PLAIN if row.options is None else msgspec.convert(row.options, JobOptions)


def _cause(row: Row[Any]) -> Cause | None:
    return None if row.cause is None else msgspec.convert(row.cause, Cause)


def as_item_view(row: Row[Any]) -> ItemView:
    return ItemView(
        id=row.id,
        job_id=row.job_id,
        vm_id=row.vm_id,
        host_id=row.host_id,
        vmid=row.vmid,
        vm_name=row.vm_name,
        pharmacy_id=row.pharmacy_id,
        pharmacy_name=row.pharmacy_name,
        state=row.state,
        reason=row.reason,
        reason_params=row.reason_params or {},
        upid=row.upid,
        started_at=row.started_at,
        finished_at=row.finished_at,
        wave=row.wave,
        turn=row.turn,
        held=row.state == "queued" and row.free_at is None,
    )


def in_part(job: JobView, counts: Counts, began: datetime | None, last: datetime | None) -> JobView:
    """The job as if these had been all its items. ``began``: the first of them; ``last``: what ended last."""
    is_open = counts.queued + counts.running > 0
    state: JobState = "cancelled" if counts.cancelled else "done"
    if is_open:
        state = "queued" if began is None else "running"
    return replace(
        job,
        state=state,
        counts=counts,
        started_at=began if is_open else began or last,
        finished_at=None if is_open else last,
        ended_by=job.ended_by if counts.cancelled else None,
    )


def as_job(row: Row[Any], counts: Counts) -> JobView:
    return JobView(
        id=row.id,
        act_id=row.act_id,
        verb=row.verb,
        force=bool(row.force),
        actor=ActorRef(row.actor_kind, row.actor_id, row.actor_name, row.actor_token),
        state=row.state,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        counts=counts,
        timeout_s=row.timeout_s,
        options=_options(row),
        cause=_cause(row),
        ended_by=row.ended_by,
    )
