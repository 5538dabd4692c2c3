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
from pharmq.inventory.search import Scores
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
            sets.append(self.query(query).keys())
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

    def query(self, query: Query) -> Scores:
        """Guests that every word and field of a query means, with how well they fit."""
        index = self.view.search
        results = [index.vms(index.hits(word)) for word in query.words]
        results.extend(dict.fromkeys(self._field(field, value), 0) for field, value in query.fields)
        return _all_of(results)

    def _field(self, field: Field, value: str) -> Iterable[int]:
        view, key = self.view, normal(value)
        match field:
            case "pharmacy":
                found = view.search.pharmacies(value)
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
                return {vm for _, ids in view.search.tags.find(key) for vm in ids}
            case "ip":
                own = {vm for _, ids in view.search.ips.find(key) for vm in ids}
                hosts = {host for _, ids in view.search.addresses.find(key) for host in ids}
                return own.union(*(view.ids_of_host(host) for host in hosts))

    # --- the search box

    def search(self, actor: Actor, text: str, limit: int) -> tuple[list[SearchHit], int]:
        """Pharmacies, hosts and guests, best first, and how many there are in all."""
        query = parse(text)
        if not query:
            return [], 0
        index = self.view.search
        vms = self.query(query)
        if (visible := self.view.visible(actor)) is not None:
            vms = {vm: score for vm, score in vms.items() if vm in visible}
        places = any(field in ("status", "type", "tag") for field, _ in query.fields)
        pharmacies: Scores = {}
        hosts: Scores = {}
        if not places:
            found = [index.hits(word) for word in query.words]
            named = [index.pharmacies(value) for field, value in query.fields if field == "pharmacy"]
            at = [self._hosts_at(value) for field, value in query.fields if field == "ip"]
            pharmacies = {} if at else _all_of([*(hits.pharmacies for hits in found), *named])
            hosts = {} if named else _all_of([*(hits.hosts for hits in found), *at])
        ranked = [
            *((-score, 0, number) for number, score in pharmacies.items() if self._sees_pharmacy(actor, number)),
            *((-score, 1, number) for number, score in hosts.items() if self._sees_host(actor, number)),
            *((-score, 2, number) for number, score in vms.items()),
        ]
        best = heapq.nsmallest(limit, ranked)
        hits = [hit for _, kind, number in best if (hit := self._hit(kind, number)) is not None]
        return hits, len(ranked)

    def _hosts_at(self, value: str) -> Scores:
        return {host: 80 for _, ids in self.view.search.addresses.find(normal(value)) for host in ids}

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


def _all_of(results: list[Scores]) -> Scores:
    """Ids in every result, with their scores added up."""
    if not results:
        return {}
    first, *others = sorted(results, key=len)
    if not others:
        return first
    return {
        number: score + sum(other[number] for other in others)
        for number, score in first.items()
        if all(number in other for other in others)
    }
