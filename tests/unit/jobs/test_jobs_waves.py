"""Who goes first, and when it is too much."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmq.access import scope_of
from pharmq.jobs.model import Decision, Target
from pharmq.jobs.options import JobOptions
from pharmq.jobs.waves import Place, Tally, arrange, too_much

DO, SKIP = Decision("do"), Decision("skip", "job.locked")
ORDER: tuple[Any, ...] = ("server", "pos", "kiosk")


def target(number: int, host_id: int, kind: str = "pos") -> Target:
    return Target(
        vm_id=number,
        host_id=host_id,
        vmid=100 + number,
        vm_name=f"VM {number}",
        guest_type="qemu",
        node_name="pve",
        pharmacy_id=host_id,
        pharmacy_name="약국",
        status="stopped",
        pve_status="stopped",
        scope=scope_of(vm_id=number),
        kind=kind,
    )


def test_without_options_everything_goes_at_once() -> None:
    planned = [(target(number, number % 2), DO) for number in range(4)]
    assert arrange(planned, JobOptions()) == [Place()] * 4


def test_the_canary_is_spread_over_hosts() -> None:
    planned = [(target(number, host), DO) for number, host in enumerate([1, 1, 1, 2, 2, 3])]
    places = arrange(planned, JobOptions(canary=3))
    assert [place.wave for place in places] == [0, 1, 1, 0, 1, 0]
    assert [place.held for place in places] == [False, True, True, False, True, False]


def test_what_is_skipped_is_no_canary() -> None:
    planned = [(target(1, 1), SKIP), (target(2, 2), DO), (target(3, 3), DO)]
    assert [place.wave for place in arrange(planned, JobOptions(canary=1))] == [0, 0, 1]


@pytest.mark.parametrize("count", [0, 3, 9])
def test_a_canary_of_all_or_none_is_no_canary(count: int) -> None:
    planned = [(target(number, number), DO) for number in range(3)]
    assert arrange(planned, JobOptions(canary=count)) == [Place()] * 3


def test_kinds_take_their_turn_on_each_host() -> None:
    kinds = ["kiosk", "server", "pos", "backup", "pos"]
    planned = [(target(number, 1, kind), DO) for number, kind in enumerate(kinds)]
    planned += [(target(9, 2, "kiosk"), DO)]
    places = arrange(planned, JobOptions(order=ORDER))
    assert [place.turn for place in places] == [2, 0, 1, 3, 1, 2]
    # Where there is no server, what comes first there goes at once.
    assert [place.held for place in places] == [True, False, True, True, True, False]


def test_a_canary_never_runs_ahead_of_its_own_server() -> None:
    planned = [(target(1, 1, "kiosk"), DO), (target(2, 1, "server"), DO), (target(3, 2, "kiosk"), DO)]
    places = arrange(planned, JobOptions(canary=2, order=ORDER))
    assert [(place.wave, place.held) for place in places] == [(1, True), (0, False), (0, False)]


@given(
    st.lists(st.tuples(st.integers(1, 5), st.sampled_from([*ORDER, "other"]), st.booleans()), max_size=30),
    st.integers(0, 12),
)
def test_something_always_goes_first_and_nobody_overtakes(rows: list[tuple[int, str, bool]], canary: int) -> None:
    planned = [(target(n, host, kind), DO if todo else SKIP) for n, (host, kind, todo) in enumerate(rows)]
    places = arrange(planned, JobOptions(canary=canary, order=ORDER))
    todo = [(each[0], place) for each, place in zip(planned, places, strict=True) if each[1] is DO]
    assert any(not place.held for _, place in todo) or not todo
    assert sum(place.wave == 0 for _, place in todo) == (canary if 0 < canary < len(todo) else len(todo))
    for who, place in todo:
        before = [p for t, p in todo if t.host_id == who.host_id and (p.wave, p.turn) < (place.wave, place.turn)]
        assert place.held or not before


@pytest.mark.parametrize(
    ("limit", "whole", "canary", "stops"),
    [
        (None, Tally(10, 10, 0), None, False),
        (10, Tally(100, 10, 50), None, False),
        (10, Tally(100, 11, 50), None, True),
        (0, Tally(100, 1, 99), None, True),
        (20, Tally(100, 1, 99), Tally(3, 1, 1), False),  # the canary is not through
        (20, Tally(100, 1, 97), Tally(3, 1, 0), True),
        (40, Tally(100, 1, 97), Tally(3, 1, 0), False),
        (100, Tally(3, 3, 0), Tally(3, 3, 0), False),
    ],
)
def test_too_much(limit: int | None, whole: Tally, canary: Tally | None, stops: bool) -> None:
    assert too_much(limit, whole, canary) is stops


def test_a_canary_alone_forgives_nothing() -> None:
    assert JobOptions(canary=2).fail_limit == 0
    assert JobOptions(canary=2, stop_above_percent=30).fail_limit == 30
    assert JobOptions().fail_limit is None
