"""Korea's public holidays with substitutes, from the ``holidays`` package: temporary ones and elections as far as
its version knows them. Years are computed once and kept."""

from datetime import date
from functools import cache

import holidays

from pharmq.base.messages import Language

_LANGUAGES: dict[Language, str] = {"ko": "ko", "en": "en_US"}


@cache
def _year(year: int, lang: Language) -> dict[date, str]:
    return dict(holidays.country_holidays("KR", years=year, language=_LANGUAGES[lang]).items())


def holiday(day: date, lang: Language = "ko") -> str | None:
    """The day's name when it is a public holiday."""
    return _year(day.year, lang).get(day)


def holidays_between(first: date, last: date, lang: Language = "ko") -> list[tuple[date, str]]:
    """Both days included, in order."""
    found = [
        (day, name)
        for year in range(first.year, last.year + 1)
        for day, name in _year(year, lang).items()
        if first <= day <= last
    ]
    return sorted(found)
