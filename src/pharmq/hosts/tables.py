"""Pharmacies, their groups, their Proxmox hosts, credentials and certificate pins.

Names of tables and columns that the operators' own plan uses (``proxmox_hosts``, ``pharmacies.pharmacy_id``) are kept.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from pharmq.db import JsonText, UtcDateTime, metadata
from pharmq.db.metadata import NEVER_REUSED, Id

pharmacies = Table(
    "pharmacies",
    metadata,
    Column("pharmacy_id", Id, primary_key=True),
    Column("code", String(32), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("representative", String(128), nullable=False, server_default=""),
    Column("phone", String(32), nullable=False, server_default=""),
    Column("address", String(255), nullable=False, server_default=""),
    Column("hours", JsonText, nullable=False, comment='{"mon": [["09:00", "19:00"]], ...}, local time'),
    Column("closing_days", JsonText, nullable=False, comment='["2026-12-25", ...]'),
    Column("note", Text, nullable=False, server_default=""),
    Column("screens_allowed", Boolean, nullable=False, server_default="1", comment="the contract lets us see screens"),
    Column("screen_reason", Boolean, nullable=False, server_default="0", comment="opening one takes a reason"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    **NEVER_REUSED,
)

groups = Table(
    "groups",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(128), nullable=False),
    Column("kind", String(16), nullable=False, comment="region | chain | other"),
    UniqueConstraint("kind", "name"),
    **NEVER_REUSED,
)

pharmacy_groups = Table(
    "pharmacy_groups",
    metadata,
    Column("pharmacy_id", BigInteger, ForeignKey("pharmacies.pharmacy_id", ondelete="CASCADE"), primary_key=True),
    Column("group_id", BigInteger, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True, index=True),
)

# A credential used by many hosts (all 100 may share one root@pam), changed in one place.
credentials = Table(
    "credentials",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(128), nullable=False, unique=True),
    Column("kind", String(8), nullable=False, comment="password | token"),
    Column("username", String(128), nullable=False, comment="root@pam, or user@realm!token"),
    Column("secret", LargeBinary, nullable=False, comment="sealed, bound to this row"),
    Column("revision", Integer, nullable=False, comment="grows with each change; ends a latched rejection"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    **NEVER_REUSED,
)

proxmox_hosts = Table(
    "proxmox_hosts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("pharmacy_id", BigInteger, ForeignKey("pharmacies.pharmacy_id"), nullable=False, index=True),
    Column("pharmacy_name", String(255), nullable=False),
    Column("host_ip", String(255), nullable=False, comment="address or DNS name; the first one tried"),
    Column("addresses", JsonText, nullable=False, comment="further addresses, tried in order"),
    Column("host_port", Integer, nullable=False),
    Column("node", String(64), comment="the node behind this address, learned from the host when empty"),
    Column("credential_id", BigInteger, ForeignKey("credentials.id"), index=True, comment="shared set, or own below"),
    Column("credential_kind", String(8), nullable=False, comment="password | token"),
    Column("username", String(128), nullable=False),
    Column("password", LargeBinary, comment="sealed, bound to this row; NULL with a shared set"),
    Column("credential_revision", Integer, nullable=False, server_default="1"),
    Column("maintenance", Boolean, nullable=False, server_default="0"),
    Column("maintenance_note", String(255), nullable=False, server_default=""),
    Column("status", String(12), nullable=False, comment="online | offline | maintenance"),
    Column("reason", String(32), comment="why it is offline; a code"),
    Column("reason_params", JsonText),
    Column("since", UtcDateTime, comment="when status or reason last changed"),
    Column("last_check", UtcDateTime),
    Column("last_contact", UtcDateTime),
    Column("version", String(32)),
    Column("refused_revision", Integer, comment="the credential revision the host has refused"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("host_ip", "host_port"),
    **NEVER_REUSED,
)

# The SHA-256 of the leaf, per node, confirmed by a person. Only active pins are accepted.
host_pins = Table(
    "host_pins",
    metadata,
    Column("id", Id, primary_key=True),
    Column("host_id", BigInteger, ForeignKey("proxmox_hosts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("node", String(64)),
    Column("fingerprint", String(95), nullable=False, comment="AA:BB:..., upper case"),
    Column("not_after", UtcDateTime),
    Column("confirmed_by", BigInteger),
    Column("confirmed_at", UtcDateTime, nullable=False),
    Column("active", Boolean, nullable=False),
    **NEVER_REUSED,
)
