"""The guests of all hosts. One row is one incarnation of (host, vmid); a reused VMID gets a new row."""

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text, text

from pharmq.db import JsonText, UtcDateTime, metadata
from pharmq.db.metadata import NEVER_REUSED, Id

vm_inventory = Table(
    "vm_inventory",
    metadata,
    Column("id", Id, primary_key=True),
    Column("proxmox_host_id", BigInteger, ForeignKey("proxmox_hosts.id", ondelete="CASCADE"), nullable=False),
    Column("vmid", Integer, nullable=False),
    Column("identity", String(128), comment="what tells this guest from a later one with its VMID"),
    Column("vm_name", String(255), nullable=False),
    Column("vm_type", String(8), nullable=False, comment="kiosk | pos | server | backup | other"),
    Column("vm_type_source", String(8), nullable=False, comment="tag | rule | hand | default"),
    Column("guest_type", String(4), nullable=False, comment="qemu | lxc"),
    Column("node_name", String(100), nullable=False),
    Column("status", String(12), nullable=False, comment="running | stopped | suspended | unknown"),
    Column("pve_status", String(32), nullable=False),
    Column("cpu_cores", Integer),
    Column("memory_mb", Integer),
    Column("disk_gb", Float),
    Column("ip_address", String(64)),
    Column("ip_source", String(8), comment="agent | lxc | hand"),
    Column("description", Text, nullable=False, server_default=""),
    Column("description_source", String(8), nullable=False, server_default="pve", comment="pve | hand"),
    Column("tags", JsonText, nullable=False),
    Column("template", Boolean, nullable=False, server_default="0"),
    Column("lock", String(32)),
    Column("onboot", Boolean),
    Column("agent", Boolean, comment="guest agent configured"),
    Column("console", String(8), nullable=False, server_default="unknown", comment="vnc | none | unknown"),
    Column("config_at", UtcDateTime, comment="when the configuration was last read"),
    Column("last_sync", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("missing_since", UtcDateTime),
    Column("ended_at", UtcDateTime, comment="purged, or replaced by a new incarnation"),
    Index(
        "uq_vm_inventory_living",
        "proxmox_host_id",
        "vmid",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    **NEVER_REUSED,
)
