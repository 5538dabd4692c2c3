"""The stream against a real inventory: snapshot, deltas, sight, resumption, slow browsers, ended sessions."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from inventory_cast import ADMIN, NOBODY, OF_GANGNAM, answer, fill_database, guest, make_directory
from pharmq.access import Actor
from pharmq.audit import AuditService
from pharmq.base.clock import ManualClock
from pharmq.db import Database
from pharmq.hosts import HostClients, HostsService
from pharmq.inventory import InventoryService
from pharmq.journal import Entry, Journal
from pharmq.live import LiveService
from pharmq.live import service as live_service
from pharmq.live.sources import connect
from pharmq.live.subscriber import QUEUE_AT_MOST
from pharmq.vault import Vault


class Fleet:
    """Everything the stream stands on. ``revoked``: actors whose session has ended."""

    def __init__(self, inventory: InventoryService, live: LiveService, revoked: set[str]) -> None:
        self.inventory = inventory
        self.live = live
        self.revoked = revoked


class Browser:
    """Reads a stream the way a browser does."""

    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self.stream = stream
        self.last_id: str | None = None

    async def next(self) -> tuple[str, dict[str, Any]]:
        while True:
            message = await asyncio.wait_for(anext(self.stream), 30)
            fields = dict(line.split(": ", 1) for line in message.decode().strip().split("\n"))
            if "id" in fields:
                self.last_id = fields["id"]
            if "event" in fields:
                return fields["event"], msgspec.json.decode(fields["data"])

    async def snapshot(self) -> dict[str, list[Any]]:
        rows: dict[str, list[Any]] = {}
        while True:
            event, part = await self.next()
            assert event == "snapshot"
            for kind in ("pharmacies", "hosts", "vms", "jobs"):
                rows.setdefault(kind, []).extend(part.get(kind, []))
            if part["summary"]:
                rows["summary"] = part["summary"]
            if part["part"] == part["parts"] - 1:
                return rows


@pytest.fixture
async def fleet(db: Database, journal: Journal, vault: Vault, clock: ManualClock) -> AsyncIterator[Fleet]:
    directory = make_directory()
    await fill_database(db, directory, clock.now())
    hosts = HostsService(db, journal, vault, directory, HostClients(directory, vault, clock), clock)
    inventory = InventoryService(db, journal, directory, clock)
    hosts.guest_facts = inventory.guest_facts
    audit = AuditService(db, journal, directory, inventory.view)
    revoked: set[str] = set()

    async def fresh(actor: Actor) -> Actor | None:
        return None if actor.name in revoked else actor

    live = LiveService(
        db,
        journal,
        clock,
        event=audit.row,
        may_see_event=audit.visible,
        summary=inventory.select.summary,
        fresh=fresh,
        refresh=inventory.standings.refresh,
    )
    connect(live, hosts, inventory)
    await live.start()
    await inventory.apply(1, answer(guest(100, "POS-1"), guest(101, "KIOSK-1")), began=1.0)
    await inventory.apply(2, answer(guest(100, "POS-2")), began=1.0)
    yield Fleet(inventory, live, revoked)
    await live.aclose()


async def test_a_snapshot_holds_everything_one_may_see(fleet: Fleet) -> None:
    rows = await Browser(fleet.live.stream(ADMIN, None)).snapshot()
    assert [p["name"] for p in rows["pharmacies"]] == ["강남온누리약국", "해운대바다약국"]
    assert len(rows["hosts"]) == 3
    assert {vm["vm_name"] for vm in rows["vms"]} == {"POS-1", "KIOSK-1", "POS-2"}
    assert rows["summary"]["vms"]["running"] == 3
    mine = await Browser(fleet.live.stream(OF_GANGNAM, None)).snapshot()
    assert {vm["vm_name"] for vm in mine["vms"]} == {"POS-1", "KIOSK-1"}
    assert ([p["id"] for p in mine["pharmacies"]], [h["id"] for h in mine["hosts"]]) == ([1], [1])
    assert mine["summary"]["vms"]["total"] == 2
    assert (await Browser(fleet.live.stream(NOBODY, None)).snapshot())["vms"] == []


async def test_a_snapshot_in_tables_holds_the_same_rows(fleet: Fleet) -> None:
    for actor in (ADMIN, OF_GANGNAM, NOBODY):
        plain = await Browser(fleet.live.stream(actor, None)).snapshot()
        _, part = await Browser(fleet.live.stream(actor, None, tables=True)).next()
        assert (part["parts"], part["summary"]) == (1, plain["summary"])
        for kind in ("pharmacies", "hosts", "vms"):
            names, *rows = part.get("tables", {}).get(kind, [()])
            assert [dict(zip(names, row, strict=True)) for row in rows] == plain[kind]


async def test_a_change_is_told_to_those_who_may_see_it(fleet: Fleet) -> None:
    admin, limited = Browser(fleet.live.stream(ADMIN, None)), Browser(fleet.live.stream(OF_GANGNAM, None))
    await admin.snapshot()
    await limited.snapshot()
    fleet.live.flush()
    await fleet.inventory.apply(2, answer(guest(100, "POS-2", "stopped")), began=2.0)
    await fleet.inventory.apply(1, answer(guest(100, "POS-1", "stopped"), guest(101, "KIOSK-1")), began=2.0)
    fleet.live.flush()
    names: dict[str, set[str]] = {}
    for who, browser in (("admin", admin), ("limited", limited)):
        names[who] = set()
        while "POS-1:stopped" not in names[who]:
            event, delta = await browser.next()
            assert event == "delta"
            names[who] |= {f"{vm['vm_name']}:{vm['status']}" for vm in delta.get("set", {}).get("vms", [])}
    assert "POS-2:stopped" in names["admin"]
    assert not any(name.startswith("POS-2") for name in names["limited"])


async def test_the_beat_sends_rows_events_and_numbers_together(fleet: Fleet, clock: ManualClock) -> None:
    browser = Browser(fleet.live.stream(ADMIN, None))
    await browser.snapshot()
    fleet.live.flush()
    await fleet.inventory.apply(2, answer(guest(100, "POS-2", "stopped")), began=2.0)
    kinds: list[str] = []
    stopped: list[int] = []
    for _ in range(40):
        await clock.advance(0.3)
        await asyncio.sleep(0.01)
        if "vm.status" in kinds and 1 in stopped:
            break
        if fleet.live.subscribers and (waiting := next(iter(fleet.live._subscribers))._waiting):
            for _ in range(len(waiting)):
                _, delta = await browser.next()
                kinds += [event["kind"] for event in delta.get("events", [])]
                stopped.append(delta.get("summary", {}).get("vms", {}).get("stopped"))
    assert "vm.status" in kinds
    assert 1 in stopped


async def test_a_removed_host_and_its_guests_are_deleted_rows(fleet: Fleet) -> None:
    admin, limited = Browser(fleet.live.stream(ADMIN, None)), Browser(fleet.live.stream(OF_GANGNAM, None))
    await admin.snapshot()
    await limited.snapshot()
    fleet.live.flush()
    vm = fleet.inventory.view.at(2, 100)
    assert vm is not None
    fleet.inventory.directory.drop_host(2)
    fleet.live.touch("vms", 1)
    fleet.live.flush()
    gone: dict[str, list[int]] = {}
    while "hosts" not in gone:
        _, delta = await admin.next()
        gone |= delta.get("del", {})
    assert gone == {"hosts": [2], "vms": [vm.id]}
    _, delta = await limited.next()
    assert "del" not in delta


async def test_a_broken_connection_resumes_where_it_was(fleet: Fleet) -> None:
    first = Browser(fleet.live.stream(ADMIN, None))
    await first.snapshot()
    keeper = Browser(fleet.live.stream(ADMIN, None))
    await keeper.snapshot()
    fleet.live.flush()
    place = f"{fleet.live.epoch}:{fleet.live.seq}"
    await first.stream.aclose()  # type: ignore[attr-defined]
    await fleet.inventory.apply(2, answer(guest(100, "POS-2", "stopped")), began=2.0)
    fleet.live.flush()
    event, delta = await Browser(fleet.live.stream(ADMIN, place)).next()
    assert event == "delta"
    assert [vm["status"] for vm in delta["set"]["vms"]] == ["stopped"]
    for stranger in (
        "other:1",
        f"{fleet.live.epoch_of_parts}:{fleet.live.seq}",
        f"{fleet.live.epoch}:{fleet.live.seq + 5}",
        "nonsense",
    ):
        assert (await Browser(fleet.live.stream(ADMIN, stranger)).next())[0] == "snapshot"
    assert (await Browser(fleet.live.stream(OF_GANGNAM, place)).next())[0] == "snapshot"


async def test_a_slow_browser_gets_a_fresh_snapshot(fleet: Fleet) -> None:
    browser = Browser(fleet.live.stream(ADMIN, None))
    await browser.snapshot()
    for number in range(QUEUE_AT_MOST + 2):
        fleet.live.touch("vms", 1 + number % 2)
        fleet.live.flush()
    rows = await browser.snapshot()
    assert len(rows["vms"]) == 3


async def test_a_stream_ends_with_its_session(fleet: Fleet, clock: ManualClock) -> None:
    browser = Browser(fleet.live.stream(ADMIN, None))
    await browser.snapshot()
    fleet.live.flush()
    await clock.advance(live_service.HEARTBEAT_S)
    seen = [(await browser.next())[0]]
    while seen[-1] != "ping":
        seen.append((await browser.next())[0])
    fleet.revoked.add("admin")
    await clock.advance(live_service.HEARTBEAT_S)
    rest = [message async for message in browser.stream]
    assert b"".join(rest).count(b"event: snapshot") == 0
    assert fleet.live.subscribers == 0


async def test_measurements_travel_apart_and_only_when_they_differ(fleet: Fleet, clock: ManualClock) -> None:
    browser = Browser(fleet.live.stream(ADMIN, None))
    await browser.snapshot()
    fleet.live.flush()
    vm = fleet.inventory.view.at(2, 100)
    assert vm is not None
    found: list[list[object]] = []
    for cpu in (0.5, 0.5, 0.75):
        await fleet.inventory.apply(2, answer(guest(100, "POS-2", cpu=cpu, uptime=90)), began=clock.monotonic() + 5)
        await clock.advance(5.1)
        fleet.live.flush()
    fleet.live.touch("vms", vm.id)
    fleet.live.flush()
    while True:
        _, delta = await browser.next()
        found += [sample for sample in delta.get("samples", []) if sample[0] == vm.id]
        if delta["seq"] == fleet.live.seq:
            break
    assert [sample[1] for sample in found] == [0.5, 0.75]


async def test_events_of_others_and_of_sign_ins_stay_unseen(fleet: Fleet, db: Database, journal: Journal) -> None:
    async with db.read() as conn:
        rows = await journal.read(conn, 0)
    audit = AuditService(db, journal, fleet.inventory.directory, fleet.inventory.view)
    assert [audit.visible(OF_GANGNAM, row) for row in rows] == [True, False]
    async with db.transaction() as tx:
        await journal.append(tx, Entry(kind="session.opened", params={}))
    async with db.read() as conn:
        row = (await journal.read(conn, 2))[0]
    assert audit.visible(ADMIN, row)
    assert not audit.visible(replace(OF_GANGNAM, grants=(replace(OF_GANGNAM.grants[0], path="/"),)), row)
    assert isinstance(audit.row(row).at, datetime)


async def test_whoever_may_see_more_than_before_begins_with_a_snapshot(fleet: Fleet) -> None:
    """A stream that showed a part carries an id from which no other goes on."""
    part = Browser(fleet.live.stream(OF_GANGNAM, None))
    await part.snapshot()
    place = f"{fleet.live.epoch_of_parts}:{fleet.live.seq}"
    rows = await Browser(fleet.live.stream(ADMIN, place)).snapshot()
    assert len(rows["vms"]) == 3


async def test_grants_that_changed_end_the_stream_and_others_go_on(fleet: Fleet) -> None:
    taken, kept = Browser(fleet.live.stream(OF_GANGNAM, None)), Browser(fleet.live.stream(ADMIN, None))
    await taken.snapshot()
    await kept.snapshot()
    fleet.revoked.add(OF_GANGNAM.name)
    fleet.live.recheck(None)
    for _ in range(20):
        await asyncio.sleep(0)
    assert fleet.live.subscribers == 2  # closed, and gone as soon as its browser asks for more
    with pytest.raises(StopAsyncIteration):
        while True:
            await anext(taken.stream)
    assert fleet.live.subscribers == 1
