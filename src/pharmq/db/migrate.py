"""Bring the database to this version's tables. Every room's tables are known once ``pharmq.bootstrap`` is imported."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from pharmq.base.errors import PharmqError
from pharmq.db.engine import Database

FOLDER = Path(__file__).parent / "migrations"


class SchemaError(PharmqError):
    """The database belongs to a newer PharmQ."""


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config


async def migrate(db: Database) -> None:
    """Run outstanding migrations in one transaction; two managers starting at once wait for each other."""
    async with db.transaction(durable=True) as tx:
        await tx.conn.run_sync(_migrate)


def _migrate(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7036412001)")
    config = alembic_config()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise SchemaError("db.newer", params={"revision": current})
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def is_current(db: Database) -> bool:
    """Whether every migration has run."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    async with db.read() as conn:
        found = await conn.run_sync(lambda c: MigrationContext.configure(c).get_current_revision())
    return found == head
