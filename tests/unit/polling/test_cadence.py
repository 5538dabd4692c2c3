import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmq.polling.cadence import Ask, SlowMemory, choose, first_pause, pause


@pytest.mark.parametrize(("failures", "wanted"), [(1, 3.0), (2, 10.0), (3, 20.0), (4, 40.0), (5, 60.0), (500, 60.0)])
def test_pauses_grow_to_a_minute(failures: int, wanted: float) -> None:
    assert pause(failures=failures, interval=10.0, took=4.0, draw=0.5) == wanted


def test_a_success_keeps_the_rhythm_whatever_the_poll_took() -> None:
    assert pause(failures=0, interval=10.0, took=2.5, draw=0.5) == 7.5
    assert pause(failures=0, interval=10.0, took=30.0, draw=0.5) == 1.0


def test_a_slow_rhythm_is_not_quickened_by_failures() -> None:
    assert pause(failures=9, interval=600.0, took=0.0, draw=0.5) == 600.0


@given(st.integers(0, 10**6), st.floats(2, 3600), st.floats(0, 100), st.floats(0, 1, exclude_max=True))
def test_pauses_stay_in_their_bounds(failures: int, interval: float, took: float, draw: float) -> None:
    assert 0.9 <= pause(failures=failures, interval=interval, took=took, draw=draw) <= 1.1 * max(60.0, interval)


def test_the_first_polls_are_spread_within_one_interval() -> None:
    assert first_pause(99, 100, 10.0) == pytest.approx(1.98)
    assert first_pause(23_999, 24_000, 10.0) < 10.0


def ask(memory: SlowMemory, now: float, configs: tuple[int, ...] = (), addresses: tuple[int, ...] = ()) -> Ask | None:
    return choose(memory, now, certificate_unknown=False, configs=configs, addresses=addresses)


def test_one_question_at_a_time_in_order_of_use() -> None:
    memory = SlowMemory()
    assert choose(memory, 0, certificate_unknown=True, configs=(1,), addresses=(1,)) == Ask("version")
    memory.answered(Ask("version"), 0, 1000)
    assert choose(memory, 0, certificate_unknown=True, configs=(1,), addresses=(1,)) == Ask("certificate")
    assert ask(memory, 0, (1, 2), (1,)) == Ask("config", 1)
    assert ask(memory, 0, (), (1,)) == Ask("addresses", 1)


def test_addresses_take_turns_and_failures_wait_longer() -> None:
    memory = SlowMemory()
    memory.answered(Ask("version"), 0, 1e9)
    memory.answered(Ask("addresses", 1), 0, 300)
    assert ask(memory, 1, (), (1, 2)) == Ask("addresses", 2)
    memory.failed(Ask("addresses", 2), 1, 300)
    assert ask(memory, 2, (), (1, 2)) is None
    assert ask(memory, 300, (), (1, 2)) == Ask("addresses", 1)
    memory.answered(Ask("addresses", 1), 300, 300)
    assert ask(memory, 301, (), (1, 2)) == Ask("addresses", 2)
    memory.failed(Ask("addresses", 2), 301, 300)
    assert ask(memory, 900, (), (2,)) is None
    assert ask(memory, 901, (), (2,)) == Ask("addresses", 2)


def test_a_configuration_that_cannot_be_read_does_not_block_the_others() -> None:
    memory = SlowMemory()
    memory.answered(Ask("version"), 0, 1e9)
    memory.failed(Ask("config", 1), 0, 300)
    assert ask(memory, 1, (1, 2)) == Ask("config", 2)


def test_whether_a_missing_guest_is_gone_is_asked_before_addresses_which_never_end() -> None:
    memory = SlowMemory()
    memory.answered(Ask("version"), 0, 1e9)

    def next_ask(configs: tuple[int, ...]) -> Ask | None:
        return choose(memory, 1, certificate_unknown=False, configs=configs, addresses=(1,), gone=(7,))

    assert next_ask((1,)) == Ask("config", 1)
    assert next_ask(()) == Ask("gone", 7)
    memory.answered(Ask("gone", 7), 1, 300)
    assert next_ask(()) == Ask("addresses", 1)


def test_gone_guests_are_forgotten() -> None:
    memory = SlowMemory()
    memory.failed(Ask("addresses", 1), 0, 300)
    memory.answered(Ask("version"), 0, 1e9)
    memory.forget_guests([2])
    assert ask(memory, 0, (), (1,)) == Ask("addresses", 1)
