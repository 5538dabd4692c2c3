"""Following the chain from its first row to its head. Pure: rows, checkpoints and head go in, findings come out.

A finding names the rows it is about. One broken link means that the row or the one before it was changed: both are
named, since nothing but a signature could tell which.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from pharmq.journal.chain import START, Cells, Head, UnknownVersion, moment, row_hash

Verify = Callable[[int | None, bytes, bytes | None], bool]

FINDINGS_AT_MOST = 1000
MOVES_AT_MOST = 200


class Finding(msgspec.Struct, frozen=True, gc=False):
    """``code`` is a catalogue code ``audit.found_*``; ``first`` and ``last`` the rows concerned."""

    code: str
    first: int
    last: int
    detail: str = ""


class Checkpoint(NamedTuple):
    seq: int
    previous: int
    hash: bytes
    at: datetime
    key_id: int
    signature: bytes
    cut_at: datetime | None = None
    cut_signature: bytes | None = None

    def message(self) -> bytes:
        return b"pharmq journal checkpoint 1\n" + msgspec.json.encode(
            [self.seq, self.previous, self.hash.hex(), moment(self.at)]
        )

    def cut_message(self, at: datetime) -> bytes:
        return b"pharmq journal cut 1\n" + msgspec.json.encode([self.seq, self.previous, self.hash.hex(), moment(at)])


class Stored(NamedTuple):
    cells: Cells
    hash: bytes


class _Suspect(NamedTuple):
    """A row whose hash is not what the row before and its cells give; ``meant`` is what they give."""

    row: Stored
    before: bytes
    meant: bytes
    alone: bool
    """False when the row before is a suspect too."""


class Walk:
    """``feed`` rows in order, then ``end``. ``checkpoints`` ascending; ``after`` and ``hash`` begin in the middle."""

    def __init__(
        self, checkpoints: Sequence[Checkpoint], verify: Verify, after: int = 0, hash: bytes | None = START
    ) -> None:
        self._verify = verify
        self._checkpoints = {point.seq: point for point in checkpoints}
        self._seq = after
        self._hash = hash
        self._suspect: _Suspect | None = None
        self._suspects: list[_Suspect] = []
        self._found: list[Finding] = []
        self._trusted = after
        """The last row whose hash a good checkpoint confirms."""
        self.rows = 0
        self._look_at_checkpoints(checkpoints, after)

    def _look_at_checkpoints(self, checkpoints: Sequence[Checkpoint], after: int) -> None:
        previous = None if after else 0
        for point in checkpoints:
            if previous is not None and point.previous != previous:
                self._note("audit.found_checkpoint_removed", previous + 1, point.previous)
            previous = point.seq
            if not self._verify(point.key_id, point.message(), point.signature):
                self._note("audit.found_checkpoint_changed", point.seq, point.seq)
                del self._checkpoints[point.seq]

    def feed(self, rows: Iterable[Stored]) -> None:
        for row in rows:
            self.rows += 1
            if row.cells.seq != self._seq + 1:
                self._gap(self._seq + 1, row.cells.seq - 1)
            self._link(row)
            self._seq, self._hash = row.cells.seq, row.hash
            if row.cells.seq in self._checkpoints:
                self._compare(self._checkpoints[row.cells.seq])

    def end(self, head: Head) -> list[Finding]:
        """``head`` as it is stored; whether it is signed is asked by the caller."""
        if self._seq < head.seq:
            self._gap(self._seq + 1, head.seq, truncated=True)
        if self._suspect is not None:
            matched = self._suspect.meant == head.hash
            self._settle(self._suspect, matched=matched)
            self._hash = head.hash if matched else self._hash
        if self._hash is not None and self._seq == head.seq and self._hash != head.hash:
            self._note("audit.found_head_changed", self._trusted + 1, head.seq)
        self._name_moves()
        return self._found

    def _link(self, row: Stored) -> None:
        suspect, previous = self._suspect, self._hash
        if previous is None:
            # After a gap nothing says what this row follows: its own hash is taken, a checkpoint may refuse it.
            self._suspect = None
            return
        meant = _hash(previous, row.cells)
        if meant == row.hash:
            self._suspect = None
            if suspect is not None:
                self._settle(suspect, matched=False)
            return
        if suspect is not None:
            repaired = _hash(suspect.meant, row.cells)
            matched = repaired == row.hash
            self._settle(suspect, matched=matched)
            if matched:
                self._suspect = None
                return
        self._suspect = _Suspect(row, previous, meant or b"", suspect is None)

    def _settle(self, suspect: _Suspect, *, matched: bool) -> None:
        """What a suspect was: ``matched`` when only its hash was changed."""
        seq = suspect.row.cells.seq
        self._suspects.append(suspect)
        first = seq if matched or not suspect.alone else max(seq - 1, 1)
        self._note("audit.found_changed", first, seq)
        self._suspect = None

    def _gap(self, first: int, last: int, *, truncated: bool = False) -> None:
        if self._suspect is not None:
            self._settle(self._suspect, matched=False)
        at = first
        while at <= last:
            point = next((p for p in self._checkpoints.values() if p.previous + 1 == at and self._cut(p)), None)
            if point is None or point.seq > last:
                self._note("audit.found_truncated" if truncated else "audit.found_removed", at, last)
                self._hash = None
                self._seq = last
                return
            at = point.seq + 1
            self._hash, self._trusted = point.hash, point.seq
        self._seq = last

    def _cut(self, point: Checkpoint) -> bool:
        return point.cut_at is not None and self._verify(
            point.key_id, point.cut_message(point.cut_at), point.cut_signature
        )

    def _compare(self, point: Checkpoint) -> None:
        right = self._suspect.meant == point.hash if self._suspect is not None else False
        if self._hash != point.hash and not right and not self._noted(self._trusted + 1, point.seq):
            self._note("audit.found_rewritten", self._trusted + 1, point.seq)
        if self._hash == point.hash and self._suspect is None:
            self._trusted = point.seq

    def _noted(self, first: int, last: int) -> bool:
        pending = self._suspect is not None and first <= self._suspect.row.cells.seq <= last
        return pending or any(first <= found.last and found.first <= last for found in self._found)

    def _note(self, code: str, first: int, last: int) -> None:
        before = self._found[-1] if self._found else None
        if before is not None and before.code == code and before.last + 1 >= first >= before.first:
            self._found[-1] = Finding(code, before.first, max(last, before.last))
        elif len(self._found) < FINDINGS_AT_MOST:
            self._found.append(Finding(code, first, last))

    def _name_moves(self) -> None:
        """A row that fits where another broken one stands was moved."""
        if len(self._suspects) > MOVES_AT_MOST:
            return
        places = [suspect.row.cells.seq for suspect in self._suspects]
        befores = {suspect.before for suspect in self._suspects} | {suspect.row.hash for suspect in self._suspects}
        for suspect in self._suspects:
            here = suspect.row.cells.seq
            for place in places:
                cells = suspect.row.cells._replace(seq=place)
                if place != here and any(_hash(before, cells) == suspect.row.hash for before in befores):
                    self._found.append(Finding("audit.found_moved", here, here, str(place)))


def _hash(previous: bytes, cells: Cells) -> bytes | None:
    try:
        return row_hash(previous, cells)
    except UnknownVersion:
        return None
