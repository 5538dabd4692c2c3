"""Guests in and out of both databases."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from inventory_cast import ADMIN, OF_GANGNAM, answer, fill_database, guest, make_directory
from pharmq.audit import AuditService
from pharmq.audit.wanted import EventFilter
from pharmq.base.clock import ManualClock
from pharmq.db import Database
from pharmq.hosts.directory import Directory
from pharmq.hosts.tables import proxmox_hosts
from pharmq.inventory import InventoryService, View
from pharmq.inventory import store as rows
from pharmq.inventory.diff import new_vm
from pharmq.inventory.forms import VmPatch
from pharmq.inventory.rules import Kinds
from pharmq.journal import Journal


@pytest.fixture
async def directory(db: Database) -> Directory:
    made = make_directory()
    await fill_database(db, made, ManualClock().now())
    return made


async def test_rows_come_back_as_they_went(db: Database, directory: Directory) -> None:
    clock = ManualClock()
    bare = new_vm(1, guest(100), clock.now(), Kinds())
    whole = replace(
        new_vm(1, guest(101, "POS-1", tags="b;a", lock="backup"), clock.now(), Kinds()),
        ip="2001:db8::1",
        ip_source="agent",
        description="여러 줄\n설명",
        onboot=True,
        agent=False,
        console="none",
        identity="aa/1",
        config_at=clock.now(),
        missing_since=clock.now(),
    )
    async with db.transaction() as tx:
        ids = await tx.conn.run_sync(rows.add, [bare, whole])
    assert ids == sorted(ids)
    stored = [replace(bare, id=ids[0]), replace(whole, id=ids[1])]
    async with db.read() as conn:
        assert sorted(await rows.living(conn), key=lambda vm: vm.id) == stored
    changed = replace(stored[1], name="다른 이름", tags=(), missing_since=None, status="stopped")
    async with db.transaction() as tx:
        await tx.conn.run_sync(rows.save, [changed, replace(stored[0], ended_at=clock.now())])
        await rows.synced(tx.conn, {1: clock.now() + timedelta(minutes=5), 2: clock.now()})
    async with db.read() as conn:
        assert await rows.living(conn) == [replace(changed, last_sync=clock.now() + timedelta(minutes=5))]


async def test_a_vmid_lives_once_per_host_and_ids_are_never_used_again(db: Database, directory: Directory) -> None:
    clock = ManualClock()
    vm = new_vm(1, guest(100, "A"), clock.now(), Kinds())
    async with db.transaction() as tx:
        first = (await tx.conn.run_sync(rows.add, [vm]))[0]
    with pytest.raises(IntegrityError):
        async with db.transaction() as tx:
            await tx.conn.run_sync(rows.add, [vm])
    async with db.transaction() as tx:
        await tx.conn.run_sync(rows.save, [replace(vm, id=first, ended_at=clock.now())])
        second = (await tx.conn.run_sync(rows.add, [vm]))[0]
        await tx.conn.execute(delete(proxmox_hosts).where(proxmox_hosts.c.id == 1))
    async with db.transaction() as tx:
        third = (await tx.conn.run_sync(rows.add, [replace(vm, host_id=2)]))[0]
    assert first < second < third
    async with db.read() as conn:
        assert [vm.id for vm in await rows.living(conn)] == [third]


async def test_a_poll_for_a_host_removed_meanwhile_leaves_nothing(db: Database, directory: Directory) -> None:
    clock = ManualClock()
    journal = Journal(clock)
    inventory = InventoryService(db, journal, directory, clock)
    async with db.transaction() as tx:
        await tx.conn.execute(delete(proxmox_hosts).where(proxmox_hosts.c.id == 1))
        tx.after_commit(lambda: None)
    with pytest.raises(IntegrityError):
        await inventory.apply(1, answer(guest(100, "A")), began=1.0)
    directory.drop_host(1)
    await inventory.apply(1, answer(guest(100, "A")), began=2.0)
    assert len(inventory.view) == 0
    async with db.read() as conn:
        assert await journal.read(conn, 0) == []


async def test_the_whole_way_on_each_database(db: Database, directory: Directory) -> None:
    clock = ManualClock()
    journal = Journal(clock)
    inventory = InventoryService(db, journal, directory, clock)
    await inventory.apply(1, answer(guest(100, "POS-1"), guest(101, "키오스크")), began=1.0)
    await inventory.apply(2, answer(guest(100, "POS-1")), began=1.0)
    await inventory.apply(1, answer(guest(100, "POS-1", "stopped")), began=2.0)
    here = inventory.view.at(1, 100)
    assert here is not None
    await inventory.edit(ADMIN, here.id, VmPatch(vm_type="server"))
    await inventory.flush()
    again = InventoryService(db, journal, directory, clock)
    await again.load()
    assert {vm.id: vm for vm in map(again.view.get, again.view.all_ids()) if vm} == {
        vm.id: vm for vm in map(inventory.view.get, inventory.view.all_ids()) if vm
    }
    audit = AuditService(db, journal, directory, View(directory))
    seen, _ = await audit.page(ADMIN, EventFilter(kind=("vm.*",)), None, 100)
    assert [row.kind for row in seen] == ["vm.edited", "vm.missing", "vm.status", "vm.added", "vm.added"]
    assert len((await audit.page(OF_GANGNAM, EventFilter(kind=("vm.*",)), None, 100))[0]) == 4
    assert [row.kind for row in (await audit.page(ADMIN, EventFilter(vm_id=(here.id,)), seen[0].seq, 1))[0]] == [
        "vm.status"
    ]
