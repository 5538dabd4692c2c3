"""A journal of an earlier version is taken over: chained as it stands, names beside it."""

from pathlib import Path

from alembic import command
from sqlalchemy import Connection, text

from pharmq.audit.keys import SigningKeys
from pharmq.audit.proof import ProofService
from pharmq.base.clock import ManualClock
from pharmq.db import Database
from pharmq.db.migrate import alembic_config, migrate
from pharmq.journal import Journal
from pharmq.vault import MasterKey, Vault

ROW = """INSERT INTO journal (seq, version, at, kind, phase, actor_kind, actor_id, actor_name, source, scope, params)
VALUES
(:seq, 1, '2026-11-23T01:24:00.000000Z', 'vm.status', 'event', :kind, :id, :name, :source, '["/"]', '{"a": 1.50}')"""


def _at_first(connection: Connection) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")


async def test_rows_of_the_first_version_are_chained(tmp_path: Path, clock: ManualClock) -> None:
    db = Database(f"sqlite:///{tmp_path / 'old.db'}")
    async with db.transaction() as tx:
        await tx.conn.run_sync(_at_first)
    async with db.transaction() as tx:
        for seq in range(1, 2101):
            user = seq % 3 > 0
            values = {"kind": "user" if user else "system", "id": seq % 3 or None, "name": "김" if user else "system"}
            await tx.conn.execute(text(ROW), {"seq": seq, "source": "192.0.2.1" if user else None, **values})
        await tx.conn.execute(text("UPDATE journal_head SET seq = 2100"))
    await migrate(db)
    vault = Vault(db, MasterKey.from_text(MasterKey.new_text()), clock)
    await vault.load()
    keys = await SigningKeys.load(db, vault, clock)
    journal = Journal(clock, keys)
    report = await ProofService(db, journal, keys, clock).check()
    assert (report.findings, report.rows) == ((), 2100)
    async with db.read() as conn:
        rows = await journal.read(conn, 2097)
        assert [(row.who.kind, row.who.name, row.who.source) for row in rows] == [
            ("user", "김", "192.0.2.1"),
            ("user", "김", "192.0.2.1"),
            ("system", "system", None),
        ]
        assert len(list(await conn.execute(text("SELECT ref FROM journal_personal")))) == 2
    await db.close()
