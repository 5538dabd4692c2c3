"""Slowing down guesses without locking anybody else out. Pure apart from its own counters.

Failures are counted per (account, address) and per address. An attacker elsewhere therefore cannot lock the
account for its owner, and one address cannot try many accounts. Whoever has signed in from an address before is not
held up by what others at that address get wrong: an office behind one address is not locked by one of its desks. That
outlives a restart (``remember``): the journal knows who came in from where.
"""

import math
from collections import OrderedDict
from collections.abc import Iterable

from pharmq.base.pacing import back_off

FREE_TRIES_PAIR = 5
FREE_TRIES_ADDRESS = 20
WAIT_BASE_S = 2.0
WAIT_CEILING_S = 300.0
FORGET_S = 900.0
REMEMBERED = 10_000


class Throttle:
    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str | None], tuple[int, float]] = OrderedDict()
        self._at_home: OrderedDict[tuple[str, str | None], None] = OrderedDict()

    def wait_s(self, account: str, address: str | None, now: float) -> int:
        """Whole seconds until another try is looked at; 0 when it may be tried now."""
        own = self._wait((account, address), FREE_TRIES_PAIR, now)
        if (account, address) in self._at_home:
            return math.ceil(own)
        return math.ceil(max(own, self._wait(("", address), FREE_TRIES_ADDRESS, now)))

    def failed(self, account: str, address: str | None, now: float) -> None:
        for key in ((account, address), ("", address)):
            count, last = self._seen.pop(key, (0, now))
            self._seen[key] = (1 if now - last > FORGET_S else count + 1, now)
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)

    def succeeded(self, account: str, address: str | None) -> None:
        self._seen.pop((account, address), None)
        self.remember([(account, address)])

    def remember(self, pairs: Iterable[tuple[str, str | None]]) -> None:
        """Accounts and the addresses they came in from, the oldest first."""
        for pair in pairs:
            self._at_home[pair] = None
            self._at_home.move_to_end(pair)
        while len(self._at_home) > REMEMBERED:
            self._at_home.popitem(last=False)

    def _wait(self, key: tuple[str, str | None], free: int, now: float) -> float:
        count, last = self._seen.get(key, (0, now))
        if now - last > FORGET_S:
            return 0.0
        return max(0.0, last + back_off(count - free + 1, base=WAIT_BASE_S, ceiling=WAIT_CEILING_S) - now)
