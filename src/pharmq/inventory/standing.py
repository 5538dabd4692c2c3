"""How every pharmacy stands, kept current: counted on the dashboard, told to whoever listens when it changes."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from pharmq.base.clock import Clock
from pharmq.hosts.directory import Change, Directory, ObjectKind
from pharmq.hosts.hours import opening
from pharmq.hosts.model import GuestFact, OpeningState, PharmacyState
from pharmq.hosts.verdict import HostFact, judge
from pharmq.inventory.model import PharmacyCounts
from pharmq.inventory.view import View

_SWEEP_S = 60.0
_SWEEP_AT_MOST = 1000


class Standing(NamedTuple):
    state: PharmacyState
    opening: OpeningState


class Standings:
    """Judged again when a pharmacy, its hosts or guests change, and about once a minute because time passes (doors
    open, certificates run out): at most a thousand pharmacies per look, so that no look takes long. ``warn_days``:
    how long before its end a certificate is a warning; the composition root puts the setting in."""

    def __init__(self, directory: Directory, view: View, clock: Clock) -> None:
        self.directory = directory
        self.view = view
        self.clock = clock
        self.warn_days: Callable[[], int] = lambda: 30
        self._known: dict[int, Standing] = {}
        self._counts: Counter[Standing] = Counter()
        self._dirty: set[int] = {pharmacy.id for pharmacy in directory.pharmacies}
        self._home: dict[int, int] = {host.id: host.pharmacy_id for host in directory.hosts}
        self._sweep: list[int] = []
        self._swept_at = clock.monotonic()
        self._listeners: list[Callable[[int], None]] = []
        directory.listen(self._directory_changed)
        view.listen(self._guests_changed)

    def listen(self, listener: Callable[[int], None]) -> None:
        """Told a pharmacy's id when its state or opening has changed by the time of a ``refresh``."""
        self._listeners.append(listener)

    def facts(self, host_id: int) -> list[GuestFact]:
        """What a verdict needs of a host's guests. A template counts, but is no till that could stand still."""
        return [
            GuestFact(vm.id, vm.name, "other" if vm.template else vm.kind, vm.status, vm.missing_since is not None)
            for vm in self.view.of_host(host_id).values()
        ]

    def refresh(self) -> None:
        """Judge what has changed since the last call."""
        now, moment = self.clock.now(), self.clock.monotonic()
        if not self._sweep and moment - self._swept_at >= _SWEEP_S:
            self._sweep = [pharmacy.id for pharmacy in self.directory.pharmacies]
            self._swept_at = moment
        for _ in range(min(_SWEEP_AT_MOST, len(self._sweep))):
            self._dirty.add(self._sweep.pop())
        dirty, self._dirty = self._dirty, set()
        for pharmacy_id in dirty:
            self._judge(pharmacy_id, now)

    def of(self, pharmacy_id: int) -> Standing | None:
        return self._known.get(pharmacy_id)

    def counts(self, within: Collection[int] | None) -> PharmacyCounts:
        """Over all pharmacies, or over these."""
        self.refresh()
        if within is None:
            counts = self._counts
        else:
            counts = Counter(self._known[number] for number in within if number in self._known)
        states: Counter[str] = Counter()
        for standing, count in counts.items():
            states[standing.state] += count
            if standing.opening == "open":
                states["open"] += count
                if standing.state == "offline":
                    states["open_offline"] += count
        total = sum(counts.values())
        return PharmacyCounts(total=total, **states)

    def _judge(self, pharmacy_id: int, now: datetime) -> None:
        before = self._known.pop(pharmacy_id, None)
        if before is not None:
            self._counts[before] -= 1
        pharmacy = self.directory.pharmacy(pharmacy_id)
        if pharmacy is None:
            return
        state_now = opening(pharmacy, now).state
        host_ids = self.directory.hosts_of(pharmacy_id)
        hosts = [
            HostFact(host, self.directory.state(host_id))
            for host_id in host_ids
            if (host := self.directory.host(host_id)) is not None
        ]
        facts = [fact for host_id in host_ids for fact in self.facts(host_id)]
        state, _ = judge(hosts, facts, state_now, now, self.warn_days())
        after = self._known[pharmacy_id] = Standing(state, state_now)
        self._counts[after] += 1
        if after != before:
            for listener in self._listeners:
                listener(pharmacy_id)

    def _directory_changed(self, kind: ObjectKind, number: int, change: Change) -> None:
        if change == "sample":
            return
        if kind == "pharmacy":
            self._dirty.add(number)
        elif kind == "host":
            self._host_changed((number,))

    def _guests_changed(self, _vm_ids: Collection[int], host_ids: Collection[int]) -> None:
        self._host_changed(host_ids)

    def _host_changed(self, host_ids: Iterable[int]) -> None:
        for host_id in host_ids:
            # Also the pharmacy it was taken from.
            if (home := self._home.pop(host_id, None)) is not None:
                self._dirty.add(home)
            if (host := self.directory.host(host_id)) is not None:
                self._home[host_id] = host.pharmacy_id
                self._dirty.add(host.pharmacy_id)
