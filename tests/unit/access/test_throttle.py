from pharmq.access.throttle import FORGET_S, FREE_TRIES_ADDRESS, FREE_TRIES_PAIR, REMEMBERED, Throttle


def test_a_few_mistakes_cost_nothing_then_the_wait_grows() -> None:
    throttle = Throttle()
    for _ in range(FREE_TRIES_PAIR):
        assert throttle.wait_s("kim", "10.0.0.1", 0) == 0
        throttle.failed("kim", "10.0.0.1", 0)
    first = throttle.wait_s("kim", "10.0.0.1", 0)
    throttle.failed("kim", "10.0.0.1", 0)
    assert 0 < first < throttle.wait_s("kim", "10.0.0.1", 0)


def test_guessing_elsewhere_does_not_lock_the_owner_out() -> None:
    throttle = Throttle()
    for _ in range(100):
        throttle.failed("kim", "10.0.0.66", 0)
    assert throttle.wait_s("kim", "10.0.0.66", 0) > 0
    assert throttle.wait_s("kim", "10.0.0.1", 0) == 0


def test_one_address_cannot_try_many_accounts() -> None:
    throttle = Throttle()
    for number in range(FREE_TRIES_ADDRESS + 5):
        throttle.failed(f"user{number}", "10.0.0.66", 0)
    assert throttle.wait_s("another", "10.0.0.66", 0) > 0


def test_whoever_came_in_from_there_before_is_not_held_up_by_others_at_that_address() -> None:
    """An office behind one address: one desk that guesses does not lock the others out."""
    throttle = Throttle()
    throttle.succeeded("kim", "10.0.0.1")
    throttle.succeeded("lee", "10.0.0.1")
    for number in range(FREE_TRIES_ADDRESS + 5):
        throttle.failed(f"user{number}", "10.0.0.1", 0)
    assert throttle.wait_s("kim", "10.0.0.1", 0) == 0
    assert throttle.wait_s("another", "10.0.0.1", 0) > 0
    for _ in range(FREE_TRIES_PAIR + 1):
        throttle.failed("lee", "10.0.0.1", 0)
    assert throttle.wait_s("lee", "10.0.0.1", 0) > 0


def test_it_forgets_after_a_while_and_stays_bounded() -> None:
    throttle = Throttle()
    for _ in range(50):
        throttle.failed("kim", "10.0.0.1", 0)
    assert throttle.wait_s("kim", "10.0.0.1", FORGET_S + 1) == 0
    for number in range(REMEMBERED):
        throttle.failed(f"user{number}", f"10.1.{number % 250}.{number // 250}", 0)
    assert len(throttle._seen) <= REMEMBERED
