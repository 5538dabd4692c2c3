"""What somebody typed into the search box, taken apart: filters by prefix, and words with all their readings."""

import re
from typing import Literal, TypeAlias

import msgspec

from pharmq.inventory.hangul import from_keys, normal, to_keys, typed_initials, unfinished
from pharmq.inventory.model import VmKind, VmStatus

Field: TypeAlias = Literal["pharmacy", "status", "type", "tag", "ip"]
_PREFIXES: dict[str, Field] = {
    "약국": "pharmacy",
    "pharmacy": "pharmacy",
    "상태": "status",
    "status": "status",
    "유형": "type",
    "type": "type",
    "태그": "tag",
    "tag": "tag",
    "ip": "ip",
}
_PREFIX = re.compile(rf'(?:^|(?<=\s))({"|".join(_PREFIXES)}):\s*(?:"([^"]*)"|(\S+))', re.IGNORECASE)

STATUS_WORDS: dict[str, VmStatus] = {
    **dict.fromkeys(("실행", "실행중", "켜짐", "running", "run", "on"), "running"),
    **dict.fromkeys(("중지", "정지", "중지됨", "꺼짐", "종료", "stopped", "stop", "off"), "stopped"),
    **dict.fromkeys(("일시중단", "일시정지", "중단", "suspended", "paused"), "suspended"),
    **dict.fromkeys(("알수없음", "미확인", "unknown"), "unknown"),
}
HOST_WORDS: dict[str, Literal["online", "offline", "maintenance"]] = {
    **dict.fromkeys(("온라인", "online"), "online"),
    **dict.fromkeys(("오프라인", "offline"), "offline"),
    **dict.fromkeys(("점검", "점검중", "유지보수", "maintenance"), "maintenance"),
}
MISSING_WORDS = frozenset({"사라짐", "없음", "missing"})
KIND_WORDS: dict[str, VmKind] = {
    **dict.fromkeys(("키오스크", "kiosk"), "kiosk"),
    **dict.fromkeys(("포스", "pos"), "pos"),
    **dict.fromkeys(("서버", "server"), "server"),
    **dict.fromkeys(("백업", "backup"), "backup"),
    **dict.fromkeys(("기타", "other"), "other"),
}

_WORDS_AT_MOST = 8


class Word(msgspec.Struct, frozen=True):
    """``plain`` as typed; ``initials`` when it is nothing but first consonants; ``pattern`` when its last letters are
    still being typed; ``digits`` when it may be a number or part of a phone number."""

    plain: str
    initials: str | None = None
    pattern: str | None = None
    digits: str | None = None


class Query(msgspec.Struct, frozen=True):
    """Every word and every field must match."""

    words: tuple[str, ...] = ()
    fields: tuple[tuple[Field, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words or self.fields)


def parse(text: str) -> Query:
    """Take ``text`` apart; what has no meaning is a plain word."""
    fields: list[tuple[Field, str]] = []

    def field(match: re.Match[str]) -> str:
        value = match[2] if match[2] is not None else match[3]
        if normal(value):
            fields.append((_PREFIXES[match[1].lower()], value))
        return " "

    rest = _PREFIX.sub(field, text[:256])
    words = tuple(word for word in rest.split() if normal(word))
    return Query(words[:_WORDS_AT_MOST], tuple(fields[:_WORDS_AT_MOST]))


def word(text: str) -> Word:
    """One word as typed."""
    plain = normal(text)
    digits = re.sub(r"[\s().+\-]", "", text)
    return Word(
        plain,
        initials=typed_initials(plain),
        pattern=unfinished(plain),
        digits=digits if digits.isdecimal() and digits.isascii() else None,
    )


def other_layouts(text: str) -> list[Word]:
    """The word as it would read had the keyboard been in the other language. For when nothing else matched."""
    readings = []
    for reading in (from_keys(text), to_keys(text)):
        if reading and normal(reading) and reading != text:
            readings.append(word(reading))
    return readings
