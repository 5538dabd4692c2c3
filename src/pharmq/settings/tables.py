"""Settings that may change while PharmQ runs."""

from sqlalchemy import BigInteger, Column, String, Table

from pharmq.db import JsonText, UtcDateTime, metadata

settings = Table(
    "settings",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", JsonText, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("updated_by", BigInteger),
)
