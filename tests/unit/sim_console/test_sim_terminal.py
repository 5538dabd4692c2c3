"""termproxy: its own handshake over the same WebSocket, then a shell."""

import asyncio

import pytest

from console_rig import ROOT, Rig
from console_wire import PATIENCE, Closed, Wire
from pharmq_sim.console.terminal import Messages, Resized, Shell, Typed
from pharmq_sim.world import Guest


async def opened(rig: Rig, guest: Guest | None, authid: str = ROOT, **params: str) -> tuple[Wire, dict[str, str]]:
    reply = await rig.consoles.termproxy(guest, authid, params)
    wire, status, _, _ = await rig.upgrade(guest, reply, authid)
    assert status == 101
    return wire, reply


async def heard(wire: Wire, wanted: bytes) -> bytes:
    got = b""

    async def listen() -> None:
        nonlocal got
        while wanted not in got:
            got += (await wire.frame())[1]

    await asyncio.wait_for(listen(), PATIENCE)
    return got


async def test_a_container_shell(rig: Rig) -> None:
    wire, reply = await opened(rig, rig.ct)
    assert set(reply) == {"user", "ticket", "port", "upid"}
    assert reply["ticket"].startswith("PVEVNC:")
    wire.send(f"{reply['user']}:{reply['ticket']}\n".encode(), 1)
    assert await asyncio.wait_for(wire.frame(), PATIENCE) == (2, b"OK")
    await heard(wire, b"/ # ")
    wire.send(b"1:100:30:")
    wire.send(b"2")
    command = "echo 약국\r".encode()
    wire.send(b"0:%d:%b" % (len(command), command))
    assert "\r\n약국\r\n/ # ".encode() in await heard(wire, "\r\n약국\r\n/ # ".encode())
    wire.send(b"0:5:stty\r")
    assert b"30 100" in await heard(wire, b"30 100\r\n")
    wire.send(b"0:5:exit\r")
    with pytest.raises(Closed):
        await heard(wire, b"never")
    await rig.until(lambda: rig.host.tasks[0].status == "OK")


@pytest.mark.parametrize("line", ["root@pam:PVEVNC:00000000::nonsense\n", "nobody\n"])
async def test_a_wrong_ticket_closes(rig: Rig, line: str) -> None:
    wire, _ = await opened(rig, rig.ct)
    wire.send(line.encode())
    with pytest.raises(Closed):
        await asyncio.wait_for(wire.frame(), PATIENCE)


async def test_ten_seconds_to_authenticate(rig: Rig) -> None:
    wire, _ = await opened(rig, rig.ct)
    assert await rig.silent(wire, 9.9)
    await rig.clock.advance(0.2)
    with pytest.raises(Closed):
        await asyncio.wait_for(wire.frame(), PATIENCE)
    assert rig.host.tasks[0].status != "OK"


async def test_ten_seconds_to_connect(rig: Rig) -> None:
    await rig.consoles.termproxy(rig.ct, ROOT, {})
    await rig.clock.advance(10.1)
    assert rig.host.tasks[0].status == "connection timed out"


@pytest.mark.parametrize(("authid", "prompt"), [(ROOT, b"root@pve:~# "), ("root@pam!t0", b"pve login: ")])
async def test_the_node_shell(rig: Rig, authid: str, prompt: bytes) -> None:
    wire, reply = await opened(rig, None, authid)
    assert ":vncshell::" in reply["upid"]
    wire.send(f"{authid}:{reply['ticket']}\n".encode())
    await heard(wire, prompt)


async def test_a_vm_without_a_serial_port_says_so(rig: Rig) -> None:
    wire, reply = await opened(rig, rig.pos)
    wire.send(f"{ROOT}:{reply['ticket']}\n".encode())
    await heard(wire, b"unable to find a serial interface")
    with pytest.raises(Closed):
        await asyncio.wait_for(wire.frame(), PATIENCE)


async def test_silence_is_no_reason_to_end(rig: Rig) -> None:
    wire, reply = await opened(rig, rig.ct)
    wire.send(f"{ROOT}:{reply['ticket']}\n".encode())
    await heard(wire, b"/ # ")
    assert await rig.silent(wire, 1000)


def test_messages_in_any_pieces() -> None:
    stream = b"1:80:24:20:5:ab:cd2" + "0:6:약국".encode()
    whole = [Resized(80, 24), Typed(b"ab:cd"), Typed("약국".encode())]
    for size in range(1, len(stream) + 1):
        messages = Messages()
        found = [m for at in range(0, len(stream), size) for m in messages.feed(stream[at : at + size])]
        assert found == whole
        assert not messages.broken


@pytest.mark.parametrize("bad", [b"x", b"0:five:hello", b"1:a:b:", b"0x"])
def test_what_is_no_message_breaks_it(bad: bytes) -> None:
    messages = Messages()
    messages.feed(bad)
    assert messages.broken


def test_the_shell_rubs_out_and_knows_what_it_does_not_know() -> None:
    shell = Shell("pve")
    assert shell.typed(b"hop\x7f") == b"hop\b \b"
    assert shell.typed(b"le\r") == b"le\r\nsh: hole: not found\r\n/ # "
