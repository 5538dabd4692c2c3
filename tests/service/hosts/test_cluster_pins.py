"""A cluster behind one entry: two addresses, two certificates, one pin for each."""

import pytest

from hosts_rig import ADMIN, Rig
from pharmq.base.errors import Conflict, FieldError, Invalid
from pharmq.hosts.forms import HostPatch
from pharmq.pve import Guest
from pharmq_sim.testing import SimCluster


async def enrolled(rig: Rig, cluster: SimCluster) -> int:
    row = await rig.add(cluster[0], addresses=("127.0.0.2",), fingerprints=(cluster[1].fingerprint,))
    assert [pin.node for pin in row.certificate.nodes] == ["pve", "pve2"]
    assert row.certificate.fingerprint == cluster[0].fingerprint
    return row.id


async def polled(rig: Rig, host_id: int) -> set[str]:
    resources = await rig.moving(rig.clients.get(host_id).resources())
    return {row.node for row in resources.nodes}


async def test_every_nodes_certificate_is_confirmed_by_a_person(rig: Rig) -> None:
    async with SimCluster(rig.clock) as cluster:
        with pytest.raises(Conflict) as caught:
            await rig.add(cluster[0], addresses=("127.0.0.2",))
        assert caught.value.code == "host.fingerprint_unconfirmed"
        assert caught.value.params["address"] == "127.0.0.2"
        assert caught.value.params["fingerprint"] == cluster[1].fingerprint
        assert cluster[1].requests == 0
        [pharmacy] = rig.directory.pharmacies
        row = await rig.add(cluster[0], pharmacy.id, addresses=("127.0.0.2",), fingerprints=(cluster[1].fingerprint,))
        assert row.node == "pve"
        assert await polled(rig, row.id) == {"pve", "pve2"}


async def test_the_other_node_takes_over_under_its_own_pin(rig: Rig) -> None:
    async with SimCluster(rig.clock) as cluster:
        host_id = await enrolled(rig, cluster)
        await rig.restart()
        cluster[0].faults.set("refused")
        asked = cluster[1].requests
        assert await polled(rig, host_id) == {"pve", "pve2"}
        assert cluster[1].requests > asked
        upid = await rig.moving(rig.clients.get(host_id).power(Guest("pve2", "qemu", 102), "start"))
        assert (upid.type, upid.id) == ("qmstart", "102")


async def test_a_changed_node_is_pinned_alone_and_blocks_until_then(rig: Rig) -> None:
    async with SimCluster(rig.clock) as cluster:
        host_id = await enrolled(rig, cluster)
        first = cluster[0].fingerprint
        cluster[1].faults.set("changed_certificate")
        cluster[0].faults.set("refused")
        await rig.fleet.start()
        asked = cluster[1].requests
        await rig.until(lambda: rig.directory.state(host_id).reason == "certificate_changed")
        assert cluster[1].requests == asked
        cluster[0].faults.clear()
        seen = rig.hosts.get(ADMIN, host_id).certificate.seen
        assert seen == cluster[1].fingerprint
        row = await rig.hosts.pin(ADMIN, host_id, seen or "")
        assert {(pin.node, pin.fingerprint) for pin in row.certificate.nodes} == {("pve", first), ("pve2", seen)}
        assert row.certificate.fingerprint == first
        [pinned] = await rig.history("host.pinned")
        assert pinned.params["node"] == "pve2"
        assert pinned.params["before"] not in (first, seen, None)
        await rig.until(lambda: rig.directory.status(host_id) == "online")


async def test_an_address_that_goes_takes_its_pin_with_it(rig: Rig) -> None:
    async with SimCluster(rig.clock) as cluster:
        host_id = await enrolled(rig, cluster)
        row = await rig.moving(rig.hosts.change(ADMIN, host_id, HostPatch(addresses=())))
        assert [pin.fingerprint for pin in row.certificate.nodes] == [cluster[0].fingerprint]


async def test_other_nodes_keep_their_pins_while_the_first_is_silent(rig: Rig) -> None:
    async with SimCluster(rig.clock) as cluster:
        host_id = await enrolled(rig, cluster)
        cluster[0].faults.set("refused")
        patch = HostPatch(addresses=("127.0.0.2", "127.0.0.3"), force=True)
        row = await rig.moving(rig.hosts.change(ADMIN, host_id, patch))
        assert [pin.fingerprint for pin in row.certificate.nodes] == [cluster[0].fingerprint, cluster[1].fingerprint]


async def test_a_mistyped_further_address_is_named(rig: Rig) -> None:
    async with SimCluster(rig.clock) as cluster:
        host_id = await enrolled(rig, cluster)
        with pytest.raises(Invalid) as caught:
            await rig.hosts.change(ADMIN, host_id, HostPatch(addresses=("127.0.0.2", "10.0.0.300")))
        assert caught.value.fields == {"addresses": [FieldError("host.address_malformed", {"text": "10.0.0.300"})]}


async def test_a_console_goes_to_the_node_that_listens(rig: Rig) -> None:
    """The first node took the call; while its browser is on the way, another request went over to the second."""
    async with SimCluster(rig.clock) as cluster:
        host_id = await enrolled(rig, cluster)
        client = rig.clients.get(host_id)
        guest = Guest("pve", "qemu", 100)
        ticket = await rig.moving(client.vncproxy(guest))
        assert ticket.at is not None
        assert ticket.at.address == "127.0.0.1"
        client._preferred = 1
        stream = await rig.moving(client.open_websocket(guest, ticket))
        assert await rig.moving(stream.recv()) == b"RFB 003.008\n"
        await stream.close()
