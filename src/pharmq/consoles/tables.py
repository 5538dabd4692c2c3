"""Console sessions. No password, ticket or host address is kept: they live in memory while a console opens."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, String, Table

from pharmq.db import UtcDateTime, metadata

vnc_sessions_extended = Table(
    "vnc_sessions_extended",
    metadata,
    Column("session_id", String(64), primary_key=True, comment="SHA-256 of the one-time id the browser holds"),
    Column("act_id", String(26), nullable=False),
    Column("proxmox_host_id", BigInteger, ForeignKey("proxmox_hosts.id", ondelete="CASCADE"), nullable=False),
    Column("pharmacy_id", BigInteger, nullable=False),
    Column("vm_id", BigInteger, nullable=False, index=True),  # 0: the node itself
    Column("vmid", Integer, nullable=False),
    Column("vm_name", String(255), nullable=False),
    Column("user_id", BigInteger),
    Column("actor_name", String(128)),
    Column("state", String(12), nullable=False, comment="issued | opening | open | closed"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, comment="until when it may be claimed"),
    Column("last_refresh", UtcDateTime),
    Column("opened_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("cause", String(64)),
    Column("bytes_up", BigInteger, nullable=False, server_default="0"),
    Column("bytes_down", BigInteger, nullable=False, server_default="0"),
    Column("upid", String(200)),
    Column("owner", String(64), comment="the process run that relays it"),
    Column("kind", String(12), nullable=False, server_default="screen", comment="screen | terminal | shell"),
    Column("mode", String(8), nullable=False, server_default="control", comment="what was asked for: control | view"),
    Column("starts", Boolean, nullable=False, server_default="0", comment="a stopped VM is started first"),
    Column("purpose", String(500), comment="why the screen is opened, where the pharmacy's contract asks"),
)
