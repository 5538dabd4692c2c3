"""Which guests, pharmacies and hosts somebody asks for, within what they may see."""

import heapq
from collections.abc import Callable, Iterable, Set

from pharmq.access import Actor, Privilege, allows, allows_everywhere
from pharmq.base.errors import NotFound
from pharmq.hosts.directory import Directory
from pharmq.inventory.hangul import normal
from pharmq.inventory.model import (
    ID_LIMIT,
    ConsoleCounts,
    HostCounts,
    JobCounts,
    SearchHit,
    Summary,
    Vm,
    VmFilter,
)
from pharmq.inventory.query import HOST_WORDS, KIND_WORDS, MISSING_WORDS, STATUS_WORDS, Field, Query, parse
from pharmq.inventory.search import Levels, everyone, scores
from pharmq.inventory.standing import Standings
from pharmq.inventory.view import View

_EMPTY: frozenset[int] = frozenset()


class Selector:
    """Sets of ids from filters and queries. ``consoles_open`` and ``jobs_running`` are put in by those rooms."""

    def __init__(self, directory: Directory, view: View, standings: Standings) -> None:
        self.directory = directory
        self.view = view
        self.standings = standings
        self.consoles_open: Callable[[Actor], int] = lambda _actor: 0
        self.jobs_running: Callable[[Actor], int] = lambda _actor: 0

    # --- guests

    def ids(self, actor: Actor, wanted: VmFilter) -> Set[int] | None:
        """Ids of the guests; None means all there are. The sets may be the view's own: not to be changed."""
        sets = list(self._postings(wanted))
        visible = self.view.visible(actor)
        if visible is not None:
            sets.append(visible)
        query = parse(wanted.q)
        if query:
            sets.append(self.query(query))
        elif wanted.q.strip():
            return _EMPTY  # nothing but punctuation: matches nothing rather than everything
        return _common(sets)

    def _postings(self, wanted: VmFilter) -> Iterable[Set[int]]:
        view = self.view
        if wanted.pharmacy_id:
            yield {vm for number in wanted.pharmacy_id for vm in view.ids_of_pharmacy(number)}
        if wanted.group_id:
            members = {member for number in wanted.group_id for member in self.directory.members(number)}
            yield {vm for member in members for vm in view.ids_of_pharmacy(member)}
        if wanted.host_id:
            yield {vm for number in wanted.host_id for vm in view.ids_of_host(number)}
        if wanted.type:
            yield _union([view.by_type.get(kind, _EMPTY) for kind in wanted.type])
        if wanted.status:
            yield _union([view.by_status.get(status, _EMPTY) for status in wanted.status])
        if wanted.host_status:
            yield _union([view.by_host_status[status] for status in wanted.host_status])
        if wanted.tag:
            yield _union([view.by_tag.get(tag.lower(), _EMPTY) for tag in wanted.tag])
        if wanted.missing is True:
            yield view.missing
        elif wanted.missing is False and view.missing:
            yield view.all_ids() - view.missing

    def query(self, query: Query) -> Set[int]:
        """Guests that every word and field of a query means."""
        index = self.view.search
        return _all_of([*(everyone(index.vms(index.hits(word))) for word in query.words), *self._fields(query)])

    def _fields(self, query: Query) -> list[Set[int]]:
        return [self._field(field, value) for field, value in query.fields]

    def _field(self, field: Field, value: str) -> Set[int]:
        view, key = self.view, normal(value)
        match field:
            case "pharmacy":
                found = everyone(view.search.hits(value).pharmacies)
                return {vm for pharmacy in found for vm in view.ids_of_pharmacy(pharmacy)}
            case "status":
                if key in STATUS_WORDS:
                    return view.by_status.get(STATUS_WORDS[key], _EMPTY)
                if key in HOST_WORDS:
                    return view.by_host_status[HOST_WORDS[key]]
                return view.missing if key in MISSING_WORDS else _EMPTY
            case "type":
                return view.by_type.get(KIND_WORDS[key], _EMPTY) if key in KIND_WORDS else _EMPTY
            case "tag":
                return set().union(*(ids for _, ids in view.search.tags.find(key)))
            case "ip":
                own = set().union(*(ids for _, ids in view.search.ips.find(key)))
                return own.union(*(view.ids_of_host(host) for host in self._hosts_at(key)))

    def _hosts_at(self, address: str) -> set[int]:
        return set().union(*(ids for _, ids in self.view.search.addresses.find(address)))

    # --- the search box

    def search(self, actor: Actor, text: str, limit: int) -> tuple[list[SearchHit], int]:
        """Pharmacies, hosts and guests, best first, and how many there are in all."""
        query = parse(text)
        if not query:
            return [], 0
        index = self.view.search
        words = [index.hits(word) for word in query.words]
        named: list[Set[int]] = [
            everyone(index.hits(value).pharmacies) for field, value in query.fields if field == "pharmacy"
        ]
        at: list[Set[int]] = [self._hosts_at(normal(value)) for field, value in query.fields if field == "ip"]
        # A state, kind or tag is a guest's; a pharmacy has no address, and a host no pharmacy's name.
        guests_only = any(field in ("status", "type", "tag") for field, _ in query.fields)
        none: list[Set[int]] = [_EMPTY]
        pharmacies = _levels([hits.pharmacies for hits in words], none if guests_only or at else named)
        hosts = _levels([hits.hosts for hits in words], none if guests_only or named else at)
        vms = _levels([index.vms(hits) for hits in words], self._fields(query))
        visible = self.view.visible(actor)
        if visible is not None:
            vms = {level: ids & visible for level, ids in vms.items()}
            pharmacies = _only(pharmacies, lambda number: self._sees_pharmacy(actor, number))
            hosts = _only(hosts, lambda number: self._sees_host(actor, number))
        total = sum(len(everyone(levels)) for levels in (pharmacies, hosts, vms))
        best = _best((pharmacies, hosts, vms), limit)
        return [hit for kind, number in best if (hit := self._hit(kind, number)) is not None], total

    def _hit(self, kind: int, number: int) -> SearchHit | None:
        if kind == 0:
            return self._pharmacy_hit(number)
        if kind == 1:
            return self._host_hit(number)
        vm = self.view.get(number)
        return None if vm is None else self._vm_hit(vm)

    def _pharmacy_hit(self, number: int) -> SearchHit | None:
        pharmacy = self.directory.pharmacy(number)
        if pharmacy is None:
            return None
        self.standings.refresh()
        standing = self.standings.of(number)
        subtitle = " · ".join(part for part in (pharmacy.code, pharmacy.phone, pharmacy.address) if part)
        return SearchHit("pharmacy", number, number, pharmacy.name, subtitle, standing.state if standing else "empty")

    def _host_hit(self, number: int) -> SearchHit | None:
        host = self.directory.host(number)
        if host is None:
            return None
        pharmacy = self.directory.pharmacy(host.pharmacy_id)
        name = pharmacy.name if pharmacy else ""
        return SearchHit("host", number, host.pharmacy_id, host.host_ip, name, self.directory.status(number))

    def _vm_hit(self, vm: Vm) -> SearchHit | None:
        host = self.directory.host(vm.host_id)
        if host is None:
            return None
        pharmacy = self.directory.pharmacy(host.pharmacy_id)
        name = pharmacy.name if pharmacy else ""
        subtitle = " · ".join(part for part in (name, str(vm.vmid), vm.ip or "") if part)
        return SearchHit("vm", vm.id, host.pharmacy_id, vm.name or str(vm.vmid), subtitle, vm.status)

    def pharmacy(self, actor: Actor, number: int) -> None:
        """Raises NotFound unless the actor may see this pharmacy."""
        if number > ID_LIMIT or not self._sees_pharmacy(actor, number):
            raise NotFound("inventory.pharmacy_not_found", params={"id": str(number)})

    def _sees_pharmacy(self, actor: Actor, number: int) -> bool:
        if self.directory.pharmacy(number) is None:
            return False
        return allows(actor, Privilege.SEE, self.directory.scope_of_pharmacy(number))

    def _sees_host(self, actor: Actor, number: int) -> bool:
        if self.directory.host(number) is None:
            return False
        return allows(actor, Privilege.SEE, self.directory.scope(number))

    # --- numbers

    def summary(self, actor: Actor) -> Summary:
        """Every number of the dashboard, from the same sets that answer the lists."""
        within = self.view.visible(actor)
        pharmacies = None
        if within is not None:
            pharmacies = [p.id for p in self.directory.pharmacies if self._sees_pharmacy(actor, p.id)]
        return Summary(
            hosts=self._hosts(actor),
            vms=self.view.counts(within),
            pharmacies=self.standings.counts(pharmacies),
            # Whose consoles and jobs these are is not known here: for those who see everything.
            consoles=ConsoleCounts(self.consoles_open(actor)),
            jobs=JobCounts(self.jobs_running(actor)),
        )

    def _hosts(self, actor: Actor) -> HostCounts:
        if allows_everywhere(actor, Privilege.SEE):
            by_status, by_reason = self.view.host_totals()
            statuses: dict[str, int] = {str(status): count for status, count in by_status.items()}
            reasons = {reason: count for reason, count in sorted(by_reason.items()) if count}
        else:
            statuses, reasons = {}, {}
            for host in self.directory.hosts:
                if self._sees_host(actor, host.id):
                    status = self.directory.status(host.id)
                    statuses[status] = statuses.get(status, 0) + 1
                    reason = self.directory.state(host.id).reason
                    if status == "offline" and reason is not None:
                        reasons[reason] = reasons.get(reason, 0) + 1
        return HostCounts(
            total=sum(statuses.values()),
            online=statuses.get("online", 0),
            offline=statuses.get("offline", 0),
            maintenance=statuses.get("maintenance", 0),
            reasons=reasons,
        )


