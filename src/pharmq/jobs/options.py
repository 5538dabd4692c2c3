"""How a job goes about its guests: what people may ask for beside the verb."""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from pharmq.inventory.model import VmKind

_PLAIN = r"^[^\x00-\x1f\x7f]*\Z"


class SnapshotOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``memory``: keep the running guest's memory too (VMs only). ``start``: start the guest after rolling back."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]{1,39}\Z")]
    description: Annotated[str, Meta(max_length=255, pattern=_PLAIN)] = ""
    memory: bool = False
    start: bool = False


class BackupOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``storage``: where the host's own defaults say when left out."""

    storage: Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_.\-]{1,99}\Z")] | None = None
    mode: Literal["snapshot", "suspend", "stop"] = "snapshot"
    compress: Literal["0", "gzip", "lzo", "zstd"] = "zstd"
    notes: Annotated[str, Meta(max_length=255, pattern=_PLAIN)] = ""


class JobOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``canary``: so many guests first, on different hosts where there are several; the rest only after all of them.
    ``stop_above_percent``: cancel what waits when more than this share failed (or is unknown), of the canary when it
    is through and of the whole at any time; 0 when there is a canary and nothing is said.

    ``per_host``, ``overall``: how many of this job at once, within PharmQ's own limits. ``order``: kinds of guests in
    their turn on each host, kinds not named last and together; the next kind begins when the one before has ended
    for good or ill, ``order_pause_s`` later. ``deadline_s``: what has not begun so long after the submission is
    cancelled. ``ready_s``: a started guest counts as started only when its agent answers or its screen shows a
    picture within this time.
    """

    canary: Annotated[int, Meta(ge=0, le=1000)] = 0
    stop_above_percent: Annotated[int, Meta(ge=0, le=100)] | None = None
    per_host: Annotated[int, Meta(ge=1, le=20)] | None = None
    overall: Annotated[int, Meta(ge=1, le=500)] | None = None
    order: Annotated[tuple[VmKind, ...], Meta(max_length=5)] = ()
    order_pause_s: Annotated[int, Meta(ge=0, le=1800)] = 0
    deadline_s: Annotated[int, Meta(ge=10, le=7 * 86400)] | None = None
    ready_s: Annotated[int, Meta(ge=5, le=1800)] | None = None
    snapshot: SnapshotOptions | None = None
    backup: BackupOptions | None = None

    @property
    def fail_limit(self) -> int | None:
        """Percent of failures above which the job stops; None: it never does."""
        if self.stop_above_percent is None and self.canary:
            return 0
        return self.stop_above_percent

    @property
    def gated(self) -> bool:
        """Whether an item's end may let others go, or stop them."""
        return bool(self.canary or self.order or self.fail_limit is not None)


PLAIN = JobOptions()


class Cause(msgspec.Struct, frozen=True):
    """Why there is a job, when no person asked for it directly: a schedule (its id and name), or the retry of an
    earlier job (its id)."""

    kind: Literal["schedule", "retry"]
    id: int
    name: str = ""


EndedBy: TypeAlias = Literal["person", "failures", "deadline"]
"""Who or what cancelled the rest of a job."""
