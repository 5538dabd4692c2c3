"""The search index: which pharmacies, hosts and guests a typed query means, and how well each fits."""

import re
from collections.abc import Callable, Collection, Iterable, Set
from typing import TypeAlias

from pharmq.hosts.model import Host, Pharmacy
from pharmq.inventory.hangul import initials, normal
from pharmq.inventory.model import Vm
from pharmq.inventory.query import Word, other_layouts, word
from pharmq.inventory.texts import Texts

Levels: TypeAlias = dict[int, set[int]]
"""Ids by how well they fit, higher is better; an id may stand on several levels. Sets, because a short word means
tens of thousands of guests, and sets are joined in C."""

_OTHER_LAYOUT = -40
_THROUGH_PLACE = -45
"""A guest found because its pharmacy or host matches stands below guests that match themselves."""


class Hits:
    """What one word means."""

    __slots__ = ("hosts", "pharmacies", "vms")

    def __init__(self) -> None:
        self.pharmacies: Levels = {}
        self.hosts: Levels = {}
        self.vms: Levels = {}

    def __bool__(self) -> bool:
        return bool(self.pharmacies or self.hosts or self.vms)


def everyone(levels: Levels) -> set[int]:
    """All ids on all levels."""
    return set().union(*levels.values())


def scores(levels: Levels, among: Set[int]) -> dict[int, int]:
    """The best level of each id in ``among`` that stands on one."""
    found: dict[int, int] = {}
    for level in sorted(levels):
        found.update(dict.fromkeys(levels[level] & among, level))
    return found


class SearchIndex:
    """``guests_at``: ids of the guests of a host; ``hosts_of``: ids of the hosts of a pharmacy."""

    def __init__(self, guests_at: Callable[[int], Collection[int]], hosts_of: Callable[[int], Collection[int]]) -> None:
        self._guests_at = guests_at
        self._hosts_of = hosts_of
        self._documents: dict[tuple[str, int], tuple[tuple[Texts, str], ...]] = {}
        self.names, self.initials, self.codes, self.phones, self.places = Texts(), Texts(), Texts(), Texts(), Texts()
        self.addresses = Texts()
        self.vm_names, self.vm_initials, self.ips, self.vmids, self.tags = Texts(), Texts(), Texts(), Texts(), Texts()

    # --- keeping

    def put_pharmacy(self, pharmacy: Pharmacy) -> None:
        name = normal(pharmacy.name)
        self._put(
            ("pharmacy", pharmacy.id),
            (self.names, name),
            (self.initials, initials(name)),
            (self.codes, normal(pharmacy.code)),
            (self.phones, re.sub(r"\D", "", pharmacy.phone)),
            (self.places, normal(pharmacy.address)),
            (self.places, normal(pharmacy.representative)),
        )

    def put_host(self, host: Host) -> None:
        self._put(
            ("host", host.id),
            *((self.addresses, normal(address)) for address in dict.fromkeys((host.host_ip, *host.addresses))),
        )

    def put_vm(self, vm: Vm) -> None:
        name = normal(vm.name)
        first = initials(name)
        self._put(
            ("vm", vm.id),
            (self.vm_names, name),
            (self.vm_initials, first if first != name else ""),
            (self.ips, (vm.ip or "").lower()),
            (self.vmids, str(vm.vmid)),
            *((self.tags, normal(tag)) for tag in vm.tags),
        )

    def drop(self, kind: str, number: int) -> None:
        for texts, text in self._documents.pop((kind, number), ()):
            texts.remove(text, number)

    def _put(self, key: tuple[str, int], *texts: tuple[Texts, str]) -> None:
        before = self._documents.get(key)
        if before == texts:
            return
        for kept, text in before or ():
            kept.remove(text, key[1])
        for kept, text in texts:
            kept.add(text, key[1])
        self._documents[key] = texts

    # --- asking

    def hits(self, text: str) -> Hits:
        """What a typed word means, also with the keyboard in the other language when it means nothing as it is."""
        found = self._hits(word(text), 0)
        if not found:
            for reading in other_layouts(text):
                if found := self._hits(reading, _OTHER_LAYOUT):
                    break
        return found

    def vms(self, hits: Hits) -> Levels:
        """Guests that match themselves, and all guests of the places that match."""
        levels = {level: set(ids) for level, ids in hits.vms.items()}
        for level, pharmacies in hits.pharmacies.items():
            found = levels.setdefault(level + _THROUGH_PLACE, set())
            found.update(*(self._guests_at(host) for number in pharmacies for host in self._hosts_of(number)))
        for level, hosts in hits.hosts.items():
            levels.setdefault(level + _THROUGH_PLACE, set()).update(*map(self._guests_at, hosts))
        return levels

    def _hits(self, asked: Word, malus: int) -> Hits:
        found = Hits()
        plain = asked.plain
        # One letter is in half of all names: it stands for their beginnings.
        only = len(plain) == 1 and not "가" <= plain <= "힣"
        _rank(found.pharmacies, self.names.find(plain, only), plain, malus + 15)
        _rank(found.pharmacies, self.codes.find(plain, only), plain, malus + 12)
        _rank(found.pharmacies, self.places.find(plain, only), plain, malus - 15)
        _rank(found.vms, self.vm_names.find(plain, only), plain, malus + 8)
        _rank(found.vms, self.tags.find(plain, only), plain, malus)
        if not only:
            _rank(found.hosts, self.addresses.find(plain), plain, malus + 5)
        if asked.initials is not None:
            _rank(found.pharmacies, self.initials.find(asked.initials, only), asked.initials, malus + 5)
            _rank(found.vms, self.vm_initials.find(asked.initials, only), asked.initials, malus)
        if asked.pattern is not None:
            _rank(found.pharmacies, self.names.match(asked.pattern), plain, malus)
            _rank(found.vms, self.vm_names.match(asked.pattern), plain, malus - 5)
        if asked.digits is not None and len(asked.digits) >= 2:
            ends = len(asked.digits) >= 4
            _rank(found.pharmacies, self.phones.find(asked.digits), asked.digits, malus + 5, ends=ends)
        if re.fullmatch(r"[0-9a-f.:]{2,}", plain):
            _rank(found.vms, self.ips.find(plain), plain, malus + 5)
        if asked.digits is not None and (ids := self.vmids.exact(asked.digits)):
            _rank(found.vms, [(asked.digits, ids)], asked.digits, malus)
        return found


def _rank(
    levels: Levels, found: Iterable[tuple[str, set[int]]], needle: str, bonus: int, *, ends: bool = False
) -> None:
    """Add ids: a whole text before its beginning (or end, for phone numbers) before anything inside."""
    whole: list[set[int]] = []
    edge: list[set[int]] = []
    inside: list[set[int]] = []
    for text, ids in found:
        if text == needle:
            whole.append(ids)
        elif text.startswith(needle) or (ends and text.endswith(needle)):
            edge.append(ids)
        else:
            inside.append(ids)
    for score, sets in ((100, whole), (80, edge), (60, inside)):
        if sets:
            levels.setdefault(score + bonus, set()).update(*sets)
