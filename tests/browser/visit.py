"""A person's browser: pages that keep what went wrong, and leave a picture when a test fails."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Response

RESULTS = Path(__file__).parents[2] / "test-results" / "browser"
#: told by the browser for each answer >= 400; we judge the answers themselves
_STATUS_NOTE = re.compile(r"Failed to load resource: the server responded with a status of")
#: told by the browser where nobody listens, or where a connection broke
_OUTAGE_NOTE = re.compile(r"net::ERR_|WebSocket connection to '[^']*' failed")
_CSP_WATCH = """
addEventListener('securitypolicyviolation', (event) =>
  console.error(`CSP ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile ?? ''}`))
"""


@dataclass
class Visit:
    """One browser context. What a test expects to be refused, it says by ``expects(status, path)`` beforehand."""

    context: BrowserContext
    url: str
    log: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _waiting: set[Request] = field(default_factory=set)
    _expected: list[tuple[int, str]] = field(default_factory=lambda: [(401, "/api/session")])
    _outage: bool = False

    async def page(self, path: str = "/") -> Page:
        page = await self.context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self._complain(f"page error: {error}"))
        page.on("response", self._answered)
        page.on("request", self._asked)
        page.on("requestfinished", self._settled)
        page.on("requestfailed", self._settled)
        await page.goto(f"{self.url}{path}")
        return page

    def _asked(self, request: Request) -> None:
        if "/api/" in request.url:
            self._waiting.add(request)

    def _settled(self, request: Request) -> None:
        self._waiting.discard(request)

    async def quiet(self) -> None:
        """Returns when no page waits for an answer of the API."""
        calm = 0
        while calm < 3:
            await asyncio.sleep(0.02)
            calm = 0 if self._waiting else calm + 1

    def expects(self, status: int, path: str) -> None:
        """Answers with this status of addresses that contain ``path`` are part of the test."""
        self._expected.append((status, path))

    def expects_outage(self, on: bool = True) -> None:
        """While nobody answers, the browser's own words about that are part of the test."""
        self._outage = on

    def _complain(self, text: str) -> None:
        self.log.append(text)
        self.complaints.append(text)

    def _heard(self, message: ConsoleMessage) -> None:
        line = f"{message.type}: {message.text}"
        known = _STATUS_NOTE.search(message.text) or (self._outage and _OUTAGE_NOTE.search(message.text))
        if message.type == "error" and not known:
            self._complain(line)
        else:
            self.log.append(line)

    def _answered(self, response: Response) -> None:
        if response.status < 400:
            return
        line = f"{response.status} {response.request.method} {response.url}"
        if any(response.status == status and path in response.url for status, path in self._expected):
            self.log.append(line)
        else:
            self._complain(line)

    async def watch(self) -> None:
        await self.context.add_init_script(_CSP_WATCH)

    async def keep(self, name: str) -> None:
        """Pictures of all pages and what they said, into test-results/browser."""
        RESULTS.mkdir(parents=True, exist_ok=True)
        for number, page in enumerate(self.context.pages, 1):
            await page.screenshot(path=RESULTS / f"{name}-{number}.png")
            (RESULTS / f"{name}-{number}.html").write_text(await page.content())
        (RESULTS / f"{name}.txt").write_text("\n".join(self.log) + "\n")


Visiting = Callable[..., Awaitable[Visit]]
"""``await visiting(url, **context options)``: somebody's browser."""


def field_of(page: Page, label: str) -> Locator:
    """The form field with exactly this label; required ones carry a star."""
    return page.get_by_label(re.compile(rf"^{re.escape(label)}( \*)?$"))


def says(value: Any) -> re.Pattern[str]:
    """A text that has ``value`` in it as a whole word."""
    return re.compile(rf"(?<![\w,]){re.escape(str(value))}(?![\w,])")
