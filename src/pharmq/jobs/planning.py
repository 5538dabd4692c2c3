"""What a submission would do to which guest, by what the inventory shows now."""

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from pharmq.access import Actor, Scope, allows
from pharmq.base.errors import Invalid, NotFound
from pharmq.inventory.model import VmFilter
from pharmq.jobs.model import (
    MAX_ITEMS,
    PRIVILEGES,
    Decision,
    DryRun,
    Item,
    PlannedItem,
    Target,
    Verb,
    VmRef,
)
from pharmq.jobs.options import PLAIN, JobOptions
from pharmq.jobs.permission import require_each
from pharmq.jobs.plan import plan
from pharmq.jobs.waves import Place, arrange


class Targets(Protocol):
    """Guests as jobs see them; ``InventoryTargets`` is the real one, tests have a hand-written one."""

    def named(self, actor: Actor, refs: Sequence[VmRef]) -> list[Target]:
        """Raises NotFound for one that does not exist or may not be seen."""
        ...

    def matching(self, actor: Actor, wanted: VmFilter) -> list[Target]:
        """Those the actor may see."""
        ...

    def scope(self, item: Item) -> Scope:
        """The guest of an item with its ancestors as they are now; never fails."""
        ...

    def members(self, group_id: int) -> Collection[int]:
        """Pharmacies in a group now."""
        ...

    def open_now(self, pharmacy_id: int) -> bool: ...


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants done. Either ``vms`` or ``wanted`` names the guests.

    For what runs later in somebody's name: ``lenient`` leaves out named guests that are gone and skips those that
    may not be acted upon, and ``pharmacies`` keeps only the guests of these.
    """

    verb: Verb
    vms: tuple[VmRef, ...] | None = None
    wanted: VmFilter | None = None
    force: bool = False
    timeout_s: int | None = None
    options: JobOptions = PLAIN
    lenient: bool = False
    pharmacies: frozenset[int] | None = None


class Planned(msgspec.Struct, frozen=True):
    """Guests with what would be done to each, and their places in waves and order."""

    targets: list[tuple[Target, Decision]]
    places: list[Place]

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def skipped(self) -> int:
        return sum(decision.plan == "skip" for _, decision in self.targets)


def planned(targets: Targets, actor: Actor, order: Order) -> Planned:
    """Raises NotFound or Forbidden (whole) when a named guest may not be seen or acted upon, Invalid when nothing is
    named, too much is, or the verb lacks what it needs; guests of a filter that may not be acted upon are skipped."""
    _check(order)
    found = [(target, _decision(actor, target, order)) for target in _targets(targets, actor, order)]
    if len(found) > MAX_ITEMS:
        raise Invalid("job.too_many", params={"count": len(found), "limit": MAX_ITEMS})
    return Planned(found, arrange(found, order.options))


def dry_run(targets: Targets, plans: Planned) -> DryRun:
    open_now = {
        pharmacy_id: targets.open_now(pharmacy_id) for pharmacy_id in {each.pharmacy_id for each, _ in plans.targets}
    }
    touched = {target.pharmacy_id for target, decision in plans.targets if decision.plan == "do"}
    return DryRun(
        [
            _row(target, decision, place, is_open=open_now[target.pharmacy_id])
            for (target, decision), place in zip(plans.targets, plans.places, strict=True)
        ],
        sum(open_now[pharmacy_id] for pharmacy_id in touched),
    )


def _check(order: Order) -> None:
    if (order.vms is None) == (order.wanted is None):
        raise Invalid("job.targets")
    if order.verb in ("snapshot", "rollback", "snapshot_delete") and order.options.snapshot is None:
        raise Invalid("job.needs_snapshot")


def _targets(targets: Targets, actor: Actor, order: Order) -> list[Target]:
    if order.vms is None:
        assert order.wanted is not None
        found = targets.matching(actor, order.wanted)
    else:
        refs = list(dict.fromkeys(order.vms))
        found = _those_left(targets, actor, refs) if order.lenient else targets.named(actor, refs)
        if not order.lenient:
            require_each(actor, PRIVILEGES[order.verb], found)
    if order.pharmacies is None:
        return found
    return [target for target in found if target.pharmacy_id in order.pharmacies]


def _those_left(targets: Targets, actor: Actor, refs: Sequence[VmRef]) -> list[Target]:
    found = []
    for ref in refs:
        try:
            found += targets.named(actor, [ref])
        except NotFound:
            continue  # gone since it was named, or out of sight: there is nothing to act on
    return found


def _decision(actor: Actor, target: Target, order: Order) -> Decision:
    if not allows(actor, PRIVILEGES[order.verb], target.scope):
        return Decision("skip", "job.no_permission")
    return plan(target, order.verb, force=order.force)


def _row(target: Target, decision: Decision, place: Place, *, is_open: bool) -> PlannedItem:
    return PlannedItem(
        vm_id=target.vm_id,
        host_id=target.host_id,
        vmid=target.vmid,
        vm_name=target.vm_name,
        pharmacy_id=target.pharmacy_id,
        pharmacy_name=target.pharmacy_name,
        plan=decision.plan,
        reason=decision.reason,
        reason_params=decision.params,
        vm_type=target.kind,
        wave=place.wave,
        turn=place.turn,
        open=is_open,
    )
