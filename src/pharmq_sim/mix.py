"""Which hosts of the demo go wrong, and how: the same ones on every start. Pure."""

import random
from dataclasses import dataclass
from typing import Any

from pharmq_sim.faults import CATALOGUE, UnknownFault
from pharmq_sim.pharmacies import FEATURED
from pharmq_sim.plan import SEED

OFFLINE_SHARE = 0.15
SLOW_SHARE = 0.02
#: how hosts go offline, in turn: fifteen of them of a hundred
OFFLINE_MIX = (
    "blackhole",
    "refused",
    "hang",
    "changed_certificate",
    "credential_revoked",
    "blackhole",
    "hang",
    "refused",
    "blackhole",
    "credential_revoked",
    "changed_certificate",
    "blackhole",
    "hang",
    "blackhole",
    "refused",
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """``name`` set on the host with this index (from 0)."""

    index: int
    name: str
    params: dict[str, Any]
    offline: bool


def troubles(hosts: int, names: list[str] | None = None) -> list[Trouble]:
    """The default mix, or exactly the named faults on one host each (``["none"]``: no trouble at all).

    The pharmacies that are known by name stay well.
    """
    order = list(range(min(hosts, len(FEATURED)), hosts))
    random.Random(SEED).shuffle(order)
    if names is not None:
        wanted = [name for name in names if name != "none"]
        for name in wanted:
            if name not in CATALOGUE:
                raise UnknownFault(f"no fault {name!r}; there are: {', '.join(sorted(CATALOGUE))}")
        return [Trouble(index, name, {}, offline=False) for index, name in zip(order, wanted, strict=False)]
    offline = round(OFFLINE_SHARE * hosts)
    slow = round(SLOW_SHARE * hosts)
    found = [
        Trouble(index, OFFLINE_MIX[n % len(OFFLINE_MIX)], {}, offline=True) for n, index in enumerate(order[:offline])
    ]
    found += [Trouble(index, "latency", {"ms": 1500}, offline=False) for index in order[offline : offline + slow]]
    return found
