"""The RFB greeting towards the browser, while the host's side is still being opened."""

import asyncio
from typing import Final

from pharmq import rfb
from pharmq.consoles.browser import Browser
from pharmq.consoles.model import Cause, ConsoleEnded

EARLY_LIMIT: Final = 64 * 1024
"""A browser has nothing to say before it has seen the server's first message; more than this is no browser."""


class Greeting:
    """``run`` never returns: it keeps reading, so that a browser that leaves is noticed at once; it raises
    ConsoleEnded. ``done`` is set when the browser has finished its part; ``early`` holds what it sent after."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.early = b""

    async def run(self) -> None:
        talk = rfb.RfbServerHandshake()
        await self._browser.write(talk.greeting)
        try:
            while not talk.done:
                if answer := talk.feed(await self._browser.read()):
                    await self._browser.write(answer)
        except rfb.RfbError as error:
            raise ConsoleEnded(Cause("console.protocol_error", {"detail": str(error)[:80]})) from error
        self.early = talk.rest
        self.done.set_result(None)
        while len(self.early) <= EARLY_LIMIT:
            self.early += await self._browser.read()
        raise ConsoleEnded(Cause("console.protocol_error", {"detail": "bytes before the first picture"}))
