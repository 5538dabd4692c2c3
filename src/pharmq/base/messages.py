"""The message catalogue: what happened, why, what to do, in every language; shared with the browser UI.

``catalogue/<language>/<area>.json`` holds ``{"area.code": {"title", "why", "remedy"}}``. ``{name}`` is replaced by
a parameter; ``{name|을/를}`` adds the Korean particle that fits the parameter's last syllable.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from pharmq.base.errors import Params

Language = Literal["ko", "en"]
LANGUAGES: tuple[Language, ...] = ("ko", "en")

_SLOT = re.compile(r"\{(\w+)(?:\|([^}]+))?\}")
# Digits and Latin letters whose Korean reading ends in a consonant (0 영, 1 일, 3 삼, 6 육, 7 칠, 8 팔; L, M, N, R).
_CLOSED = frozenset("013678lmnr")
_CLOSED_BY_RIEUL = frozenset("178lr")


def language_of(environment: Mapping[str, str]) -> Language:
    """The language that a terminal asks for: the first of these that is set and not empty, as POSIX has it."""
    wanted = next(filter(None, map(environment.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "ko" if wanted.startswith("ko") else "en"


class Message(msgspec.Struct, frozen=True):
    title: str
    why: str = ""
    remedy: str = ""


@cache
def catalogue(language: Language) -> dict[str, Message]:
    """Every message of a language by code."""
    found: dict[str, Message] = {}
    folder = resources.files("pharmq.base") / "catalogue" / language
    for part in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if part.name.endswith(".json"):
            found.update(msgspec.json.decode(part.read_bytes(), type=dict[str, Message]))
    return found


def particle(word: str, pair: str) -> str:
    """Choose from ``을/를``, ``이/가``, ``은/는``, ``과/와``, ``으로/로`` by the last syllable of ``word``."""
    closed_form, _, open_form = pair.partition("/")
    last = word.rstrip(")]}\"' ")[-1:].lower()
    if "가" <= last <= "힣":
        final = (ord(last) - ord("가")) % 28
        rieul = final == 8
        closed = final != 0
    else:
        closed = last in _CLOSED
        rieul = last in _CLOSED_BY_RIEUL
    if closed_form == "으로" and rieul:
        return open_form
    return closed_form if closed else open_form


def fill(text: str, params: Params) -> str:
    """Put parameters into a sentence; an unknown one stays visible as a dash, never as an exception."""

    def slot(match: re.Match[str]) -> str:
        value = params.get(match[1])
        word = "–" if value is None else str(value)
        return word + (particle(word, match[2]) if match[2] else "")

    return _SLOT.sub(slot, text)


def render(code: str, params: Params, language: Language) -> Message:
    """The filled message. A code without a sentence (only a defect makes one) shows itself."""
    message = catalogue(language).get(code)
    if message is None:
        return Message(title=code)
    return Message(
        title=fill(message.title, params), why=fill(message.why, params), remedy=fill(message.remedy, params)
    )
