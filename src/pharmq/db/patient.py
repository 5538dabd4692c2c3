"""Connections on which a cancelled task still waits for the statement that is under way.

A statement cut off in the middle leaves SQLAlchemy with a connection in an unknown state: it throws the connection
away without ending its transaction, and on SQLite the write lock stays held by nobody. So the statement runs to its
end in a task of its own; the cancellation arrives right after it, and the transaction is rolled back in order.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

T = TypeVar("T")


async def finish(work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work``, which is never cut off; a cancellation is raised when it has ended."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as stop:
            cancelled = stop
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # looked at, so that it is not reported as forgotten
        raise cancelled
    return task.result()


class PatientConnection(AsyncConnection):
    """An AsyncConnection whose statements are never cut off."""

    __slots__ = ()

    async def start(self, is_ctxmanager: bool = False) -> AsyncConnection:
        return await finish(super().start(is_ctxmanager))

    async def execute(self, *args: Any, **options: Any) -> Any:
        return await finish(super().execute(*args, **options))

    async def exec_driver_sql(self, *args: Any, **options: Any) -> Any:
        return await finish(super().exec_driver_sql(*args, **options))

    async def scalar(self, *args: Any, **options: Any) -> Any:
        return await finish(super().scalar(*args, **options))

    async def scalars(self, *args: Any, **options: Any) -> Any:
        return await finish(super().scalars(*args, **options))

    async def run_sync(self, *args: Any, **options: Any) -> Any:
        return await finish(super().run_sync(*args, **options))

    async def commit(self) -> None:
        await finish(super().commit())

    async def rollback(self) -> None:
        await finish(super().rollback())

    async def close(self) -> None:
        await finish(super().close())


class PatientEngine(AsyncEngine):
    __slots__ = ()
    _connection_cls = PatientConnection


def create_engine(url: str, **options: Any) -> AsyncEngine:
    """As ``create_async_engine``, with patient connections."""
    return PatientEngine(create_async_engine(url, **options).sync_engine)


@asynccontextmanager
async def connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection that goes back to its pool however the block, or the opening itself, ends."""
    conn = engine.connect()
    try:
        await conn.start()
        yield conn
    finally:
        if conn.sync_connection is not None:
            await conn.close()
