"""Leases in a table: one holder at a time over all processes, by the database's clock (machines disagree)."""

from sqlalchemy import Float, cast, delete, func, select
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
        async with self.db.transaction() as tx:
            now = await database_time(self.db, tx.conn)
            if self.db.is_sqlite:
                from sqlalchemy.dialects.sqlite import insert
            else:
                from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment]
            statement = insert(leases).values(name=name, owner=self.owner, expires_at=now + ttl_s)
            statement = statement.on_conflict_do_update(
                index_elements=["name"],
                set_={"owner": self.owner, "expires_at": now + ttl_s},
                where=(leases.c.expires_at <= now) | (leases.c.owner == self.owner),
            )
            await tx.conn.execute(statement)
            holder = await tx.conn.scalar(select(leases.c.owner).where(leases.c.name == name))
            return bool(holder == self.owner)

    async def renew(self, name: str, ttl_s: float) -> bool:
        """Extend a lease we hold; False when it was lost meanwhile."""
        async with self.db.transaction() as tx:
            now = await database_time(self.db, tx.conn)
            changed = await tx.conn.execute(
                leases.update()
                .where(leases.c.name == name, leases.c.owner == self.owner, leases.c.expires_at > now)
                .values(expires_at=now + ttl_s)
            )
            return bool(changed.rowcount == 1)

    async def release(self, name: str) -> None:
        async with self.db.transaction() as tx:
            await tx.conn.execute(delete(leases).where(leases.c.name == name, leases.c.owner == self.owner))


async def database_time(db: Database, conn: AsyncConnection) -> float:
    """Unix seconds by the database's clock: the one clock that several processes share."""
    if db.is_sqlite:
        # Julian day to Unix seconds; the value has millisecond precision.
        found = await conn.scalar(select((func.julianday("now") - 2440587.5) * 86400.0))
    else:
        found = await conn.scalar(select(cast(func.extract("epoch", func.clock_timestamp()), Float)))
    if found is None:
        raise RuntimeError("the database did not tell the time")
    return float(found)
