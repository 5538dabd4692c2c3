"""Leases in a table: one holder at a time over all processes, by the database's clock (machines disagree)."""

from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Float, bindparam, cast, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.db.engine import Database
from pharmq.db.tables import leases


class Leases:
    """``owner`` names this process run; a lease not renewed within its time is free for anyone."""

    def __init__(self, db: Database, owner: str) -> None:
        self.db = db
        self.owner = owner

    async def acquire(self, name: str, ttl_s: float) -> bool:
        """Take a lease that is free, expired or already ours; True when we hold it now."""
        return await self.db.do(lambda conn, _tx: self.take(conn, name, ttl_s))

    def take(self, conn: Connection, name: str, ttl_s: float) -> bool:
        """``acquire`` as a part of a transaction."""
        taken = conn.execute(_TAKE[self.db.is_sqlite], {"name": name, "owner": self.owner, "ttl": ttl_s})
        return taken.rowcount == 1

    async def renew(self, name: str, ttl_s: float) -> bool:
        """Extend a lease we hold; False when it was lost meanwhile."""
        return await self.db.do(lambda conn, _tx: self._renew(conn, name, ttl_s))

    def _renew(self, conn: Connection, name: str, ttl_s: float) -> bool:
        renewed = conn.execute(_RENEW[self.db.is_sqlite], {"wanted": name, "by": self.owner, "ttl": ttl_s})
        return renewed.rowcount == 1

    async def release(self, name: str) -> None:
        await self.db.do(lambda conn, _tx: self.drop(conn, name))

    def drop(self, conn: Connection, name: str) -> None:
        """``release`` as a part of a transaction."""
        conn.execute(_DROP, {"wanted": name, "by": self.owner})


def now_of(is_sqlite: bool) -> ColumnElement[float]:
    """Unix seconds by the database's clock: the one clock that several processes share."""
    if is_sqlite:
        # Julian day to Unix seconds; the value has millisecond precision.
        return (func.julianday("now") - 2440587.5) * 86400.0
    return cast(func.extract("epoch", func.clock_timestamp()), Float)


async def database_time(db: Database, conn: AsyncConnection) -> float:
    """As ``now_of``, asked."""
    return await conn.run_sync(partial(time_of, is_sqlite=db.is_sqlite))


def time_of(conn: Connection, *, is_sqlite: bool) -> float:
    found = conn.scalar(_TIME[is_sqlite])
    if found is None:
        raise RuntimeError("the database did not tell the time")
    return float(found)


def _take(is_sqlite: bool) -> Any:
    insert: Any = sqlite.insert if is_sqlite else postgresql.insert
    until = now_of(is_sqlite) + bindparam("ttl", type_=Float)
    statement = insert(leases).values(name=bindparam("name"), owner=bindparam("owner"), expires_at=until)
    return statement.on_conflict_do_update(
        index_elements=["name"],
        set_={"owner": statement.excluded.owner, "expires_at": until},
        where=(leases.c.expires_at <= now_of(is_sqlite)) | (leases.c.owner == statement.excluded.owner),
    )


def _renewal(is_sqlite: bool) -> Any:
    ours = (leases.c.name == bindparam("wanted"), leases.c.owner == bindparam("by"))
    return (
        leases.update()
        .where(*ours, leases.c.expires_at > now_of(is_sqlite))
        .values(expires_at=now_of(is_sqlite) + bindparam("ttl", type_=Float))
    )


_BOTH = (False, True)
"""By whether the database is SQLite."""
_TIME = {each: select(now_of(each)) for each in _BOTH}
_TAKE = {each: _take(each) for each in _BOTH}
_RENEW = {each: _renewal(each) for each in _BOTH}
_DROP = delete(leases).where(leases.c.name == bindparam("wanted"), leases.c.owner == bindparam("by"))
