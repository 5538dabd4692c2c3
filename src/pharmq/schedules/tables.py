"""Schedules, what became of their slots, and guests that still wait for their host."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from pharmq.db import JsonText, UtcDateTime, metadata
from pharmq.db.metadata import NEVER_REUSED, Id

schedules = Table(
    "schedules",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(128), nullable=False),
    Column("note", String(500), nullable=False, server_default=""),
    Column("verb", String(16), nullable=False),
    Column("force", Boolean, nullable=False),
    Column("timeout_s", Integer),
    Column("options", JsonText, nullable=False),
    Column("targets", JsonText, nullable=False, comment="a filter, evaluated at each run, or named guests"),
    Column("timing", JsonText, nullable=False, comment="rule, zone, days, holidays"),
    Column("missed", JsonText, nullable=False),
    Column("overlap", String(8), nullable=False, comment="skip | queue"),
    Column("enabled", Boolean, nullable=False),
    Column("owner_kind", String(8), nullable=False),
    Column("owner_id", BigInteger, comment="users.id; it runs with this person's rights of the moment"),
    Column("owner_name", String(128)),
    Column("owner_token", BigInteger, comment="the API token it was saved by, whose limits hold too"),
    Column("revision", Integer, nullable=False, comment="grows with each change"),
    Column("seen_until", UtcDateTime, nullable=False, comment="every slot up to here has been decided about"),
    Column("next_at", UtcDateTime, comment="the first slot after that; none when there is none"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("ix_schedules_next_at", "next_at"),
    **NEVER_REUSED,
)

schedule_runs = Table(
    "schedule_runs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("schedule_id", BigInteger, ForeignKey("schedules.id", ondelete="CASCADE"), nullable=False),
    Column("slot_key", String(64), nullable=False, comment="the slot's moment, or what else made the run"),
    Column("slot_at", UtcDateTime, nullable=False),
    Column("trigger", String(8), nullable=False, comment="slot | hand | back"),
    Column("late", Boolean, nullable=False, server_default="0", comment="a missed slot that was made up for"),
    Column("state", String(8), nullable=False, comment="running | done | queued | skipped | missed | failed"),
    Column("reason", String(64)),
    Column("reason_params", JsonText),
    Column("pharmacies", JsonText, comment="ids, for slots around opening hours"),
    Column("job_id", BigInteger),
    Column("counts", JsonText, comment="the job's, when it has ended"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    # Exactly one run per slot, whoever comes and whenever: the second insert hits this.
    UniqueConstraint("schedule_id", "slot_key"),
    Index("ix_schedule_runs_state", "state"),
    Index("ix_schedule_runs_slot_at", "slot_at"),
    **NEVER_REUSED,
)

schedule_waiting = Table(
    "schedule_waiting",
    metadata,
    Column("id", Id, primary_key=True),
    Column("schedule_id", BigInteger, ForeignKey("schedules.id", ondelete="CASCADE"), nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("host_id", BigInteger, nullable=False),
    Column("vms", JsonText, nullable=False, comment="[our id, VMID] of guests whose turn comes when the host is back"),
    Column("until", UtcDateTime, nullable=False),
    UniqueConstraint("schedule_id", "host_id"),
    **NEVER_REUSED,
)
