"""Polls in, rows, events and view out."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from inventory_cast import ADMIN, NOBODY, OF_GANGNAM, OF_SEOUL, answer, guest
from pharmq.access import SYSTEM
from pharmq.base.clock import ManualClock
from pharmq.base.errors import Conflict, Forbidden, Invalid, NotFound
from pharmq.db import Database
from pharmq.inventory import InventoryService, VmFilter
from pharmq.inventory import service as inventory_service
from pharmq.inventory.forms import VmPatch
from pharmq.inventory.service import FLUSH_EVERY
from pharmq.inventory.tables import vm_inventory
from pharmq.journal import Journal
from pharmq.pve import Address, Current, GuestConfig, Interface
from pharmq.settings import KIND_RULES, KindRule

CONFIG = GuestConfig(
    name="POS-1", description="till", tags=(), cores=2, sockets=1, memory_mb=4096, vga=None, serial=False, agent=True,
    onboot=True, template=False, lock=None, smbios_uuid="AAAA", vmgenid=None, ctime=100, digest=None, raw={},
)  # fmt: skip


async def kinds(journal: Journal, db: Database) -> list[str]:
    async with db.read() as conn:
        return [row.kind for row in await journal.read(conn, 0)]


async def test_first_poll_fills_rows_view_and_one_event(
    inventory: InventoryService, db: Database, journal: Journal, clock: ManualClock
) -> None:
    await inventory.apply(1, answer(guest(100, "POS-1"), guest(101, "KIOSK-1", "stopped")), began=1.0)
    vm = inventory.view.at(1, 100)
    assert vm is not None
    assert (vm.id > 0, vm.name, vm.kind, vm.status, vm.memory_mb, vm.disk_gb) == (
        True,
        "POS-1",
        "pos",
        "running",
        4096,
        32.0,
    )
    assert inventory.view.sample(vm.id).cpu == 0.25
    assert await kinds(journal, db) == ["vm.added"]
    again = InventoryService(db, journal, inventory.directory, clock)
    await again.load()
    assert again.view.get(vm.id) == vm


async def test_an_unchanged_poll_writes_nothing(
    inventory: InventoryService, db: Database, journal: Journal, clock: ManualClock
) -> None:
    await inventory.apply(1, answer(guest(100, "POS-1")), began=1.0)
    async with db.read() as conn:
        before = (await conn.execute(select(vm_inventory))).all()
    await clock.advance(10)
    await inventory.apply(1, answer(guest(100, "POS-1", cpu=0.5)), began=2.0)
    async with db.read() as conn:
        assert (await conn.execute(select(vm_inventory))).all() == before
    vm = inventory.view.at(1, 100)
    assert vm is not None
    assert inventory.view.sample(vm.id).cpu == 0.5
    assert inventory.view.synced(vm) == clock.now()
    assert await kinds(journal, db) == ["vm.added"]


async def test_an_empty_answer_marks_missing_only_when_confirmed_and_as_one_event(
    inventory: InventoryService, db: Database, journal: Journal
) -> None:
    await inventory.apply(1, answer(guest(100, "POS-1"), guest(101, "KIOSK-1")), began=1.0)
    await inventory.apply(1, answer(), began=2.0)
    assert inventory.view.missing == set()
    await inventory.apply(1, answer(), began=3.0)
    assert len(inventory.view.missing) == 2
    await inventory.apply(1, answer(guest(100, "POS-1"), guest(101, "KIOSK-1")), began=4.0)
    assert inventory.view.missing == set()
    assert await kinds(journal, db) == ["vm.added", "vm.missing", "vm.returned"]


async def test_an_empty_answer_between_two_full_ones_is_forgotten(inventory: InventoryService) -> None:
    full = answer(guest(100, "POS-1"))
    for began, poll in enumerate((full, answer(), full, answer())):
        await inventory.apply(1, poll, began=float(began))
    assert inventory.view.missing == set()


async def test_an_older_poll_is_dropped(inventory: InventoryService) -> None:
    await inventory.apply(1, answer(guest(100, "POS-1", "stopped")), began=5.0)
    await inventory.apply(1, answer(guest(100, "POS-1", "running")), began=4.0)
    vm = inventory.view.at(1, 100)
    assert vm is not None
    assert vm.status == "stopped"


async def test_status_current_holds_against_polls_that_lag(
    inventory: InventoryService, db: Database, journal: Journal
) -> None:
    await inventory.apply(1, answer(guest(100, "POS-1")), began=1.0)
    await inventory.apply_current(1, 100, Current(status="stopped", qmpstatus="stopped"), began=2.0)
    for began in (3.0, 14.0):
        await inventory.apply(1, answer(guest(100, "POS-1", "running")), began=began)
        vm = inventory.view.at(1, 100)
        assert vm is not None
        assert vm.status == "stopped"
    await inventory.apply(1, answer(guest(100, "POS-1", "running")), began=15.5)
    vm = inventory.view.at(1, 100)
    assert vm is not None
    assert vm.status == "running"
    assert await kinds(journal, db) == ["vm.added", "vm.status", "vm.status"]


async def test_a_reused_vmid_inherits_nothing(inventory: InventoryService, db: Database, journal: Journal) -> None:
    await inventory.apply(1, answer(guest(100, "POS-1")), began=1.0)
    first = await inventory.apply_config(1, 100, CONFIG)
    assert first is not None
    await inventory.edit(ADMIN, first.id, VmPatch(vm_type="server", description="mine", ip_address="192.168.0.9"))
    second = await inventory.apply_config(1, 100, replace_config(ctime=200, smbios_uuid="BBBB"))
    assert second is not None
    assert second.id > first.id
    assert (second.kind, second.kind_source, second.description, second.ip) == ("pos", "rule", "till", None)
    with pytest.raises(NotFound):
        inventory.vm(ADMIN, first.id)
    assert await kinds(journal, db) == ["vm.added", "vm.edited", "vm.replaced", "vm.added"]
    async with db.read() as conn:
        assert await conn.scalar(select(func.count()).where(vm_inventory.c.ended_at.is_not(None))) == 1


def replace_config(**changes: object) -> GuestConfig:
    return CONFIG._replace(**changes)  # type: ignore[arg-type]


async def test_overrides_by_hand_survive_polls_and_can_be_given_back(inventory: InventoryService) -> None:
    await inventory.apply(1, answer(guest(100, "POS-1")), began=1.0)
    vm = await inventory.apply_config(1, 100, CONFIG)
    assert vm is not None
    await inventory.edit(ADMIN, vm.id, VmPatch(vm_type="kiosk", description="note", ip_address="192.168.0.9"))
    await inventory.apply(1, answer(guest(100, "POS-7", tags="server")), began=2.0)
    await inventory.apply_config(1, 100, CONFIG)
    await inventory.apply_addresses(1, 100, [Interface("eth0", "", (Address("10.9.9.9", "ipv4", 24),))], "agent")
    kept = inventory.view.at(1, 100)
    assert kept is not None
    assert (kept.name, kept.kind, kept.description, kept.ip) == ("POS-7", "kiosk", "note", "192.168.0.9")
    back = await inventory.edit(ADMIN, vm.id, VmPatch(vm_type=None, description=None, ip_address=None))
    assert (back.kind, back.kind_source, back.description, back.ip) == ("server", "tag", "", None)
    assert [due.vmid for due in inventory.configs_due(1)] == [100]


async def test_purge_only_what_is_missing(inventory: InventoryService, db: Database, journal: Journal) -> None:
    await inventory.apply(1, answer(guest(100, "POS-1"), guest(101, "A")), began=1.0)
    vm = inventory.view.at(1, 101)
    assert vm is not None
    with pytest.raises(Conflict):
        await inventory.purge(ADMIN, vm.id)
    await inventory.apply(1, answer(guest(100, "POS-1")), began=2.0)
    await inventory.purge(ADMIN, vm.id)
    assert inventory.view.at(1, 101) is None
    assert await kinds(journal, db) == ["vm.added", "vm.missing", "vm.purged"]


async def test_what_one_may_not_see_is_not_found_and_bad_input_names_its_field(inventory: InventoryService) -> None:
    await inventory.apply(1, answer(guest(100, "POS-1")), began=1.0)
    await inventory.apply(2, answer(guest(100, "POS-1")), began=1.0)
    here, there = inventory.view.at(1, 100), inventory.view.at(2, 100)
    assert here is not None
    assert there is not None
    assert here.id != there.id
    for actor in (NOBODY, OF_GANGNAM, OF_SEOUL):
        with pytest.raises(NotFound):
            inventory.vm(actor, there.id)
    assert inventory.vm(OF_GANGNAM, here.id) == here
    with pytest.raises(Forbidden):
        await inventory.edit(OF_GANGNAM, here.id, VmPatch(description="x"))
    with pytest.raises(NotFound):
        inventory.resolve(OF_SEOUL, [(1, 100), (2, 100)])
    assert inventory.matching(OF_SEOUL, VmFilter()) == [here]
    assert inventory.matching(NOBODY, VmFilter()) == []
    with pytest.raises(NotFound):
        inventory.vm(ADMIN, 2**70)
    for text in ("300.1.1.1", "", "fe80::1%\x00", "10.0.0.1/24"):
        with pytest.raises(Invalid) as refused:
            await inventory.edit(ADMIN, here.id, VmPatch(ip_address=text))
        assert list(refused.value.fields) == ["ip_address"]


async def test_counts_lists_and_host_states_agree(inventory: InventoryService) -> None:
    await inventory.apply(1, answer(guest(100, "POS-1"), guest(101, "KIOSK", "paused")), began=1.0)
    await inventory.apply(2, answer(guest(100, "POS-2")), began=1.0)
    offline = replace(inventory.directory.state(2), reason="timeout")
    inventory.directory.put_state(2, offline)
    summary = inventory.select.summary(ADMIN)
    assert (summary.vms.total, summary.vms.running, summary.vms.suspended) == (3, 2, 1)
    assert (summary.vms.running_confirmed, summary.vms.running_last_known) == (1, 1)
    assert (summary.hosts.online, summary.hosts.offline, summary.hosts.reasons) == (2, 1, {"timeout": 1})
    assert summary.vms.types == {"kiosk": 1, "pos": 2}
    assert summary.pharmacies.total == 2
    assert summary.pharmacies.offline == 1
    listed = inventory.matching(ADMIN, VmFilter(host_status=("offline",)))
    assert [vm.name for vm in listed] == ["POS-2"]
    mine = inventory.select.summary(OF_GANGNAM)
    assert (mine.vms.total, mine.hosts.total, mine.pharmacies.total) == (2, 1, 1)
    assert inventory.select.summary(NOBODY).vms.total == 0
    inventory.directory.drop_host(2)
    assert inventory.select.summary(ADMIN).vms.total == 2


@pytest.mark.parametrize("stopping", [True, False])
async def test_last_sync_is_written_now_and_then_and_at_the_end(
    inventory: InventoryService, db: Database, clock: ManualClock, stopping: bool
) -> None:
    await inventory.start()
    await inventory.apply(1, answer(guest(100, "POS-1")), began=1.0)
    await clock.advance(30)
    seen = clock.now()
    await inventory.apply(1, answer(guest(100, "POS-1")), began=601.0)
    if stopping:
        await inventory.aclose()
    else:
        await clock.advance(FLUSH_EVERY)
    for _ in range(3000):
        async with db.read() as conn:
            if await conn.scalar(select(vm_inventory.c.last_sync)) == seen:
                break
        await asyncio.sleep(0.01)
    else:
        pytest.fail("the time of the last poll was not written")
    await inventory.aclose()


async def test_those_that_went_away_are_written_first(
    inventory: InventoryService, db: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory_service, "FLUSH_AT_MOST", 1)
    for host in (1, 2, 3):
        await inventory.apply(host, answer(guest(100, "A")), began=1.0)
    await clock.advance(30)
    for host in (1, 2, 3):
        await inventory.apply(host, answer(guest(100, "A")), began=31.0)
    inventory.directory.put_state(2, replace(inventory.directory.state(2), reason="timeout"))
    await inventory.flush()
    async with db.read() as conn:
        written = await conn.scalars(
            select(vm_inventory.c.proxmox_host_id).where(vm_inventory.c.last_sync == clock.now())
        )
        assert list(written) == [2]


async def test_hosts_count_every_guest_but_no_template_is_missed_at_the_counter(inventory: InventoryService) -> None:
    await inventory.apply(1, answer(guest(100, "POS-1"), guest(900, "POS-template", "stopped", template=1)), began=1.0)
    facts = inventory.guest_facts(1)
    assert [(fact.name, fact.kind) for fact in facts] == [("POS-1", "pos"), ("POS-template", "other")]
    assert inventory.select.summary(ADMIN).vms.total == len(facts)


async def test_sync_asks_for_visible_hosts_only(inventory: InventoryService) -> None:
    asked: list[int] = []
    inventory.look_now = asked.extend
    assert (inventory.sync(OF_GANGNAM), asked) == (1, [1])
    assert inventory.sync(SYSTEM) == 3


async def test_configurations_due(inventory: InventoryService, clock: ManualClock) -> None:
    await inventory.apply(1, answer(guest(100, "POS-1"), guest(102)), began=1.0)
    assert [due.vmid for due in inventory.configs_due(1)] == [100]
    await inventory.apply_config(1, 100, CONFIG)
    assert inventory.configs_due(1) == []
    await clock.advance(timedelta(hours=7).total_seconds())
    assert [due.vmid for due in inventory.configs_due(1)] == [100]


async def test_changed_rules_reach_known_guests_of_silent_hosts_but_not_what_a_person_said(
    inventory: InventoryService, db: Database, journal: Journal, clock: ManualClock
) -> None:
    guests = (guest(100, "POS-1"), guest(101, "TILL-1"), guest(102, "TILL-2"), guest(103, "TILL-3", tags="server"))
    await inventory.apply(1, answer(*guests), began=1.0)
    await inventory.edit(ADMIN, inventory.view.at(1, 102).id, VmPatch(vm_type="kiosk"))
    inventory.use_kinds((KindRule("pos", ("till",)), *KIND_RULES))
    for _ in range(3000):
        if inventory.view.at(1, 101).kind == "pos":
            break
        await asyncio.sleep(0.01)
    found = {vm.vmid: (vm.kind, vm.kind_source) for vm in inventory.view.of_host(1).values()}
    assert found == {100: ("pos", "rule"), 101: ("pos", "rule"), 102: ("kiosk", "hand"), 103: ("server", "tag")}
    async with db.read() as conn:
        changed = [row for row in await journal.read(conn, 0) if row.kind == "vm.changed"]
    assert [row.params["fields"] for row in changed] == [{"vm_type": ["other", "pos"]}]
    again = InventoryService(db, journal, inventory.directory, clock, KIND_RULES)
    await again.load()
    await again.start()
    for _ in range(3000):
        if again.view.at(1, 101).kind == "other":
            break
        await asyncio.sleep(0.01)
    assert again.view.at(1, 101).kind == "other"
    await again.aclose()
