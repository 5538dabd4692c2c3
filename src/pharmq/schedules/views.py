"""Schedules and runs as people see them."""

from collections.abc import Sequence
from datetime import date, datetime

from pharmq.base.messages import Language
from pharmq.schedules.model import (
    Calendar,
    CalendarEntry,
    GuestView,
    Holiday,
    NamedGuest,
    Run,
    RunView,
    Schedule,
    ScheduleView,
    TargetsView,
)
from pharmq.schedules.public_days import holidays_between
from pharmq.schedules.rules import Around as AroundHours
from pharmq.schedules.serving import Around, gone, slot_key
from pharmq.schedules.slots import slots

MOST_IN_CALENDAR = 200
"""Planned slots of one schedule in one calendar: a rule for every minute would bury the others."""


def run_view(run: Run, name: str) -> RunView:
    return RunView(
        id=run.id,
        schedule_id=run.schedule_id,
        schedule_name=name,
        slot_at=run.slot_at,
        trigger=run.trigger,
        late=run.late,
        state=run.state,
        reason=run.reason,
        reason_params=run.reason_params,
        job_id=run.job_id,
        pharmacies=None if run.pharmacies is None else len(run.pharmacies),
        counts=run.counts,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )


def schedule_view(
    around: Around, schedule: Schedule, last: Run | None, waiting_hosts: int, *, may_edit: bool
) -> ScheduleView:
    named = schedule.targets.vms
    return ScheduleView(
        id=schedule.id,
        name=schedule.name,
        note=schedule.note,
        verb=schedule.verb,
        force=schedule.force,
        timeout_s=schedule.timeout_s,
        options=schedule.options,
        targets=TargetsView(
            None if named is None else [_guest(around, each) for each in named], schedule.targets.wanted
        ),
        when=schedule.when,
        missed=schedule.missed,
        overlap=schedule.overlap,
        enabled=schedule.enabled,
        owner=schedule.owner,
        next_at=schedule.next_at if schedule.enabled else None,
        last_run=None if last is None else run_view(last, schedule.name),
        waiting_hosts=waiting_hosts,
        may_edit=may_edit,
        created_at=schedule.created_at,
        updated_at=schedule.updated_at,
    )


def _guest(around: Around, guest: NamedGuest) -> GuestView:
    vm, host = around.view.get(guest.vm_id), around.directory.host(guest.host_id)
    pharmacy = None if host is None else around.directory.pharmacy(host.pharmacy_id)
    return GuestView(
        host_id=guest.host_id,
        vmid=guest.vmid,
        vm_id=guest.vm_id,
        vm_name="" if vm is None else vm.name,
        pharmacy_id=pharmacy.id if pharmacy else 0,
        pharmacy_name=pharmacy.name if pharmacy else "",
        gone=gone(around.view, guest),
    )


def calendar_of(
    around: Around,
    schedules: Sequence[Schedule],
    past: Sequence[Run],
    after: datetime,
    end: datetime,
    first: date,
    last: date,
    lang: Language,
) -> Calendar:
    """Runs that there were, and slots later than ``after`` that have none."""
    known = {schedule.id: schedule for schedule in schedules}
    items = [_was(known[run.schedule_id], run) for run in past if run.schedule_id in known]
    served = {(run.schedule_id, run.slot_key) for run in past}
    truncated = []
    for schedule in schedules:
        if not schedule.enabled or after >= end:
            continue
        pharmacies = around.directory.pharmacies if isinstance(schedule.when.rule, AroundHours) else ()
        shown = 0
        for slot in slots(schedule.when, after, end, pharmacies=pharmacies):
            if slot.at >= end or (schedule.id, slot_key(slot.at)) in served:
                continue
            if shown == MOST_IN_CALENDAR:
                truncated.append(schedule.id)
                break
            shown += 1
            whom = None if slot.pharmacies is None else len(slot.pharmacies)
            items.append(_will(schedule, slot.at, whom))
    items.sort(key=lambda each: (each.at, each.schedule_id))
    return Calendar(items, [Holiday(day, name) for day, name in holidays_between(first, last, lang)], truncated)


def _was(schedule: Schedule, run: Run) -> CalendarEntry:
    return CalendarEntry(
        schedule_id=schedule.id,
        schedule_name=schedule.name,
        verb=schedule.verb,
        force=schedule.force,
        at=run.slot_at,
        state=run.state,
        trigger=run.trigger,
        run_id=run.id,
        job_id=run.job_id,
        reason=run.reason,
        reason_params=run.reason_params,
        pharmacies=None if run.pharmacies is None else len(run.pharmacies),
    )


def _will(schedule: Schedule, at: datetime, pharmacies: int | None) -> CalendarEntry:
    return CalendarEntry(
        schedule_id=schedule.id,
        schedule_name=schedule.name,
        verb=schedule.verb,
        force=schedule.force,
        at=at,
        state="planned",
        trigger="slot",
        run_id=None,
        job_id=None,
        reason=None,
        reason_params={},
        pharmacies=pharmacies,
    )
