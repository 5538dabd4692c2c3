"""Connections and transactions.

SQLite has one writer: a lock in this process orders ours, ``BEGIN IMMEDIATE`` and a busy time-out those of other
processes (the command line). ``synchronous`` belongs to a connection, so acts, jobs and credentials write through
a second connection with FULL, the inventory through one with NORMAL (a power cut may lose its last second, which
the next poll brings back).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import AsyncAdaptedQueuePool, StaticPool

from pharmq.base.config import async_url
from pharmq.db.patient import connected, create_engine


class Tx:
    """One transaction. Whoever opened it commits; what must be told to others runs after the commit."""

    def __init__(self, conn: AsyncConnection) -> None:
        self.conn = conn
        self._after: list[Callable[[], None]] = []

    def after_commit(self, fn: Callable[[], None]) -> None:
        """Run ``fn`` (synchronous, must not fail) once the transaction has committed, in the order given."""
        self._after.append(fn)

    def committed(self) -> None:
        for fn in self._after:
            fn()


class Database:
    """``url``: SQLAlchemy URL; ``postgresql://`` and ``sqlite:///`` are accepted as people write them."""

    def __init__(self, url: str) -> None:
        self.url = async_url(url)
        self.is_sqlite = self.url.startswith("sqlite")
        if self.is_sqlite:
            self._normal = _sqlite_engine(self.url, "NORMAL")
            self._durable = _sqlite_engine(self.url, "FULL")
            self._readers = _sqlite_engine(self.url, "NORMAL", readers=4)
        else:
            self._normal = create_engine(self.url, pool_size=10, max_overflow=10, pool_pre_ping=True)
            self._durable = self._readers = self._normal
        self._write = asyncio.Lock()

    @property
    def engine(self) -> AsyncEngine:
        return self._normal

    @asynccontextmanager
    async def transaction(self, *, durable: bool = False) -> AsyncIterator[Tx]:
        """Begin, yield, commit; roll back when the block raises. ``durable``: on disk before it returns."""
        engine = self._durable if durable else self._normal
        async with self._write if self.is_sqlite else nullcontext(), connected(engine) as conn:
            tx = Tx(conn)
            try:
                yield tx
            except BaseException:
                await conn.rollback()
                raise
            try:
                await conn.commit()
            except asyncio.CancelledError:
                # Patient connections end the commit first, so it did happen and others must hear of it.
                tx.committed()
                raise
            # Here, not after the connection is given back: a cancellation may arrive in that await.
            tx.committed()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading; on SQLite it never waits for the writer."""
        async with connected(self._readers) as conn:
            yield conn

    async def close(self) -> None:
        for engine in {id(e): e for e in (self._normal, self._durable, self._readers)}.values():
            await engine.dispose()


def _sqlite_engine(url: str, synchronous: str, *, readers: int = 0) -> AsyncEngine:
    # The writing connections are one each (StaticPool): SQLite would only make a second one wait.
    if readers:
        engine = create_engine(url, poolclass=AsyncAdaptedQueuePool, pool_size=readers, max_overflow=4)
    else:
        engine = create_engine(url, poolclass=StaticPool)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # The driver must not begin by itself: we say BEGIN IMMEDIATE below.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            "busy_timeout=10000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN" if readers else "BEGIN IMMEDIATE")

    return engine
