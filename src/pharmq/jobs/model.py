"""What a job is: the verbs, the states an item goes through, and what the rest of PharmQ sees of it.

    queued -> sending -> watching -> succeeded | failed | skipped | unknown
      |          `-> succeeded | failed | skipped | unknown
      `-> failed | cancelled

A queued item may be held back: its wave, or its turn on the host, has not come. ``sending`` ends in ``succeeded``
for what the host does at once, without a task.

``sending`` is the intent, committed before anything leaves for the host; ``watching`` has the task's UPID. An item
found in ``sending`` by anyone but the run that put it there is never sent again: the host's task list decides.
"""

from datetime import datetime
from typing import Literal, TypeAlias, get_args

import msgspec

from pharmq.access import Actor, Privilege, Scope
from pharmq.jobs.options import PLAIN, Cause, EndedBy, JobOptions

PowerVerb: TypeAlias = Literal["start", "shutdown", "stop", "reboot", "reset", "suspend", "resume"]
CareVerb: TypeAlias = Literal["snapshot", "rollback", "snapshot_delete", "backup", "onboot"]
Verb: TypeAlias = PowerVerb | CareVerb
POWER_VERBS: tuple[PowerVerb, ...] = get_args(PowerVerb)
CARE_VERBS: tuple[CareVerb, ...] = get_args(CareVerb)
VERBS: tuple[Verb, ...] = (*POWER_VERBS, *CARE_VERBS)
PRIVILEGES: dict[Verb, Privilege] = {
    **dict.fromkeys(POWER_VERBS, Privilege.POWER),
    **dict.fromkeys(CARE_VERBS, Privilege.SNAPSHOT),
    "onboot": Privilege.GUEST_EDIT,
}
"""What each verb needs on the guest. A backup is a way to keep a guest's state, like a snapshot."""
GuestKind: TypeAlias = Literal["qemu", "lxc"]
JobState: TypeAlias = Literal["queued", "running", "done", "cancelled"]
ItemState: TypeAlias = Literal[
    "queued", "sending", "watching", "succeeded", "failed", "skipped", "unknown", "cancelled"
]
PlanWord: TypeAlias = Literal["do", "skip"]
ReasonParams: TypeAlias = dict[str, str | int | float | bool | None]

OPEN: frozenset[ItemState] = frozenset({"queued", "sending", "watching"})
"""States from which an item still moves."""
UNDER_WAY: frozenset[ItemState] = frozenset({"sending", "watching"})

MAX_ITEMS = 20_000
"""Items in one job; more is almost surely a filter that was not meant."""
MAX_ID = 2**63 - 1


class VmRef(msgspec.Struct, frozen=True, gc=False):
    """A guest as a person names it: our host id and the VMID there."""

    host_id: int
    vmid: int


class Target(msgspec.Struct, frozen=True):
    """A guest as the inventory knows it at submission, with what a plan has to know about its host.

    ``status`` is ``running|stopped|suspended|unknown``, ``host_status`` ``online|offline|maintenance``; ``named``
    says that a person named this guest, not a filter.
    """

    vm_id: int
    host_id: int
    vmid: int
    vm_name: str
    guest_type: GuestKind
    node_name: str
    pharmacy_id: int
    pharmacy_name: str
    status: str
    pve_status: str
    scope: Scope
    named: bool = True
    template: bool = False
    missing: bool = False
    lock: str | None = None
    host_status: str = "online"
    host_reason: str | None = None
    kind: str = "other"
    onboot: bool | None = None


class Decision(msgspec.Struct, frozen=True):
    """What the plan says about one target; ``reason`` is a catalogue code when it is skipped."""

    plan: PlanWord
    reason: str | None = None
    params: ReasonParams = {}


class PlannedItem(msgspec.Struct, frozen=True):
    """One row of a dry run. ``wave`` 0 goes first, ``turn`` is the place in the order on its host; ``open``: the
    pharmacy is open now."""

    vm_id: int
    host_id: int
    vmid: int
    vm_name: str
    pharmacy_id: int
    pharmacy_name: str
    plan: PlanWord
    reason: str | None
    reason_params: ReasonParams
    vm_type: str = "other"
    wave: int = 0
    turn: int = 0
    open: bool = False


class DryRun(msgspec.Struct, frozen=True):
    """``open_pharmacies``: how many of the pharmacies whose guests would be touched are open now."""

    items: list[PlannedItem]
    open_pharmacies: int


class ActorRef(msgspec.Struct, frozen=True):
    """``token_id``: the API token it came by, whose limits hold when an item runs, too."""

    kind: str
    id: int | None
    name: str | None
    token_id: int | None = None

    @classmethod
    def of(cls, actor: Actor) -> "ActorRef":
        return cls(actor.kind, actor.id, actor.name, actor.token_id)


class Counts(msgspec.Struct, frozen=True, gc=False):
    """Items of a job by state; ``running`` are those being sent or watched."""

    queued: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    unknown: int = 0
    cancelled: int = 0
    total: int = 0


class JobView(msgspec.Struct, frozen=True):
    """A job as the API and the stream show it. ``ended_by``: who cancelled what had not begun."""

    id: int
    act_id: str
    verb: Verb
    force: bool
    actor: ActorRef
    state: JobState
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    counts: Counts
    timeout_s: int | None = None
    options: JobOptions = PLAIN
    cause: Cause | None = None
    ended_by: EndedBy | None = None


class ItemView(msgspec.Struct, frozen=True):
    """One guest of a job as the API shows it. ``held``: waits for its wave or its turn on the host."""

    id: int
    job_id: int
    vm_id: int
    host_id: int
    vmid: int
    vm_name: str
    pharmacy_id: int
    pharmacy_name: str
    state: ItemState
    reason: str | None
    reason_params: ReasonParams
    upid: str | None
    started_at: datetime | None
    finished_at: datetime | None
    wave: int = 0
    turn: int = 0
    held: bool = False


class TaskLogView(msgspec.Struct, frozen=True):
    """Lines of the host's own task log; ``total`` is how many there are."""

    upid: str
    lines: list[str]
    total: int


class Mark(msgspec.Struct, frozen=True):
    """What the host's task list held for a guest just before we sent: everything else of that kind is new.

    Times are the host's own, so its clock may be wrong by any amount. ``upids`` are the newest tasks of the kind we
    are about to start, ``floor`` the start time (host's Unix seconds) below which a task is too old to be ours.
    """

    upids: tuple[str, ...] = ()
    floor: int = 0


class Item(msgspec.Struct, frozen=True):
    """One guest of a job as the runner works on it. ``free_at``: Unix seconds by the database's clock from which it
    may be sent; None while it is held back."""

    id: int
    job_id: int
    act_id: str
    verb: Verb
    force: bool
    timeout_s: int | None
    actor: ActorRef
    source: str | None
    vm_id: int
    host_id: int
    pharmacy_id: int
    vmid: int
    vm_name: str
    guest_type: GuestKind
    node_name: str
    state: ItemState
    upid: str | None
    attempt: int
    mark: Mark | None
    started_at: datetime | None
    options: JobOptions = PLAIN
    cause: Cause | None = None
    wave: int = 0
    turn: int = 0
    free_at: float | None = 0.0


class Ending(msgspec.Struct, frozen=True):
    """How an item ended: a final state with a catalogue code and its parameters (none for a plain success)."""

    state: ItemState
    reason: str | None = None
    params: ReasonParams = {}


class Caps(msgspec.Struct, frozen=True, gc=False):
    """How many items are under way at once: overall, and on one host."""

    overall: int = 50
    per_host: int = 3
