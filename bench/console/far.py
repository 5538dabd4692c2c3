"""``undelayed.py`` whose hosts are far away: 150 ms there and back, every fiftieth packet lost on the way.

A relay in front of each connection plays the road (kernels without ``netem`` cannot): a chunk arrives half a round
trip later, never before what was sent earlier; a lost packet holds up everything behind it for as long as TCP takes to
send it again; the connection itself costs a round trip, and a second when its first packet is lost.
"""

import asyncio
import contextlib
import random
import socket

from pharmq_sim.console import Consoles
from pharmq_sim.listener import Listener

ROUND_TRIP_S = 0.15
LOST = 0.02
AGAIN_S = 0.35
"""A packet that is missed: the round trip and what TCP waits on top of it (at least 0.2 s)."""
CONNECT_AGAIN_S = 1.0
PACKET = 1460
CHUNK = 8 * PACKET

_draw = random.Random(1)
_serve = Listener._serve


def _lost(packets: int) -> bool:
    return any(_draw.random() < LOST for _ in range(packets))


async def _road(source: socket.socket, target: socket.socket, late: float) -> None:
    """Bytes from one to the other; ``late``: what the connecting took."""
    loop = asyncio.get_running_loop()
    free, queue = loop.time() + late, asyncio.Queue[tuple[float, bytes]]()

    async def arrive() -> None:
        while True:
            at, data = await queue.get()
            await asyncio.sleep(max(0.0, at - loop.time()))
            if not data:
                target.shutdown(socket.SHUT_WR)
                return
            await loop.sock_sendall(target, data)

    arriving = asyncio.create_task(arrive())
    with contextlib.suppress(OSError):
        while True:
            data = await loop.sock_recv(source, CHUNK)
            at = loop.time() + ROUND_TRIP_S / 2 + (AGAIN_S if _lost(-(-len(data) // PACKET)) else 0.0)
            free = max(free, at)
            queue.put_nowait((free, data))
            if not data:
                break
        await arriving
    arriving.cancel()


async def _travelled(self: Listener, sock: socket.socket) -> None:
    near, far = socket.socketpair()
    for end in (near, far):
        end.setblocking(False)
    late = ROUND_TRIP_S + (CONNECT_AGAIN_S if _lost(2) else 0.0)
    both = [self.host.spawn(_road(sock, far, late), "there"), self.host.spawn(_road(far, sock, late), "back")]
    try:
        await _serve(self, near)
        await asyncio.wait(both, timeout=5)
    finally:
        for way in both:
            way.cancel()
        far.close()
        sock.close()


if __name__ == "__main__":
    from pharmq_sim.__main__ import app

    Consoles.__init__.__kwdefaults__["first_byte"] = (0.0, 0.0)
    Listener._serve = _travelled  # type: ignore[method-assign]
    app()
