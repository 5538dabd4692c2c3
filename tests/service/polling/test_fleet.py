"""The fleet of polls against simulated hosts over real TLS, on an injected clock."""

from hosts_rig import ADMIN, Rig
from pharmq_sim.testing import SimFleet


async def test_a_host_that_was_added_is_polled_into_the_inventory(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        await rig.fleet.start()
        row = await rig.add(sim[0])
        assert (row.status, row.node, row.version) == ("online", "pve", "9.2.11")
        await rig.until(lambda: len(rig.inventory.view.of_host(row.id)) == 4)
        vms = rig.inventory.view.of_host(row.id)
        assert {vmid: (vm.name, vm.status) for vmid, vm in vms.items()} == {
            100: ("POS-1", "running"),
            101: ("KIOSK-1", "running"),
            102: ("SERVER", "stopped"),
            200: ("BACKUP", "running"),
        }
        assert rig.hosts.get(ADMIN, row.id).vm_count == 4
