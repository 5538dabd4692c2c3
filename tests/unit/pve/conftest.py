import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import uvloop
from blockbuster import BlockBuster
from raw_host import LOGIN, QUICK, RawHost, ok

from pharmq.base.clock import ManualClock
from pharmq.base.secret import Secret
from pharmq.pve import Credential, PasswordCredential, PveClient


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The product runs on uvloop, tests elsewhere on asyncio: TLS and socket errors differ between them."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(autouse=True)
def nothing_blocks() -> Iterator[None]:
    """A blocking call of the client on the event loop fails the test."""
    guard = BlockBuster(scanned_modules=["pharmq.pve"])
    guard.activate()
    yield
    guard.deactivate()


@pytest.fixture
async def host() -> AsyncIterator[RawHost]:
    async with RawHost() as raw:
        raw.on("POST /access/ticket", ok(LOGIN))
        yield raw


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def make(host: RawHost, clock: ManualClock) -> Callable[..., PveClient]:
    def build(credential: Credential | None = None, **more: object) -> PveClient:
        options: dict[str, object] = {"clock": clock, "timeouts": QUICK, **more}
        return PveClient(
            options.pop("endpoint", host.endpoint),  # type: ignore[arg-type]
            credential or PasswordCredential("root@pam", Secret("pw +&%")),
            options.pop("pins", host.pins),  # type: ignore[arg-type]
            **options,  # type: ignore[arg-type]
        )

    return build


@pytest.fixture
def client(make: Callable[..., PveClient]) -> PveClient:
    return make()
