"""What the hosts' room writes comes back the same, on both databases."""

from datetime import UTC, datetime

import msgspec
import pytest
from sqlalchemy.exc import IntegrityError

from pharmq.db import Database
from pharmq.hosts import store
from pharmq.hosts.model import Host, HostState, Hours, Pharmacy, PharmacyGroup, Pin

NOW = datetime(2026, 11, 23, 1, 24, 0, 123456, tzinfo=UTC)
PHARMACY = Pharmacy(
    id=0,
    code="P-001",
    name="강남온누리약국",
    hours=Hours(mon=(("09:00", "13:00"), ("14:00", "19:00"))),
    closing_days=("2026-12-25",),
    note="공유기는\n계산대 아래",
)


def host(pharmacy_id: int, credential_id: int | None, revision: int = 1) -> Host:
    return Host(
        id=0,
        pharmacy_id=pharmacy_id,
        host_ip="10.0.0.5",
        addresses=("pve.example",),
        host_port=8006,
        node=None,
        credential_id=credential_id,
        credential_kind="password",
        username="root@pam",
        credential_revision=revision,
        pins=(Pin("AA:BB", NOW),),
    )


async def test_everything_round_trips(db: Database) -> None:
    state = HostState(reason="certificate_changed", reason_params={"seen": "CC"}, since=NOW, seen="CC")
    async with db.transaction() as tx:
        group = await store.insert_group(tx.conn, "서울", "region")
        draft = msgspec.structs.replace(PHARMACY, group_ids=(group,))
        pharmacy = await store.insert_pharmacy(tx.conn, draft, NOW)
        shared = await store.insert_set(tx.conn, "all", "password", "root@pam", NOW)
        await store.set_secret(tx.conn, shared, b"sealed")
        made = await store.insert_host(tx.conn, host(pharmacy.id, shared), state, pharmacy.name, NOW)
        await store.set_pins(tx.conn, made.id, made.pins, None, NOW)
        await store.set_password(tx.conn, made.id, b"own")
    async with db.read() as conn:
        found = await store.everything(conn)
        rows = await store.credential_rows(conn)
    assert found.groups == [PharmacyGroup(group, "서울", "region")]
    assert found.pharmacies == [pharmacy]
    assert found.hosts == [(made, state)]
    assert (found.sealed, found.sealed_sets) == ({made.id: b"own"}, {shared: b"sealed"})
    assert [(row.name, row.host_count) for row in rows] == [("all", 1)]


async def test_a_sets_revision_is_its_hosts_and_an_own_one_is_kept_apart(db: Database) -> None:
    async with db.transaction() as tx:
        pharmacy = await store.insert_pharmacy(tx.conn, PHARMACY, NOW)
        number = await store.insert_set(tx.conn, "all", "password", "root@pam", NOW)
        made = await store.insert_host(tx.conn, host(pharmacy.id, number), HostState(), pharmacy.name, NOW)
        stored = await store.credential_set(tx.conn, number)
        assert stored is not None
        await store.update_set(tx.conn, stored._replace(revision=7, username="ops@pve"), NOW)
    async with db.read() as conn:
        [(found, _)] = (await store.everything(conn)).hosts
        assert (found.credential_revision, found.username) == (7, "ops@pve")
        assert await store.own_revision(conn, made.id) == 1


async def test_check_times_are_written_together(db: Database) -> None:
    async with db.transaction() as tx:
        pharmacy = await store.insert_pharmacy(tx.conn, PHARMACY, NOW)
        made = await store.insert_host(tx.conn, host(pharmacy.id, None), HostState(reason=None), "x", NOW)
        await store.write_checks(tx.conn, [(made.id, NOW, None)])
        await store.write_checks(tx.conn, [])
    async with db.read() as conn:
        [(_, state)] = (await store.everything(conn)).hosts
    assert (state.online, state.last_check, state.last_contact) == (True, NOW, None)


async def test_one_address_once_and_groups_leave_with_the_pharmacy(db: Database) -> None:
    async with db.transaction() as tx:
        group = await store.insert_group(tx.conn, "서울", "region")
        draft = msgspec.structs.replace(PHARMACY, group_ids=(group,))
        pharmacy = await store.insert_pharmacy(tx.conn, draft, NOW)
        made = await store.insert_host(tx.conn, host(pharmacy.id, None), HostState(), "x", NOW)
    with pytest.raises(IntegrityError):
        async with db.transaction() as tx:
            await store.insert_host(tx.conn, host(pharmacy.id, None), HostState(), "x", NOW)
    with pytest.raises(IntegrityError):
        async with db.transaction() as tx:
            await store.delete_pharmacy(tx.conn, pharmacy.id)
    async with db.transaction() as tx:
        await store.delete_host(tx.conn, made.id)
        await store.delete_pharmacy(tx.conn, pharmacy.id)
    async with db.read() as conn:
        found = await store.everything(conn)
    assert (found.pharmacies, found.hosts, len(found.groups)) == ([], [], 1)
