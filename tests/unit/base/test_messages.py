import re

import pytest

from pharmq.base.messages import LANGUAGES, catalogue, fill, particle, render

SLOT = re.compile(r"\{(\w+)")


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
