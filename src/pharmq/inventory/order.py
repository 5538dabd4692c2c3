"""Sorted orders over all guests that stay sorted while single guests change."""

import ipaddress
import re
from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Set
from typing import Any

from pharmq.hosts.model import HostStatus
from pharmq.inventory.model import Vm

_REBUILD_AT = 1000


class Order:
    """Ids sorted by ``key``. Changes are only noted; the list is put right when somebody asks for a page, one by one
    when few changed, by one (nearly linear) sort when many did."""

    def __init__(self, key: Callable[[int], Any], ids: Collection[int]) -> None:
        self._key = key
        self._sorted: list[tuple[Any, int]] = sorted((key(number), number) for number in ids)
        self._keys: dict[int, Any] = {number: key for key, number in self._sorted}
        self._noted: dict[int, bool] = {}

    def note(self, number: int, *, gone: bool = False) -> None:
        """``number`` came, changed or went."""
        self._noted[number] = gone

    def page(self, within: Set[int] | None, limit: int, offset: int, *, descending: bool = False) -> list[int]:
        """Ids in order; ``within`` None means all."""
        self._settle()
        if within is None:
            if descending:
                end = max(0, len(self._sorted) - offset)
                return [number for _, number in reversed(self._sorted[max(0, end - limit) : end])]
            return [number for _, number in self._sorted[offset : offset + limit]]
        if not within:
            return []
        # Walking costs the page's share of the whole list, sorting costs the filtered set: take the cheaper.
        steps = (offset + limit) * len(self._sorted) / len(within)
        if steps < 8 * len(within):
            return self._walk(within, limit, offset, descending)
        keys = self._keys
        chosen = sorted(((keys[number], number) for number in within), reverse=descending)
        return [number for _, number in chosen[offset : offset + limit]]

    def _walk(self, within: Set[int], limit: int, offset: int, descending: bool) -> list[int]:
        found: list[int] = []
        skipped = 0
        for _, number in reversed(self._sorted) if descending else self._sorted:
            if number in within:
                if skipped < offset:
                    skipped += 1
                    continue
                found.append(number)
                if len(found) == limit:
                    break
        return found

    def _settle(self) -> None:
        if not self._noted:
            return
        noted, self._noted = self._noted, {}
        if len(noted) > _REBUILD_AT:
            kept = [pair for pair in self._sorted if pair[1] not in noted]
            fresh = [(self._key(number), number) for number, gone in noted.items() if not gone]
            for number in noted:
                self._keys.pop(number, None)
            self._keys.update((number, key) for key, number in fresh)
            self._sorted = sorted(kept + fresh)
            return
        for number, gone in noted.items():
            before = self._keys.get(number)
            key = None if gone else self._key(number)
            if key == before:
                continue
            if before is not None:
                del self._sorted[bisect_left(self._sorted, (before, number))]
                del self._keys[number]
            if key is not None:
                self._keys[number] = key
                insort(self._sorted, (key, number))


def attention(vm: Vm, host_status: HostStatus) -> int:
    """How soon somebody should look: 0 first."""
    if host_status == "maintenance" or vm.template:
        return 5
    if host_status == "offline":
        return 0
    if vm.kind in ("pos", "kiosk") and vm.status != "running":
        return 1
    if vm.missing_since is not None or vm.status == "suspended":
        return 2
    if vm.status == "unknown":
        return 3
    return 4


def natural(text: str) -> tuple[str | int, ...]:
    """``POS-2`` before ``POS-10``."""
    return tuple(
        int(part) if place % 2 else part for place, part in enumerate(re.split(r"([0-9]{1,18})", text.casefold()))
    )


def ip_order(text: str | None) -> tuple[int, int]:
    """IPv4 by number, then IPv6, then those without."""
    if text is None:
        return (9, 0)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return (8, 0)
    return (address.version, int(address))
