"""Who goes first, who waits for whom, and when too much has gone wrong. Pure."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from pharmq.jobs.model import Decision, Target
from pharmq.jobs.options import JobOptions


class Place(NamedTuple):
    """``wave`` 0 is the canary (or everything), ``turn`` the place in the order within a host and wave; ``held``: not
    yet."""

    wave: int = 0
    turn: int = 0
    held: bool = False


class Tally(NamedTuple):
    """Items of a job, or of its canary, that were to be acted on: all, those that went wrong, those still open."""

    total: int
    bad: int
    open: int


def arrange(planned: Sequence[tuple[Target, Decision]], options: JobOptions) -> list[Place]:
    """A place for each, in the order given. The canary is spread over hosts, and on each takes what is first in the
    order, so that it never runs ahead of its own server."""
    ranks = [_rank(target.kind, options.order) for target, _ in planned]
    todo = [index for index, (_, decision) in enumerate(planned) if decision.plan == "do"]
    first = _canary(planned, ranks, todo, options.canary)
    waves = {index: 0 if not first or index in first else 1 for index in todo}
    lowest: dict[tuple[int, int], int] = {}
    for index in todo:
        key = (waves[index], planned[index][0].host_id)
        lowest[key] = min(ranks[index], lowest.get(key, ranks[index]))
    places = [Place()] * len(planned)
    for index in todo:
        wave, host = waves[index], planned[index][0].host_id
        places[index] = Place(wave, ranks[index], wave > 0 or ranks[index] > lowest[wave, host])
    return places


def too_much(limit: int | None, whole: Tally, canary: Tally | None) -> bool:
    """More than ``limit`` percent failed: of all at any time, of the canary as soon as it is through."""
    if limit is None:
        return False
    if canary is not None and not canary.open and canary.bad * 100 > limit * canary.total:
        return True
    return whole.bad * 100 > limit * whole.total


def _rank(kind: str, order: tuple[str, ...]) -> int:
    return order.index(kind) if kind in order else len(order)


def _canary(
    planned: Sequence[tuple[Target, Decision]], ranks: list[int], todo: list[int], count: int
) -> frozenset[int]:
    if not 0 < count < len(todo):
        return frozenset()
    nth: Counter[int] = Counter()
    ordered: list[tuple[int, int, int]] = []
    for index in sorted(todo, key=lambda each: (ranks[each], each)):
        host = planned[index][0].host_id
        ordered.append((nth[host], ranks[index], index))
        nth[host] += 1
    return frozenset(index for _, _, index in sorted(ordered)[:count])
