"""On SIGUSR2 a Python process that was started with this directory in its path writes how many tasks its loop has, by
what they are for, into the file that PHARMQ_BENCH_TASKS names, and gives free pages back to the system, so that what is
held can be told from what the allocator keeps. The manager under measurement is not changed for it."""

import asyncio
import ctypes
import gc
import json
import os
import re
import signal
from collections import Counter
from pathlib import Path
from types import FrameType

_FILE = os.environ.get("PHARMQ_BENCH_TASKS", "")


def _told(_number: int, _frame: FrameType | None) -> None:
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:
        return  # no loop runs here
    names = Counter(re.sub(r"[0-9a-f]{4,}|\d+", "#", task.get_name()) for task in tasks)
    made = Path(f"{_FILE}.new")
    made.write_text(json.dumps(names))
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    made.replace(_FILE)


if _FILE:
    signal.signal(signal.SIGUSR2, _told)
