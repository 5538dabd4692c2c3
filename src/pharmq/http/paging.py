"""Lists: ``{"items", "total"}`` with ``limit`` and ``offset``."""

from typing import Annotated, Generic, TypeAlias, TypeVar

import msgspec
from litestar.params import Parameter

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    items: list[T]
    total: int


Limit: TypeAlias = Annotated[int, Parameter(ge=1, le=1000, description="How many items at most")]
Offset: TypeAlias = Annotated[int, Parameter(ge=0, le=10_000_000, description="How many items to skip")]

MAX_ID = 2**63 - 1
"""The largest id a database column can hold; anything above is simply not found."""
