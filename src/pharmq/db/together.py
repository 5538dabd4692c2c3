"""Pieces of work of several tasks in one durable transaction: whoever waits for the disk waits for all of them."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from pharmq.base.spawn import Spawner
from pharmq.db.engine import Database, Tx

T = TypeVar("T")
MOST = 50
"""Pieces in one transaction."""


class _Piece(Generic[T]):
    """``back`` is answered once it is on disk, or has failed."""

    def __init__(self, work: Callable[[Connection, Tx], T]) -> None:
        self.work = work
        self.back: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.found: list[T] = []

    def run(self, conn: Connection, tx: Tx) -> None:
        self.found = [self.work(conn, tx)]

    def done(self) -> None:
        if not self.back.done():
            self.back.set_result(self.found[0])

    def failed(self, error: BaseException) -> None:
        if self.back.done():
            return
        if isinstance(error, asyncio.CancelledError):
            self.back.cancel()
        else:
            self.back.set_exception(error)


class Together:
    """One transaction at a time; what comes meanwhile is the next one. Nobody waits for company."""

    def __init__(self, db: Database, spawner: Spawner) -> None:
        self.db = db
        self._spawner = spawner
        self._waiting: deque[_Piece[Any]] = deque()
        self._writing = False

    async def do(self, work: Callable[[Connection, Tx], T]) -> T:
        """As ``Database.do`` with ``durable``. ``work`` may run twice, the first time for nothing: when another piece
        has failed, each of them is done again by itself."""
        piece = _Piece(work)
        self._waiting.append(piece)
        if not self._writing:
            self._writing = True
            self._spawner.spawn(self._write(), "together")
        return await piece.back

    async def _write(self) -> None:
        try:
            while self._waiting:
                taken: list[_Piece[Any]] = []
                try:
                    await self._transaction(taken, self._next)
                except Exception as error:  # noqa: BLE001 - told to whoever waits
                    await self._one_by_one(taken, error)
                except BaseException as end:
                    _fail(taken, end)
                    raise
        except BaseException as end:
            _fail(self._waiting, end)
            self._waiting.clear()
            raise
        finally:
            self._writing = False

    def _next(self) -> list[_Piece[Any]]:
        """Those who wait; not those who have gone."""
        found: list[_Piece[Any]] = []
        while self._waiting and len(found) < MOST:
            piece = self._waiting.popleft()
            if not piece.back.done():
                found.append(piece)
        return found

    async def _transaction(self, taken: list[_Piece[Any]], choose: Callable[[], list[_Piece[Any]]]) -> None:
        async with self.db.transaction(durable=True) as tx:
            # Chosen now, when it is our turn: others came while we waited for it.
            taken += choose()

            def run(conn: Connection) -> None:
                for piece in taken:
                    piece.run(conn, tx)

            tx.before_commit(run)
        for piece in taken:
            piece.done()

    async def _one_by_one(self, pieces: Sequence[_Piece[Any]], error: Exception) -> None:
        if not pieces:
            # There was no transaction to begin with.
            pieces = self._next()
            _fail(pieces, error)
        elif len(pieces) == 1:
            _fail(pieces, error)
        else:
            for piece in pieces:
                try:
                    await self._transaction([], lambda piece=piece: [piece])  # type: ignore[misc]
                except Exception as its:  # noqa: BLE001 - told to whoever waits
                    piece.failed(its)
                except BaseException as end:
                    _fail(pieces, end)
                    raise


def _fail(pieces: Sequence[_Piece[Any]], error: BaseException) -> None:
    for piece in pieces:
        piece.failed(error)
