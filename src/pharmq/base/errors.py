"""Errors that may reach a person. They carry a catalogue code and parameters, never a sentence."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeAlias

import msgspec

Param: TypeAlias = "str | int | float | bool | Sequence[Param] | Mapping[str, Param] | None"
Params: TypeAlias = Mapping[str, Param]


class FieldError(msgspec.Struct, frozen=True, gc=False):
    """What is wrong with one field: a catalogue code and its parameters."""

    code: str
    params: dict[str, str | int | float | bool | None] = {}


class PharmqError(Exception):
    """Base of every expected failure.

    ``code`` names a sentence of the message catalogue (``base/catalogue``), ``params`` fill it, ``fields``
    names what is wrong with single input fields. ``permanent`` says that trying again changes nothing.
    """

    status: ClassVar[int] = 500
    permanent: ClassVar[bool] = True

    def __init__(
        self,
        code: str,
        *,
        params: Params | None = None,
        fields: Mapping[str, Sequence[FieldError]] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.params: Params = params or {}
        self.fields: Mapping[str, Sequence[FieldError]] = fields or {}

    def __str__(self) -> str:
        return f"{self.code} {dict(self.params)}" if self.params else self.code


class Invalid(PharmqError):
    status = 400


class Unauthenticated(PharmqError):
    status = 401


class Forbidden(PharmqError):
    status = 403


class NotFound(PharmqError):
    status = 404


class Conflict(PharmqError):
    status = 409


class TooMany(PharmqError):
    status = 429
    permanent = False


class Unavailable(PharmqError):
    status = 503
    permanent = False


def invalid_field(name: str, code: str, **params: str | int | float | bool | None) -> Invalid:
    """The common case: one field is wrong."""
    return Invalid("request.invalid", fields={name: [FieldError(code, dict(params))]})
