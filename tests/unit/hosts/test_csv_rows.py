import contextlib

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pharmq.base.errors import Invalid
from pharmq.hosts.csv_rows import EnrolRow, decode, read, read_days, read_hours
from pharmq.hosts.model import Hours

HEAD = "code,name,representative,phone,address,region,chain,hours,closing_days,note,host_ip,host_port,node"


def one(line: str, head: str = HEAD) -> tuple[EnrolRow, set[str]]:
    [found] = read(f"{head}\n{line}\n")
    return found.row, set(found.errors)


def test_a_full_line() -> None:
    row, errors = one(
        'P-001,강남온누리약국,김OO,02-000-0417,"서울 강남구, 1",서울,온누리,'
        '"mon-fri 09:00-19:00; sat 09:00-14:00",2026-12-25 2027-01-01,메모,10.0.0.5,8006,pve'
    )
    assert not errors
    assert (row.line, row.code, row.address, row.host_port) == (2, "P-001", "서울 강남구, 1", 8006)
    assert row.hours.fri == (("09:00", "19:00"),)
    assert row.hours.sun == ()
    assert row.closing_days == ("2026-12-25", "2027-01-01")


def test_korean_headings_in_any_order_and_unknown_columns() -> None:
    row, errors = one("1,10.0.0.5,강남약국,02-1", "비고2,호스트 IP,약국명,전화번호".replace("비고2", "약국코드"))
    assert not errors
    assert (row.code, row.host_ip, row.name, row.phone) == ("1", "10.0.0.5", "강남약국", "02-1")
    row, errors = one("x,1,n,10.0.0.5", "우편번호,code,name,ip")
    assert (row.code, not errors) == ("1", True)


@pytest.mark.parametrize("separator", ["\t", ";"])
def test_tabs_and_semicolons(separator: str) -> None:
    row, errors = one(separator.join(("P1", "가, 나", "10.0.0.5")), separator.join(("code", "name", "host_ip")))
    assert (row.name, errors) == ("가, 나", set())


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("P1,,10.0.0.5", {"name"}),
        (",n,10.0.0.5", {"code"}),
        ("P1,n,", {"host_ip"}),
        ("P1,n,10.0.0.999", {"host_ip"}),
        (f"P1,{'n' * 200},10.0.0.5", {"name"}),
        ("P1,n,10.0.0.5,too,many", {"line"}),
        (",,10.0.0.x y", {"code", "name", "host_ip"}),
    ],
)
def test_each_fault_is_named_by_field(line: str, fields: set[str]) -> None:
    assert one(line, "code,name,host_ip")[1] == fields


@pytest.mark.parametrize(
    ("heading", "cell", "field"),
    [
        ("hours", "whenever", "hours"),
        ("hours", "mon 25:00-26:00", "hours"),
        ("hours", '"mon 09:00-12:00,11:00-13:00"', "hours"),
        ("closing_days", "2026-02-30", "closing_days"),
        ("host_port", "http", "host_port"),
        ("host_port", "0", "host_port"),
        ("node", "no de", "node"),
    ],
)
def test_optional_fields_are_checked_too(heading: str, cell: str, field: str) -> None:
    assert one(f"P1,n,10.0.0.5,{cell}", f"code,name,host_ip,{heading}")[1] == {field}


def test_bad_lines_do_not_take_good_ones_with_them_and_lines_keep_their_numbers() -> None:
    found = read("code,name,host_ip\nP1,a,10.0.0.1\n\nP2,,10.0.0.2\nP3,c,10.0.0.3\n")
    assert [(r.row.line, bool(r.errors)) for r in found] == [(2, False), (4, True), (5, False)]


def test_duplicates() -> None:
    found = read("code,name,host_ip\nP1,a,10.0.0.1\nP2,b,https://10.0.0.1/\nP1,z,10.0.0.3\nP1,a,10.0.0.4\n")
    assert [set(r.errors) for r in found] == [set(), {"host_ip"}, {"code"}, set()]
    assert found[1].errors["host_ip"][0].params == {"line": 2}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "enrolment.empty"),
        ("code,name,host_ip\n", "enrolment.empty"),
        ("a,b\n1,2\n", "enrolment.columns_missing"),
        ("code,name,host_ip,ip\n1,2,3,4\n", "enrolment.column_twice"),
        ('code,name,host_ip\n"P1,a,10.0.0.1\n', "enrolment.not_csv"),
        ("code\0,name", "enrolment.not_csv"),
        ("code,name,host_ip\n" + "P,n,1\n" * 2001, "enrolment.too_many"),
    ],
)
def test_lists_that_cannot_be_read_at_all(text: str, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(text)
    assert caught.value.code == code


def test_encodings() -> None:
    assert decode("약국".encode("utf-8-sig")) == decode("약국".encode("cp949")) == "약국"
    with pytest.raises(Invalid):
        decode(b"\xff\xfe\x00\xd8")


@pytest.mark.parametrize(
    "text",
    ["mon-fri 09:00-19:00; sat 09:00-14:00", "월-금 09:00~19:00 / 토 9:00-14:00",
     "평일 0900-1900; 토요일: 09:00-14:00; 일 휴무",
     "월화수목금 09:00-19:00; 토 09:00-14:00",
     '{"mon":[["09:00","19:00"]],"tue":[["09:00","19:00"]],"wed":[["09:00","19:00"]],"thu":[["09:00","19:00"]],'
     '"fri":[["09:00","19:00"]],"sat":[["09:00","14:00"]]}'],
)  # fmt: skip
def test_ways_of_writing_the_same_hours(text: str) -> None:
    day = (("09:00", "19:00"),)
    assert read_hours(text) == Hours(mon=day, tue=day, wed=day, thu=day, fri=day, sat=(("09:00", "14:00"),))


def test_several_spans_and_days() -> None:
    assert read_hours("wed 09:00-13:00,14:00-19:00").wed == (("09:00", "13:00"), ("14:00", "19:00"))
    assert read_days("2026.12.25, 2026/1/1") == ("2026-01-01", "2026-12-25")


@given(st.text(max_size=80))
def test_hours_and_days_never_fail_otherwise_than_by_value_error(text: str) -> None:
    for reader in (read_hours, read_days):
        with contextlib.suppress(ValueError):
            reader(text)


@given(st.text(max_size=300))
@example(",")
@example('""')
def test_any_text_is_either_read_or_refused(text: str) -> None:
    for whole in (text, f"code,name,host_ip,hours\n{text}"):
        try:
            found = read(whole)
        except Invalid:
            continue
        assert msgspec.json.encode(found)
