"""New keys for everything that is sealed, from the command line, beside a running server."""

import os
from collections.abc import Callable
from typing import Any

from pharmq.access import SYSTEM, who
from pharmq.base.config import Config
from pharmq.bootstrap import Ground
from pharmq.db import Tx
from pharmq.journal import Entry
from pharmq.schema import SEALED
from pharmq.vault import MasterKey, find_master_key
from pharmq.vault.rotation import prepare_key_file, reseal_data_keys, rotate_data_key, take_key_file


async def rotate_keys(
    ground: Ground, config: Config, *, master: bool, grace_s: float, progress: Callable[[int], None] = lambda _: None
) -> tuple[int, bool]:
    """Everything under a new data key; with ``master`` and a key file, the data keys under a new master key. How many
    values were sealed, and whether the master key was replaced."""

    async def note(tx: Tx, params: dict[str, Any]) -> None:
        await ground.journal.append(tx, Entry(kind="vault.rotated", who=who(SYSTEM), params=params, outcome="ok"))

    async def grace() -> None:
        await ground.clock.sleep(grace_s)

    done = await rotate_data_key(ground.vault, SEALED, grace=grace, note=note, progress=progress)
    path = config.key_file
    # Only a key that really came from the file can be replaced there.
    if not master or path is None or not path.exists() or find_master_key(path, os.environ) != path.read_text():
        return done.cells, False
    fresh = MasterKey.from_text(prepare_key_file(path))
    await reseal_data_keys(ground.db, ground.vault.master, fresh, note)
    take_key_file(path)
    ground.vault.master = fresh
    return done.cells, True
