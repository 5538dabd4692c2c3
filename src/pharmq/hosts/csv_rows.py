"""Reading an enrolment list: whatever a spreadsheet exports, Korean or English headings. Pure; nothing is lost:
every line comes back, with what is wrong with each of its fields."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from datetime import date

import msgspec

from pharmq.base.errors import FieldError, Invalid
from pharmq.hosts.address import parse
from pharmq.hosts.forms import PharmacyForm
from pharmq.hosts.hours import faults
from pharmq.hosts.model import Hours, Span

MAX_LINES = 2000

HEADINGS: dict[str, str] = {
    "code": "code", "코드": "code", "약국코드": "code",
    "name": "name", "pharmacy": "name", "약국명": "name", "약국": "name", "이름": "name",
    "representative": "representative", "대표": "representative", "대표자": "representative", "약사": "representative",
    "phone": "phone", "tel": "phone", "전화": "phone", "전화번호": "phone", "연락처": "phone",
    "address": "address", "주소": "address",
    "region": "region", "지역": "region",
    "chain": "chain", "체인": "chain", "가맹": "chain",
    "hours": "hours", "영업시간": "hours",
    "closing_days": "closing_days", "휴무일": "closing_days", "휴무": "closing_days",
    "note": "note", "메모": "note", "비고": "note",
    "host_ip": "host_ip", "ip": "host_ip", "호스트": "host_ip", "호스트ip": "host_ip", "호스트주소": "host_ip",
    "host_port": "host_port", "port": "host_port", "포트": "host_port",
    "node": "node", "노드": "node",
    "fingerprint": "fingerprint", "지문": "fingerprint", "인증서지문": "fingerprint",
}  # fmt: skip

DAYS = {
    "mon": "mon", "tue": "tue", "wed": "wed", "thu": "thu", "fri": "fri", "sat": "sat", "sun": "sun",
    "월": "mon", "화": "tue", "수": "wed", "목": "thu", "금": "fri", "토": "sat", "일": "sun",
}  # fmt: skip
_ORDER = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class EnrolRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line: a pharmacy and its host. ``fingerprint`` is filled in by a person's confirmation."""

    line: int = 0
    code: str = ""
    name: str = ""
    representative: str = ""
    phone: str = ""
    address: str = ""
    region: str = ""
    chain: str = ""
    hours: Hours = Hours()
    closing_days: tuple[str, ...] = ()
    note: str = ""
    host_ip: str = ""
    host_port: int | None = None
    node: str = ""
    fingerprint: str | None = None


class ReadRow(msgspec.Struct, frozen=True):
    row: EnrolRow
    errors: dict[str, list[FieldError]]


