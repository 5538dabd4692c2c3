"""When a guest that its host no longer lists is forgotten by itself, against simulated hosts."""

import asyncio
from datetime import timedelta

from hosts_rig import ADMIN, SYSTEM, Rig
from pharmq.base.clock import SystemClock
from pharmq.inventory.forms import VmPatch
from pharmq.settings import RuntimeSettings
from pharmq_sim.host import SimHost
from pharmq_sim.testing import SimFleet

DAYS = 7


def delete(host: SimHost, vmid: int) -> None:
    """The host's own clock stands beside ours, which leaps by days: what it publishes is brought up to date."""
    del host.world.guests[vmid]
    host.published.publish(host.world, host.epoch())


async def test_a_deleted_vm_is_forgotten_after_so_many_days_and_not_before(rig: Rig) -> None:
    rig.settings = RuntimeSettings(poll_interval_s=3600, purge_missing_days=DAYS)
    async with SimFleet(1, clock=SystemClock()) as sim:
        await rig.fleet.start()
        row = await rig.add(sim[0])
        await rig.until(lambda: len(rig.inventory.view.of_host(row.id)) == 4, step=60, limit=1e6)
        vm = rig.inventory.view.of_host(row.id)[102]
        await rig.inventory.edit(ADMIN, vm.id, VmPatch(description="프린터 서버"))
        delete(sim[0], 102)
        gone = rig.inventory.view.get
        await rig.until(lambda: gone(vm.id).missing_since is not None, step=600, limit=1e6)  # type: ignore[union-attr]
        missed = gone(vm.id).missing_since  # type: ignore[union-attr]
        await rig.until(lambda: rig.clock.now() >= missed + timedelta(days=DAYS - 1), step=7200, limit=1e9)
        assert gone(vm.id).description == "프린터 서버"  # type: ignore[union-attr]
        await rig.until(lambda: gone(vm.id) is None, step=3600, limit=3 * 86400)
        assert rig.clock.now() >= missed + timedelta(days=DAYS)
        [purged] = await rig.history("vm.purged")
        assert (purged.where.vm_id, purged.params["vmid"], purged.params["days"]) == (vm.id, 102, DAYS)
        assert purged.who.kind == SYSTEM.kind
        assert len(rig.inventory.view.of_host(row.id)) == 3


async def test_a_host_that_merely_shows_less_loses_nothing(rig: Rig) -> None:
    rig.settings = RuntimeSettings(poll_interval_s=3600, purge_missing_days=1)
    async with SimFleet(1, clock=SystemClock()) as sim:
        await rig.fleet.start()
        row = await rig.add(sim[0])
        await rig.until(lambda: len(rig.inventory.view.of_host(row.id)) == 4, step=60, limit=1e6)
        sim[0].faults.set("acl_lost")
        await rig.until(
            lambda: all(vm.missing_since for vm in rig.inventory.view.of_host(row.id).values()), step=600, limit=1e6
        )
        asked = sim[0].requests
        await rig.until(lambda: sim[0].requests > asked + 50, step=3600, limit=1e9)
        assert rig.inventory.gone_due(row.id, 1)
        assert len(rig.inventory.view.of_host(row.id)) == 4
        assert await rig.history("vm.purged") == []
        sim[0].faults.clear()
        await rig.until(
            lambda: not any(vm.missing_since for vm in rig.inventory.view.of_host(row.id).values()), step=600, limit=1e6
        )


async def test_nothing_is_forgotten_unless_asked_for_nor_while_a_host_is_away(rig: Rig) -> None:
    rig.settings = RuntimeSettings(poll_interval_s=3600)
    async with SimFleet(1, clock=SystemClock()) as sim:
        await rig.fleet.start()
        row = await rig.add(sim[0])
        await rig.until(lambda: len(rig.inventory.view.of_host(row.id)) == 4, step=60, limit=1e6)
        delete(sim[0], 102)
        vm = rig.inventory.view.of_host(row.id)[102]
        await rig.until(lambda: rig.inventory.view.get(vm.id).missing_since, step=600, limit=1e6)  # type: ignore[union-attr]
        await rig.clock.advance(400 * 86400)
        asked = sim[0].requests
        await rig.until(lambda: sim[0].requests > asked + 5, step=600, limit=1e9)
        assert rig.inventory.view.get(vm.id) is not None
        sim[0].faults.set("refused")
        await rig.until(lambda: rig.directory.status(row.id) == "offline", step=600, limit=1e6)
        rig.settings = RuntimeSettings(poll_interval_s=3600, purge_missing_days=1)
        for _ in range(10):
            await rig.clock.advance(3600)
            await asyncio.sleep(0.02)
        assert rig.inventory.view.get(vm.id) is not None
