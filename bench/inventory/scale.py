"""Pages, search, polls and the stream at 1,000 and 120,000 guests, in one process, as CPU time per operation.

    .venv/bin/python bench/inventory/scale.py [--hosts 24000]

Needs nothing but PharmQ: guests go straight into the view (the database is measured by the store tests' own means).
"""

import argparse
import asyncio
import gc
import random
import resource
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

from pharmq.access import Actor, Grant, Privilege
from pharmq.base.clock import ManualClock
from pharmq.db import Database
from pharmq.hosts.directory import Directory
from pharmq.hosts.model import Host, HostState, Pharmacy, PharmacyGroup
from pharmq.inventory.diff import new_vm
from pharmq.inventory.model import Vm, VmFilter
from pharmq.inventory.rules import Kinds
from pharmq.inventory.service import InventoryService
from pharmq.journal import Journal
from pharmq.pve import GuestRow, Resources

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ADMIN = Actor("user", 1, "admin", (Grant("/", frozenset(Privilege)),))
GIB = 2**30
PLACES = ("강남", "서초", "송파", "해운대", "수성", "유성", "분당", "일산", "마포", "노원")
WORDS = ("온누리", "새봄", "바다", "하늘", "참사랑", "우리", "건강", "중앙", "행복", "한마음")
GUESTS = (("POS-1", "running"), ("POS-2", "running"), ("KIOSK-1", "running"), ("서버", "running"), ("백업", "stopped"))


def answer(host: int, tick: int) -> Resources:
    """What a host says; measurements differ each time."""
    return Resources(
        tuple(
            GuestRow(
                kind="qemu", node="pve", vmid=100 + place, status=status, name=f"{name}-{host}" if host % 2 else name,
                uptime=tick,
                template=0, maxcpu=4, maxmem=8 * GIB, maxdisk=64 * GIB, cpu=random.random(), mem=GIB + tick,
            )
            for place, (name, status) in enumerate(GUESTS)
        ),
        (),
        (),
    )  # fmt: skip


def furnish(directory: Directory, hosts: int) -> None:
    """A pharmacy and a host of each number."""
    directory.fill(
        [PharmacyGroup(number, f"G{number}", "region") for number in range(1, 18)],
        [
            Pharmacy(
                number, f"P{number:05}", f"{PLACES[number % 10]}{WORDS[number // 10 % 10]}{number}약국",
                phone=f"02-{number % 900 + 100}-{number % 10000:04}", address=f"{PLACES[number % 10]}구 {number}",
                group_ids=(1 + number % 17,),
            )
            for number in range(1, hosts + 1)
        ],
        [
            (
                Host(number, number, f"100.{64 + number // 65536}.{number // 256 % 256}.{number % 256}", (), 8006,
                     "pve", None, "password", "root@pam", 1),
                HostState(reason="timeout" if number % 7 == 0 else None),
            )
            for number in range(1, hosts + 1)
        ],
    )  # fmt: skip


def guests(hosts: int) -> list[Vm]:
    """Five guests of each host."""
    kinds = Kinds()
    vms = []
    for host in range(1, hosts + 1):
        for row in answer(host, 0).guests:
            vm = new_vm(host, row, NOW, kinds)
            ip = f"192.168.{host % 256}.{row.vmid % 100 + 10}"
            vms.append(type(vm)(**{f: getattr(vm, f) for f in vm.__struct_fields__} | {"id": len(vms) + 1, "ip": ip}))
    return vms


def build(hosts: int) -> InventoryService:
    clock = ManualClock()
    directory = Directory()
    furnish(directory, hosts)
    inventory = InventoryService(Database("sqlite:///:memory:"), Journal(clock), directory, clock)
    inventory.view.take(guests(hosts))
    return inventory


def cost(work: Callable[[], object], times: int = 200) -> tuple[float, float]:
    """Median and p95 CPU milliseconds."""
    work()
    taken = []
    for _ in range(times):
        start = time.process_time_ns()
        work()
        taken.append((time.process_time_ns() - start) / 1e6)
    taken.sort()
    return statistics.median(taken), taken[int(len(taken) * 0.95)]


