"""Every error as application/problem+json (RFC 9457): a code, a sentence in the caller's language, fields by name."""

import logging
import re
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from pharmq.base.errors import FieldError, PharmqError
from pharmq.base.ids import new_token
from pharmq.base.messages import LANGUAGES, Language, render

log = logging.getLogger(__name__)

_BY_STATUS = {
    400: "request.invalid",
    401: "session.required",
    403: "access.forbidden",
    404: "request.not_found",
    405: "request.method_not_allowed",
    413: "request.too_large",
    415: "request.media_type",
    429: "request.too_many",
}


class FieldProblem(msgspec.Struct, frozen=True):
    """One thing wrong with one field: a code, its parameters and the sentence in the caller's language."""

    code: str
    params: dict[str, Any]
    message: str


class Problem(msgspec.Struct, frozen=True):
    """``title`` says what happened, ``detail`` why and what to do; ``errors`` names fields."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    params: dict[str, Any]
    errors: dict[str, list[FieldProblem]]


def language_of(header: str | None) -> Language:
    """The first language of an Accept-Language header that we speak; Korean otherwise."""
    for part in (header or "").split(","):
        tag = part.partition(";")[0].strip().lower()
        for language in LANGUAGES:
            if tag == language or tag.startswith(language + "-"):
                return language
    return "ko"


def problem(error: PharmqError, status: int, language: Language) -> Problem:
    message = render(error.code, error.params, language)
    fields = {
        name: [
            FieldProblem(field.code, dict(field.params), render(field.code, field.params, language).title)
            for field in found
        ]
        for name, found in error.fields.items()
    }
    return Problem(
        type=f"urn:pharmq:{error.code}",
        title=message.title,
        status=status,
        detail=" ".join(part for part in (message.why, message.remedy) if part),
        code=error.code,
        params=dict(error.params),
        errors=fields,
    )


def answer(error: PharmqError, status: int, language: Language) -> Response[bytes]:
    headers = {}
    if (wait := error.params.get("retry_after_s")) is not None:
        headers["Retry-After"] = str(wait)
    return Response(
        content=msgspec.json.encode(problem(error, status, language)),
        status_code=status,
        media_type="application/problem+json",
        headers=headers,
    )


def _pharmq_error(request: Request[Any, Any, Any], error: PharmqError) -> Response[bytes]:
    if error.status >= 500 and error.status != 503:
        log.error("request failed: %s", error, exc_info=error)
    return answer(error, error.status, language_of(request.headers.get("accept-language")))


_FIELD_IN_TEXT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`")
_FIELD_OF_OBJECT = re.compile(r"(?:required|unknown) field `([^`]+)`")


def _field(path: str, text: str) -> str:
    """The field's name as the sender knows it; ``body`` when the whole body is wrong."""
    outer = "" if path in ("", "data") else path
    inner = match[1] if (match := _FIELD_OF_OBJECT.search(text)) else ""
    return ".".join(part for part in (outer, inner) if part) or "body"


def _litestar_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Litestar's own refusals: bad JSON, wrong types, unknown routes. Its texts name the field and what was wrong."""
    status = error.status_code
    fields: dict[str, list[FieldError]] = {}
    if isinstance(error, ValidationException) and isinstance(error.extra, list):
        for found in error.extra:
            text = str(found.get("message", ""))
            fields.setdefault(_field(str(found.get("key", "")), text), []).append(
                FieldError("request.invalid_value", {"text": text})
            )
    elif status == 400:
        match = _FIELD_IN_TEXT.search(error.detail)
        text = _FIELD_IN_TEXT.sub("", error.detail)
        path = match["path"] if match else ""
        fields[_field(path, text)] = [FieldError("request.invalid_value", {"text": text})]
    code = _BY_STATUS.get(status, "request.failed" if status < 500 else "server.failed")
    if status >= 500:
        log.error("request failed", exc_info=error)
    response = answer(PharmqError(code, fields=fields), status, language_of(request.headers.get("accept-language")))
    if error.headers and "allow" in {name.lower() for name in error.headers}:
        response.headers["Allow"] = next(value for name, value in error.headers.items() if name.lower() == "allow")
    return response


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A defect. The person gets a number to quote; the log has the traceback under it."""
    number = new_token()[:8]
    log.error("unexpected failure %s at %s %s", number, request.method, request.url.path, exc_info=error)
    fault = PharmqError("server.failed", params={"number": number})
    return answer(fault, 500, language_of(request.headers.get("accept-language")))


def _no_utf8(request: Request[Any, Any, Any], error: UnicodeDecodeError) -> Response[bytes]:
    """A body that is not UTF-8: msgspec tells it by this instead of an error of its own, and Litestar lets it pass."""
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    if where is None or where.tb_frame.f_code.co_name != "decode_json":
        return _unexpected(request, error)
    return answer(PharmqError("request.invalid"), 400, language_of(request.headers.get("accept-language")))


HANDLERS: ExceptionHandlersMap = {
    PharmqError: _pharmq_error,
    HTTPException: _litestar_error,
    UnicodeDecodeError: _no_utf8,
    Exception: _unexpected,
}

__all__ = ["HANDLERS", "Problem", "language_of", "problem"]