def _union(sets: list[Set[int]]) -> Set[int]:
    return sets[0] if len(sets) == 1 else set().union(*sets)


def _common(sets: list[Set[int]]) -> Set[int] | None:
    """What is in all sets, starting with the smallest; None without any."""
    if not sets:
        return None
    found, *others = sorted(sets, key=len)
    for other in others:
        found = found & other
    return found


def _all_of(sets: list[Set[int]]) -> Set[int]:
    return _common(sets) or _EMPTY


def _levels(words: list[Levels], fields: list[Set[int]]) -> Levels:
    """Ids that all words and fields mean, by the sum of how well the words fit."""
    if not words:
        return {0: set(_all_of(fields))}
    if len(words) == 1 and not fields:
        return words[0]
    among = _all_of([*(everyone(levels) for levels in words), *fields])
    each = [scores(levels, among) for levels in words]
    found: Levels = {}
    for number in among:
        found.setdefault(sum(score[number] for score in each), set()).add(number)
    return found


def _only(levels: Levels, seen: Callable[[int], bool]) -> Levels:
    return {level: {number for number in ids if seen(number)} for level, ids in levels.items()}


def _best(kinds: tuple[Levels, ...], limit: int) -> list[tuple[int, int]]:
    """(kind, id) of the best, level by level; at the same level in the order of the kinds, then of the ids."""
    found: list[tuple[int, int]] = []
    taken: list[set[int]] = [set() for _ in kinds]
    for level in sorted({level for levels in kinds for level in levels}, reverse=True):
        for kind, levels in enumerate(kinds):
            fresh = heapq.nsmallest(limit - len(found), levels.get(level, _EMPTY) - taken[kind])
            taken[kind].update(fresh)
            found.extend((kind, number) for number in fresh)
            if len(found) >= limit:
                return found
    return found
