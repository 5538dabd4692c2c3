"""The bytes of the stream."""

from datetime import UTC, datetime

import msgspec
import pytest

from pharmq.live import wire


def body(message: bytes) -> dict[str, object]:
    line = next(line for line in message.split(b"\n") if line.startswith(b"data: "))
    found: dict[str, object] = msgspec.json.decode(line.removeprefix(b"data: "))
    return found


def test_only_the_last_part_of_a_snapshot_can_be_resumed_from() -> None:
    first = wire.snapshot_part("ab", 7, 0, 2, {"vms": [b'{"id":1}', b'{"id":2}']}, b'{"x":1}')
    last = wire.snapshot_part("ab", 7, 1, 2, {}, None)
    assert first.startswith(b"event: snapshot\n")
    assert last.startswith(b"id: ab:7\nevent: snapshot\n")
    assert body(first) == {
        "epoch": "ab", "seq": 7, "part": 0, "parts": 2, "vms": [{"id": 1}, {"id": 2}], "summary": {"x": 1},
    }  # fmt: skip
    assert body(last) == {"epoch": "ab", "seq": 7, "part": 1, "parts": 2, "summary": None}
    assert last.endswith(b"\n\n")


class Line(msgspec.Struct):
    id: int
    tags: tuple[str, ...] = ()
    at: datetime | None = None


def test_rows_in_tables_name_their_fields_once() -> None:
    at = datetime(2026, 12, 1, tzinfo=UTC)
    tables = wire.tables({"vms": [Line(1, ("a",)), Line(2, at=at)], "hosts": [Line(3)]})
    said = body(wire.snapshot_part("ab", 7, 0, 1, {"jobs": [b'{"id":1}']}, None, tables))
    assert said["jobs"] == [{"id": 1}]
    assert said["tables"] == {
        "vms": [["id", "tags", "at"], [1, ["a"], None], [2, [], "2026-12-01T00:00:00Z"]],
        "hosts": [["id", "tags", "at"], [3, [], None]],
    }
    assert body(wire.snapshot_part("ab", 7, 0, 1, {}, None, tables))["tables"] == said["tables"]


def test_a_delta_leaves_out_what_is_empty() -> None:
    change = wire.Delta({"vms": [b'{"id":1}']}, {"hosts": [3]}, None, [b'{"seq":9}'], b"[[1,0.5,10,60]]", None)
    assert body(wire.delta("ab", 8, change)) == {
        "seq": 8, "set": {"vms": [{"id": 1}]}, "del": {"hosts": [3]}, "events": [{"seq": 9}],
        "samples": [[1, 0.5, 10, 60]],
    }  # fmt: skip
    assert not wire.Delta({}, {}, None, [], None, None)


@pytest.mark.parametrize("text", [None, "", "ab", "ab:", ":4", "ab:x", "ab:-1", "ab:" + "9" * 30, "ab:4:5"])
def test_what_is_no_place_in_the_stream(text: str | None) -> None:
    assert wire.parse_id(text) is None


def test_a_place_in_the_stream() -> None:
    assert wire.parse_id("ab:12") == ("ab", 12)
