"""Hangul as people type it while searching: initial consonants, and words typed with the keyboard in the other
language. Letters are compatibility jamo (U+3131..U+3163), the layout is the Korean standard one (KS X 5002)."""

import re
import unicodedata

_FIRST = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWEL = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_LAST: tuple[str, ...] = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")
_PAIRS = {
    "ㄱㅅ": "ㄳ",
    "ㄴㅈ": "ㄵ",
    "ㄴㅎ": "ㄶ",
    "ㄹㄱ": "ㄺ",
    "ㄹㅁ": "ㄻ",
    "ㄹㅂ": "ㄼ",
    "ㄹㅅ": "ㄽ",
    "ㄹㅌ": "ㄾ",
    "ㄹㅍ": "ㄿ",
    "ㄹㅎ": "ㅀ",
    "ㅂㅅ": "ㅄ",
    "ㅗㅏ": "ㅘ",
    "ㅗㅐ": "ㅙ",
    "ㅗㅣ": "ㅚ",
    "ㅜㅓ": "ㅝ",
    "ㅜㅔ": "ㅞ",
    "ㅜㅣ": "ㅟ",
    "ㅡㅣ": "ㅢ",
}
_SPLIT = {joined: pair for pair, joined in _PAIRS.items()}
_KEYS = dict(zip("qwertyuiopasdfghjklzxcvbnm", "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡ", strict=True))
_KEYS |= dict(zip("QWERTOP", "ㅃㅉㄸㄲㅆㅒㅖ", strict=True))
_LETTERS = {jamo: key for key, jamo in _KEYS.items()}
_FIRST_SYLLABLE = ord("가")


def normal(text: str) -> str:
    """The form in which texts are compared: composed, case-folded, without blanks, hyphens and underscores."""
    return re.sub(r"[\s\-_\x00]+", "", unicodedata.normalize("NFC", text).casefold())


def _is_syllable(char: str) -> bool:
    return "가" <= char <= "힣"


def initials(text: str) -> str:
    """First consonants of the syllables, other characters as they are: ``강남온누리`` -> ``ㄱㄴㅇㄴㄹ``."""
    return "".join(_FIRST[(ord(c) - _FIRST_SYLLABLE) // 588] if _is_syllable(c) else c for c in text)


def typed_initials(text: str) -> str | None:
    """``text`` as initial consonants when it holds nothing else; keyboards join some: ``ㄳ`` is ``ㄱㅅ``."""
    split = "".join(_SPLIT.get(char, char) for char in text)
    return split if split and all(char in _FIRST for char in split) else None


def unfinished(text: str) -> str | None:
    """A pattern for a word still being typed: ``강ㄴ`` and ``강나`` both stand for ``강남``. None: nothing to widen."""
    if not any(_is_syllable(char) for char in text):
        return None
    parts = []
    for place, char in enumerate(text):
        if char in _FIRST:
            low = chr(_FIRST_SYLLABLE + _FIRST.index(char) * 588)
            parts.append(f"[{char}{low}-{chr(ord(low) + 587)}]")
        elif place == len(text) - 1 and _is_syllable(char) and (ord(char) - _FIRST_SYLLABLE) % 28 == 0:
            parts.append(f"[{char}-{chr(ord(char) + 27)}]")
        else:
            parts.append(re.escape(char))
    pattern = "".join(parts)
    return None if pattern == re.escape(text) else pattern


def from_keys(text: str) -> str | None:
    """What Latin keys would have typed on a Korean keyboard: ``rkdska`` -> ``강남``. None without any Hangul."""
    if not any(char in _KEYS for char in text):
        return None
    return compose("".join(_KEYS.get(char) or _KEYS.get(char.lower(), char) for char in text))


def to_keys(text: str) -> str | None:
    """The Latin keys behind Hangul: ``ㅔㅐㄴ`` -> ``pos``. None without any Hangul."""
    letters = "".join(_decompose(char) for char in text)
    if not any(char in _LETTERS for char in letters):
        return None
    return "".join(_LETTERS.get(char, char) for char in letters)


def _decompose(char: str) -> str:
    if not _is_syllable(char):
        return _SPLIT.get(char, char)
    number = ord(char) - _FIRST_SYLLABLE
    vowel, last = _VOWEL[number // 28 % 21], _LAST[number % 28]
    return _FIRST[number // 588] + _SPLIT.get(vowel, vowel) + _SPLIT.get(last, last)


_RUN = re.compile(
    # consonant, vowel (perhaps joined), then a final that the next vowel does not claim
    rf"(?P<first>[{_FIRST}])(?P<vowel>ㅗ[ㅏㅐㅣ]|ㅜ[ㅓㅔㅣ]|ㅡㅣ|[{_VOWEL}])"
    rf"(?P<last>(?:{'|'.join(pair for pair in _PAIRS if pair[0] in _FIRST)}|[ㄱ-ㅎ])(?![{_VOWEL}]))?"
)


def compose(letters: str) -> str:
    """Join typed letters into syllables the way an input method does."""

    def syllable(match: re.Match[str]) -> str:
        first, vowel, last = match["first"], match["vowel"], match["last"] or ""
        vowel, last = _PAIRS.get(vowel, vowel), _PAIRS.get(last, last)
        if last not in _LAST:  # ㄸ, ㅃ, ㅉ never end a syllable
            return syllable_of(first, vowel, "") + last
        return syllable_of(first, vowel, last)

    return _RUN.sub(syllable, letters)


def syllable_of(first: str, vowel: str, last: str) -> str:
    return chr(_FIRST_SYLLABLE + _FIRST.index(first) * 588 + _VOWEL.index(vowel) * 28 + _LAST.index(last))
