"""Power jobs. What was asked, what was sent, what came of it: durable before anything leaves for a host."""

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table

from pharmq.db import JsonText, UtcDateTime, metadata
from pharmq.db.metadata import NEVER_REUSED, Id

jobs = Table(
    "jobs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("act_id", String(26), nullable=False, unique=True),
    Column("verb", String(16), nullable=False),
    Column("force", Boolean, nullable=False),
    Column("timeout_s", Integer),
    Column("actor_kind", String(8), nullable=False),
    Column("actor_id", BigInteger),
    Column("actor_name", String(128)),
    Column("actor_token", BigInteger, comment="the API token it came by: its limits hold when an item runs, too"),
    Column("source", String(64)),
    Column("state", String(12), nullable=False, comment="queued | running | done | cancelled"),
    Column("counts", JsonText, comment="items by state, written when the job ends"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Index("ix_jobs_state", "state"),
    **NEVER_REUSED,
)

job_items = Table(
    "job_items",
    metadata,
    Column("id", Id, primary_key=True),
    Column("job_id", BigInteger, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("vm_id", BigInteger, nullable=False),
    Column("host_id", BigInteger, nullable=False),
    Column("pharmacy_id", BigInteger, nullable=False),
    Column("pharmacy_name", String(255), nullable=False),
    Column("vmid", Integer, nullable=False),
    Column("vm_name", String(255), nullable=False),
    Column("guest_type", String(4), nullable=False),
    Column("node_name", String(100), nullable=False),
    Column(
        "state",
        String(12),
        nullable=False,
        comment="queued | sending | watching | succeeded | failed | skipped | unknown | cancelled",
    ),
    Column("reason", String(64)),
    Column("reason_params", JsonText),
    Column("upid", String(200)),
    Column("mark", JsonText, comment="the host's newest tasks of this kind before we sent; what is not here is new"),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("owner", String(64), comment="the process run that works on it"),
    Column("lease_until", Float, comment="Unix seconds by the database's clock"),
    Column("sent_at", UtcDateTime),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Index("ix_job_items_job_id_state", "job_id", "state"),
    Index("ix_job_items_state", "state"),
    Index("ix_job_items_vm_id", "vm_id"),
    **NEVER_REUSED,
)
