"""The fleet of polls against simulated hosts over real TLS, on an injected clock."""

import asyncio

import msgspec
import pytest
from sqlalchemy import select

from hosts_rig import ADMIN, Rig
from pharmq.hosts.forms import CredentialPatch, HostPatch
from pharmq.hosts.tables import proxmox_hosts
from pharmq.settings import RuntimeSettings
from pharmq_sim.testing import PASSWORD, SimFleet


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


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("refused", "refused"),
        ("hang", "timeout"),
        ("blackhole", "timeout"),
        ("reset", "unreachable"),
        ("changed_certificate", "certificate_changed"),
        ("credential_revoked", "credential_refused"),
        ("http_403", "permission_denied"),
        ("pmxcfs_down", "cluster_down"),
        ("http_5xx", "host_fault"),
        ("garbage_json", "protocol_error"),
        ("half_json", "protocol_error"),
        ("wrong_types", "protocol_error"),
    ],
)
async def test_every_fault_becomes_a_reason_and_passes(rig: Rig, fault: str, reason: str) -> None:
    rig.settings = RuntimeSettings(poll_interval_s=2)
    async with SimFleet(1, clock=rig.clock) as sim:
        row = await rig.add(sim[0])
        await rig.fleet.start()
        await rig.until(lambda: rig.inventory.view.of_host(row.id))
        sim[0].faults.set(fault)
        await rig.until(lambda: rig.directory.status(row.id) == "offline")
        assert rig.directory.state(row.id).reason == reason
        [offline] = await rig.history("host.offline")
        assert (offline.where.host_id, offline.params["reason"]) == (row.id, reason)
        # What was known of the guests stays.
        assert len(rig.inventory.view.of_host(row.id)) == 4
        sim[0].faults.clear()
        if reason == "credential_refused":
            await rig.hosts.change(ADMIN, row.id, HostPatch(credential_id=(await rig.credential()).id))
        await rig.until(lambda: rig.directory.status(row.id) == "online")
        assert [found.params["after"] for found in await rig.history("host.online")] == [reason]


