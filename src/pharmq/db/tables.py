"""Tables of the database floor itself."""

from sqlalchemy import Column, Float, String, Table

from pharmq.db.metadata import metadata

leases = Table(
    "leases",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("expires_at", Float, nullable=False, comment="Unix seconds by the database's clock"),
)
