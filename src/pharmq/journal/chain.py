"""The hash chain: what of a row is hashed, in which form, and what is signed. Pure; nothing here may ever change for a
version that is in use, since rows of it are verified for years. A new form is a new version.

A row's hash is SHA-256 over the hash of the row before and the row's canonical form: a JSON array of its cells in
fixed order, ``scope`` and ``params`` as the very text that is stored. Names, addresses and whatever else must be
erasable is not in it; its place takes a commitment (``commitment``), salted, so that it says nothing by itself.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

import msgspec

START = bytes(32)
"""What the first row follows."""


class Cells(NamedTuple):
    """A row as it is hashed. ``scope`` and ``params`` are JSON texts as stored."""

    seq: int
    version: int
    at: datetime
    kind: str
    phase: str
    act_id: str | None
    actor_kind: str
    actor_id: int | None
    person: str | None
    private: str | None
    pharmacy_id: int | None
    host_id: int | None
    vm_id: int | None
    scope: str
    params: str
    outcome: str | None
    upid: str | None


class UnknownVersion(ValueError):
    """A row of a version that this program does not know: a newer PharmQ wrote it, or somebody changed it."""


def row_hash(previous: bytes, cells: Cells) -> bytes:
    """The hash of a row that follows one with the hash ``previous``. Raises UnknownVersion."""
    form = _FORMS.get(cells.version)
    if form is None:
        raise UnknownVersion(cells.version)
    return hashlib.sha256(previous + form(cells)).digest()


def _form_1(cells: Cells) -> bytes:
    return b"pharmq journal row 1\n" + msgspec.json.encode([*cells[:2], moment(cells.at), *cells[3:]])


_FORMS: Mapping[int, Callable[[Cells], bytes]] = {1: _form_1}


def moment(at: datetime) -> str:
    """The one way a time is written: UTC, microseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def commitment(salt: bytes, about: int | None, name: str | None, source: str | None, details: str | None) -> str:
    """What stands in the chain for personal data kept beside it: 64 hex digits that bind it without telling it.

    Without the salt it cannot be guessed back, so erasing salt and data erases them for good.
    """
    return hashlib.sha256(
        b"pharmq personal 1\n" + salt + msgspec.json.encode([about, name, source, details])
    ).hexdigest()


class Head(NamedTuple):
    """The end of the chain, and the last checkpoint made of it (its seq; 0 for none)."""

    seq: int
    hash: bytes
    checkpoint: int

    def message(self) -> bytes:
        """What is signed."""
        return b"pharmq journal head 1\n" + msgspec.json.encode([self.seq, self.hash.hex(), self.checkpoint])


class Signer(Protocol):
    """Signs heads and checkpoints. ``key_id`` says with which key."""

    @property
    def key_id(self) -> int: ...

    def sign(self, message: bytes) -> bytes: ...
