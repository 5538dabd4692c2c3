"""The least that opening a console takes, in a process of its own: what Proxmox itself asks for, without a manager.

``direct.py AT_ONCE TIMES`` with the hosts as JSON on standard input: ``[[address, port, pin, password, vmid], ...]``.
vncproxy, the WebSocket, RFB authentication, ServerInit, end; the ticket of the login is kept.
"""

import asyncio
import json
import resource
import sys
import time

import uvloop

from pharmq.base.clock import SystemClock
from pharmq.base.secret import Secret
from pharmq.pve import Endpoint, Guest, PasswordCredential, PveClient
from pharmq.rfb import RfbClientHandshake


def cpu_ms() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1e3


async def open_one(client: PveClient, vmid: int) -> float:
    began = time.perf_counter()
    guest = Guest("pve", "qemu", vmid)
    ticket = await client.vncproxy(guest)
    stream = await client.open_websocket(guest, ticket)
    talk = RfbClientHandshake(ticket.password)
    while not talk.done:
        data = await stream.recv()
        if data is None:
            raise talk.ended()
        if answer := talk.feed(data):
            await stream.send(answer)
    rest = talk.rest
    while len(rest) < 24:
        rest += await stream.recv() or b""
    took = (time.perf_counter() - began) * 1000
    await stream.close()
    return took


async def main() -> None:
    at_once, times = int(sys.argv[1]), int(sys.argv[2])
    targets = []
    for address, port, pin, password, vmid in json.load(sys.stdin):
        client = PveClient(
            Endpoint(address, port),
            PasswordCredential("root@pam", Secret(password)),
            frozenset({pin}),
            clock=SystemClock(),
            handshakes=asyncio.Semaphore(20),
        )
        await client.login()
        targets.append((client, vmid))
    before = cpu_ms()
    took: list[float] = []
    for turn in range(0, times, at_once):
        some = [targets[(turn + n) % len(targets)] for n in range(at_once)]
        took += await asyncio.gather(*(open_one(*target) for target in some))
    print(json.dumps({"cpu_ms": (cpu_ms() - before) / len(took), "ms": took}))


uvloop.run(main())
