"""What one delta costs for each browser that receives it: CPU microseconds per delivery, by number of browsers.

    .venv/bin/python bench/inventory/stream.py

In process, without HTTP: the cost of making the delta is shared, that of handing it over is each browser's own.
"""

import asyncio
import time

from scale import ADMIN, build

from pharmq.access import Actor
from pharmq.live.service import LiveService

ROUNDS = 200
ROWS = 20


async def measure(browsers: int) -> float:
    inventory = build(200)

    async def fresh(actor: Actor) -> Actor | None:
        return actor

    live = LiveService(
        inventory.db,
        inventory.journal,
        inventory.clock,
        event=lambda row: row,
        may_see_event=lambda _actor, _row: True,
        summary=inventory.select.summary,
        fresh=fresh,
    )
    view = inventory.view
    live.register("vms", inventory.rows.encoded, lambda: list(view.all_ids()), lambda _number: None)
    received = 0

    async def browse() -> None:
        nonlocal received
        async for _ in live.stream(ADMIN, None):
            received += 1

    tasks = [asyncio.create_task(browse()) for _ in range(browsers)]
    for _ in range(50):
        await asyncio.sleep(0)
    received = 0
    start = time.process_time_ns()
    for number in range(ROUNDS):
        changed = range(1 + number % 40 * ROWS, 1 + number % 40 * ROWS + ROWS)
        inventory.rows.forget(changed)
        live.touch_all("vms", changed)
        live.flush()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    taken = (time.process_time_ns() - start) / 1e3
    if received != ROUNDS * browsers:
        raise SystemExit(f"{received} of {ROUNDS * browsers} deltas arrived")
    for task in tasks:
        task.cancel()
    return taken / received


async def main() -> None:
    for browsers in (1, 10, 50, 200):
        print(f"{browsers:4} browsers, {ROWS} rows a delta: {await measure(browsers):7.1f} us a delivery")


if __name__ == "__main__":
    asyncio.run(main())
