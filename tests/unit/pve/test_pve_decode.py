"""Answers to structs: types that vary, fields that are missing, and what is refused by name."""

import pytest

from pharmq.pve import ProtocolError, Upid, exit_ok
from pharmq.pve import decode as d


def test_rows_are_sorted_by_kind_and_unknown_kinds_are_left_out() -> None:
    body = (
        b'{"data":[{"type":"qemu","vmid":100,"node":"pve","status":"running","name":"KIOSK-1","cpu":0.5},'
        b'{"type":"lxc","vmid":"200","node":"pve","status":"stopped"},'
        b'{"type":"qemu","vmid":101,"node":"pve","status":"unknown"},'
        b'{"type":"node","node":"pve","status":"online","maxcpu":4,"cgroup-mode":2},'
        b'{"type":"storage","storage":"local","node":"pve","status":"available","plugintype":"dir","disk":1},'
        b'{"type":"network","network":"localnetwork"},{"type":"something-new","x":[1]}]}'
    )
    found = d.decode_resources(body)
    assert [(row.guest.kind, row.vmid, row.name) for row in found.guests] == [
        ("qemu", 100, "KIOSK-1"),
        ("lxc", 200, None),
        ("qemu", 101, None),
    ]
    assert [(node.node, node.maxcpu) for node in found.nodes] == [("pve", 4.0)]
    assert [(store.storage, store.disk) for store in found.storages] == [("local", 1)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"data":[{"type":"qemu","vmid":{},"node":"pve"}]}', "[0].vmid"),
        (b'{"data":[{"type":"qemu","vmid":1,"node":"pve","cpu":[1]}]}', "[0].cpu"),
        (b'{"data":{"type":"qemu"}}', "data"),
        (b'{"data":[{"type":"qemu","node":"pve"}]}', "vmid"),
        (b'{"data":[{"type":"qemu","vm', "body"),
        (b"<html>", "body"),
        (b"", "body"),
        (b'{"data":[{"type":"\xff\xfe"}]}', "body"),
        (b'{"nodata":1}', "data"),
    ],
)
def test_a_wrong_answer_names_the_field(body: bytes, field: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        d.decode_resources(body)
    assert caught.value.field == field


def test_deep_nesting_is_refused_not_fatal() -> None:
    with pytest.raises(ProtocolError):
        d.decode_config(b'{"data":' + b"[" * 200_000)


def test_the_vnc_password_is_the_given_one_or_the_tickets_head() -> None:
    upid = "UPID:pve:00002FE6:0002F684:6B03DC03:vncproxy:100:root@pam:"
    new = d.decode_vnc(
        f'{{"data":{{"port":"5901","ticket":"7^=#4%/*:PVEVNC:6B::sig","upid":"{upid}","password":"7^=#4%/*"}}}}'.encode()
    )
    old = d.decode_vnc(f'{{"data":{{"port":5901,"ticket":"PVEVNC:6B03DC03::sig","upid":"{upid}"}}}}'.encode())
    assert (new.port, new.password.reveal()) == (5901, "7^=#4%/*")
    assert old.password.reveal() == "PVEVNC:6"
    assert "7^=" not in repr(new)


@pytest.mark.parametrize("port", ["22", "65536", '"x"'])
def test_a_console_port_outside_the_hosts_range_is_refused(port: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        d.decode_vnc(f'{{"data":{{"port":{port},"ticket":"x","upid":"y"}}}}'.encode())
    assert caught.value.field == "port"


def test_config_of_a_vm() -> None:
    config = d.decode_config(
        b'{"data":{"name":"pos","memory":"2048","cores":2,"tags":"pos;shop","agent":"enabled=1,fstrim_cloned_disks=1",'
        b'"onboot":1,"vga":"serial0","serial0":"socket","meta":"creation-qemu=10.0.2,ctime=1795414584",'
        b'"smbios1":"uuid=058993BB-2b0b-4dc3-ac95-026b87266056","lock":"backup"}}'
    )
    assert (config.name, config.memory_mb, config.cores, config.tags) == ("pos", 2048, 2, ("pos", "shop"))
    assert (config.agent, config.onboot, config.serial, config.vga) == (True, True, True, "serial0")
    assert (config.ctime, config.smbios_uuid) == (1795414584, "058993bb-2b0b-4dc3-ac95-026b87266056")


def test_config_of_a_container_with_raw_lines() -> None:
    config = d.decode_config(b'{"data":{"hostname":"ct","memory":64,"lxc":[["lxc.cap.drop","sys_admin"]]}}')
    assert (config.name, config.memory_mb) == ("ct", 64)
    assert config.raw["lxc"] == '[["lxc.cap.drop","sys_admin"]]'


def test_old_containers_give_one_address_per_family() -> None:
    (one,) = d.decode_lxc_interfaces(
        b'{"data":[{"name":"eth0","hwaddr":"BC:24:11:00:00:01","inet":"10.0.0.5/24","inet6":"fe80::1/64"}]}'
    )
    assert one.mac == "bc:24:11:00:00:01"
    assert [(a.ip, a.family, a.prefix) for a in one.addresses] == [
        ("10.0.0.5", "ipv4", 24),
        ("fe80::1", "ipv6", 64),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "UPID:pve1:000012D8:000243D7:6B03DA39:qmstart:100:root@pam:",
        "UPID:pve1:000012D8:1000243D7:6B03DA39:startall::root@pam!t0:",
    ],
)
def test_upids_keep_their_text(text: str) -> None:
    assert str(Upid.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "UPID:pve1:12D8:0:0:qmstart:100:root@pam:", "UPID:a/b:000012D8:000243D7:6B03DA39:x:1:r:"]
)
def test_what_is_no_upid_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a UPID"):
        Upid.parse(text)


def test_only_ok_and_warnings_are_success() -> None:
    assert [exit_ok(s) for s in ("OK", "WARNINGS: 2", "OKAY", "job errors", "received interrupt", None)] == [
        True, True, False, False, False, False,
    ]  # fmt: skip
