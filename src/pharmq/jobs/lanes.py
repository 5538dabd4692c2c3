"""Waiting items, and who of them may go next. Pure bookkeeping."""

from collections import OrderedDict, deque
from typing import TypeAlias, TypeVar

from pharmq.jobs.model import Caps, Item

K = TypeVar("K")
_Hosts: TypeAlias = OrderedDict[int, deque[Item]]


class Lanes:
    """Jobs take turns, within a job its hosts, within a host the oldest goes first: one guest's restart does not wait
    for a thousand others. Two jobs on the same guest keep their order; only a power cut waits for nobody."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[int, _Hosts] = OrderedDict()
        self._of_guest: dict[int, list[int]] = {}
        self._ids: set[int] = set()
        self.busy: dict[int, int] = {}
        self.load = 0
        self._load_of: dict[int, int] = {}
        self._busy_of: dict[tuple[int, int], int] = {}

    def __contains__(self, item_id: int) -> bool:
        return item_id in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, item: Item) -> None:
        if item.id in self._ids:
            return
        self._ids.add(item.id)
        self._of_guest.setdefault(item.vm_id, []).append(item.id)
        self._jobs.setdefault(item.job_id, OrderedDict()).setdefault(item.host_id, deque()).append(item)

    def next(self, caps: Caps) -> Item | None:
        """The next item that may go, counted as under way from now on."""
        if self.load >= caps.overall:
            return None
        for job_id, hosts in self._jobs.items():
            item = self._of_job(job_id, hosts, caps)
            if item is not None:
                self._jobs.move_to_end(job_id)
                self._take(item, hosts)
                self.enter(item)
                return item
        return None

    def _of_job(self, job_id: int, hosts: _Hosts, caps: Caps) -> Item | None:
        options = next(iter(hosts.values()))[0].options
        if options.overall is not None and self._load_of.get(job_id, 0) >= options.overall:
            return None
        for host_id, waiting in hosts.items():
            if self.busy.get(host_id, 0) >= caps.per_host:
                continue
            if options.per_host is not None and self._busy_of.get((job_id, host_id), 0) >= options.per_host:
                continue
            for item in waiting:
                if self._of_guest[item.vm_id][0] == item.id or (item.verb == "stop" and item.force):
                    return item
        return None

    def _take(self, item: Item, hosts: _Hosts) -> None:
        self._ids.discard(item.id)
        others = self._of_guest[item.vm_id]
        others.remove(item.id)
        if not others:
            del self._of_guest[item.vm_id]
        waiting = hosts[item.host_id]
        waiting.remove(item)
        if waiting:
            hosts.move_to_end(item.host_id)
            return
        del hosts[item.host_id]
        if not hosts:
            del self._jobs[item.job_id]

    def enter(self, item: Item) -> None:
        self.busy[item.host_id] = self.busy.get(item.host_id, 0) + 1
        self.load += 1
        self._load_of[item.job_id] = self._load_of.get(item.job_id, 0) + 1
        pair = (item.job_id, item.host_id)
        self._busy_of[pair] = self._busy_of.get(pair, 0) + 1

    def ease(self, item: Item) -> None:
        """An item stays on its host but is no load any more: it waits for a host that does not answer."""
        self.load -= 1
        _less(self._load_of, item.job_id)

    def leave(self, item: Item, *, eased: bool) -> None:
        _less(self.busy, item.host_id)
        _less(self._busy_of, (item.job_id, item.host_id))
        if not eased:
            self.ease(item)


def _less(counts: dict[K, int], key: K) -> None:
    left = counts[key] - 1
    if left:
        counts[key] = left
    else:
        del counts[key]
