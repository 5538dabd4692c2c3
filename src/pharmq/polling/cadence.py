"""When to look at a host again, and what to ask beside its resources. Pure; seconds on a monotonic clock."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from pharmq.base.pacing import back_off, jittered

CONFIRM_AFTER = 3.0
"""A first failure is looked at again this soon: a host counts as offline only from the second one."""
CEILING = 60.0
"""The longest pause after failures: a host that came back is seen within about a minute."""
SHORTEST = 1.0
"""A host that answers slower than it is asked still gets this much rest."""
FIRST_GAP = 0.02
"""Start: hosts are first asked this far apart, so that a fleet's handshakes do not come at once."""

VERSION_EVERY = 6 * 3600.0
AGENT_CEILING = 3600.0
"""An agent that does not answer blocks a third of its host's workers for 3 s: ask ever less often, up to this."""


def pause(*, failures: int, interval: float, took: float, draw: float) -> float:
    """Seconds from the end of a poll to the next one. ``failures``: consecutive ones, 0 after a success;
    ``took``: how long this poll lasted; ``draw``: a random number in [0, 1)."""
    if failures == 0:
        return max(SHORTEST, jittered(interval, draw) - took)
    if failures == 1:
        return jittered(min(CONFIRM_AFTER, interval), draw)
    return jittered(back_off(failures - 1, base=interval, ceiling=max(CEILING, interval)), draw)


def first_pause(place: int, hosts: int, interval: float) -> float:
    """Seconds from the start to the first poll of the host at ``place`` of ``hosts``; within one interval."""
    return min(FIRST_GAP, interval / max(hosts, 1)) * place


Question: TypeAlias = Literal["version", "certificate", "config", "addresses", "gone"]


class Ask(NamedTuple):
    """One slow question; ``vmid`` for those about a guest."""

    question: Question
    vmid: int | None = None


class SlowMemory:
    """When each slow question of one host may be asked again. Small: only guests that were asked have an entry."""

    __slots__ = ("_failures", "_not_before")

    def __init__(self) -> None:
        self._not_before: dict[Ask, float] = {}
        self._failures: dict[Ask, int] = {}

    def ripe(self, ask: Ask, now: float) -> bool:
        return self._not_before.get(ask, now) <= now

    def waited_since(self, ask: Ask) -> float:
        """Smaller is more urgent."""
        return self._not_before.get(ask, float("-inf"))

    def answered(self, ask: Ask, now: float, every: float) -> None:
        self._failures.pop(ask, None)
        self._not_before[ask] = now + every

    def failed(self, ask: Ask, now: float, every: float) -> None:
        failures = self._failures[ask] = self._failures.get(ask, 0) + 1
        self._not_before[ask] = now + back_off(failures, base=every, ceiling=max(AGENT_CEILING, every))

    def forget_guests(self, living: Sequence[int]) -> None:
        """Drop what is remembered of guests that are gone."""
        keep = {None, *living}
        for ask in [ask for ask in self._not_before if ask.vmid not in keep]:
            del self._not_before[ask]
            self._failures.pop(ask, None)


def choose(
    memory: SlowMemory,
    now: float,
    *,
    certificate_unknown: bool,
    configs: Sequence[int],
    addresses: Sequence[int],
    gone: Sequence[int] = (),
) -> Ask | None:
    """The one slow question of this cycle: about the host first, then configurations that are unknown, then
    whether missing guests are gone for good (seldom), then addresses (whenever there is time), the longest waiting
    guest first. None when nothing is due."""
    asks = [Ask("version")]
    if certificate_unknown:
        asks.append(Ask("certificate"))
    for ask in asks:
        if memory.ripe(ask, now):
            return ask
    about: tuple[tuple[Question, Sequence[int]], ...] = (("config", configs), ("gone", gone), ("addresses", addresses))
    for question, vmids in about:
        ripe = [ask for vmid in vmids if memory.ripe(ask := Ask(question, vmid), now)]
        if ripe:
            return min(ripe, key=memory.waited_since)
    return None
