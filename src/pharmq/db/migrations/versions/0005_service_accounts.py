"""Our own account on each host."""

import sqlalchemy as sa
from alembic import op

import pharmq.db

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "service_accounts",
        sa.Column("host_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("username", sa.String(length=128), nullable=False, comment="pharmq@pve"),
        sa.Column("password", sa.LargeBinary(), nullable=True, comment="sealed; NULL until it may be right"),
        sa.Column("password_next", sa.LargeBinary(), nullable=True, comment="sealed; may be right already"),
        sa.Column(
            "token",
            sa.String(length=64),
            nullable=True,
            comment="name of the token in use; its value is the host's own credential",
        ),
        sa.Column("token_next", sa.String(length=64), nullable=True, comment="may exist on the host"),
        sa.Column("token_next_value", sa.LargeBinary(), nullable=True, comment="sealed"),
        sa.Column("token_old", sa.String(length=64), nullable=True, comment="to be deleted on the host"),
        sa.Column("privileges", pharmq.db.JsonText(), nullable=False, comment="what the role got"),
        sa.Column(
            "operation",
            sa.String(length=12),
            nullable=True,
            comment="provision | rotate | remove; NULL when nothing is under way",
        ),
        sa.Column("step", sa.String(length=12), nullable=True, comment="the step that comes next"),
        sa.Column("act_id", sa.String(length=26), nullable=True),
        sa.Column(
            "forget_set", sa.BigInteger(), nullable=True, comment="credential set to delete once no host uses it"
        ),
        sa.Column(
            "keep_host", sa.Boolean(), server_default="0", nullable=False, comment="of a removal: the host stays"
        ),
        sa.Column("reason", sa.String(length=64), nullable=True, comment="why it stopped; a catalogue code"),
        sa.Column("reason_params", pharmq.db.JsonText(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "next_at", pharmq.db.UtcDateTime(timezone=True), nullable=True, comment="when it is tried again by itself"
        ),
        sa.Column("asked_id", sa.BigInteger(), nullable=True),
        sa.Column("asked_name", sa.String(length=128), nullable=True),
        sa.Column("asked_source", sa.String(length=64), nullable=True),
        sa.Column("asked_kind", sa.String(length=8), nullable=True),
        sa.Column("created_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "rotated_at", pharmq.db.UtcDateTime(timezone=True), nullable=True, comment="when the token was last made"
        ),
        sa.Column("updated_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["host_id"], ["proxmox_hosts.id"], name=op.f("fk_service_accounts_host_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("host_id", name=op.f("pk_service_accounts")),
    )


def downgrade() -> None:
    raise RuntimeError("PharmQ's migrations only go forward; restore a backup instead")
