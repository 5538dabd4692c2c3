"""What proves the journal, and what people have signed about it."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text

from pharmq.db import JsonText, UtcDateTime, metadata
from pharmq.db.metadata import NEVER_REUSED, Id

journal_keys = Table(
    "journal_keys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("public", LargeBinary, nullable=False, comment="Ed25519, raw; for whoever checks elsewhere"),
    Column("private", LargeBinary, nullable=False, comment="sealed, bound to this row"),
    Column("created_at", UtcDateTime, nullable=False),
    **NEVER_REUSED,
)

# A signed statement about the rows (previous, seq]. When they are cut, this stays, so the chain can be followed over
# the gap; the cut is signed as well.
journal_checkpoints = Table(
    "journal_checkpoints",
    metadata,
    Column("seq", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
    Column("previous", BigInteger, nullable=False, comment="seq of the checkpoint before; 0 for none"),
    Column("hash", LargeBinary, nullable=False, comment="of row seq"),
    Column("at", UtcDateTime, nullable=False),
    Column("key_id", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("cut_at", UtcDateTime),
    Column("cut_signature", LargeBinary),
)

audit_reviews = Table(
    "audit_reviews",
    metadata,
    Column("month", String(7), primary_key=True, comment="2026-11"),
    Column("report", JsonText, nullable=False, comment="what was signed, as it stood"),
    Column("note", Text, nullable=False, server_default=""),
    Column("signed_by", BigInteger, nullable=False),
    Column("signed_at", UtcDateTime, nullable=False),
)
