import asyncio

import msgspec
import pytest

from pharmq.base.errors import NotFound
from pharmq.hosts.clients import Handshakes
from pharmq.hosts.directory import Directory
from pharmq.hosts.model import Host, HostState, Pharmacy, PharmacyGroup

GROUP = PharmacyGroup(1, "서울", "region")
PHARMACY = Pharmacy(id=3, code="P-003", name="강남약국", group_ids=(1,))
HOST = Host(
    id=7,
    pharmacy_id=3,
    host_ip="pve.example",
    addresses=(),
    host_port=8006,
    node=None,
    credential_id=1,
    credential_kind="password",
    username="root@pam",
    credential_revision=1,
)


@pytest.fixture
def directory() -> Directory:
    made = Directory()
    made.fill([GROUP], [PHARMACY], [(HOST, HostState(reason=None))])
    return made


def test_lookups(directory: Directory) -> None:
    assert directory.at("PVE.example", 8006) == HOST
    assert directory.by_code("P-003") == PHARMACY
    assert directory.hosts_of(3) == (7,)
    assert directory.members(1) == {3}
    assert directory.status(7) == "online"
    assert directory.status(99) == "offline"


def test_scopes_hold_every_ancestor_and_follow_changes(directory: Directory) -> None:
    assert directory.scope(7).paths == {"/", "/group/1", "/pharmacy/3", "/host/7"}
    directory.put_group(PharmacyGroup(2, "부산", "region"))
    directory.put_pharmacy(msgspec.structs.replace(PHARMACY, group_ids=(2,)))
    assert directory.scope(7).paths == {"/", "/group/2", "/pharmacy/3", "/host/7"}
    assert (directory.members(1), directory.members(2)) == (frozenset(), {3})
    with pytest.raises(NotFound):
        directory.scope(8)


def test_a_host_that_moves_leaves_nothing_behind(directory: Directory) -> None:
    directory.put_pharmacy(Pharmacy(id=4, code="P-004", name="b"))
    directory.put_host(msgspec.structs.replace(HOST, pharmacy_id=4, host_ip="10.0.0.9"))
    assert directory.hosts_of(3) == ()
    assert directory.hosts_of(4) == (7,)
    assert directory.at("pve.example", 8006) is None
    assert directory.scope(7).pharmacy_id == 4


def test_listeners_tell_changes_from_samples(directory: Directory) -> None:
    told: list[tuple[str, int, str]] = []
    directory.listen(lambda *change: told.append(change))
    before = directory.revision
    directory.put_state(7, HostState(reason=None, cpu=0.5))
    assert directory.revision == before
    directory.put_state(7, HostState(reason="timeout"))
    directory.put_host(msgspec.structs.replace(HOST, maintenance=True))
    assert directory.status(7) == "maintenance"
    directory.drop_host(7)
    directory.put_state(7, HostState(reason=None))
    assert told == [("host", 7, "sample"), ("host", 7, "state"), ("host", 7, "changed"), ("host", 7, "removed")]
    assert directory.at("pve.example", 8006) is None


async def test_handshakes_are_capped_and_the_cap_may_change() -> None:
    gate = Handshakes(2)
    inside, most = 0, 0
    leave = asyncio.Event()

    async def shake() -> None:
        nonlocal inside, most
        async with gate:
            inside += 1
            most = max(most, inside)
            await leave.wait()
            inside -= 1

    tasks = [asyncio.create_task(shake()) for _ in range(10)]
    await asyncio.sleep(0)
    assert (inside, gate.held) == (2, 2)
    for task in tasks[2:5]:
        task.cancel()
    gate.limit = 4
    leave.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert gate.held == 0
    assert most <= 4


async def test_a_handshake_that_takes_long_gives_its_place_away() -> None:
    gate = Handshakes(1)
    silent = asyncio.Event()

    async def hang() -> None:
        async with gate:
            await silent.wait()

    tasks = [asyncio.create_task(hang()) for _ in range(3)]
    async with asyncio.timeout(60), gate:
        assert gate.held == 1
    silent.set()
    await asyncio.gather(*tasks)
    assert gate.held == 0
