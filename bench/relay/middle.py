"""The relay as the product runs it (uvicorn on uvloop, the browser's socket, the host's stream, the pipe), without
sign-in and database: every socket that comes is piped to the host at once."""

import asyncio
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

from pharmq.base.clock import SystemClock
from pharmq.consoles.browser import Browser
from pharmq.consoles.meter import Meter
from pharmq.consoles.model import Cause
from pharmq.consoles.relay import Gates, Relay
from pharmq.consoles.splice import Pipe, Splice
from pharmq.pve import Endpoint, Timeouts
from pharmq.pve.websocket import open_console
from pharmq.pve.wire import Request, fingerprint
from pharmq.rfb import KEEPALIVE_REQUEST, ViewerSieve


def application(host_port: int, pin: str) -> Callable[..., Any]:
    clock = SystemClock()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            return
        await receive()
        browser = Browser(receive, send, clock)
        request = Request("GET", "/nodes/pve/qemu/100/vncwebsocket?port=5900&vncticket=x")
        stream = await open_console(
            Endpoint("127.0.0.1", host_port), request, frozenset({pin}), Timeouts(), asyncio.Semaphore(20)
        )
        await browser.accept(scope["subprotocols"])
        # The orders of this bench are no RFB messages: the sieve is lost at once, as with an unknown viewer.
        meter, gates = Meter(clock.monotonic()), Gates(ViewerSieve(), None, KEEPALIVE_REQUEST)
        pipe: Pipe
        if browser.taken is not None:
            pipe = Splice(browser.taken, stream, clock, meter, gates)
        else:
            pipe = Relay(browser, stream, clock, meter, gates)
        ended: asyncio.Future[Cause] = asyncio.get_running_loop().create_future()
        await pipe.run(b"", b"", ended)
        await stream.close()

    return app


def main() -> None:
    port, host_port, directory = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    pin = fingerprint(ssl.PEM_cert_to_DER_cert((directory / "leaf.pem").read_text()))
    uvicorn.run(
        application(host_port, pin),
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        ws=sys.argv[4] if len(sys.argv) > 4 else "websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=1 << 20,
        lifespan="off",
        log_level="warning",
    )


if __name__ == "__main__":
    main()
