"""Connections and transactions.

SQLite has one writer: a lock in this process orders ours, ``BEGIN IMMEDIATE`` and a busy time-out those of other
processes (the command line). ``synchronous`` belongs to a connection, so acts, jobs and credentials write through
a second connection with FULL, the inventory through one with NORMAL (a power cut may lose its last second, which
the next poll brings back).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pharmq.base.config import async_url
from pharmq.db import sqlite
from pharmq.db.patient import connected, create_engine

T = TypeVar("T")


class Tx:
    """One transaction. Whoever opened it commits; what must be told to others runs after the commit.

    ``notes``: what whoever works in it wants to find again, under itself."""

    def __init__(self, conn: AsyncConnection) -> None:
        self.conn = conn
        self.notes: dict[object, Any] = {}
        self._before: list[Callable[[Connection], object]] = []
        self._after: list[Callable[[], None]] = []
        self.is_committed = False

    def before_commit(self, fn: Callable[[Connection], object]) -> None:
        """Run ``fn`` as the last thing, in the order given; on SQLite it costs no crossing of its own. It may call
        ``after_commit``, but nothing else of the event loop's: it may run in a thread."""
        self._before.append(fn)

    def after_commit(self, fn: Callable[[], None]) -> None:
        """Run ``fn`` (synchronous, must not fail) once the transaction has committed, in the order given."""
        self._after.append(fn)

    def commit(self, connection: Connection) -> None:
        for fn in self._before:
            fn(connection)
        connection.commit()
        self.is_committed = True

    def committed(self) -> None:
        for fn in self._after:
            fn()

    def forget(self) -> None:
        """What was to be done holds on to the transaction, and to what it was about: end the circle."""
        self._before, self._after = [], []


class Database:
    """``url``: SQLAlchemy URL; ``postgresql://`` and ``sqlite:///`` are accepted as people write them."""

    def __init__(self, url: str) -> None:
        self.url = async_url(url)
        self.is_sqlite = self.url.startswith("sqlite")
        if self.is_sqlite:
            self._normal = sqlite.create_engine(self.url, "NORMAL")
            self._durable = sqlite.create_engine(self.url, "FULL")
            self._readers = sqlite.create_engine(self.url, "NORMAL", readers=True)
        else:
            self._normal = create_engine(self.url, pool_size=10, max_overflow=10, pool_pre_ping=True)
            self._durable = self._readers = self._normal
        self._write = asyncio.Lock()
        self._reading = asyncio.Semaphore(sqlite.READERS)

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
                await conn.run_sync(tx.commit)
            except BaseException:
                # A cancellation is raised when the commit has ended: it may have happened, and then others must hear.
                if not tx.is_committed:
                    tx.forget()
                    await conn.rollback()
                raise
            finally:
                # Here, not after the connection is given back: a cancellation may arrive in that await.
                tx.committed()
                tx.forget()

    async def do(self, work: Callable[[Connection, Tx], T], *, durable: bool = False) -> T:
        """A transaction that consists of ``work``, in one go; it may run in a thread and must leave the event loop's
        things alone. For what is done often: on SQLite an awaited statement costs more than some made like this."""
        found: list[T] = []
        async with self.transaction(durable=durable) as tx:
            tx.before_commit(lambda conn: found.append(work(conn, tx)))
        return found[0]

    async def ask(self, work: Callable[[Connection], T]) -> T:
        """What ``work`` reads, in one go, as ``do``."""
        async with self.read() as conn:
            return await conn.run_sync(work)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading; on SQLite it never waits for the writer."""
        async with self._reading if self.is_sqlite else nullcontext(), connected(self._readers) as conn:
            yield conn

    async def close(self) -> None:
        for engine in {id(e): e for e in (self._normal, self._durable, self._readers)}.values():
            await engine.dispose()
