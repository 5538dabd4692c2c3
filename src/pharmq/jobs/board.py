"""The jobs that are open, and the last that ended, in memory: what lists, rows and the stream show never waits."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime

from msgspec.structs import replace

from pharmq.inventory.model import TaskRef
from pharmq.jobs.model import OPEN, UNDER_WAY, Counts, Item, ItemState, JobView
from pharmq.jobs.options import EndedBy

RECENT = 100
"""Ended jobs that stay on the board: the stream shows them until newer ones push them out."""

Touch = Callable[[str, int], None]
"""Tells the stream that ``jobs`` or ``vms`` number so-and-so looks different now."""


class Board:
    """Written after commits only. ``touch`` is told of every change."""

    def __init__(self, touch: Touch) -> None:
        self._touch = touch
        self._jobs: dict[int, JobView] = {}
        self._ended: OrderedDict[int, JobView] = OrderedDict()
        self._items: dict[int, Item] = {}
        self._of_vm: dict[int, list[int]] = {}

    # --- reading

    def job(self, job_id: int) -> JobView | None:
        return self._jobs.get(job_id) or self._ended.get(job_id)

    def job_ids(self) -> list[int]:
        """Open jobs and those that ended lately."""
        return [*self._ended, *self._jobs]

    @property
    def open_count(self) -> int:
        return len(self._jobs)

    def open_jobs(self) -> Iterable[JobView]:
        return self._jobs.values()

    def item(self, item_id: int) -> Item | None:
        return self._items.get(item_id)

    def task(self, vm_id: int) -> TaskRef | None:
        """What is under way on a guest; a waiting item only when nothing else is."""
        items = [self._items[item_id] for item_id in self._of_vm.get(vm_id, ())]
        if not items:
            return None
        item = next((item for item in items if item.state in UNDER_WAY), items[0])
        return TaskRef(item.job_id, item.id, item.verb, item.state, item.started_at)

    # --- writing, after a commit

    def put(self, job: JobView, items: Iterable[Item]) -> None:
        """A job as it stands with its open items."""
        self._jobs[job.id] = job
        for item in items:
            self._add(item)
            self._touch("vms", item.vm_id)
        self._touch("jobs", job.id)

    def began(self, job_id: int, at: datetime) -> None:
        job = self._jobs.get(job_id)
        if job is not None and job.state == "queued":
            self._jobs[job_id] = replace(job, state="running", started_at=at)

    def moved(self, item: Item) -> None:
        """An item is in another state than before; a final one leaves the board."""
        before = self._items.get(item.id)
        job = self._jobs.get(item.job_id)
        if before is not None and job is not None:
            self._jobs[job.id] = replace(job, counts=shifted(job.counts, before.state, item.state))
        if item.state in OPEN:
            self._add(item)
        else:
            self._drop(item)
        self._touch("jobs", item.job_id)
        self._touch("vms", item.vm_id)

    def stopped(self, job_id: int, by: EndedBy, items: Iterable[Item]) -> None:
        """What had not begun was cancelled; ``items`` are those."""
        job = self._jobs.get(job_id)
        if job is not None:
            self._jobs[job_id] = replace(job, ended_by=job.ended_by or by)
        for item in items:
            self.moved(item)

    def ended(self, job_id: int, counts: Counts, at: datetime) -> None:
        job = self._jobs.pop(job_id, None)
        if job is None:
            return
        state = "cancelled" if counts.cancelled else "done"
        self.archive(replace(job, state=state, counts=counts, finished_at=at))

    def archive(self, job: JobView) -> None:
        """A job that has ended already, possibly as soon as it was made."""
        self._ended[job.id] = job
        while len(self._ended) > RECENT:
            gone, _ = self._ended.popitem(last=False)
            self._touch("jobs", gone)
        self._touch("jobs", job.id)

    def _add(self, item: Item) -> None:
        if item.id not in self._items:
            self._of_vm.setdefault(item.vm_id, []).append(item.id)
        self._items[item.id] = item

    def _drop(self, item: Item) -> None:
        if self._items.pop(item.id, None) is None:
            return
        rest = [other for other in self._of_vm[item.vm_id] if other != item.id]
        if rest:
            self._of_vm[item.vm_id] = rest
        else:
            del self._of_vm[item.vm_id]


def shifted(counts: Counts, before: ItemState, after: ItemState) -> Counts:
    """The counts after one item went from one state to another."""
    left, entered = _column(before), _column(after)
    if left == entered:
        return counts
    return replace(counts, **{left: getattr(counts, left) - 1, entered: getattr(counts, entered) + 1})


def _column(state: ItemState) -> str:
    return "running" if state in UNDER_WAY else state
