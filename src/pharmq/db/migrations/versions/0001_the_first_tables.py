"""The first tables, and the journal's head before its first row."""

import sqlalchemy as sa
from alembic import op

import pharmq.db

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_reviews",
        sa.Column("month", sa.String(length=7), nullable=False, comment="2026-11"),
        sa.Column("report", pharmq.db.JsonText(), nullable=False, comment="what was signed, as it stood"),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("signed_by", sa.BigInteger(), nullable=False),
        sa.Column("signed_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_audit_reviews")),
    )
    op.create_table(
        "credentials",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False, comment="password | token"),
        sa.Column("username", sa.String(length=128), nullable=False, comment="root@pam, or user@realm!token"),
        sa.Column("secret", sa.LargeBinary(), nullable=False, comment="sealed, bound to this row"),
        sa.Column("revision", sa.Integer(), nullable=False, comment="grows with each change; ends a latched rejection"),
        sa.Column("created_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credentials")),
        sa.UniqueConstraint("name", name=op.f("uq_credentials_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "data_keys",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_keys")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "groups",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="region | chain | other"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
        sa.UniqueConstraint("kind", "name", name=op.f("uq_groups_kind_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("act_id", sa.String(length=26), nullable=False),
        sa.Column("verb", sa.String(length=16), nullable=False),
        sa.Column("force", sa.Boolean(), nullable=False),
        sa.Column("timeout_s", sa.Integer(), nullable=True),
        sa.Column(
            "options",
            pharmq.db.JsonText(),
            nullable=True,
            comment="waves, limits, order, deadline and what the verb needs; none: all defaults",
        ),
        sa.Column(
            "cause",
            pharmq.db.JsonText(),
            nullable=True,
            comment="the schedule or the earlier job that this one comes from",
        ),
        sa.Column(
            "deadline_at",
            sa.Float(),
            nullable=True,
            comment="Unix seconds by the database's clock; what has not begun then is cancelled",
        ),
        sa.Column(
            "ended_by",
            sa.String(length=12),
            nullable=True,
            comment="person | failures | deadline: why the rest was cancelled",
        ),
        sa.Column("actor_kind", sa.String(length=8), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_name", sa.String(length=128), nullable=True),
        sa.Column(
            "actor_token",
            sa.BigInteger(),
            nullable=True,
            comment="the API token it came by: its limits hold when an item runs, too",
        ),
        sa.Column("source", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False, comment="queued | running | done | cancelled"),
        sa.Column("counts", pharmq.db.JsonText(), nullable=True, comment="items by state, written when the job ends"),
        sa.Column("created_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("started_at", pharmq.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("finished_at", pharmq.db.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("act_id", name=op.f("uq_jobs_act_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index("ix_jobs_state", ["state"], unique=False)

    op.create_table(
        "journal",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("phase", sa.String(length=8), nullable=False, comment="event | request | outcome"),
        sa.Column("act_id", sa.String(length=26), nullable=True),
        sa.Column("actor_kind", sa.String(length=8), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "person", sa.String(length=64), nullable=True, comment="journal_personal.ref: name and address of the actor"
        ),
        sa.Column(
            "private",
            sa.String(length=64),
            nullable=True,
            comment="journal_personal.ref: parameters that must be erasable",
        ),
        sa.Column("pharmacy_id", sa.BigInteger(), nullable=True),
        sa.Column("host_id", sa.BigInteger(), nullable=True),
        sa.Column("vm_id", sa.BigInteger(), nullable=True),
        sa.Column("scope", pharmq.db.JsonText(), nullable=False, comment="every path of the object at that time"),
        sa.Column("params", pharmq.db.JsonText(), nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=True),
        sa.Column("upid", sa.String(length=200), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="SHA-256 over the hash before and this row"),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_journal")),
    )
    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.create_index("ix_journal_act_id", ["act_id"], unique=False)
        batch_op.create_index("ix_journal_actor_id_seq", ["actor_id", "seq"], unique=False)
        batch_op.create_index("ix_journal_host_id_seq", ["host_id", "seq"], unique=False)
        batch_op.create_index("ix_journal_kind_seq", ["kind", "seq"], unique=False)
        batch_op.create_index("ix_journal_person", ["person"], unique=False)
        batch_op.create_index("ix_journal_pharmacy_id_seq", ["pharmacy_id", "seq"], unique=False)
        batch_op.create_index("ix_journal_private", ["private"], unique=False)
        batch_op.create_index("ix_journal_vm_id_seq", ["vm_id", "seq"], unique=False)

    op.create_table(
        "journal_checkpoints",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("previous", sa.BigInteger(), nullable=False, comment="seq of the checkpoint before; 0 for none"),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="of row seq"),
        sa.Column("at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("key_id", sa.BigInteger(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("cut_at", pharmq.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("cut_signature", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_journal_checkpoints")),
    )
    op.create_table(
        "journal_cursors",
        sa.Column("reader", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reader", name=op.f("pk_journal_cursors")),
    )
    op.create_table(
        "journal_head",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="of row seq; 32 zero bytes before the first"),
        sa.Column("checkpoint", sa.BigInteger(), nullable=False, comment="seq of the last checkpoint"),
        sa.Column("key_id", sa.BigInteger(), nullable=True, comment="the key that signed this head"),
        sa.Column("signature", sa.LargeBinary(), nullable=True, comment="Ed25519 over seq, hash and checkpoint"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_head")),
    )
    op.create_table(
        "journal_keys",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False, comment="Ed25519, raw; for whoever checks elsewhere"),
        sa.Column("private", sa.LargeBinary(), nullable=False, comment="sealed, bound to this row"),
        sa.Column("created_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_keys")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "journal_personal",
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("about", sa.BigInteger(), nullable=True, comment="users.id; no foreign key: it outlives the user"),
        sa.Column("name", sa.String(length=128), nullable=True),
        sa.Column("source", sa.String(length=64), nullable=True, comment="address the act came from"),
        sa.Column("details", sa.Text(), nullable=True, comment="JSON of the parameters kept here"),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("erased_seq", sa.BigInteger(), nullable=True, comment="the journal row that records the erasure"),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_journal_personal")),
    )
    with op.batch_alter_table("journal_personal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_journal_personal_about"), ["about"], unique=False)
        batch_op.create_index(batch_op.f("ix_journal_personal_name"), ["name"], unique=False)
        batch_op.create_index(batch_op.f("ix_journal_personal_source"), ["source"], unique=False)

    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False, comment="Unix seconds by the database's clock"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "pharmacies",
        sa.Column("pharmacy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("representative", sa.String(length=128), server_default="", nullable=False),
        sa.Column("phone", sa.String(length=32), server_default="", nullable=False),
        sa.Column("address", sa.String(length=255), server_default="", nullable=False),
        sa.Column(
            "hours", pharmq.db.JsonText(), nullable=False, comment='{"mon": [["09:00", "19:00"]], ...}, local time'
        ),
        sa.Column("closing_days", pharmq.db.JsonText(), nullable=False, comment='["2026-12-25", ...]'),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "screens_allowed",
            sa.Boolean(),
            server_default="1",
            nullable=False,
            comment="the contract lets us see screens",
        ),
        sa.Column(
            "screen_reason", sa.Boolean(), server_default="0", nullable=False, comment="opening one takes a reason"
        ),
        sa.Column("created_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("pharmacy_id", name=op.f("pk_pharmacies")),
        sa.UniqueConstraint("code", name=op.f("uq_pharmacies_code")),
        sqlite_autoincrement=True,
    )
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
        "settings",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", pharmq.db.JsonText(), nullable=False),
        sa.Column("updated_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_settings")),
    )
    op.create_table(
        "setup_links",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_setup_links")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("display_name", sa.String(length=128), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("lang", sa.String(length=8), nullable=False),
        sa.Column("disabled_at", pharmq.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("signed_in_at", pharmq.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "second_factor", sa.LargeBinary(), nullable=True, comment="TOTP key in use, sealed, bound to this row"
        ),
        sa.Column(
            "second_factor_next",
            sa.LargeBinary(),
            nullable=True,
            comment="shown to its owner, not confirmed by a code yet; sealed",
        ),
        sa.Column("second_factor_at", pharmq.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "second_factor_step",
            sa.BigInteger(),
            nullable=True,
            comment="time step of the last code taken: none is taken twice",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name=op.f("uq_users_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_used", pharmq.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("expires_at", pharmq.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "privileges",
            pharmq.db.JsonText(),
            nullable=True,
            comment="list of privileges it is limited to; none: all its owner holds",
        ),
        sa.Column(
            "paths",
            pharmq.db.JsonText(),
            nullable=True,
            comment="list of paths it is limited to; none: wherever its owner may",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_tokens_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("api_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_tokens_user_id"), ["user_id"], unique=False)

    op.create_table(
        "grants",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.String(length=64), nullable=False, comment="/, /group/3, /pharmacy/7, /host/9, /vm/12"),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_grants_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
        sa.UniqueConstraint("user_id", "path", "role", name=op.f("uq_grants_user_id_path_role")),
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
        "job_items",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("vm_id", sa.BigInteger(), nullable=False),
        sa.Column("host_id", sa.BigInteger(), nullable=False),
        sa.Column("pharmacy_id", sa.BigInteger(), nullable=False),
        sa.Column("pharmacy_name", sa.String(length=255), nullable=False),
        sa.Column("vmid", sa.Integer(), nullable=False),
        sa.Column("vm_name", sa.String(length=255), nullable=False),
        sa.Column("guest_type", sa.String(length=4), nullable=False),
        sa.Column("node_name", sa.String(length=100), nullable=False),
        sa.Column(
            "state",
            sa.String(length=12),
            nullable=False,
            comment="queued | sending | watching | succeeded | failed | skipped | unknown | cancelled",
        ),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("reason_params", pharmq.db.JsonText(), nullable=True),
        sa.Column("upid", sa.String(length=200), nullable=True),
        sa.Column(
            "mark",
            pharmq.db.JsonText(),
            nullable=True,
            comment="the host's newest tasks of this kind before we sent; what is not here is new",
        ),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("wave", sa.SmallInteger(), server_default="0", nullable=False, comment="0 goes first"),
        sa.Column(
            "turn",
            sa.SmallInteger(),
            server_default="0",
            nullable=False,
            comment="the kind's place in the order on a host",
        ),
        sa.Column(
            "free_at",
            sa.Float(),
            server_default="0",
            nullable=True,
            comment="Unix seconds by the database's clock from which it may be sent; none while it is held back",
        ),
        sa.Column("owner", sa.String(length=64), nullable=True, comment="the process run that works on it"),
        sa.Column("lease_until", sa.Float(), nullable=True, comment="Unix seconds by the database's clock"),
        sa.Column("sent_at", pharmq.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("started_at", pharmq.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("finished_at", pharmq.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_items_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_items")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("job_items", schema=None) as batch_op:
        batch_op.create_index("ix_job_items_job_id_host_id", ["job_id", "host_id"], unique=False)
        batch_op.create_index("ix_job_items_job_id_state", ["job_id", "state"], unique=False)
        batch_op.create_index("ix_job_items_state", ["state"], unique=False)
        batch_op.create_index("ix_job_items_vm_id", ["vm_id"], unique=False)

    op.create_table(
        "pharmacy_groups",
        sa.Column("pharmacy_id", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_pharmacy_groups_group_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["pharmacy_id"], ["pharmacies.pharmacy_id"], name=op.f("fk_pharmacy_groups_pharmacy_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pharmacy_id", "group_id", name=op.f("pk_pharmacy_groups")),
    )
    with op.batch_alter_table("pharmacy_groups", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pharmacy_groups_group_id"), ["group_id"], unique=False)

    op.create_table(
        "proxmox_hosts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pharmacy_id", sa.BigInteger(), nullable=False),
        sa.Column("pharmacy_name", sa.String(length=255), nullable=False),
        sa.Column("host_ip", sa.String(length=255), nullable=False, comment="address or DNS name; the first one tried"),
        sa.Column("addresses", pharmq.db.JsonText(), nullable=False, comment="further addresses, tried in order"),
        sa.Column("host_port", sa.Integer(), nullable=False),
        sa.Column(
            "node",
            sa.String(length=64),
            nullable=True,
            comment="the node behind this address, learned from the host when empty",
        ),
        sa.Column("credential_id", sa.BigInteger(), nullable=True, comment="shared set, or own below"),
        sa.Column("credential_kind", sa.String(length=8), nullable=False, comment="password | token"),
        sa.Column("username", sa.String(length=128), nullable=False),
        sa.Column(
            "password", sa.LargeBinary(), nullable=True, comment="sealed, bound to this row; NULL with a shared set"
        ),
        sa.Column("credential_revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("maintenance", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("maintenance_note", sa.String(length=255), server_default="", nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False, comment="online | offline | maintenance"),
        sa.Column("reason", sa.String(length=32), nullable=True, comment="why it is offline; a code"),
        sa.Column("reason_params", pharmq.db.JsonText(), nullable=True),
        sa.Column(
            "since", pharmq.db.UtcDateTime(timezone=True), nullable=True, comment="when status or reason last changed"
        ),
        sa.Column("last_check", pharmq.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("last_contact", pharmq.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("version", sa.String(length=32), nullable=True),
        sa.Column(
            "refused_revision", sa.Integer(), nullable=True, comment="the credential revision the host has refused"
        ),
        sa.Column("created_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["credential_id"], ["credentials.id"], name=op.f("fk_proxmox_hosts_credential_id")),
        sa.ForeignKeyConstraint(["pharmacy_id"], ["pharmacies.pharmacy_id"], name=op.f("fk_proxmox_hosts_pharmacy_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proxmox_hosts")),
        sa.UniqueConstraint("host_ip", "host_port", name=op.f("uq_proxmox_hosts_host_ip_host_port")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("proxmox_hosts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_proxmox_hosts_credential_id"), ["credential_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_proxmox_hosts_pharmacy_id"), ["pharmacy_id"], unique=False)

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
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=True),
        sa.Column("user_agent", sa.String(length=255), nullable=True),
        sa.Column("created_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_seen", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "confirmed_at",
            pharmq.db.UtcDateTime(timezone=True),
            nullable=True,
            comment="when the password was last shown",
        ),
        sa.Column(
            "locked_at",
            pharmq.db.UtcDateTime(timezone=True),
            nullable=True,
            comment="locked screen: only the password opens it",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_user_id"), ["user_id"], unique=False)

    op.create_table(
        "host_pins",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("host_id", sa.BigInteger(), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=True),
        sa.Column("fingerprint", sa.String(length=95), nullable=False, comment="AA:BB:..., upper case"),
        sa.Column("not_after", pharmq.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.BigInteger(), nullable=True),
        sa.Column("confirmed_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["host_id"], ["proxmox_hosts.id"], name=op.f("fk_host_pins_host_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_host_pins")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("host_pins", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_host_pins_host_id"), ["host_id"], unique=False)

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
    op.create_table(
        "vm_inventory",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("proxmox_host_id", sa.BigInteger(), nullable=False),
        sa.Column("vmid", sa.Integer(), nullable=False),
        sa.Column(
            "identity",
            sa.String(length=128),
            nullable=True,
            comment="what tells this guest from a later one with its VMID",
        ),
        sa.Column("vm_name", sa.String(length=255), nullable=False),
        sa.Column("vm_type", sa.String(length=8), nullable=False, comment="kiosk | pos | server | backup | other"),
        sa.Column("vm_type_source", sa.String(length=8), nullable=False, comment="tag | rule | hand | default"),
        sa.Column("guest_type", sa.String(length=4), nullable=False, comment="qemu | lxc"),
        sa.Column("node_name", sa.String(length=100), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False, comment="running | stopped | suspended | unknown"),
        sa.Column("pve_status", sa.String(length=32), nullable=False),
        sa.Column("cpu_cores", sa.Integer(), nullable=True),
        sa.Column("memory_mb", sa.Integer(), nullable=True),
        sa.Column("disk_gb", sa.Float(), nullable=True),
        sa.Column("ip_address", sa.String(length=64), nullable=True),
        sa.Column("ip_source", sa.String(length=8), nullable=True, comment="agent | lxc | hand"),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "description_source", sa.String(length=8), server_default="pve", nullable=False, comment="pve | hand"
        ),
        sa.Column("tags", pharmq.db.JsonText(), nullable=False),
        sa.Column("template", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("lock", sa.String(length=32), nullable=True),
        sa.Column("onboot", sa.Boolean(), nullable=True),
        sa.Column("agent", sa.Boolean(), nullable=True, comment="guest agent configured"),
        sa.Column(
            "console", sa.String(length=8), server_default="unknown", nullable=False, comment="vnc | none | unknown"
        ),
        sa.Column(
            "config_at",
            pharmq.db.UtcDateTime(timezone=True),
            nullable=True,
            comment="when the configuration was last read",
        ),
        sa.Column("last_sync", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("missing_since", pharmq.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "ended_at",
            pharmq.db.UtcDateTime(timezone=True),
            nullable=True,
            comment="purged, or replaced by a new incarnation",
        ),
        sa.ForeignKeyConstraint(
            ["proxmox_host_id"], ["proxmox_hosts.id"], name=op.f("fk_vm_inventory_proxmox_host_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vm_inventory")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("vm_inventory", schema=None) as batch_op:
        batch_op.create_index(
            "uq_vm_inventory_living",
            ["proxmox_host_id", "vmid"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "vnc_sessions_extended",
        sa.Column(
            "session_id", sa.String(length=64), nullable=False, comment="SHA-256 of the one-time id the browser holds"
        ),
        sa.Column("act_id", sa.String(length=26), nullable=False),
        sa.Column("proxmox_host_id", sa.BigInteger(), nullable=False),
        sa.Column("pharmacy_id", sa.BigInteger(), nullable=False),
        sa.Column("vm_id", sa.BigInteger(), nullable=False),
        sa.Column("vmid", sa.Integer(), nullable=False),
        sa.Column("vm_name", sa.String(length=255), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_name", sa.String(length=128), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False, comment="issued | opening | open | closed"),
        sa.Column("created_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "expires_at", pharmq.db.UtcDateTime(timezone=True), nullable=False, comment="until when it may be claimed"
        ),
        sa.Column("last_refresh", pharmq.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("opened_at", pharmq.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("closed_at", pharmq.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("cause", sa.String(length=64), nullable=True),
        sa.Column("bytes_up", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("bytes_down", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("upid", sa.String(length=200), nullable=True),
        sa.Column("owner", sa.String(length=64), nullable=True, comment="the process run that relays it"),
        sa.Column(
            "kind", sa.String(length=12), server_default="screen", nullable=False, comment="screen | terminal | shell"
        ),
        sa.Column(
            "mode",
            sa.String(length=8),
            server_default="control",
            nullable=False,
            comment="what was asked for: control | view",
        ),
        sa.Column("starts", sa.Boolean(), server_default="0", nullable=False, comment="a stopped VM is started first"),
        sa.Column(
            "purpose",
            sa.String(length=500),
            nullable=True,
            comment="why the screen is opened, where the pharmacy's contract asks",
        ),
        sa.ForeignKeyConstraint(
            ["proxmox_host_id"],
            ["proxmox_hosts.id"],
            name=op.f("fk_vnc_sessions_extended_proxmox_host_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_vnc_sessions_extended")),
    )
    with op.batch_alter_table("vnc_sessions_extended", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vnc_sessions_extended_vm_id"), ["vm_id"], unique=False)

    head = sa.table(
        "journal_head",
        sa.column("id", sa.SmallInteger()),
        sa.column("seq", sa.BigInteger()),
        sa.column("hash", sa.LargeBinary()),
        sa.column("checkpoint", sa.BigInteger()),
    )
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": bytes(32), "checkpoint": 0}])


def downgrade() -> None:
    raise RuntimeError("PharmQ's migrations only go forward; restore a backup instead")
