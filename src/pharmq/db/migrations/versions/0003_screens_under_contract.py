"""Pharmacies say whether their screens may be opened; console sessions have a kind, a mode and a purpose."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("pharmacies", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "screens_allowed",
                sa.Boolean(),
                server_default="1",
                nullable=False,
                comment="the contract lets us see screens",
            )
        )
        batch_op.add_column(
            sa.Column(
                "screen_reason", sa.Boolean(), server_default="0", nullable=False, comment="opening one takes a reason"
            )
        )

    with op.batch_alter_table("vnc_sessions_extended", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "kind",
                sa.String(length=12),
                server_default="screen",
                nullable=False,
                comment="screen | terminal | shell",
            )
        )
        batch_op.add_column(
            sa.Column(
                "mode",
                sa.String(length=8),
                server_default="control",
                nullable=False,
                comment="what was asked for: control | view",
            )
        )
        batch_op.add_column(
            sa.Column(
                "starts", sa.Boolean(), server_default="0", nullable=False, comment="a stopped VM is started first"
            )
        )
        batch_op.add_column(
            sa.Column(
                "purpose",
                sa.String(length=500),
                nullable=True,
                comment="why the screen is opened, where the pharmacy's contract asks",
            )
        )


def downgrade() -> None:
    raise RuntimeError("PharmQ's migrations only go forward; restore a backup instead")
