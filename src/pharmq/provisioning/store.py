"""SQL of this room. One row per host, written as a whole; nobody here commits."""

from typing import Any

import msgspec
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.provisioning.model import Account, Asker
from pharmq.provisioning.tables import service_accounts as table


async def all_accounts(conn: AsyncConnection) -> list[Account]:
    return [_account(row) for row in await conn.execute(select(table).order_by(table.c.host_id))]


async def account(conn: AsyncConnection, host_id: int) -> Account | None:
    row = (await conn.execute(select(table).where(table.c.host_id == host_id))).first()
    return None if row is None else _account(row)


async def save(conn: AsyncConnection, account: Account) -> None:
    values = msgspec.structs.asdict(account)
    asked = values.pop("asked")
    values["privileges"] = list(account.privileges)
    values |= {f"asked_{name}": getattr(asked, name, None) for name in ("id", "kind", "name", "source")}
    changed = await conn.execute(update(table).where(table.c.host_id == account.host_id).values(**values))
    if changed.rowcount == 0:
        await conn.execute(insert(table).values(**values))


async def remove(conn: AsyncConnection, host_id: int) -> None:
    await conn.execute(delete(table).where(table.c.host_id == host_id))


def _account(row: Row[Any]) -> Account:
    values = row._asdict()
    kind, number, name, source = (values.pop(f"asked_{part}") for part in ("kind", "id", "name", "source"))
    values["privileges"] = tuple(values["privileges"])
    values["reason_params"] = values["reason_params"] or {}
    return Account(**values, asked=None if kind is None else Asker(kind, number, name, source))
