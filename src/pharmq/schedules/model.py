"""What a schedule is, what became of its slots, and what people see of both."""

from datetime import date, datetime
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from pharmq.access import Actor
from pharmq.inventory.model import VmFilter
from pharmq.jobs.forms import FilterIn, VmIn
from pharmq.jobs.model import Counts, PowerVerb, ReasonParams
from pharmq.jobs.options import PLAIN, JobOptions
from pharmq.schedules.rules import Missed, Overlap, When

ScheduleVerb: TypeAlias = PowerVerb | Literal["backup"]
"""Snapshots are not made by schedules: nobody would delete them. Backups are pruned by the host's own rules."""
Trigger: TypeAlias = Literal["slot", "hand", "back"]
"""A slot came; a person asked; a host came back."""
RunState: TypeAlias = Literal["running", "done", "queued", "skipped", "missed", "failed"]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]*\Z")]


# --- what people send


class TargetsIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either named guests or a filter, which is evaluated at each run."""

    vms: Annotated[tuple[VmIn, ...], Meta(min_length=1, max_length=5000)] | None = None
    filter: FilterIn | None = None


class ScheduleForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``force``, ``timeout_s`` and ``options`` as in a batch."""

    name: Name
    note: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*\Z")] = ""
    verb: ScheduleVerb
    force: bool = False
    timeout_s: Annotated[int, Meta(ge=1, le=3600)] | None = None
    options: JobOptions = PLAIN
    targets: TargetsIn
    when: When
    missed: Missed = Missed()
    overlap: Overlap = "skip"
    enabled: bool = True


# --- what is kept


class NamedGuest(msgspec.Struct, frozen=True, gc=False):
    """``vm_id`` is the incarnation that was meant: a later guest under the same VMID is another one."""

    host_id: int
    vmid: int
    vm_id: int


class Targets(msgspec.Struct, frozen=True):
    vms: tuple[NamedGuest, ...] | None = None
    wanted: VmFilter | None = None


class Owner(msgspec.Struct, frozen=True, gc=False):
    """Who saved the schedule last: it runs with their rights of the moment, within the limits of the token it was
    saved by."""

    kind: str
    id: int | None
    name: str | None
    token_id: int | None = None

    @classmethod
    def of(cls, actor: Actor) -> "Owner":
        return cls(actor.kind, actor.id, actor.name, actor.token_id)


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """``seen_until``: every slot up to then has been decided about; ``next_at``: the first one after."""

    id: int
    name: str
    note: str
    verb: ScheduleVerb
    force: bool
    timeout_s: int | None
    options: JobOptions
    targets: Targets
    when: When
    missed: Missed
    overlap: Overlap
    enabled: bool
    owner: Owner
    revision: int
    seen_until: datetime
    next_at: datetime | None
    created_at: datetime
    updated_at: datetime


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one slot, or of one press of "run now". ``pharmacies``: for slots around opening hours."""

    id: int
    schedule_id: int
    slot_key: str
    slot_at: datetime
    trigger: Trigger
    late: bool
    state: RunState
    reason: str | None
    reason_params: ReasonParams
    pharmacies: frozenset[int] | None
    job_id: int | None
    counts: Counts | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class Waiting(msgspec.Struct, frozen=True):
    """Guests (our id, VMID) whose host was offline when their turn came."""

    id: int
    schedule_id: int
    run_id: int
    host_id: int
    vms: tuple[tuple[int, int], ...]
    until: datetime


class Mark(msgspec.Struct, frozen=True):
    """How a schedule stood at a look; two that are equal look the same to people."""

    owner_id: int | None
    revision: int
    next_at: datetime | None
    last_run: int | None
    open_runs: tuple[tuple[int, str], ...]
    waiting_hosts: int


# --- what people see


class GuestView(msgspec.Struct, frozen=True):
    """``gone``: no longer there, or another guest has its VMID now; the schedule passes it by."""

    host_id: int
    vmid: int
    vm_id: int
    vm_name: str
    pharmacy_id: int
    pharmacy_name: str
    gone: bool


class TargetsView(msgspec.Struct, frozen=True):
    vms: list[GuestView] | None
    filter: VmFilter | None


class RunView(msgspec.Struct, frozen=True):
    """``late``: the slot had been missed and was made up for. ``pharmacies``: how many it was for, where opening
    hours matter."""

    id: int
    schedule_id: int
    schedule_name: str
    slot_at: datetime
    trigger: Trigger
    late: bool
    state: RunState
    reason: str | None
    reason_params: ReasonParams
    job_id: int | None
    pharmacies: int | None
    counts: Counts | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ScheduleView(msgspec.Struct, frozen=True):
    """``waiting_hosts``: offline hosts whose guests get their turn when they are back."""

    id: int
    name: str
    note: str
    verb: ScheduleVerb
    force: bool
    timeout_s: int | None
    options: JobOptions
    targets: TargetsView
    when: When
    missed: Missed
    overlap: Overlap
    enabled: bool
    owner: Owner
    next_at: datetime | None
    last_run: RunView | None
    waiting_hosts: int
    may_edit: bool
    created_at: datetime
    updated_at: datetime


class UpcomingRun(msgspec.Struct, frozen=True):
    """``day``: the local day it belongs to; ``holiday``: that day's name when it is one."""

    at: datetime
    day: date
    holiday: str | None
    pharmacies: int | None


class AvoidedDay(msgspec.Struct, frozen=True):
    day: date
    why: Literal["holiday", "exception"]
    name: str | None


class Preview(msgspec.Struct, frozen=True):
    """The next runs and the days they avoid, with what a run would touch if it were now: guests to act on and to
    skip, pharmacies of those acted on, and pharmacies of the targets without known opening hours (which a rule around
    opening hours passes by)."""

    runs: list[UpcomingRun]
    avoided: list[AvoidedDay]
    guests: int
    skipped: int
    pharmacies: int
    without_hours: int


class CalendarEntry(msgspec.Struct, frozen=True):
    """A planned slot (``run_id`` None, ``state`` planned) or what became of one."""

    schedule_id: int
    schedule_name: str
    verb: ScheduleVerb
    force: bool
    at: datetime
    state: RunState | Literal["planned"]
    trigger: Trigger
    run_id: int | None
    job_id: int | None
    reason: str | None
    reason_params: ReasonParams
    pharmacies: int | None


class Holiday(msgspec.Struct, frozen=True):
    day: date
    name: str


class Calendar(msgspec.Struct, frozen=True):
    """``truncated``: schedules with more slots in this time than are shown."""

    items: list[CalendarEntry]
    holidays: list[Holiday]
    truncated: list[int]
