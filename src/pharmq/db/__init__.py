"""One database, SQLite or PostgreSQL: transactions, migrations, leases. SQL of a room stands in its ``store``."""

from pharmq.db.engine import Database, Tx
from pharmq.db.metadata import JsonText, UtcDateTime, metadata

__all__ = ["Database", "JsonText", "Tx", "UtcDateTime", "metadata"]
