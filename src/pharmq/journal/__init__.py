"""The append-only journal: the spine every room writes to and readers follow with their own cursors."""

from pharmq.journal.model import SYSTEM_WHO, Entry, Row, Where, Who
from pharmq.journal.service import Journal, newest_first

__all__ = ["SYSTEM_WHO", "Entry", "Journal", "Row", "Where", "Who", "newest_first"]