def page(
    inventory: InventoryService, wanted: VmFilter, sort: str = "pharmacy", offset: int = 0
) -> Callable[[], object]:
    def work() -> object:
        ids = inventory.select.ids(ADMIN, wanted)
        total = len(inventory.view) if ids is None else len(ids)
        return inventory.rows.page(inventory.view.page(ids, sort, 100, offset), total)

    return work


def scattered(inventory: InventoryService) -> Callable[[], object]:
    """Pages from everywhere, so that no row is found encoded."""
    last = len(inventory.view) - 100

    def work() -> object:
        inventory.rows._encoded.clear()
        return page(inventory, VmFilter(), offset=random.randrange(last))()

    return work


def busy(inventory: InventoryService) -> Callable[[], object]:
    """A page after 50 guests changed, as a live fleet would."""

    def work() -> object:
        for vm_id in random.sample(range(1, len(inventory.view) + 1), 50):
            vm = inventory.view.get(vm_id)
            assert vm is not None
            inventory.view.take([vm])
        return page(inventory, VmFilter())()

    return work


async def poll_cost(inventory: InventoryService, hosts: int) -> float:
    """CPU microseconds of taking over one unchanged poll of five guests."""
    sample = random.sample(range(1, hosts + 1), min(hosts, 2000))
    for host in sample:
        await inventory.apply(host, answer(host, 1), 1.0)
    answers = [(host, answer(host, 2)) for host in sample]
    start = time.process_time_ns()
    for host, said in answers:
        await inventory.apply(host, said, 2.0)
    return (time.process_time_ns() - start) / 1e3 / len(sample)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hosts", type=int, default=24_000)
    hosts = parser.parse_args().hosts
    small, big = build(200), build(hosts)
    gc.collect()
    gc.freeze()
    three = VmFilter(status=("running",), type=("pos",), host_status=("online",))
    cases: list[tuple[str, Callable[[InventoryService], Callable[[], object]]]] = [
        ("first page", lambda i: page(i, VmFilter())),
        ("page, nothing encoded yet", scattered),
        ("first page after 50 changes", busy),
        ("page in the middle", lambda i: page(i, VmFilter(), offset=len(i.view) // 2)),
        ("by attention", lambda i: page(i, VmFilter(), "attention")),
        ("by -cpu", lambda i: page(i, VmFilter(), "-cpu")),
        ("status=running", lambda i: page(i, VmFilter(status=("running",)))),
        ("status, type, host_status", lambda i: page(i, three)),
        ("one pharmacy", lambda i: page(i, VmFilter(pharmacy_id=(77,)))),
        ("one group", lambda i: page(i, VmFilter(group_id=(3,)))),
        ("summary", lambda i: lambda: i.select.summary(ADMIN)),
    ]  # fmt: skip
    for text in (
        "강남온누리1",
        "ㄱㄴㅇㄴ",
        "rkdska",
        "1234",
        "pos",
        "192.168.7.1",
        "P00123",
        "강남 pos",
        "상태:중지 유형:backup",
        "ㄱ",
        "1",
    ):
        cases.append((f"list q={text}", lambda i, q=text: page(i, VmFilter(q=q))))  # type: ignore[misc]
        cases.append((f"search {text}", lambda i, q=text: lambda: i.select.search(ADMIN, q, 20)))  # type: ignore[misc]
    print(f"{'CPU ms, median (p95)':36} {1000:>18,} {hosts * 5:>18,}   ratio")
    for name, make in cases:
        (a, a95), (b, b95) = cost(make(small)), cost(make(big), 40)
        print(f"{name:36} {a:9.3f} ({a95:6.2f}) {b:9.3f} ({b95:6.2f})   {b / a if a else 0:5.1f}")
    print(
        f"unchanged poll, 5 guests: {await poll_cost(small, 200):.1f} us, at scale {await poll_cost(big, hosts):.1f} us"
    )
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    asyncio.run(main())
