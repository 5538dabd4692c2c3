"""People, their grants, their sessions and their API tokens. Tokens are kept as SHA-256 only."""

from sqlalchemy import BigInteger, Column, ForeignKey, String, Table, UniqueConstraint

from pharmq.db import UtcDateTime, metadata
from pharmq.db.metadata import NEVER_REUSED, Id

users = Table(
    "users",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("display_name", String(128), nullable=False),
    Column("password_hash", String(255), nullable=False),
    Column("lang", String(8), nullable=False),
    Column("disabled_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    **NEVER_REUSED,
)

grants = Table(
    "grants",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("path", String(64), nullable=False, comment="/, /group/3, /pharmacy/7, /host/9, /vm/12"),
    Column("role", String(32), nullable=False),
    UniqueConstraint("user_id", "path", "role"),
    **NEVER_REUSED,
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("source", String(64)),
    Column("user_agent", String(255)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(64), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used", UtcDateTime),
    Column("expires_at", UtcDateTime),
    **NEVER_REUSED,
)

setup_links = Table(
    "setup_links",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)
