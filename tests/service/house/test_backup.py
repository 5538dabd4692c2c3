"""A backup is whole though others write; it opens with the key and shows no secret without it."""

import asyncio
import os
import sqlite3
import stat
from pathlib import Path

import pytest
from sqlalchemy import text

from house_rig import WholeHouse, whole_house
from pharmq.access import SYSTEM
from pharmq.audit.wanted import AuditFilter
from pharmq.backup import BackupError, back_up
from pharmq.base.config import Config, sqlite_url
from pharmq.bootstrap import open_ground
from pharmq.db import Database
from pharmq.hosts.forms import GroupForm
from pharmq_sim.testing import PASSWORD


def config_at(folder: Path, path: Path, house: WholeHouse) -> Config:
    return Config(data_dir=folder, database_url=f"sqlite:///{path}", key_file=house.config.key_file)


async def test_taken_while_others_write_it_is_whole_and_opens_with_the_key(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "copy.db"
    copy.parent.mkdir()
    async with whole_house(tmp_path) as house:
        stop = asyncio.Event()

        async def write() -> int:
            made = 0
            while not stop.is_set():
                await house.house.hosts.pharmacies.add_group(SYSTEM, GroupForm(name=f"그룹 {made}", kind="region"))
                made += 1
            return made

        writing = asyncio.create_task(write())
        size = await back_up(house.config, copy)
        stop.set()
        assert await writing > 0
        await house.ground.proof.checkpoint()
        assert size == copy.stat().st_size
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        assert PASSWORD.encode() not in copy.read_bytes()
        assert os.listdir(copy.parent) == ["copy.db"]
        async with house.ground.db.read() as conn:
            rows = await house.ground.journal.read(conn, 0, 10_000)
        (told,) = [row for row in rows if row.kind == "backup.made"]
        assert told.params == {"file": str(copy), "bytes": size}
        acts, _ = await house.house.auditing.search.page(SYSTEM, AuditFilter(), None, 100)
        assert "backup.made" in [act.kind for act in acts]
        async with open_ground(config_at(copy.parent, copy, house)) as ground:
            async with ground.db.read() as conn:
                assert await conn.scalar(text("SELECT count(*) FROM proxmox_hosts")) == 2
                kinds = [row.kind for row in await ground.journal.read(conn, 0, 10_000)]
            assert "backup.made" not in kinds
            # Its rows after the copy are missing: the witness, which is not in the copy, says so until it is accepted.
            assert [found.code for found in (await ground.proof.check()).findings] == ["audit.found_rolled_back"]
            await ground.proof.accept_restore(SYSTEM, "disk replaced")
            assert (await ground.proof.check()).whole


async def test_it_never_replaces_what_is_there_and_leaves_nothing_half(tmp_path: Path) -> None:
    async with whole_house(tmp_path) as house:
        kept = tmp_path / "kept"
        kept.write_text("somebody's")
        with pytest.raises(BackupError, match=r"backup\.exists"):
            await back_up(house.config, kept)
        assert kept.read_text() == "somebody's"
        with pytest.raises(BackupError, match=r"backup\.failed"):
            await back_up(house.config, tmp_path / "nowhere" / "copy.db")
        assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


async def test_what_cannot_be_copied_is_said(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"backup\.postgresql"):
        await back_up(Config(data_dir=tmp_path, database_url="postgresql://x@/y"), tmp_path / "copy.db")
    config = Config(data_dir=tmp_path, database_url=sqlite_url(tmp_path))
    with pytest.raises(BackupError, match=r"backup\.nothing"):
        await back_up(config, tmp_path / "copy.db")
    (tmp_path / "pharmq.db").write_bytes(b"this is no database" * 1000)
    with pytest.raises(BackupError, match=r"backup\.damaged"):
        await back_up(config, tmp_path / "copy.db")
    assert [path.name for path in tmp_path.iterdir()] == ["pharmq.db"]


async def test_a_database_of_another_version_is_copied_as_it_is(db: Database, tmp_path: Path) -> None:
    """As before an upgrade: the journal of a version that is not ours is left alone."""
    async with db.transaction() as tx:
        await tx.conn.execute(text("UPDATE alembic_version SET version_num = '9999_later'"))
    config = Config(data_dir=tmp_path, database_url=sqlite_url(tmp_path), key_file=tmp_path / "key")
    await back_up(config, tmp_path / "copy.db")
    with sqlite3.connect(tmp_path / "copy.db") as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999_later",)]
        assert copy.execute("SELECT count(*) FROM journal").fetchall() == [(0,)]
    assert not (tmp_path / "key").exists()
