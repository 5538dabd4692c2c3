import asyncio

import pytest

from pharmq.base.clock import ManualClock, within


async def test_sleepers_wake_in_order_each_at_its_own_moment() -> None:
    clock = ManualClock()
    seen: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        seen.append((name, clock.monotonic()))

    tasks = [asyncio.create_task(sleeper(n, s)) for n, s in (("c", 30), ("a", 1), ("b", 10))]
    await clock.advance(20)
    assert seen == [("a", 1), ("b", 10)]
    await clock.advance(10)
    assert seen[-1] == ("c", 30)
    await asyncio.gather(*tasks)


async def test_a_sleeper_that_sleeps_again_is_woken_in_the_same_advance() -> None:
    clock = ManualClock()
    ticks: list[float] = []

    async def ticker() -> None:
        while True:
            await clock.sleep(10)
            ticks.append(clock.monotonic())

    task = asyncio.create_task(ticker())
    await clock.advance(35)
    assert ticks == [10, 20, 30]
    task.cancel()


async def test_within_gives_the_result_or_ends_the_work() -> None:
    clock = ManualClock()

    async def answer(after: float) -> str:
        await clock.sleep(after)
        return "done"

    quick = asyncio.create_task(within(clock, 5, answer(3)))
    slow = asyncio.create_task(within(clock, 5, answer(7)))
    await clock.advance(6)
    assert await quick == "done"
    with pytest.raises(TimeoutError):
        await slow
    assert clock.sleeping == 0
