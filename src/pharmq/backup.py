"""A copy of the database while the server writes to it, from the command line."""

import asyncio
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import ClassVar

from pharmq.access import SYSTEM, who
from pharmq.base.config import Config, async_url
from pharmq.base.errors import PharmqError
from pharmq.bootstrap import open_ground
from pharmq.db import Database
from pharmq.db.migrate import is_current
from pharmq.journal import Entry


class BackupError(PharmqError):
    """There is no copy, and nothing was left where it should have been."""

    permanent: ClassVar[bool] = False


async def back_up(config: Config, target: Path) -> int:
    """The database as it is at one moment, whole or not at all, as a file that only its owner reads; its size in bytes.

    It is neither migrated nor changed first, so this is what one does before an upgrade. The sealed values in the copy
    open with the master key alone, which is not in it. The journal says that it was made, once the copy is complete,
    where the database is of this version. Raises BackupError.
    """
    url = async_url(config.database_url)
    if not url.startswith("sqlite"):
        raise BackupError("backup.postgresql")
    size = await asyncio.to_thread(_copy, Path(url.partition(":///")[2]), target)
    await _note(config, target, size)
    return size


def _copy(source: Path, target: Path) -> int:
    if not source.is_file():
        raise BackupError("backup.nothing", params={"path": str(source)})
    partial = target.with_name(target.name + ".partial")
    _must_be_free(target)
    try:
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        # Of a run that was killed, or of one that is under way.
        raise BackupError("backup.exists", params={"path": str(partial)}) from None
    except OSError as error:
        raise _failed(target, error) from None
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as db,
            closing(sqlite3.connect(partial)) as copy,
        ):
            # In one step, for which no writer waits: between two SQLite would begin anew whenever one has written.
            db.backup(copy)
            # One file, without a log of its own beside it.
            copy.execute("PRAGMA journal_mode = DELETE")
            found = copy.execute("PRAGMA integrity_check").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        _must_be_free(target)
        partial.rename(target)
        return target.stat().st_size
    except (OSError, sqlite3.OperationalError) as error:
        raise _failed(target, error) from None
    except sqlite3.DatabaseError as error:
        raise BackupError("backup.damaged", params={"path": str(source), "detail": str(error)}) from None
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()


def _must_be_free(target: Path) -> None:
    if target.exists():
        raise BackupError("backup.exists", params={"path": str(target)})


def _failed(path: Path, error: OSError | sqlite3.OperationalError) -> BackupError:
    detail = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return BackupError("backup.failed", params={"path": str(path), "detail": detail})


async def _note(config: Config, target: Path, size: int) -> None:
    db = Database(config.database_url)
    try:
        current = await is_current(db)
    finally:
        await db.close()
    if not current:
        return
    async with open_ground(config) as ground, ground.db.transaction(durable=True) as tx:
        params = {"file": str(target), "bytes": size}
        await ground.journal.append(tx, Entry(kind="backup.made", who=who(SYSTEM), params=params, outcome="ok"))
