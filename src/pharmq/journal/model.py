"""What a journal row says. Codes and parameters only; sentences are made when somebody reads."""

from datetime import datetime
from typing import Any, Literal

import msgspec

Phase = Literal["event", "request", "outcome"]
VERSION = 1
"""Version of a row: the meaning of ``kind`` and ``params``, and the form it is hashed in (``chain``); readers may meet
older rows for years."""


class Who(msgspec.Struct, frozen=True):
    kind: str
    id: int | None = None
    name: str | None = None
    source: str | None = None


SYSTEM_WHO = Who("system", None, "system")


class Where(msgspec.Struct, frozen=True):
    """The object and its ancestors at that time; later grants are judged against these paths."""

    paths: tuple[str, ...] = ("/",)
    pharmacy_id: int | None = None
    host_id: int | None = None
    vm_id: int | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A fact to append. An act has two: phase ``request`` in the act's transaction, ``outcome`` later, same act id.

    ``who.name``, ``who.source`` and ``private`` are kept beside the chain and can be erased; whatever names a person
    belongs there, never into ``params``. ``about`` is the user that ``private`` tells of (by default the actor).
    """

    kind: str
    phase: Phase = "event"
    act_id: str | None = None
    who: Who = SYSTEM_WHO
    where: Where = Where()
    params: dict[str, Any] = {}
    private: dict[str, Any] = {}
    about: int | None = None
    outcome: str | None = None
    upid: str | None = None
    at: datetime | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A fact as it stands in the journal, ``private`` parameters among the others unless they were erased."""

    seq: int
    version: int
    at: datetime
    kind: str
    phase: Phase
    act_id: str | None
    who: Who
    where: Where
    params: dict[str, Any]
    outcome: str | None
    upid: str | None
