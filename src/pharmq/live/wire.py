"""The bytes of the stream (Server-Sent Events). Pure. Rows come already encoded and are only put together."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec

RowsByKind: TypeAlias = Mapping[str, Sequence[bytes]]

PING = b"event: ping\ndata: {}\n\n"
RETRY = b"retry: 2000\n\n"


def encode(value: Any) -> bytes:
    return msgspec.json.encode(value)


def rows_object(rows: RowsByKind) -> bytes:
    return b"{" + b",".join(b'"%b":[%b]' % (kind.encode(), b",".join(found)) for kind, found in rows.items()) + b"}"


def tables(rows: Mapping[str, Sequence[msgspec.Struct]]) -> bytes:
    """Rows as lists of their values, the fields' names once before them: a third of the bytes of objects."""
    return encode(
        {
            kind: [found[0].__struct_encode_fields__, *map(msgspec.structs.astuple, found)]
            for kind, found in rows.items()
        }
    )


def snapshot_part(
    epoch: str, seq: int, part: int, parts: int, rows: RowsByKind, summary: bytes | None, tables: bytes | None = None
) -> bytes:
    """One part; only the last carries an id, so that a snapshot cut in the middle is not resumed."""
    members = rows_object(rows)[1:-1]
    if tables is not None:
        members += b'%b"tables":%b' % (b"," if members else b"", tables)
    body = b'{"epoch":"%b","seq":%d,"part":%d,"parts":%d%b%b,"summary":%b}' % (
        epoch.encode(), seq, part, parts, b"," if members else b"", members, summary or b"null",
    )  # fmt: skip
    head = b"id: %b:%d\n" % (epoch.encode(), seq) if part == parts - 1 else b""
    return b"%bevent: snapshot\ndata: %b\n\n" % (head, body)


class Delta(NamedTuple):
    """What changed since the last one, for one right of sight. Empty fields are left out."""

    rows: RowsByKind
    gone: Mapping[str, Sequence[int]]
    summary: bytes | None
    events: Sequence[bytes]
    samples: bytes | None
    host_samples: bytes | None

    def __bool__(self) -> bool:
        return any(self)


def delta(epoch: str, seq: int, change: Delta) -> bytes:
    fields = [b'"seq":%d' % seq]
    if change.rows:
        fields.append(b'"set":' + rows_object(change.rows))
    if change.gone:
        fields.append(b'"del":' + encode(change.gone))
    if change.summary is not None:
        fields.append(b'"summary":' + change.summary)
    if change.events:
        fields.append(b'"events":[' + b",".join(change.events) + b"]")
    if change.samples is not None:
        fields.append(b'"samples":' + change.samples)
    if change.host_samples is not None:
        fields.append(b'"host_samples":' + change.host_samples)
    return b"id: %b:%d\nevent: delta\ndata: {%b}\n\n" % (epoch.encode(), seq, b",".join(fields))


def parse_id(text: str | None) -> tuple[str, int] | None:
    """``epoch:seq`` of a Last-Event-ID; None for anything else."""
    epoch, colon, seq = (text or "").partition(":")
    if not colon or not epoch or not seq.isdecimal() or len(seq) > 18:
        return None
    return epoch, int(seq)
