import pytest

from pharmq.hosts.address import Place, parse


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("10.0.0.5", Place("10.0.0.5", None)),
        (" 10.0.0.5:8006 ", Place("10.0.0.5", 8006)),
        ("https://10.0.0.5:8006/#v1:0:18", Place("10.0.0.5", 8006)),
        ("PVE.Example.com.", Place("pve.example.com", None)),
        ("pve.example.com:443", Place("pve.example.com", 443)),
        ("2001:db8::1", Place("2001:db8::1", None)),
        ("[2001:DB8:0::1]:8006", Place("2001:db8::1", 8006)),
        ("pve", Place("pve", None)),
        ("한국.kr", Place("xn--3e0b707e.kr", None)),
    ],
)
def test_what_people_type(text: str, place: Place) -> None:
    assert parse(text) == place


@pytest.mark.parametrize(
    "text",
    ["", " ", "10.0.0.300", "10.0.0", "a b", "-a.com", "a..b", "host:0", "host:99999", "host:x", "[::1", "[::1]x",
     "x" * 300, "a@b", "pve\x00", "..", "한" * 200],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)