async def test_a_refused_credential_is_not_tried_again_not_even_after_a_restart(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        shared = await rig.credential()
        row = await rig.add(sim[0], credential_id=shared.id)
        sim[0].faults.set("credential_revoked")
        await rig.fleet.start()
        await rig.until(lambda: rig.directory.state(row.id).reason == "credential_refused")
        asked = sim[0].requests
        await rig.clock.advance(600)
        assert rig.fleet.look_now([row.id]) == 0
        await rig.restart()
        await rig.fleet.start()
        assert rig.fleet.stats().paused == 1
        await rig.clock.advance(600)
        assert sim[0].requests == asked
        assert rig.directory.state(row.id).reason == "credential_refused"

        sim[0].faults.clear()
        await rig.hosts.credentials.change(ADMIN, shared.id, CredentialPatch(secret=PASSWORD))
        await rig.until(lambda: rig.directory.status(row.id) == "online")
        assert rig.fleet.stats().paused == 0


async def test_a_changed_certificate_gets_no_credential_until_it_is_pinned(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        row = await rig.add(sim[0])
        sim[0].faults.set("changed_certificate")
        asked = sim[0].requests
        await rig.fleet.start()
        await rig.until(lambda: rig.directory.state(row.id).reason == "certificate_changed")
        await rig.clock.advance(300)
        assert sim[0].requests == asked
        seen = rig.hosts.get(ADMIN, row.id).certificate.seen
        assert seen == sim[0].fingerprint != row.certificate.fingerprint
        assert (await rig.history("host.certificate_changed"))[0].params["seen"] == seen
        pinned = await rig.hosts.pin(ADMIN, row.id, seen or "")
        assert pinned.certificate.fingerprint == seen
        await rig.until(lambda: rig.directory.status(row.id) == "online")


async def test_hung_hosts_do_not_slow_the_others(rig: Rig) -> None:
    async with SimFleet(6, clock=rig.clock) as sim:
        pharmacy = (await rig.pharmacy()).id
        rows = [await rig.add(host, pharmacy) for host in sim.hosts]
        for host in sim.hosts[:4]:
            host.faults.set("hang")
        rig.clients.limit_handshakes(2)
        await rig.fleet.start()
        await rig.until(lambda: all(rig.directory.status(row.id) == "offline" for row in rows[:4]), step=0.05)
        healthy, before = rows[4:], rig.clock.monotonic()
        counts = {row.id: rig.fleet.counts(row.id).ok for row in healthy}
        await rig.until(lambda: rig.clock.monotonic() >= before + 60)
        for row in healthy:
            assert 5 <= rig.fleet.counts(row.id).ok - counts[row.id] <= 7
            assert rig.fleet.counts(row.id).failed == 0
            assert rig.directory.status(row.id) == "online"
        for row in rows[:4]:
            assert rig.fleet.counts(row.id).failed <= 8


async def test_hosts_come_and_go_while_it_runs(rig: Rig) -> None:
    async with SimFleet(2, clock=rig.clock) as sim:
        await rig.fleet.start()
        pharmacy = (await rig.pharmacy()).id
        first, second = [await rig.add(host, pharmacy) for host in sim.hosts]
        await rig.until(lambda: rig.fleet.counts(second.id).ok and rig.fleet.counts(first.id).ok)
        await rig.hosts.remove(ADMIN, first.id, force=True)
        assert rig.fleet.stats().hosts == 1
        asked = sim[0].requests
        before = rig.fleet.counts(second.id).ok
        await rig.until(lambda: rig.fleet.counts(second.id).ok > before + 3)
        assert sim[0].requests == asked
        assert not rig.inventory.view.of_host(first.id)


async def test_after_an_action_one_guest_is_asked_at_once(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        row = await rig.add(sim[0])
        await rig.fleet.start()
        await rig.until(lambda: rig.inventory.view.of_host(row.id))
        guest = sim[0].world.guests[100]
        guest.running, guest.pid = False, 0
        before = rig.clock.monotonic()
        assert rig.fleet.look_now([row.id], 100) == 1

        def status() -> str:
            vm = rig.inventory.view.at(row.id, 100)
            return vm.status if vm else ""

        await rig.until(lambda: status() == "stopped", step=0.01)
        assert rig.clock.monotonic() - before < 1.0
        # Polls that still carry the old state, as resources lag, do not bring it back.
        ok = rig.fleet.counts(row.id).ok
        rig.fleet.look_now([row.id])
        await rig.until(lambda: rig.fleet.counts(row.id).ok > ok, step=0.01)
        assert status() == "stopped"


async def test_slow_questions_bring_configuration_and_addresses_one_per_cycle(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        row = await rig.add(sim[0])
        await rig.fleet.start()

        def known() -> bool:
            vms = rig.inventory.view.of_host(row.id)
            return len(vms) == 4 and vms[100].ip is not None and vms[200].ip is not None and vms[102].agent is not None

        await rig.until(known, step=0.5)
        vms = rig.inventory.view.of_host(row.id)
        assert (vms[100].ip, vms[100].ip_source) == ("192.168.0.100", "agent")
        assert (vms[200].ip, vms[200].ip_source) == ("192.168.0.200", "lxc")
        assert vms[101].ip is None
        assert (vms[100].console, vms[100].agent, vms[101].agent) == ("vnc", True, False)
        polls = rig.fleet.counts(row.id).ok
        asked = sim[0].requests
        await rig.until(lambda: rig.fleet.counts(row.id).ok >= polls + 5, step=0.5)
        assert sim[0].requests - asked <= 2 * 6


async def test_silent_agents_are_left_alone_for_longer_and_longer(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        sim[0].world.guests[100].agent = "silent"
        row = await rig.add(sim[0])
        await rig.fleet.start()
        await rig.until(lambda: rig.inventory.view.at(row.id, 100) and rig.fleet.counts(row.id).ok > 9, step=0.5)
        assert rig.directory.status(row.id) == "online"
        assert (vm := rig.inventory.view.at(row.id, 100)) is not None
        assert vm.ip is None


async def test_times_of_checks_are_written_once_a_minute_and_survive(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        row = await rig.add(sim[0])
        await rig.hosts.start()
        await rig.fleet.start()

        async def stored() -> object:
            async with rig.db.read() as conn:
                return await conn.scalar(select(proxmox_hosts.c.last_contact))

        first = await stored()
        await rig.until(lambda: rig.fleet.counts(row.id).ok >= 3)
        assert await stored() == first
        await rig.until(lambda: rig.clock.monotonic() > 62, step=0.5)
        assert await stored() != first
        await rig.restart()
        again = rig.hosts.get(ADMIN, row.id)
        assert (again.status, again.version, again.node) == ("online", "9.2.11", "pve")
        assert again.last_contact is not None


async def test_looking_now_again_and_again_does_not_multiply_polls(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        row = await rig.add(sim[0])
        await rig.fleet.start()
        await rig.until(lambda: rig.fleet.counts(row.id).ok)
        before, asked = rig.clock.monotonic(), rig.fleet.counts(row.id).ok
        while rig.clock.monotonic() < before + 10:
            rig.fleet.look_now([row.id])
            await asyncio.sleep(0.05)  # a poll is real I/O
            await rig.clock.advance(0.2)
        assert 2 <= rig.fleet.counts(row.id).ok - asked <= 6


async def test_an_unreadable_credential_is_the_hosts_state_and_ends_nothing(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        row = await rig.add(sim[0])
        rig.clients.keep(row.id, b"\x01damaged")
        rig.directory.put_host(
            msgspec.structs.replace(rig.directory.host(row.id), credential_revision=9)  # type: ignore[type-var]
        )
        await rig.fleet.start()
        await rig.until(lambda: rig.directory.state(row.id).reason == "credential_unreadable")
        assert rig.fleet.stats().hosts == 1
