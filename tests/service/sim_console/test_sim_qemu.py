"""Real QEMU behind the simulated host: typed through vncproxy, read back from the guest's own memory."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from console_rig import Rig
from console_wire import PATIENCE, Closed
from pharmq_sim.qemu import BINARY, QemuFailed, QemuGuest, available


async def eventually(look: Callable[[], Awaitable[bool]], what: str) -> None:
    """Real QEMU needs real time; 15 s are far more than it takes."""
    for _ in range(150):
        if await look():
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"never: {what}")


async def booted(machine: QemuGuest) -> None:
    async def prompt() -> bool:
        return ">" in [line[:1] for line in await machine.text()]

    await eventually(prompt, "a prompt on the screen")


@pytest.fixture
async def machine() -> AsyncIterator[QemuGuest]:
    assert available(), f"install {BINARY} (Debian: apt-get install qemu-system-x86)"
    made = QemuGuest("POS-1")
    yield made
    await made.stop()


async def test_typing_through_the_console_arrives_in_the_guest(rig: Rig, machine: QemuGuest) -> None:
    rig.consoles.use_qemu(rig.pos, machine)
    await machine.start()
    await booted(machine)
    rfb = await rig.console(rig.pos)  # VNC authentication is QEMU's own here
    assert rfb.name.startswith("QEMU (POS-1")
    for char in "hi 42":
        rfb.key(ord(char))

    async def arrived() -> bool:
        return await machine.refresh() == "hi 42"

    await eventually(arrived, "the keys in the guest's memory")
    assert "> hi 42" in [line.rstrip() for line in await machine.text()]
    assert rig.consoles.screen(rig.pos)["typed"] == "hi 42"
    rfb.encodings(0)
    rfb.ask()
    assert await asyncio.wait_for(rfb.update(), PATIENCE)
    assert len(set(rfb.pixels)) > 1


async def test_a_wrong_password_is_refused_by_qemu(rig: Rig, machine: QemuGuest) -> None:
    rig.consoles.use_qemu(rig.pos, machine)
    await machine.start()
    rfb = await rig.connected(rig.pos)
    challenge = await rig.drive(rfb.challenge())
    assert "uthentication failed" in await asyncio.wait_for(rfb.answer("wrong", challenge), PATIENCE)


async def test_the_machine_follows_the_guest(rig: Rig, machine: QemuGuest) -> None:
    rig.consoles.use_qemu(rig.pos, machine)  # the guest runs, so the machine starts

    async def runs() -> bool:
        return machine.running

    await eventually(runs, "a running machine")
    await booted(machine)
    rfb = await rig.console(rig.pos)
    rfb.key(ord("x"))

    async def typed() -> bool:
        return await machine.refresh() == "x"

    await eventually(typed, "the key")
    rig.power(rig.pos, "reset")

    async def forgotten() -> bool:
        return await machine.refresh() == ""

    await eventually(forgotten, "an empty memory after the reset")
    rig.power(rig.pos, "stopped")

    async def stopped() -> bool:
        return not machine.running

    await eventually(stopped, "the end of the machine")
    with pytest.raises(Closed):
        await rig.drive(drain(rfb.wire.frame))
    rig.power(rig.pos, "started")
    await eventually(runs, "a machine again")


async def drain(frame: Callable[[], Awaitable[object]]) -> None:
    while True:
        await frame()


async def test_the_end_of_the_consoles_ends_the_machine(rig: Rig, machine: QemuGuest) -> None:
    rig.consoles.use_qemu(rig.pos, machine)
    await machine.start()
    await rig.consoles.aclose()
    assert not machine.running


async def test_commands_to_a_machine_that_does_not_run_are_refused(machine: QemuGuest) -> None:
    with pytest.raises(QemuFailed, match="not running"):
        await machine.set_password("x", 30)


@pytest.fixture
def scratch() -> Iterator[str]:
    """For what a killed process leaves behind; short, because socket paths must be."""
    with tempfile.TemporaryDirectory(prefix="q-") as directory:
        yield directory


def test_the_machine_dies_with_its_parent(scratch: str) -> None:
    code = (
        "import asyncio\nfrom pharmq_sim.qemu import QemuGuest\n"
        "async def main():\n g = QemuGuest('orphan'); await g.start(); print(g._process.pid, flush=True)\n"
        " await asyncio.sleep(60)\nasyncio.run(main())"
    )
    environment = {**os.environ, "TMPDIR": scratch}
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    for _ in range(600):
        if not _alive(child):
            return
        time.sleep(0.05)
    pytest.fail("QEMU outlived its parent")


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_without_qemu_it_says_what_to_install(machine: QemuGuest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pharmq_sim.qemu.BINARY", "qemu-system-that-is-not-there")
    with pytest.raises(QemuFailed, match="apt-get install qemu-system-x86"):
        await machine.start()
    assert not machine.running


async def test_a_console_of_a_machine_that_died_ends_like_a_stopped_vm(rig: Rig, machine: QemuGuest) -> None:
    rig.consoles.use_qemu(rig.pos, machine)
    await machine.start()
    await machine.stop()
    rfb = await rig.connected(rig.pos)
    with pytest.raises(Closed):
        await rig.drive(rfb.wire.frame())
    await rig.until(lambda: rig.host.tasks[0].status == "Failed to run vncproxy.")
