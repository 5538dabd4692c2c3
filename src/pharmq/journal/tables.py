"""The journal: one totally ordered sequence of facts, codes and parameters, never sentences."""

from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, String, Table

from pharmq.db import JsonText, UtcDateTime, metadata

# The sequencer: its row is locked from the first append to the commit, so sequence order is commit order
# and a reader that has seen N will never find a smaller number appearing later.
journal_head = Table(
    "journal_head",
    metadata,
    Column("id", SmallInteger, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)

journal = Table(
    "journal",
    metadata,
    Column("seq", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
    Column("version", SmallInteger, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("phase", String(8), nullable=False, comment="event | request | outcome"),
    Column("act_id", String(26)),
    Column("actor_kind", String(8), nullable=False),
    Column("actor_id", BigInteger),
    Column("actor_name", String(128)),
    Column("source", String(64), comment="address the act came from"),
    Column("pharmacy_id", BigInteger),
    Column("host_id", BigInteger),
    Column("vm_id", BigInteger),
    Column("scope", JsonText, nullable=False, comment="every path of the object at that time"),
    Column("params", JsonText, nullable=False),
    Column("outcome", String(64)),
    Column("upid", String(200)),
    Index("ix_journal_pharmacy_id_seq", "pharmacy_id", "seq"),
    Index("ix_journal_host_id_seq", "host_id", "seq"),
    Index("ix_journal_vm_id_seq", "vm_id", "seq"),
    Index("ix_journal_kind_seq", "kind", "seq"),
    Index("ix_journal_act_id", "act_id"),
)

journal_cursors = Table(
    "journal_cursors",
    metadata,
    Column("reader", String(64), primary_key=True),
    Column("seq", BigInteger, nullable=False),
)
