"""The journal is chained by hash, its head signed, personal data stands beside it; rows so far are taken over."""

import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op

import pharmq.db
from pharmq.journal.chain import START, Cells, commitment, row_hash

revision = "0001b"
down_revision = "0001"
branch_labels = None
depends_on = None

BATCH = 1000


def upgrade() -> None:
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
        "audit_reviews",
        sa.Column("month", sa.String(length=7), nullable=False, comment="2026-11"),
        sa.Column("report", pharmq.db.JsonText(), nullable=False, comment="what was signed, as it stood"),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("signed_by", sa.BigInteger(), nullable=False),
        sa.Column("signed_at", pharmq.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_audit_reviews")),
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
    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "person",
                sa.String(length=64),
                nullable=True,
                comment="journal_personal.ref: name and address of the actor",
            )
        )
        batch_op.add_column(
            sa.Column(
                "private",
                sa.String(length=64),
                nullable=True,
                comment="journal_personal.ref: parameters that must be erasable",
            )
        )
        batch_op.add_column(
            sa.Column("hash", sa.LargeBinary(), nullable=True, comment="SHA-256 over the hash before and this row")
        )
        batch_op.create_index("ix_journal_actor_id_seq", ["actor_id", "seq"], unique=False)
        batch_op.create_index("ix_journal_person", ["person"], unique=False)
        batch_op.create_index("ix_journal_private", ["private"], unique=False)
    with op.batch_alter_table("journal_head", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("hash", sa.LargeBinary(), nullable=True, comment="of row seq; 32 zero bytes before the first")
        )
        batch_op.add_column(
            sa.Column("checkpoint", sa.BigInteger(), nullable=True, comment="seq of the last checkpoint")
        )
        batch_op.add_column(
            sa.Column("key_id", sa.BigInteger(), nullable=True, comment="the key that signed this head")
        )
        batch_op.add_column(
            sa.Column("signature", sa.LargeBinary(), nullable=True, comment="Ed25519 over seq, hash and checkpoint")
        )
    chain_what_is_there(op.get_bind())
    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.alter_column("hash", existing_type=sa.LargeBinary(), nullable=False)
        batch_op.drop_column("actor_name")
        batch_op.drop_column("source")
    with op.batch_alter_table("journal_head", schema=None) as batch_op:
        batch_op.alter_column("hash", existing_type=sa.LargeBinary(), nullable=False)
        batch_op.alter_column("checkpoint", existing_type=sa.BigInteger(), nullable=False)


journal = sa.table(
    "journal",
    sa.column("seq", sa.BigInteger()),
    sa.column("version", sa.SmallInteger()),
    sa.column("at", pharmq.db.UtcDateTime()),
    *(sa.column(name, sa.String()) for name in ("kind", "phase", "act_id", "actor_kind")),
    sa.column("actor_id", sa.BigInteger()),
    *(sa.column(name, sa.String()) for name in ("actor_name", "source", "person", "private")),
    *(sa.column(name, sa.BigInteger()) for name in ("pharmacy_id", "host_id", "vm_id")),
    *(sa.column(name, sa.Text()) for name in ("scope", "params", "outcome", "upid")),
    sa.column("hash", sa.LargeBinary()),
)
personal = sa.table(
    "journal_personal",
    sa.column("ref", sa.String()),
    sa.column("about", sa.BigInteger()),
    sa.column("name", sa.String()),
    sa.column("source", sa.String()),
    sa.column("salt", sa.LargeBinary()),
)
head = sa.table(
    "journal_head",
    sa.column("id", sa.SmallInteger()),
    sa.column("hash", sa.LargeBinary()),
    sa.column("checkpoint", sa.BigInteger()),
)


def chain_what_is_there(connection: sa.Connection) -> None:
    """Hash the rows of earlier versions in their order; from here on a change to them is found."""
    known: dict[tuple[Any, ...], str] = {}
    last, seq = START, 0
    while rows := list(
        connection.execute(sa.select(journal).where(journal.c.seq > seq).order_by(journal.c.seq).limit(BATCH))
    ):
        for row in rows:
            person = (row.actor_id, row.actor_name, row.source)
            nobody = row.actor_kind == "system" or person[1:] == (None, None)
            if not nobody and person not in known:
                known[person] = add_person(connection, *person)
            ref = None if nobody else known[person]
            cells = Cells(**{name: getattr(row, name) for name in Cells._fields})._replace(person=ref)
            last, seq = row_hash(last, cells), row.seq
            connection.execute(sa.update(journal).where(journal.c.seq == seq).values(hash=last, person=ref))
    connection.execute(sa.update(head).where(head.c.id == 1).values(hash=last, checkpoint=0))


def add_person(connection: sa.Connection, about: int | None, name: str | None, source: str | None) -> str:
    salt = secrets.token_bytes(16)
    ref = commitment(salt, about, name, source, None)
    connection.execute(sa.insert(personal).values(ref=ref, about=about, name=name, source=source, salt=salt))
    return ref


def downgrade() -> None:
    raise RuntimeError("PharmQ's migrations only go forward; restore a backup instead")
