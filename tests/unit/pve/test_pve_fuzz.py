"""Whatever a host answers, a decoder gives a value or a ProtocolError: nothing else ever escapes."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_host import reply

from pharmq.pve import ProtocolError
from pharmq.pve import decode as d
from pharmq.pve.faults import fault_of
from pharmq.pve.http1 import Reply, ReplyParser

DECODERS = [
    d.decode_login, d.decode_version, d.decode_realms, d.decode_permissions, d.decode_resources, d.decode_tasks,
    d.decode_node_status, d.decode_task_status, d.decode_task_log, d.decode_current, d.decode_config, d.decode_vnc,
    d.decode_agent_interfaces, d.decode_lxc_interfaces, d.decode_upid,
]  # fmt: skip
WORDS = """data type vmid node status name cpu mem maxmem uptime tags lock storage result ip-addresses ip-address prefix
inet hwaddr ticket port upid password exitstatus t n total memory meta smbios1 agent cores / /vms/100"""
KEYS = st.sampled_from(WORDS.split())
LEAVES = st.one_of(
    st.none(), st.booleans(), st.floats(allow_nan=False), st.text(max_size=12), st.integers(),
    st.sampled_from([10**30, -(10**30), "9" * 30, "1e400", "qemu", "lxc", "node", "UPID:x:", "uuid=x,ctime=9" * 9]),
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=20,
)


def refused_field(decode: Any, body: bytes) -> str | None:
    """None if it decodes, else the named field; any other exception passes through."""
    try:
        decode(body)
    except ProtocolError as error:
        return error.field
    return None


@pytest.mark.parametrize("decode", DECODERS, ids=lambda decode: decode.__name__)
@given(value=VALUES)
@settings(max_examples=30)
def test_any_json_gives_a_value_or_a_protocol_error(decode: Any, value: Any) -> None:
    for body in (json.dumps({"data": value}).encode(), json.dumps(value).encode()):
        assert refused_field(decode, body) != ""


@pytest.mark.parametrize("decode", DECODERS, ids=lambda decode: decode.__name__)
@pytest.mark.parametrize(
    "body",
    [
        b'{"data":' + b"9" * 6000 + b"}",
        b'{"data":{"vmid":' + b"9" * 6000 + b',"memory":' + b"9" * 6000 + b"}}",
        b'{"data":{"memory":"' + b"9" * 6000 + b'","cores":"' + b"9" * 6000 + b'"}}',
        b'{"data":[{"type":"qemu","vmid":' + b"9" * 30 + b"}]}",
        b'{"data":' + b'{"data":' * 5000,
    ],
)
def test_mad_numbers_and_depths(decode: Any, body: bytes) -> None:
    assert refused_field(decode, body) != ""


def test_numbers_that_fit_no_column_are_refused_by_name() -> None:
    with pytest.raises(ProtocolError) as caught:
        d.decode_resources(b'{"data":[{"type":"qemu","vmid":100,"node":"pve","mem":99999999999999999999}]}')
    assert caught.value.field == "[0].mem"


def test_a_nul_is_refused_but_an_escaped_backslash_is_not() -> None:
    with pytest.raises(ProtocolError):
        d.decode_current(rb'{"data":{"status":"running","name":"a\u0000b"}}')
    assert d.decode_current(rb'{"data":{"status":"running","name":"a\\u0000b"}}').name == r"a\u0000b"


@given(st.binary(max_size=300), st.sampled_from([401, 403, 400, 500, 501, 595, 596, 301]), st.booleans())
def test_any_error_body_has_a_kind(body: bytes, status: int, write: bool) -> None:
    assert fault_of(Reply(status, "reason", {}, body), write=write).code


@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_a_reply_or_a_protocol_error(noise: bytes, after_head: bool) -> None:
    def read(data: bytes) -> None:
        parser = ReplyParser(limit=1000)
        if after_head:
            parser.feed(reply(200, "OK", headers=("Transfer-Encoding: chunked",), length=False))
        parser.feed(data)
        parser.eof()

    assert refused_field(read, noise) != ""
