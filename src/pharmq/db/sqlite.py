"""SQLite in a thread of its own, one crossing per statement.

SQLAlchemy's adapter crosses over to that thread four times for each: for the cursor, the statement, its rows and the
cursor's end; and a crossing costs more than most statements do. Here a statement takes its rows along, ``BEGIN``
travels with the first statement, and ``run_sync`` is one crossing whatever its function does.

What has been sent to the thread is waited for, even by a task that is cancelled: a statement cut off in the middle
would leave a transaction that nobody ends. The cancellation is remembered and raised by ``Connection`` right after.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

import aiosqlite
import sqlalchemy.dialects.sqlite.aiosqlite as adapter
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, StaticPool
from sqlalchemy.util import await_only

T = TypeVar("T")

READERS = 8
"""Reads at the same time; whoever opens one more has to wait (``Database`` sees to it)."""

_stopped: set["asyncio.Task[Any] | None"] = set()
"""Tasks that were cancelled while a statement of theirs was under way."""


class _Crossing(asyncio.Future[T]):
    """What comes back from the thread. It cannot be called off: the task that waits hears of it afterwards."""

    def cancel(self, msg: Any | None = None) -> bool:
        return False


class _Errand:
    """Work for the thread, which goes on holding the last one it was given: what it was about must not stay alive."""

    __slots__ = ("_work",)

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work: Callable[[], Any] | None = work

    def __call__(self) -> Any:
        work, self._work = self._work, None
        assert work is not None, "run once"
        return work()


async def _crossed(connection: aiosqlite.Connection, work: Callable[[], T]) -> T:
    back: _Crossing[T] = _Crossing(loop=asyncio.get_running_loop())
    connection._tx.put_nowait((back, _Errand(work)))
    while True:
        try:
            return await back
        except asyncio.CancelledError:
            _stopped.add(asyncio.current_task())


def _heed() -> None:
    """Raise the cancellation that came while a statement ran."""
    if _stopped and (task := asyncio.current_task()) in _stopped:
        _stopped.discard(task)
        raise asyncio.CancelledError


class _Cursor:
    """A DBAPI cursor that is filled by the time its statement has returned."""

    description: Any = None
    rowcount = -1
    lastrowid: int | None = None
    arraysize = 1

    def __init__(self, connection: "_Adapted") -> None:
        self._adapted = connection
        self._rows: Iterator[Any] = iter(())

    def execute(self, operation: str, parameters: Sequence[Any] | None = None) -> "_Cursor":
        return self._run("execute", operation, () if parameters is None else parameters)

    def executemany(self, operation: str, parameters: Iterable[Sequence[Any]]) -> "_Cursor":
        return self._run("executemany", operation, parameters)

    def _run(self, way: str, operation: str, parameters: Any) -> "_Cursor":
        adapted = self._adapted
        found = adapted.cross(partial(adapted.run, way, operation, parameters))
        self.description, rows, self.rowcount, self.lastrowid = found
        self._rows = iter(rows)
        return self

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> list[Any]:
        wanted = self.arraysize if size is None else size
        return [row for _, row in zip(range(wanted), self._rows, strict=False)]

    def fetchall(self) -> list[Any]:
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows

    def setinputsizes(self, *_sizes: Any) -> None:
        """SQLite has no use for it."""

    def close(self) -> None:
        self._rows = iter(())

    async def _async_soft_close(self) -> None:
        """Nothing is open: the rows are here."""


class _Adapted(adapter.AsyncAdapt_aiosqlite_connection):
    """What SQLAlchemy takes for a DBAPI connection."""

    __slots__ = ("_begin", "_open", "_thread")

    _connection: Any

    def __init__(self, dbapi: Any, connection: Any) -> None:
        super().__init__(dbapi, connection)
        self._begin: str | None = None
        self._open = False
        self._thread = connection._thread.ident

    def cross(self, work: Callable[[], T]) -> T:
        try:
            if threading.get_ident() == self._thread:
                return work()
            return await_only(_crossed(self._connection, work))
        except (sqlite3.Error, ValueError) as error:
            self._handle_exception(error)

    def run(self, way: str, operation: str, parameters: Any) -> tuple[Any, list[Any], int, int | None]:
        """In the thread."""
        connection = self._connection._conn
        if self._begin is not None:
            connection.execute(self._begin)
            self._begin, self._open = None, True
        cursor = getattr(connection.cursor(), way)(operation, parameters)
        rows = cursor.fetchall() if cursor.description else []
        return cursor.description, rows, cursor.rowcount, cursor.lastrowid

    def begin(self, statement: str) -> None:
        """To be said before the next statement."""
        self._begin = statement

    def cursor(self, server_side: bool = False) -> Any:
        if server_side:
            raise NotImplementedError("rows come all at once")
        return _Cursor(self)

    def create_function(self, *args: Any, **options: Any) -> None:
        self.cross(partial(self._connection._conn.create_function, *args, **options))

    def commit(self) -> None:
        self._begin = None
        if self._open:
            self.cross(self._connection._conn.commit)
            self._open = False

    def rollback(self) -> None:
        self._begin = None
        if self._open:
            self._roll_back()
            self._open = False

    def _roll_back(self) -> None:
        if self._connection._connection:
            self.cross(self._connection._conn.rollback)


class _Reading(_Adapted):
    """Only ever reads: that its transaction is over nobody has to wait for, since what comes next waits its turn."""

    __slots__ = ()

    def _roll_back(self) -> None:
        if self._connection._connection:
            self._connection._tx.put_nowait((None, self._connection._conn.rollback))


class _Module(adapter.AsyncAdapt_aiosqlite_dbapi):
    """What SQLAlchemy takes for the driver's module."""

    def __init__(self, adapted: type[_Adapted]) -> None:
        super().__init__(aiosqlite, sqlite3)
        self._adapted = adapted

    def connect(self, *args: Any, **options: Any) -> _Adapted:
        connection = aiosqlite.connect(*args, **options)
        connection._thread.daemon = True
        await_only(_connect(connection))
        return self._adapted(self, connection)