def decode(raw: bytes) -> str:
    """UTF-8 with or without a mark, else CP949, as Korean Excel writes. Raises Invalid."""
    for encoding in ("utf-8-sig", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Invalid("enrolment.encoding")


def read(text: str) -> list[ReadRow]:
    """Every line with its errors. Raises Invalid when the list as a whole cannot be read."""
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise Invalid("enrolment.empty")
    if "\0" in text:
        raise Invalid("enrolment.not_csv")
    try:
        reader = csv.reader(io.StringIO(text, newline=""), _dialect(text), strict=True)
        lines = [(reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        raise Invalid("enrolment.not_csv", params={"text": str(error)}) from error
    lines = [(number, cells) for number, cells in lines if any(cell.strip() for cell in cells)]
    if not lines:  # separators and quotes alone
        raise Invalid("enrolment.empty")
    columns = _columns(lines[0][1])
    if len(lines) - 1 > MAX_LINES:
        raise Invalid("enrolment.too_many", params={"count": len(lines) - 1, "limit": MAX_LINES})
    if len(lines) == 1:
        raise Invalid("enrolment.empty")
    return with_duplicates([_row(number, columns, cells) for number, cells in lines[1:]])


class _Comma(csv.excel):
    skipinitialspace = True


class _Tab(_Comma):
    delimiter = "\t"


class _Semicolon(_Comma):
    delimiter = ";"


def _dialect(text: str) -> type[csv.Dialect]:
    """By the heading line alone: cells hold commas and semicolons of their own."""
    head = text.lstrip().partition("\n")[0]
    return max((_Comma, _Tab, _Semicolon), key=lambda dialect: head.count(dialect.delimiter))


def _columns(heading: Sequence[str]) -> list[str | None]:
    columns = [HEADINGS.get(re.sub(r"[\s()]+", "", cell).lower()) for cell in heading]
    missing = [name for name in ("code", "name", "host_ip") if name not in columns]
    if missing:
        raise Invalid(
            "enrolment.columns_missing", params={"missing": ", ".join(missing), "found": ", ".join(heading)[:300]}
        )
    twice = [name for name in columns if name is not None and columns.count(name) > 1]
    if twice:
        raise Invalid("enrolment.column_twice", params={"column": twice[0]})
    return columns


def _row(number: int, columns: Sequence[str | None], cells: Sequence[str]) -> ReadRow:
    errors: dict[str, list[FieldError]] = {}
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        errors["line"] = [FieldError("enrolment.cells", {"cells": len(cells), "columns": len(columns)})]
    values = {name: cell.strip() for name, cell in zip(columns, cells, strict=False) if name is not None}

    def take(name: str, code: str, convert: Callable[[str], object], default: object) -> object:
        text = values.get(name, "")
        if not text:
            return default
        try:
            return convert(text)
        except ValueError:
            errors.setdefault(name, []).append(FieldError(code, {"text": text[:100]}))
            return default

    hours = take("hours", "pharmacy.hours_unreadable", read_hours, Hours())
    days = take("closing_days", "pharmacy.days_unreadable", read_days, ())
    port = take("host_port", "host.port_malformed", _port, None)
    assert isinstance(hours, Hours)
    assert isinstance(days, tuple)
    assert port is None or isinstance(port, int)
    texts = {name: values.get(name, "") for name in _TEXT_FIELDS}
    row = EnrolRow(line=number, hours=hours, closing_days=days, host_port=port, **texts)
    for name, found in check(row).items():
        errors.setdefault(name, []).extend(found)
    return ReadRow(row, errors)


_TEXT_FIELDS = ("code", "name", "representative", "phone", "address", "region", "chain", "note", "host_ip", "node")


def check(row: EnrolRow) -> dict[str, list[FieldError]]:
    """What is wrong with a row by itself, by field."""
    errors: dict[str, list[FieldError]] = {
        name: [FieldError("request.required")] for name in ("code", "name", "host_ip") if not getattr(row, name).strip()
    }
    if row.host_ip.strip():
        try:
            parse(row.host_ip)
        except ValueError:
            errors["host_ip"] = [FieldError("host.address_malformed", {"text": row.host_ip[:100]})]
    if row.host_port is not None and not 1 <= row.host_port <= 65535:
        errors["host_port"] = [FieldError("host.port_malformed", {"text": str(row.host_port)})]
    if row.node and not re.fullmatch(r"[A-Za-z0-9-]{1,64}", row.node):
        errors["node"] = [FieldError("host.node_malformed", {"text": row.node[:100]})]
    for name in ("region", "chain"):
        if len(text := getattr(row, name)) > 128 or _CONTROL.search(text):
            errors[name] = [FieldError("request.invalid_value", {"text": text[:100]})]
    for name, value in pharmacy_values(row).items():
        try:
            msgspec.convert({"code": "x", "name": "x", name: value}, PharmacyForm)
        except msgspec.ValidationError as error:
            errors.setdefault(name, [FieldError("request.invalid_value", {"text": str(error).partition(" - at")[0]})])
    if wrong := faults(row.hours):
        errors["hours"] = [FieldError("pharmacy.hours_malformed", {"day": day}) for day in wrong]
    return errors


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def pharmacy_values(row: EnrolRow) -> dict[str, object]:
    """The row's part of a pharmacy's form."""
    return {
        "code": row.code,
        "name": row.name,
        "representative": row.representative,
        "phone": row.phone,
        "address": row.address,
        "closing_days": list(row.closing_days),
        "note": row.note,
    }


def with_duplicates(rows: Sequence[ReadRow]) -> list[ReadRow]:
    """The same host twice in one list is an error of the later line; the same pharmacy twice is not, unless the
    lines disagree about its name: a pharmacy may have several hosts."""
    places: dict[tuple[str, int], int] = {}
    names: dict[str, tuple[str, int]] = {}
    found = []
    for read_row in rows:
        row, errors = read_row.row, dict(read_row.errors)
        if "host_ip" not in errors:
            place = parse(row.host_ip)
            key = (place.address, row.host_port or place.port or 0)
            first = places.setdefault(key, row.line)
            if first != row.line:
                errors["host_ip"] = [FieldError("enrolment.host_twice", {"line": first})]
        if "code" not in errors:
            name, first = names.setdefault(row.code, (row.name, row.line))
            if name != row.name:
                errors["code"] = [FieldError("enrolment.code_twice", {"line": first, "name": name})]
        found.append(ReadRow(row, errors))
    return found


def read_days(text: str) -> tuple[str, ...]:
    """Dates parted by anything but digits, dots, dashes and slashes: ``2026-12-25 2027.1.1``. Raises ValueError."""
    found = []
    for part in re.split(r"[\s,;|]+", text.strip()):
        numbers = re.fullmatch(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})\.?", part)
        if numbers is None:
            raise ValueError("not a date")
        found.append(date(*map(int, numbers.groups())).isoformat())
    return tuple(sorted(set(found)))


def read_hours(text: str) -> Hours:
    """``mon-fri 09:00-19:00; sat 09:00-14:00``, days in Korean or English, several spans by comma, or JSON as the
    API writes it. Raises ValueError."""
    if text.startswith("{"):
        try:
            return msgspec.json.decode(text, type=Hours)
        except msgspec.MsgspecError as error:
            raise ValueError(str(error)) from error
    spans: dict[str, list[Span]] = {}
    for part in re.split(r"[;|/\n]+", text):
        if not part.strip():
            continue
        match = re.fullmatch(r"\s*([a-z가-힣~,·\-\s]+?)[\s:]*((?:\d[\d:~,\-\s]*)|휴무|closed|-)\s*", part.lower())
        if match is None:
            raise ValueError("not opening hours")
        times = [] if match[2] in ("휴무", "closed", "-") else _times(match[2])
        for day in _days(match[1]):
            spans.setdefault(day, []).extend(times)
    return Hours(**{day: tuple(sorted(found)) for day, found in spans.items()})


def _days(text: str) -> list[str]:
    plain = re.sub(r"\s+", "", text).replace("요일", "")
    plain = {"매일": "mon-sun", "daily": "mon-sun", "평일": "mon-fri", "weekdays": "mon-fri", "주말": "sat-sun"}.get(
        plain, plain
    )
    found: list[str] = []
    for part in re.split(r"[,·]", plain):
        first, dash, last = (part.replace("~", "-")).partition("-")
        names = [DAYS.get(first), DAYS.get(last) if dash else DAYS.get(first)]
        if names[0] is None or names[1] is None:
            # "월화수" without anything between
            names_each = [DAYS.get(letter) for letter in part]
            if None in names_each or not part:
                raise ValueError("not a day")
            found.extend(name for name in names_each if name)
            continue
        start, end = _ORDER.index(names[0]), _ORDER.index(names[1])
        if end < start:
            raise ValueError("days out of order")
        found.extend(_ORDER[start : end + 1])
    return found


def _times(text: str) -> list[Span]:
    found: list[Span] = []
    for part in text.replace("~", "-").replace(" ", "").strip(",").split(","):
        match = re.fullmatch(r"(\d{1,2}):?(\d{2})-(\d{1,2}):?(\d{2})", part)
        if match is None:
            raise ValueError("not a time")
        found.append((f"{int(match[1]):02d}:{match[2]}", f"{int(match[3]):02d}:{match[4]}"))
    return found


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text):
        raise ValueError("not a port")
    return int(text)
