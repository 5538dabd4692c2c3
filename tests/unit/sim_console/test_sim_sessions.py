"""A console's life: authentication, the shared flag, frames that hang it, silence, and the end of its guest."""

import asyncio

import pytest

from console_rig import ROOT, Rig
from console_wire import PATIENCE, Closed, Rfb
from pharmq_sim.world import Guest

FAILED = "Authentication failed\0"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


async def moves(rfb: Rfb) -> bool:
    """Whether the session answers a request."""
    rfb.ask(area=(0, 0, 8, 8))
    return bool(await asyncio.wait_for(rfb.update(), PATIENCE))


async def ends(rig: Rig, rfb: Rfb, most: float = 40.0) -> float:
    """After how many seconds the connection ends; there must be no close frame before."""
    start = rig.clock.monotonic()

    async def drain() -> None:
        while True:
            opcode, _ = await rfb.wire.frame()
            assert opcode == BINARY

    with pytest.raises(Closed):
        await rig.drive(drain(), step=0.05 if most < 60 else 5.0, most=most)
    return rig.clock.monotonic() - start


class TestAuthentication:
    async def test_handshake_as_recorded(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        assert rfb.frames[:5] == [12, 2, 16, 4, 38 - 14 + len("QEMU (POS-1)")]
        assert rfb.format.hex() == "2018000100ff00ff00ff100800000000"
        assert rfb.name == "QEMU (POS-1)"
        assert rfb.size == (1024, 768)

    async def test_the_first_byte_waits_for_a_process_to_start(self, rig: Rig) -> None:
        rfb = await rig.connected(rig.pos)
        assert await rig.silent(rfb.wire, 0.29)
        await rig.clock.advance(1.02)
        assert (await asyncio.wait_for(rfb.wire.frame(), PATIENCE))[1] == b"RFB 003.008\n"

    async def test_slow_rfb(self, rig: Rig) -> None:
        rig.host.faults.set("slow_rfb", seconds=25)
        rfb = await rig.connected(rig.pos)
        assert await rig.silent(rfb.wire, 24)
        await rig.drive(rfb.challenge())

    async def test_a_wrong_password_ends_the_session_and_the_task_is_ok(self, rig: Rig) -> None:
        rfb = await rig.connected(rig.pos)
        challenge = await rig.drive(rfb.challenge())
        assert await rig.drive(rfb.answer("wrong", challenge)) == FAILED
        await ends(rig, rfb)
        assert rig.host.tasks[0].status == "OK"

    async def test_a_second_console_before_the_first_has_authenticated_breaks_the_first(self, rig: Rig) -> None:
        a, b = await rig.vncproxy(rig.pos), await rig.vncproxy(rig.pos)
        first = await rig.connected(rig.pos, a)
        asked_first = await rig.drive(first.challenge())
        second = await rig.connected(rig.pos, b)
        asked_second = await rig.drive(second.challenge())
        assert await rig.drive(first.answer(a["password"], asked_first)) == FAILED
        assert await rig.drive(second.answer(b["password"], asked_second)) == ""

    async def test_a_console_of_another_vm_disturbs_nobody(self, rig: Rig) -> None:
        a = await rig.vncproxy(rig.pos)
        first = await rig.connected(rig.pos, a)
        asked = await rig.drive(first.challenge())
        await rig.console(rig.kiosk)
        assert await rig.drive(first.answer(a["password"], asked)) == ""

    @pytest.mark.parametrize(("after", "said"), [(25.0, ""), (33.0, FAILED)])
    async def test_thirty_seconds_to_authenticate(self, rig: Rig, after: float, said: str) -> None:
        reply = await rig.vncproxy(rig.pos)
        rfb = await rig.connected(rig.pos, reply)
        asked = await rig.drive(rfb.challenge())
        await rig.clock.advance(after)
        assert await rig.drive(rfb.answer(reply["password"], asked)) == said


class TestSharedFlag:
    async def test_shared_sessions_coexist(self, rig: Rig) -> None:
        first, second = await rig.console(rig.pos), await rig.console(rig.pos)
        assert await moves(first)
        assert await moves(second)
        assert rig.consoles.screen(rig.pos)["sessions"] == 2

    async def test_an_exclusive_one_ends_the_others_and_keeps_shared_ones_out(self, rig: Rig) -> None:
        first = await rig.console(rig.pos)
        exclusive = await rig.console(rig.pos, shared=False)
        await ends(rig, first)
        reply = await rig.vncproxy(rig.pos)
        late = await rig.connected(rig.pos, reply)
        assert await rig.drive(late.answer(reply["password"], await rig.drive(late.challenge()))) == ""
        late.wire.send(b"\1")
        await ends(rig, late)
        assert await moves(exclusive)


class TestFrames:
    async def test_text_frames_are_forwarded_like_binary_ones(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        rfb.wire.send(b"\3\0\0\0\0\0\0\x08\0\x08", TEXT)
        assert await asyncio.wait_for(rfb.update(), PATIENCE)

    async def test_pings_are_answered_by_the_proxy(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        rfb.wire.send(b"hello-ping", PING)
        assert await asyncio.wait_for(rfb.wire.frame(), PATIENCE) == (PONG, b"hello-ping")
        rfb.wire.send(b"", PONG)
        assert await moves(rfb)

    async def test_a_close_frame_gets_no_reply(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        rfb.wire.send(b"\x03\xe8", CLOSE)
        await ends(rig, rfb)
        assert rig.host.tasks[0].status == "OK"

    async def test_big_updates_come_in_frames_of_131072(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        rfb.frames.clear()
        rfb.ask()
        await asyncio.wait_for(rfb.update(), PATIENCE)
        assert set(rfb.frames[:-1]) == {131072}
        assert sum(rfb.frames) == 1024 * 768 * 4 + 16

    async def test_131072_is_taken(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        cut_text = b"\6\0\0\0" + (131072 - 8).to_bytes(4, "big") + bytes(131072 - 8)
        rfb.wire.send(cut_text)
        assert await moves(rfb)

    @pytest.mark.parametrize("how", ["fragmented", "unmasked", "reserved", "opcode", "too large"])
    async def test_a_broken_rule_hangs_the_session_and_leaks_the_task(self, rig: Rig, how: str) -> None:
        rfb = await rig.console(rig.pos)
        match how:
            case "fragmented":
                rfb.wire.send(b"\3\0\0\0", first=0x02)
            case "unmasked":
                rfb.wire.send(b"\3\0\0\0\0\0\0\x08\0\x08", mask=False)
            case "reserved":
                rfb.wire.send(b"\3\0\0\0\0\0\0\x08\0\x08", first=0xC2)
            case "opcode":
                rfb.wire.send(b"x", 5)
            case "too large":
                rfb.wire.send(bytes(131073))
        rfb.ask(area=(0, 0, 8, 8))
        rfb.wire.send(b"", PING)
        assert await rig.silent(rfb.wire, 60)
        rfb.wire.close()
        await rig.breathe()
        await rig.clock.advance(700)
        assert rig.host.tasks[0].status == ""
        await rig.clock.advance(200)
        await rig.until(lambda: rig.host.tasks[0].status == "OK")

    async def test_an_ordinary_end_of_the_client_ends_the_task(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        rfb.wire.close()
        await rig.until(lambda: rig.host.tasks[0].status == "OK")
        assert rig.consoles.screen(rig.pos)["sessions"] == 0


class TestSilence:
    async def test_fifteen_minutes_of_silence_cut_the_session(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        assert await rig.silent(rfb.wire, 895)
        assert await ends(rig, rfb, most=20) < 10

    async def test_pings_do_not_help(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        for _ in range(14):
            await rig.clock.advance(60)
            rfb.wire.send(b"x", PING)
            assert await asyncio.wait_for(rfb.wire.frame(), PATIENCE) == (PONG, b"x")
        assert await ends(rig, rfb, most=80) < 65

    async def test_one_rfb_request_a_minute_does(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        for _ in range(20):
            await rig.clock.advance(60)
            rfb.ask(area=(0, 0, 1, 1))
            assert await asyncio.wait_for(rfb.update(), PATIENCE) == [(0, 0, 1, 1)]


class TestEndOfTheGuest:
    async def test_a_stop_takes_the_session_along_within_a_fifth_of_a_second(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        rig.power(rig.pos, "stopped")
        assert await ends(rig, rfb) <= 0.2
        await rig.until(lambda: rig.host.tasks[0].status == "OK")

    async def test_a_reboot_too_and_the_new_session_lives(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        rig.power(rig.pos, "stopped")
        rig.power(rig.pos, "started")
        fresh = await rig.console(rig.pos)
        await ends(rig, rfb)
        await rig.clock.advance(1)
        assert await moves(fresh)

    async def test_a_reset_keeps_it(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        rig.power(rig.pos, "reset")
        await rig.clock.advance(2)
        assert await moves(rfb)

    async def test_another_guest_keeps_its_session(self, rig: Rig) -> None:
        rfb = await rig.console(rig.kiosk)
        rig.power(rig.pos, "stopped")
        await rig.clock.advance(2)
        assert await moves(rfb)

    async def test_stopping_the_task_ends_the_session(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        rig.host.interrupts[rig.host.tasks[0].upid].set()
        await ends(rig, rfb)

    async def test_the_end_of_the_host_ends_everything(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        await rig.consoles.aclose()
        await ends(rig, rfb)
        assert rig.host.tasks[0].status == "OK"


class TestVncterm:
    """Containers, and VMs whose display is a serial port."""

    @pytest.fixture
    def serial(self, rig: Rig) -> Guest:
        return rig.add(Guest(104, "qemu", "SERIAL", running=True, vga="serial0", serial=True))

    @pytest.mark.parametrize("which", ["ct", "serial"])
    async def test_as_recorded(self, rig: Rig, serial: Guest, which: str) -> None:
        guest = rig.ct if which == "ct" else serial
        rfb = await rig.console(guest)
        assert rfb.size == (744, 400)
        assert rfb.format.hex() == "08080000000700070003000306000000"
        assert rfb.name == "VNC Command Terminal"

    async def test_without_websocket_it_offers_what_nobody_can_use(self, rig: Rig, serial: Guest) -> None:
        reply = await rig.consoles.vncproxy(serial, ROOT, {})
        assert "password" not in reply
        rfb = await rig.connected(serial, reply)
        assert await rig.drive(rfb.read(12)) == b"RFB 003.008\n"
        rfb.wire.send(b"RFB 003.008\n")
        assert await asyncio.wait_for(rfb.read(2), PATIENCE) == b"\1\x13"

    async def test_a_second_one_does_not_disturb_the_first(self, rig: Rig) -> None:
        a = await rig.vncproxy(rig.ct)
        first = await rig.connected(rig.ct, a)
        asked = await rig.drive(first.challenge())
        await rig.console(rig.ct)
        assert await rig.drive(first.answer(a["password"], asked)) == ""

    async def test_silence_does_not_cut_it(self, rig: Rig) -> None:
        rfb = await rig.console(rig.ct)
        assert await rig.silent(rfb.wire, 1000)
