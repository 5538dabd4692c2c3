"""Every code that this room says to a person has its sentences, and no sentence is left over."""

import re
from pathlib import Path

import pytest

import pharmq.schedules
from pharmq.base.messages import LANGUAGES, Language, catalogue

CODE = re.compile(r'"(schedule\.[a-z_]+)"')


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_a_sentence(language: Language) -> None:
    sources = Path(pharmq.schedules.__file__).parent.glob("*.py")
    used = {code for source in sources for code in CODE.findall(source.read_text())}
    known = {code for code in catalogue(language) if code.startswith("schedule.")}
    assert used == known
