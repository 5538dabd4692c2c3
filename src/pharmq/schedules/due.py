"""Which of the slots that have come are served, and how. Pure."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from pharmq.schedules.rules import Missed
from pharmq.schedules.slots import Slot

GRACE = timedelta(seconds=120)
"""How late a slot is served without being called missed: a restart fits in."""
REMEMBERED = 20
"""Missed slots that get a row of their own; of more only the number is kept."""


class Verdict(NamedTuple):
    """``run``: to be served, oldest first; ``late``: these were missed and are made up for; ``lost``: the newest
    of those that are not served, of ``lost_count`` in all."""

    run: tuple[Slot, ...] = ()
    late: bool = False
    lost: tuple[Slot, ...] = ()
    lost_count: int = 0


def judge(due: Iterable[Slot], now: datetime, missed: Missed) -> Verdict:
    """``due``: slots up to ``now`` that nobody has decided about, oldest first.

    Slots within the grace are served, all of them. When there is none and the rule wants it, the latest older one
    is made up for once, if it is not too old: after a week's outage a guest is started once, not seven times.
    """
    on_time: list[Slot] = []
    old: deque[Slot] = deque(maxlen=REMEMBERED + 1)
    count = 0
    for slot in due:
        if now - slot.at <= GRACE:
            on_time.append(slot)
        else:
            old.append(slot)
            count += 1
    made_up: tuple[Slot, ...] = ()
    if old and not on_time and missed.do != "skip" and now - old[-1].at <= timedelta(seconds=missed.within_s):
        made_up = (old.pop(),)
        count -= 1
    lost = tuple(old)[-REMEMBERED:]
    return Verdict(made_up or tuple(on_time), bool(made_up), lost, count)
