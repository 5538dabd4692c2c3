"""Our account on each host: what stands there, what is being made, and how far that has come."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table

from pharmq.db import JsonText, UtcDateTime, metadata

# Everything that an act on the host could leave behind is written here before the act: the names of tokens that may
# exist, both passwords that may be right. Whoever finds the row can therefore finish or clean up.
service_accounts = Table(
    "service_accounts",
    metadata,
    Column(
        "host_id", BigInteger, ForeignKey("proxmox_hosts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("username", String(128), nullable=False, comment="pharmq@pve"),
    Column("password", LargeBinary, comment="sealed; NULL until it may be right"),
    Column("password_next", LargeBinary, comment="sealed; may be right already"),
    Column("token", String(64), comment="name of the token in use; its value is the host's own credential"),
    Column("token_next", String(64), comment="may exist on the host"),
    Column("token_next_value", LargeBinary, comment="sealed"),
    Column("token_old", String(64), comment="to be deleted on the host"),
    Column("privileges", JsonText, nullable=False, comment="what the role got"),
    Column("operation", String(12), comment="provision | rotate | remove; NULL when nothing is under way"),
    Column("step", String(12), comment="the step that comes next"),
    Column("act_id", String(26)),
    Column("forget_set", BigInteger, comment="credential set to delete once no host uses it"),
    Column("keep_host", Boolean, nullable=False, server_default="0", comment="of a removal: the host stays"),
    Column("reason", String(64), comment="why it stopped; a catalogue code"),
    Column("reason_params", JsonText),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", UtcDateTime, comment="when it is tried again by itself"),
    Column("asked_id", BigInteger),
    Column("asked_name", String(128)),
    Column("asked_source", String(64)),
    Column("asked_kind", String(8)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("rotated_at", UtcDateTime, comment="when the token was last made"),
    Column("updated_at", UtcDateTime, nullable=False),
)
