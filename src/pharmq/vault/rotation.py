"""A new data key and everything sealed with it anew; a new master key and the data keys sealed with that.

Nothing is kept about how far it has come: which cells still carry an old key says it. So it may be killed anywhere and
begun again, and a server may go on meanwhile: a cell is replaced only while it holds what was read, and passes repeat
until no cell carries an old key.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Table, delete, select, update

from pharmq.db import Database, Tx
from pharmq.vault.service import MasterKey, Vault, VaultError, key_of
from pharmq.vault.tables import data_keys

REFRESH_EVERY_S = 10.0
"""How often a running server looks for new data keys."""
GRACE_S = 25.0
"""How long a rotation waits until every running server has seen the new key."""
BATCH = 200

Noted = Callable[[Tx, dict[str, Any]], Awaitable[None]]


class SealedColumn(NamedTuple):
    """A column of sealed values; ``row`` is the column whose number they are bound to."""

    table: Table
    row: str
    column: str


class Rotated(NamedTuple):
    cells: int
    keys_dropped: int


async def rotate_data_key(
    vault: Vault,
    columns: Sequence[SealedColumn],
    *,
    grace: Callable[[], Awaitable[None]],
    note: Noted,
    progress: Callable[[int], None] = lambda _: None,
) -> Rotated:
    """Make a data key, or go on with the newest when cells still wait for it; seal everything with it; drop the others.

    ``grace`` waits until servers know the key. ``note`` records the end in the transaction that drops the old keys.
    """
    await vault.refresh()
    if not await _waiting(vault):
        await vault.add_key()
    await grace()
    cells = 0
    while done := await _one_pass(vault, columns):
        cells += done
        progress(cells)
    async with vault.db.transaction(durable=True) as tx:
        gone = await tx.conn.execute(delete(data_keys).where(data_keys.c.id < vault.current))
        await note(tx, {"cells": cells, "keys_dropped": gone.rowcount})
    return Rotated(cells, gone.rowcount)


async def _waiting(vault: Vault) -> bool:
    """Whether a rotation was begun and not ended: there is more than one data key."""
    async with vault.db.read() as conn:
        return len(list(await conn.scalars(select(data_keys.c.id)))) > 1


async def _one_pass(vault: Vault, columns: Sequence[SealedColumn]) -> int:
    done = 0
    for place in columns:
        row, column = place.table.c[place.row], place.table.c[place.column]
        after = 0
        while True:
            async with vault.db.read() as conn:
                query = select(row, column).where(row > after).order_by(row).limit(BATCH)
                cells = [(number, sealed) for number, sealed in await conn.execute(query)]
            if not cells:
                break
            after = cells[-1][0]
            old = [(number, sealed) for number, sealed in cells if sealed and key_of(sealed) != vault.current]
            if old:
                done += await _seal_anew(vault, place, old)
    return done


async def _seal_anew(vault: Vault, place: SealedColumn, cells: list[tuple[int, bytes]]) -> int:
    row, column, name = place.table.c[place.row], place.table.c[place.column], place.table.name
    done = 0
    async with vault.db.transaction(durable=True) as tx:
        for number, sealed in cells:
            fresh = vault.seal(vault.open(sealed, name, number, place.column), name, number, place.column)
            # Only while it still holds what was read: somebody may have given a new password meanwhile.
            changed = await tx.conn.execute(
                update(place.table).where(row == number, column == sealed).values({place.column: fresh})
            )
            done += changed.rowcount
    return done


# --- the master key


async def reseal_data_keys(db: Database, old: MasterKey, new: MasterKey, note: Noted) -> int:
    """All data keys under another master key, in one transaction. Raises VaultError."""
    async with db.transaction(durable=True) as tx:
        rows = list(await tx.conn.execute(select(data_keys.c.id, data_keys.c.sealed)))
        for number, sealed in rows:
            fresh = new.seal(old.open(sealed, b"data_keys"), b"data_keys")
            await tx.conn.execute(update(data_keys).where(data_keys.c.id == number).values(sealed=fresh))
        await note(tx, {"data_keys": len(rows)})
    return len(rows)


def next_path(path: Path) -> Path:
    """Where a new master key waits until the database is sealed with it."""
    return path.with_name(path.name + ".next")


def prepare_key_file(path: Path) -> str:
    """The text of the key that will take the place of ``path``: on disk before anything is sealed with it. One that an
    interrupted rotation has left is used."""
    waiting = next_path(path)
    if not waiting.exists():
        handle = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(MasterKey.new_text() + "\n")
            file.flush()
            os.fsync(file.fileno())
        _sync_folder(path)
    return waiting.read_text()


def take_key_file(path: Path) -> None:
    """The new key takes its place; the old one is gone."""
    next_path(path).replace(path)
    _sync_folder(path)


async def settle_key_file(db: Database, path: Path) -> None:
    """At start: a rotation that died between sealing and renaming left the right key beside the file."""
    waiting = next_path(path)
    if not await asyncio.to_thread(waiting.exists):
        return
    if not await _opens(db, path) and await _opens(db, waiting):
        await asyncio.to_thread(take_key_file, path)


async def _opens(db: Database, path: Path) -> bool:
    if not await asyncio.to_thread(path.exists):
        return False
    async with db.read() as conn:
        sealed = await conn.scalar(select(data_keys.c.sealed).limit(1))
    try:
        key = MasterKey.from_text(await asyncio.to_thread(path.read_text))
        if sealed is not None:
            key.open(sealed, b"data_keys")
    except VaultError:
        return False
    return True


def _sync_folder(path: Path) -> None:
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
