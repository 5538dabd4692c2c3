"""People have roles, second factors, invitations and narrowed tokens; jobs know the token they came by."""

import sqlalchemy as sa
from alembic import op

import pharmq.db

revision = "0002"
down_revision = "0001b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "roles",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("created_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles")),
        sa.UniqueConstraint("name", name=op.f("uq_roles_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "invitations",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_invitations_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_invitations")),
    )
    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invitations_user_id"), ["user_id"], unique=False)

    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "code_hash", name=op.f("pk_recovery_codes")),
    )
    op.create_table(
        "role_privileges",
        sa.Column("role_id", sa.BigInteger(), nullable=False),
        sa.Column("privilege", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["role_id"], ["roles.id"], name=op.f("fk_role_privileges_role_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("role_id", "privilege", name=op.f("pk_role_privileges")),
    )
    with op.batch_alter_table("api_tokens", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "privileges",
                pharmq.db.JsonText(),
                nullable=True,
                comment="list of privileges it is limited to; none: all its owner holds",
            )
        )
        batch_op.add_column(
            sa.Column(
                "paths",
                pharmq.db.JsonText(),
                nullable=True,
                comment="list of paths it is limited to; none: wherever its owner may",
            )
        )

    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "actor_token",
                sa.BigInteger(),
                nullable=True,
                comment="the API token it came by: its limits hold when an item runs, too",
            )
        )

    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "confirmed_at",
                pharmq.db.UtcDateTime(timezone=True),
                nullable=True,
                comment="when the password was last shown",
            )
        )
        batch_op.add_column(
            sa.Column(
                "locked_at",
                pharmq.db.UtcDateTime(timezone=True),
                nullable=True,
                comment="locked screen: only the password opens it",
            )
        )

    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(sa.Column("signed_in_at", pharmq.db.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column(
                "second_factor", sa.LargeBinary(), nullable=True, comment="TOTP key in use, sealed, bound to this row"
            )
        )
        batch_op.add_column(
            sa.Column(
                "second_factor_next",
                sa.LargeBinary(),
                nullable=True,
                comment="shown to its owner, not confirmed by a code yet; sealed",
            )
        )
        batch_op.add_column(sa.Column("second_factor_at", pharmq.db.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column(
                "second_factor_step",
                sa.BigInteger(),
                nullable=True,
                comment="time step of the last code taken: none is taken twice",
            )
        )


def downgrade() -> None:
    raise RuntimeError("PharmQ's migrations only go forward; restore a backup instead")
