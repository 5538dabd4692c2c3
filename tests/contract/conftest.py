import asyncio
from collections.abc import Callable

import pytest
import uvloop


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Failures of TLS and sockets look different on uvloop, which the product runs on; the rest needs one loop."""
    loops = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    return loops if "test_contract_faults" in item.nodeid else {"asyncio": asyncio.new_event_loop}
