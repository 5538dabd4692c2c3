"""Migrated, empty databases: the migrations run once on each engine, every test gets a copy."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

import pharmq.schema  # noqa: F401  (knows every room's tables)
from pharmq.base.config import async_url
from pharmq.db import Database
from pharmq.db.migrate import migrate

#: by server; "" is SQLite's
_made: dict[str, str] = {}


async def sqlite_database(path: Path) -> str:
    """The URL of a new one at ``path``."""
    if "" not in _made:
        folder = tempfile.mkdtemp(prefix="pharmq-template-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        await _migrated(f"sqlite:///{folder}/pharmq.db")
        _made[""] = f"{folder}/pharmq.db"
    shutil.copyfile(_made[""], path)
    return f"sqlite:///{path}"


async def postgresql_database(server: str) -> str:
    """The URL of a new one on ``server``, whose URL names the database ``postgres``."""
    if server not in _made:
        await _create(server, "template")
        await _migrated(_named(server, "template"))
        _made[server] = "template"
    name = f"t{os.urandom(6).hex()}"
    await _create(server, f"{name} TEMPLATE {_made[server]}")
    return _named(server, name)


async def _create(server: str, what: str) -> None:
    admin = create_async_engine(async_url(server), isolation_level="AUTOCOMMIT")
    async with admin.connect() as conn:
        await conn.execute(text(f"CREATE DATABASE {what}"))
    await admin.dispose()


def _named(server: str, name: str) -> str:
    return server.replace("/postgres?", f"/{name}?")


async def _migrated(url: str) -> None:
    database = Database(url)
    await migrate(database)
    await database.close()
