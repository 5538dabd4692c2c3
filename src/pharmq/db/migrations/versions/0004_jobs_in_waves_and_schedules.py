"""Jobs have waves, limits and a cause; schedules, their runs and who still waits for a host."""

import sqlalchemy as sa
from alembic import op

import pharmq.db

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "schedules",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("note", sa.String(length=500), server_default="", nullable=False),
        sa.Column("verb", sa.String(length=16), nullable=False),
        sa.Column("force", sa.Boolean(), nullable=False),
        sa.Column("timeout_s", sa.Integer(), nullable=True),
        sa.Column("options", pharmq.db.JsonText(), nullable=False),
        sa.Column(
            "targets", pharmq.db.JsonText(), nullable=False, comment="a filter, evaluated at each run, or named guests"
        ),
        sa.Column("timing", pharmq.db.JsonText(), nullable=False, comment="rule, zone, days, holidays"),
        sa.Column("missed", pharmq.db.JsonText(), nullable=False),
        sa.Column("overlap", sa.String(length=8), nullable=False, comment="skip | queue"),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("owner_kind", sa.String(length=8), nullable=False),
        sa.Column(
            "owner_id",
            sa.BigInteger(),
            nullable=True,
            comment="users.id; it runs with this person's rights of the moment",
        ),
        sa.Column("owner_name", sa.String(length=128), nullable=True),
        sa.Column(
            "owner_token",
            sa.BigInteger(),
            nullable=True,
            comment="the API token it was saved by, whose limits hold too",
        ),
        sa.Column("revision", sa.Integer(), nullable=False, comment="grows with each change"),
        sa.Column(
            "seen_until",
            pharmq.db.UtcDateTime(timezone=True),
            nullable=False,
            comment="every slot up to here has been decided about",
        ),
        sa.Column(
            "next_at",
            pharmq.db.UtcDateTime(timezone=True),
            nullable=True,
            comment="the first slot after that; none when there is none",
        ),
        sa.Column("created_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("schedules", schema=None) as batch_op:
        batch_op.create_index("ix_schedules_next_at", ["next_at"], unique=False)

    op.create_table(
        "schedule_runs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("schedule_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "slot_key", sa.String(length=64), nullable=False, comment="the slot's moment, or what else made the run"
        ),
        sa.Column("slot_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("trigger", sa.String(length=8), nullable=False, comment="slot | hand | back"),
        sa.Column(
            "late", sa.Boolean(), server_default="0", nullable=False, comment="a missed slot that was made up for"
        ),
        sa.Column(
            "state", sa.String(length=8), nullable=False, comment="running | done | queued | skipped | missed | failed"
        ),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("reason_params", pharmq.db.JsonText(), nullable=True),
        sa.Column("pharmacies", pharmq.db.JsonText(), nullable=True, comment="ids, for slots around opening hours"),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("counts", pharmq.db.JsonText(), nullable=True, comment="the job's, when it has ended"),
        sa.Column("created_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("started_at", pharmq.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("finished_at", pharmq.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedules.id"], name=op.f("fk_schedule_runs_schedule_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_runs")),
        sa.UniqueConstraint("schedule_id", "slot_key", name=op.f("uq_schedule_runs_schedule_id_slot_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("schedule_runs", schema=None) as batch_op:
        batch_op.create_index("ix_schedule_runs_slot_at", ["slot_at"], unique=False)
        batch_op.create_index("ix_schedule_runs_state", ["state"], unique=False)

    op.create_table(
        "schedule_waiting",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("schedule_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("host_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "vms",
            pharmq.db.JsonText(),
            nullable=False,
            comment="[our id, VMID] of guests whose turn comes when the host is back",
        ),
        sa.Column("until", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedules.id"], name=op.f("fk_schedule_waiting_schedule_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_waiting")),
        sa.UniqueConstraint("schedule_id", "host_id", name=op.f("uq_schedule_waiting_schedule_id_host_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("job_items", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("wave", sa.SmallInteger(), server_default="0", nullable=False, comment="0 goes first")
        )
        batch_op.add_column(
            sa.Column(
                "turn",
                sa.SmallInteger(),
                server_default="0",
                nullable=False,
                comment="the kind's place in the order on a host",
            )
        )
        batch_op.add_column(
            sa.Column(
                "free_at",
                sa.Float(),
                server_default="0",
                nullable=True,
                comment="Unix seconds by the database's clock from which it may be sent; none while it is held back",
            )
        )
        batch_op.create_index("ix_job_items_job_id_host_id", ["job_id", "host_id"], unique=False)

    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "options",
                pharmq.db.JsonText(),
                nullable=True,
                comment="waves, limits, order, deadline and what the verb needs; none: all defaults",
            )
        )
        batch_op.add_column(
            sa.Column(
                "cause",
                pharmq.db.JsonText(),
                nullable=True,
                comment="the schedule or the earlier job that this one comes from",
            )
        )
        batch_op.add_column(
            sa.Column(
                "deadline_at",
                sa.Float(),
                nullable=True,
                comment="Unix seconds by the database's clock; what has not begun then is cancelled",
            )
        )
        batch_op.add_column(
            sa.Column(
                "ended_by",
                sa.String(length=12),
                nullable=True,
                comment="person | failures | deadline: why the rest was cancelled",
            )
        )


def downgrade() -> None:
    raise RuntimeError("PharmQ's migrations only go forward; restore a backup instead")
