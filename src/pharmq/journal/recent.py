"""The last rows that this process has written, so that its own followers need not ask the database for them."""

from collections import deque
from collections.abc import Sequence
from itertools import islice

from pharmq.journal.model import Row

KEPT = 512


class Recent:
    """One stretch without a gap. A row that another process wrote in between begins a new one."""

    def __init__(self, kept: int = KEPT) -> None:
        self._rows: deque[Row] = deque(maxlen=kept)

    def add(self, rows: Sequence[Row]) -> None:
        """Committed just now, in order."""
        if self._rows and rows[0].seq != self._rows[-1].seq + 1:
            self._rows.clear()
        self._rows.extend(rows)

    def after(self, seq: int) -> list[Row] | None:
        """Every row above ``seq``, up to the last that was written here; None when only the database knows."""
        rows = self._rows
        if not rows or not rows[0].seq - 1 <= seq < rows[-1].seq:
            return None
        return list(islice(rows, seq + 1 - rows[0].seq, None))

    def forget(self) -> None:
        """What stood in them may have been erased."""
        self._rows.clear()
