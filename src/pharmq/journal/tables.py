"""The journal: one totally ordered, hash-chained sequence of facts, codes and parameters, never sentences."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, String, Table, Text

from pharmq.db import JsonText, UtcDateTime, metadata
from pharmq.journal.chain import START

# The sequencer: its row is locked from the first append to the commit, so sequence order is commit order
# and a reader that has seen N will never find a smaller number appearing later. It also holds the last hash, so that
# the chain is made under the same lock, and a signature over both.
journal_head = Table(
    "journal_head",
    metadata,
    Column("id", SmallInteger, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False, default=START, comment="of row seq; 32 zero bytes before the first"),
    Column("checkpoint", BigInteger, nullable=False, default=0, comment="seq of the last checkpoint"),
    Column("key_id", BigInteger, comment="the key that signed this head"),
    Column("signature", LargeBinary, comment="Ed25519 over seq, hash and checkpoint"),
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
    Column("person", String(64), comment="journal_personal.ref: name and address of the actor"),
    Column("private", String(64), comment="journal_personal.ref: parameters that must be erasable"),
    Column("pharmacy_id", BigInteger),
    Column("host_id", BigInteger),
    Column("vm_id", BigInteger),
    Column("scope", JsonText, nullable=False, comment="every path of the object at that time"),
    Column("params", JsonText, nullable=False),
    Column("outcome", String(64)),
    Column("upid", String(200)),
    Column("hash", LargeBinary, nullable=False, comment="SHA-256 over the hash before and this row"),
    Index("ix_journal_pharmacy_id_seq", "pharmacy_id", "seq"),
    Index("ix_journal_host_id_seq", "host_id", "seq"),
    Index("ix_journal_vm_id_seq", "vm_id", "seq"),
    Index("ix_journal_kind_seq", "kind", "seq"),
    Index("ix_journal_act_id", "act_id"),
    Index("ix_journal_actor_id_seq", "actor_id", "seq"),
    Index("ix_journal_person", "person"),
    Index("ix_journal_private", "private"),
)

# Personal data of the journal, outside the chain. ``ref`` is a salted commitment to the other cells, so a change is
# found; erasing empties all but ``ref`` and ``about`` and names the journal row that records it.
journal_personal = Table(
    "journal_personal",
    metadata,
    Column("ref", String(64), primary_key=True),
    Column("about", BigInteger, index=True, comment="users.id; no foreign key: it outlives the user"),
    Column("name", String(128), index=True),
    Column("source", String(64), index=True, comment="address the act came from"),
    Column("details", Text, comment="JSON of the parameters kept here"),
    Column("salt", LargeBinary),
    Column("erased_seq", BigInteger, comment="the journal row that records the erasure"),
)

journal_cursors = Table(
    "journal_cursors",
    metadata,
    Column("reader", String(64), primary_key=True),
    Column("seq", BigInteger, nullable=False),
)
