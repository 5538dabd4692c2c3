"""People, roles, grants, sessions and API tokens. Tokens, links and recovery codes are kept as SHA-256 only."""

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, String, Table, UniqueConstraint

from pharmq.db import JsonText, UtcDateTime, metadata
from pharmq.db.metadata import NEVER_REUSED, Id

users = Table(
    "users",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("display_name", String(128), nullable=False),
    # argon2id; empty until an invitation is accepted
    Column("password_hash", String(255), nullable=False),
    Column("lang", String(8), nullable=False),
    Column("disabled_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("signed_in_at", UtcDateTime),
    Column("second_factor", LargeBinary, comment="TOTP key in use, sealed, bound to this row"),
    Column("second_factor_next", LargeBinary, comment="shown to its owner, not confirmed by a code yet; sealed"),
    Column("second_factor_at", UtcDateTime),
    Column("second_factor_step", BigInteger, comment="time step of the last code taken: none is taken twice"),
    **NEVER_REUSED,
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("code_hash", String(64), primary_key=True),
)

roles = Table(
    "roles",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    **NEVER_REUSED,
)

role_privileges = Table(
    "role_privileges",
    metadata,
    Column("role_id", BigInteger, ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True),
    Column("privilege", String(32), primary_key=True),
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
    Column("confirmed_at", UtcDateTime, comment="when the password was last shown"),
    Column("locked_at", UtcDateTime, comment="locked screen: only the password opens it"),
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
    Column("privileges", JsonText, comment="list of privileges it is limited to; none: all its owner holds"),
    Column("paths", JsonText, comment="list of paths it is limited to; none: wherever its owner may"),
    **NEVER_REUSED,
)

invitations = Table(
    "invitations",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

setup_links = Table(
    "setup_links",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)
