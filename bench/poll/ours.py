"""CPU per poll of our own client, in a process of its own: ``ours.py PORT GUESTS POLLS PIN``.

As the product runs it: uvloop, a fresh connection, the leaf compared with the pin, the answer decoded to typed rows.
"""

import asyncio
import json
import resource
import sys

import uvloop

from pharmq.base.clock import SystemClock
from pharmq.base.secret import Secret
from pharmq.pve import Endpoint, PveClient, TokenCredential

SECRET = "00000000-0000-4000-8000-000000000000"


def cpu_us() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1e6


async def main() -> None:
    port, guests, polls, pin = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    client = PveClient(
        Endpoint("127.0.0.1", port),
        TokenCredential("root@pam!bench", Secret(SECRET)),
        frozenset({pin}),
        clock=SystemClock(),
        handshakes=asyncio.Semaphore(20),
    )
    for _ in range(20):
        seen = await client.resources()
    if len(seen.guests) != guests:
        sys.exit(f"{len(seen.guests)} guests instead of {guests}")
    before = cpu_us()
    for _ in range(polls):
        await client.resources()
    print(json.dumps({"cpu_us": (cpu_us() - before) / polls}))


uvloop.run(main())