async def _connect(connection: aiosqlite.Connection) -> None:
    connection._thread.start()
    try:
        connection._connection = await _crossed(connection, connection._connector)
    except BaseException:
        connection.stop()
        raise


class Connection(AsyncConnection):
    """An AsyncConnection whose statements are never cut off."""

    __slots__ = ()

    async def start(self, is_ctxmanager: bool = False) -> AsyncConnection:
        try:
            return await super().start(is_ctxmanager)
        finally:
            _heed()

    async def execute(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().execute(*args, **options)
        finally:
            _heed()

    async def exec_driver_sql(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().exec_driver_sql(*args, **options)
        finally:
            _heed()

    async def run_sync(self, fn: Callable[..., T], *args: Any, **options: Any) -> T:
        """As everywhere, but in the thread: any number of statements for one crossing."""
        connection = self.sync_connection
        if connection is None:
            raise RuntimeError("the connection is not started")
        adapted: Any = connection.connection.dbapi_connection
        try:
            return await _crossed(adapted._connection, partial(fn, connection, *args, **options))
        finally:
            _heed()

    async def commit(self) -> None:
        try:
            await super().commit()
        finally:
            _heed()

    async def rollback(self) -> None:
        try:
            await super().rollback()
        finally:
            _heed()

    async def close(self) -> None:
        try:
            await super().close()
        finally:
            _heed()


class Engine(AsyncEngine):
    __slots__ = ()
    _connection_cls = Connection


def create_engine(url: str, synchronous: str, *, readers: bool = False) -> AsyncEngine:
    """One connection for writing (SQLite would only make a second one wait), or ``READERS`` for reading."""
    pool: dict[str, Any] = {"poolclass": StaticPool}
    if readers:
        pool = {"poolclass": AsyncAdaptedQueuePool, "pool_size": READERS // 2, "max_overflow": READERS - READERS // 2}
    engine = create_async_engine(
        url,
        module=_Module(_Reading if readers else _Adapted),
        # The driver must not begin by itself: we say BEGIN IMMEDIATE below.
        connect_args={"isolation_level": None, "cached_statements": 512},
        **pool,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=ON", "busy_timeout=10000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        connection.connection.dbapi_connection.begin("BEGIN" if readers else "BEGIN IMMEDIATE")

    return Engine(engine.sync_engine)
