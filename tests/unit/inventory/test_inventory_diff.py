"""The diff by its properties, and by the stories that made its rules."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from inventory_cast import guest
from pharmq.inventory.diff import diff, listed, vanished, with_config, with_current
from pharmq.inventory.model import Changes, Vm
from pharmq.inventory.rules import Kinds
from pharmq.pve import Current, GuestConfig, GuestRow

NOW = datetime(2026, 11, 23, 1, 24, tzinfo=UTC)
LATER = NOW + timedelta(seconds=10)
KINDS = Kinds()

vmids = st.integers(100, 104)
names = st.sampled_from([None, "POS-1", "KIOSK-2", "서버", "x" * 300, "a\x00b", "win10"])
states = st.sampled_from(["running", "stopped", "paused", "unknown", "io-error", "", "never-heard-of"])
sizes = st.none() | st.integers(-5, 2**70)
guest_rows = st.builds(
    GuestRow,
    kind=st.sampled_from(["qemu", "lxc"]),
    node=st.sampled_from(["pve", "pve2", ""]),
    vmid=vmids,
    status=states,
    name=names,
    template=st.none() | st.integers(0, 1),
    tags=st.none() | st.sampled_from(["", "pos", "b;a", "x, y ,x", "kiosk;win"]),
    lock=st.none() | st.sampled_from(["backup", "snapshot"]),
    maxcpu=st.none() | st.floats(allow_nan=True, allow_infinity=True),
    maxmem=sizes,
    maxdisk=sizes,
)
snapshots = st.lists(guest_rows, max_size=6).map(listed)


def after(known: dict[int, Vm], changes: Changes) -> dict[int, Vm]:
    """What the service makes of changes: ended rows leave, the others come in."""
    rows = {vmid: vm for vmid, vm in known.items() if vm not in changes.ended}
    for vm in changes.ended:
        rows.pop(vm.vmid, None)
    top = max((vm.id for vm in known.values()), default=0)
    for number, vm in enumerate((*changes.changed, *changes.added)):
        rows[vm.vmid] = vm if vm.id else replace(vm, id=top + 1 + number)
    return rows


def world(*polls: dict[int, GuestRow]) -> dict[int, Vm]:
    known: dict[int, Vm] = {}
    for poll in polls:
        known = after(known, diff(1, known, poll, NOW, KINDS))
    return known


@given(st.lists(snapshots, min_size=1, max_size=4))
def test_the_same_answer_twice_changes_nothing(polls: list[dict[int, GuestRow]]) -> None:
    assert not diff(1, world(*polls), polls[-1], LATER, KINDS)


@given(st.lists(snapshots, min_size=1, max_size=4))
def test_applying_a_diff_gives_what_the_host_said(polls: list[dict[int, GuestRow]]) -> None:
    known = world(*polls)
    last = polls[-1]
    assert last.keys() <= known.keys()
    for vmid, row in last.items():
        vm = known[vmid]
        assert vm.guest_type == row.kind
        if row.name and row.name.replace("\x00", ""):
            assert vm.name == row.name.replace("\x00", "")[:255]
            assert vm.missing_since is None
    for vmid, vm in known.items():
        if vmid not in last:
            assert (vm.status, vm.missing_since is None) == ("unknown", False)


@given(st.lists(snapshots, min_size=2, max_size=5))
def test_nothing_known_is_ever_blanked_and_columns_always_fit(polls: list[dict[int, GuestRow]]) -> None:
    known: dict[int, Vm] = {}
    for poll in polls:
        new = after(known, diff(1, known, poll, NOW, KINDS))
        for vmid, vm in new.items():
            old = known.get(vmid)
            if old is not None and old.id == vm.id:
                for field in ("name", "node", "cpu_cores", "memory_mb", "disk_gb"):
                    assert getattr(vm, field) or not getattr(old, field) or field == "disk_gb"
            assert len(vm.name) <= 255
            assert "\x00" not in vm.name
            assert vm.memory_mb is None or 0 <= vm.memory_mb < 2**31
            assert vm.cpu_cores is None or 0 <= vm.cpu_cores < 2**31
        known = new


@given(snapshots, snapshots)
def test_held_run_states_stay(first: dict[int, GuestRow], second: dict[int, GuestRow]) -> None:
    known = world(first)
    changes = diff(1, known, second, LATER, KINDS, held=set(known))
    for vm in changes.changed:
        if vm.missing_since is None and known[vm.vmid].missing_since is None:
            assert (vm.status, vm.pve_status) == (known[vm.vmid].status, known[vm.vmid].pve_status)


def rows(*found: GuestRow) -> dict[int, GuestRow]:
    return listed(found)


def events(changes: Changes) -> list[tuple[str, int | None]]:
    return [(event.kind, event.vmid) for event in changes.events]


def test_pvestatd_stalled_keeps_names_and_sizes() -> None:
    known = world(rows(guest(100, "POS-1", tags="pos"), guest(101, "DB")))
    changes = diff(1, known, rows(guest(100), guest(101)), LATER, KINDS)
    assert [(vm.name, vm.status, vm.pve_status, vm.memory_mb, vm.tags) for vm in changes.changed] == [
        ("POS-1", "unknown", "unknown", 4096, ("pos",)),
        ("DB", "unknown", "unknown", 4096, ()),
    ]


def test_a_young_guest_gets_its_name_without_being_called_switched_on() -> None:
    known = world(rows(guest(100)))
    assert (known[100].name, known[100].status) == ("", "unknown")
    changes = diff(1, known, rows(guest(100, "POS-1")), LATER, KINDS)
    assert changes.changed[0].kind == "pos"
    assert events(changes) == []


def test_everything_gone_at_once_waits_for_a_second_look_and_is_one_event() -> None:
    known = world(rows(guest(100, "A"), guest(101, "B")))
    assert vanished(known, {})
    assert not diff(1, known, {}, LATER, KINDS, confirmed=False)
    changes = diff(1, known, {}, LATER, KINDS, last_seen=NOW)
    assert events(changes) == [("vm.missing", None)]
    assert {vm.last_sync for vm in changes.changed} == {NOW}
    back = diff(1, after(known, changes), rows(guest(100, "A"), guest(101, "B")), LATER, KINDS)
    assert events(back) == [("vm.returned", None)]


def test_one_gone_of_several_is_missing_at_once() -> None:
    known = world(rows(guest(100, "A"), guest(101, "B")))
    assert not vanished(known, rows(guest(100, "A")))
    assert events(diff(1, known, rows(guest(100, "A")), LATER, KINDS)) == [("vm.missing", 101)]


def test_a_container_in_place_of_a_machine_is_another_guest() -> None:
    known = world(rows(guest(100, "POS-1")))
    known[100] = replace(known[100], kind="server", kind_source="hand", description="mine", description_source="hand")
    changes = diff(1, known, rows(guest(100, "POS-1", kind="lxc")), LATER, KINDS)
    assert [vm.ended_at for vm in changes.ended] == [LATER]
    assert [(vm.id, vm.kind, vm.description) for vm in changes.added] == [(0, "pos", "")]
    assert events(changes) == [("vm.replaced", 100), ("vm.added", 100)]


def test_a_container_back_under_another_name_is_another_guest_a_machine_is_asked() -> None:
    for kind, replaced in (("lxc", True), ("qemu", False)):
        known = world(rows(guest(100, "A", kind=kind), guest(101, "B")), rows(guest(101, "B")))
        known[100] = replace(known[100], config_at=NOW)
        still = diff(1, known, rows(guest(100, kind=kind), guest(101, "B")), LATER, KINDS)
        assert not still, "who came back shows with its name"
        changes = diff(1, known, rows(guest(100, "C", kind=kind), guest(101, "B")), LATER, KINDS)
        assert bool(changes.added) is replaced
        if not replaced:
            assert changes.changed[0].config_at is None


def test_what_a_person_switches_elsewhere_is_an_event() -> None:
    known = world(rows(guest(100, "A")))
    changes = diff(1, known, rows(guest(100, "A", "paused", tags="x")), LATER, KINDS)
    assert [event.params for event in changes.events] == [
        {"from": "running", "to": "suspended", "pve_status": "paused"},
        {"fields": {"tags": [(), ("x",)]}},
    ]


def test_a_lock_is_stored_but_no_event() -> None:
    known = world(rows(guest(100, "A")))
    changes = diff(1, known, rows(guest(100, "A", lock="backup")), LATER, KINDS)
    assert (changes.changed[0].lock, events(changes)) == ("backup", [])


def test_measurements_are_no_change() -> None:
    known = world(rows(guest(100, "A")))
    assert not diff(1, known, rows(guest(100, "A", cpu=0.9, mem=5, uptime=99)), LATER, KINDS)


def test_paused_is_only_told_by_qmpstatus() -> None:
    known = world(rows(guest(100, "A")))
    assert with_current(known[100], Current(status="running", qmpstatus="paused")).status == "suspended"
    assert with_current(known[100], Current(status="running", qmpstatus="running")) is known[100]


def config(**changes: Any) -> GuestConfig:
    plain = GuestConfig(
        name="A", description="till", tags=(), cores=2, sockets=1, memory_mb=4096, vga=None, serial=False, agent=True,
        onboot=True, template=False, lock=None, smbios_uuid="aa", vmgenid=None, ctime=100, digest=None, raw={},
    )  # fmt: skip
    return plain._replace(**changes)


def test_identity_from_the_configuration() -> None:
    vm = world(rows(guest(100, "POS-1")))[100]
    first, replaced = with_config(vm, config(), LATER, KINDS)
    assert (replaced, first.identity, first.description, first.console, first.agent) == (
        False,
        "aa/100",
        "till",
        "vnc",
        True,
    )
    for same in (config(), config(smbios_uuid="bb"), config(ctime=None), config(smbios_uuid=None, ctime=None)):
        assert not with_config(first, same, LATER, KINDS)[1]
    for other in (config(ctime=101), config(smbios_uuid="bb", ctime=None)):
        assert with_config(first, other, LATER, KINDS)[1]


def test_another_guest_inherits_nothing_but_its_place() -> None:
    vm = world(rows(guest(100, "POS-1", tags="old")))[100]
    first, _ = with_config(vm, config(), LATER, KINDS)
    first = replace(first, kind="server", kind_source="hand", ip="10.0.0.1", ip_source="hand", description="mine")
    other, replaced = with_config(first, config(name="KIOSK-9", ctime=101, memory_mb=1024, tags=("x",)), LATER, KINDS)
    assert replaced
    assert (other.id, other.host_id, other.vmid, other.node) == (0, 1, 100, "pve")
    assert (other.name, other.kind, other.kind_source, other.tags) == ("KIOSK-9", "kiosk", "rule", ("x",))
    assert (other.ip, other.ip_source, other.description, other.memory_mb, other.disk_gb) == (
        None,
        None,
        "till",
        1024,
        None,
    )
    assert (
        events(diff(1, {100: replace(other, id=2)}, rows(guest(100, "KIOSK-9", tags="x", maxmem=2**30)), LATER, KINDS))
        == []
    )


def test_displays_that_cannot_be_shown() -> None:
    vm = world(rows(guest(100, "POS-1")))[100]
    seen = {
        text: with_config(vm, config(vga=text), LATER, KINDS)[0].console
        for text in ("none", "type=none", "std,memory=16", "serial0", "virtio")
    }
    assert seen == {"none": "none", "type=none": "none", "std,memory=16": "vnc", "serial0": "vnc", "virtio": "vnc"}
    passed = config(raw={"hostpci0": "0000:01:00,pcie=1,x-vga=1"})
    assert with_config(vm, passed, LATER, KINDS)[0].console == "none"
