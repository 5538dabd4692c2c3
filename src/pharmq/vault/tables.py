"""Data keys, each sealed by the master key, which is never in the database."""

from sqlalchemy import Column, LargeBinary, Table

from pharmq.db.metadata import NEVER_REUSED, Id, UtcDateTime, metadata

data_keys = Table(
    "data_keys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    **NEVER_REUSED,
)
