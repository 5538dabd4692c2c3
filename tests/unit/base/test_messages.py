import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import pharmq
from pharmq.base.errors import FieldError, PharmqError
from pharmq.base.messages import LANGUAGES, catalogue, fill, language_of, particle, render

SLOT = re.compile(r"\{(\w+)")


ERRORS = {"FieldError", "invalid_field", "PharmqError"}


def kinds_of_error(kind: type) -> Iterator[str]:
    yield kind.__name__
    for below in kind.__subclasses__():
        yield from kinds_of_error(below)


def said(path: Path, errors: set[str]) -> Iterator[str]:
    """Codes that errors are raised with: the literals with a dot among the arguments of their making."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in errors:
            for argument in node.args:
                if isinstance(argument, ast.Constant) and re.fullmatch(r"[a-z_]+\.[a-z_]+", str(argument.value)):
                    yield str(argument.value)


def test_every_error_of_ours_has_its_sentences() -> None:
    errors = ERRORS | set(kinds_of_error(PharmqError)) | {FieldError.__name__}
    files = sorted(Path(pharmq.__file__).parent.rglob("*.py"))
    found = {code: path.name for path in files for code in said(path, errors)}
    assert len(found) > 100
    assert {code: name for code, name in found.items() if code not in catalogue("ko")} == {}


def test_every_code_has_both_languages() -> None:
    assert set(catalogue("ko")) == set(catalogue("en"))


@pytest.mark.parametrize("code", sorted(catalogue("ko")))
def test_both_languages_use_the_same_parameters(code: str) -> None:
    used = []
    for language in LANGUAGES:
        message = catalogue(language)[code]
        used.append(set(SLOT.findall(message.title + message.why + message.remedy)))
        assert message.title
    assert used[0] == used[1], code


@pytest.mark.parametrize("code", sorted(catalogue("ko")))
def test_korean_says_haseyo_never_hasipsio(code: str) -> None:
    message = catalogue("ko")[code]
    assert "하십시오" not in message.title + message.why + message.remedy


@pytest.mark.parametrize(
    ("word", "pair", "chosen"),
    [
        ("강남온누리약국", "이/가", "이"),
        ("키오스크", "이/가", "가"),
        ("서울", "으로/로", "로"),
        ("부산", "으로/로", "으로"),
        ("KIOSK-2", "이/가", "가"),
        ("POS-1", "이/가", "이"),
        ("VM", "은/는", "은"),
        ("100", "을/를", "을"),
        ("약국(강남)", "과/와", "과"),
    ],
)
def test_particles_follow_the_last_syllable(word: str, pair: str, chosen: str) -> None:
    assert particle(word, pair) == chosen


def test_a_missing_parameter_shows_a_dash() -> None:
    assert fill("{name|이/가} 꺼졌습니다", {}) == "–가 꺼졌습니다"


def test_an_unknown_code_shows_itself() -> None:
    assert render("no.such.code", {}, "ko").title == "no.such.code"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "ko_KR.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "C", "LC_ALL": "ko_KR"}, "ko"),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": ""}, "ko"),
        ({"LANG": "ja_JP.UTF-8"}, "en"),
    ],
)
def test_a_terminal_says_its_language(environment: dict[str, str], language: str) -> None:
    assert language_of(environment) == language
