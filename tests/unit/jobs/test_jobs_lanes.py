"""Who goes next, and what the board counts."""

from datetime import UTC, datetime

from pharmq.inventory.model import TaskRef
from pharmq.jobs.board import Board, shifted
from pharmq.jobs.lanes import Lanes
from pharmq.jobs.model import ActorRef, Caps, Counts, Item, ItemState, JobView, Verb
from pharmq.jobs.options import PLAIN, JobOptions

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ACTOR = ActorRef("user", 1, "admin")


def item(
    number: int,
    host_id: int = 1,
    state: ItemState = "queued",
    vm_id: int | None = None,
    *,
    job_id: int = 1,
    verb: Verb = "start",
    force: bool = False,
    options: JobOptions = PLAIN,
) -> Item:
    return Item(
        id=number,
        job_id=job_id,
        act_id="act",
        verb=verb,
        force=force,
        options=options,
        timeout_s=None,
        actor=ACTOR,
        source=None,
        vm_id=vm_id or number,
        host_id=host_id,
        pharmacy_id=1,
        vmid=100,
        vm_name="POS-1",
        guest_type="qemu",
        node_name="pve",
        state=state,
        upid=None,
        attempt=0,
        mark=None,
        started_at=None,
    )


def drain(lanes: Lanes, caps: Caps) -> list[int]:
    found = []
    while (taken := lanes.next(caps)) is not None:
        found.append(taken.id)
    return found


def test_hosts_take_turns_and_each_has_its_cap() -> None:
    lanes = Lanes()
    for number in range(1, 6):
        lanes.add(item(number, host_id=1))
    lanes.add(item(10, host_id=2))
    lanes.add(item(1, host_id=1))  # known already
    caps = Caps(overall=50, per_host=2)
    assert drain(lanes, caps) == [1, 10, 2]
    lanes.leave(item(1), eased=False)
    assert drain(lanes, caps) == [3]


def test_what_waits_for_a_silent_host_does_not_count_overall() -> None:
    lanes = Lanes()
    for number in range(4):
        lanes.add(item(number, host_id=number))
    caps = Caps(overall=2, per_host=1)
    assert drain(lanes, caps) == [0, 1]
    lanes.ease(item(0, host_id=0))
    assert drain(lanes, caps) == [2]
    lanes.leave(item(0, host_id=0), eased=True)
    assert drain(lanes, caps) == []
    lanes.leave(item(1, host_id=1), eased=False)
    assert drain(lanes, caps) == [3]


def test_jobs_take_turns() -> None:
    """One guest's restart does not wait for a thousand others."""
    lanes = Lanes()
    for number in range(1, 5):
        lanes.add(item(number, host_id=number))
    lanes.add(item(9, host_id=4, job_id=2))
    caps = Caps(overall=1, per_host=1)
    assert drain(lanes, caps) == [1]
    lanes.leave(item(1, host_id=1), eased=False)
    assert drain(lanes, caps) == [9]


def test_a_job_has_limits_of_its_own() -> None:
    lanes = Lanes()
    one_each = JobOptions(per_host=1, overall=2)
    for number in range(1, 7):
        lanes.add(item(number, host_id=(number + 1) // 2, options=one_each))
    lanes.add(item(20, host_id=1, job_id=2))
    caps = Caps(overall=50, per_host=3)
    assert drain(lanes, caps) == [1, 20, 3]
    lanes.leave(item(1, options=one_each), eased=False)
    assert drain(lanes, caps) == [5]
    # Silent: it stays on its host but is no load of its job.
    lanes.ease(item(5, host_id=3, options=one_each))
    assert drain(lanes, caps) == [2]


def test_two_jobs_on_one_guest_keep_their_order() -> None:
    lanes = Lanes()
    slow = JobOptions(overall=1)
    lanes.add(item(1, vm_id=70, options=slow))
    lanes.add(item(2, vm_id=7, options=slow))
    lanes.add(item(3, vm_id=7, job_id=2, verb="shutdown"))
    caps = Caps(overall=50, per_host=9)
    assert drain(lanes, caps) == [1], "the later job waits for the earlier one's turn on this guest"
    lanes.add(item(4, vm_id=7, job_id=3, verb="stop", force=True))
    assert drain(lanes, caps) == [4], "a power cut waits for nobody"
    lanes.leave(item(1, vm_id=70, options=slow), eased=False)
    assert drain(lanes, caps) == [2, 3]
    assert len(lanes) == 0


def job(counts: Counts) -> JobView:
    return JobView(1, "act", "start", False, ACTOR, "queued", NOW, None, None, counts)


def test_the_board_counts_along_and_says_so() -> None:
    told: list[tuple[str, int]] = []
    board = Board(lambda kind, number: told.append((kind, number)))
    board.put(job(Counts(queued=2, total=2)), [item(1), item(2)])
    board.began(1, NOW)
    board.moved(item(1, state="sending"))
    board.moved(item(1, state="watching"))
    found = board.job(1)
    assert found is not None
    assert (found.state, found.counts) == ("running", Counts(queued=1, running=1, total=2))
    assert board.task(1) == TaskRef(1, 1, "start", "watching", None)
    board.moved(item(1, state="succeeded"))
    assert board.task(1) is None
    assert told.count(("vms", 1)) == 4
    board.moved(item(2, state="cancelled"))
    board.ended(1, Counts(succeeded=1, cancelled=1, total=2), NOW)
    found = board.job(1)
    assert found is not None
    assert found.state == "cancelled"
    assert board.open_count == 0
    assert board.job_ids() == [1]


def test_what_is_under_way_shows_before_what_waits() -> None:
    board = Board(lambda kind, number: None)
    board.put(job(Counts(queued=2, total=2)), [item(1, vm_id=7), item(2, vm_id=7)])
    board.moved(item(2, state="sending", vm_id=7))
    task = board.task(7)
    assert task is not None
    assert task.item_id == 2


def test_counts_stay_whole() -> None:
    counts = Counts(queued=3, total=3)
    assert shifted(counts, "queued", "sending") == Counts(queued=2, running=1, total=3)
    assert shifted(counts, "sending", "watching") is counts
