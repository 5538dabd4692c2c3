"""Every code that this room raises or stores has its sentence in both languages, and no sentence is left over."""

import re
from pathlib import Path

import pytest

import pharmq.jobs
from pharmq.base.messages import LANGUAGES, Language, catalogue

CODE = re.compile(r'"(job\.[a-z_]+)"')
EVENTS = {"job.finished"}
"""Kinds of journal rows, worded by the UI."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_a_sentence(language: Language) -> None:
    sources = Path(pharmq.jobs.__file__).parent.glob("*.py")
    used = {code for source in sources for code in CODE.findall(source.read_text())} - EVENTS
    known = {code for code in catalogue(language) if code.startswith("job.")}
    assert used == known
    assert all(catalogue(language)[code].title and catalogue(language)[code].remedy for code in used)
