"""The picture: what arrives in the guest is seen and remembered, only what changed is sent, any format is served."""

import asyncio
import struct

import pytest

from console_rig import Rig
from console_wire import PATIENCE, Rfb
from pharmq_sim.console import glyphs
from pharmq_sim.console.guest_screen import character
from pharmq_sim.console.pixels import (
    QEMU_FORMAT,
    VNCTERM_FORMAT,
    PixelFormat,
    compact_length,
    parse_format,
    raw,
)
from pharmq_sim.console.screen import PALETTE, Damage, Rect, Screen, bounds


async def picture(rfb: Rfb) -> bytes:
    rfb.ask()
    await asyncio.wait_for(rfb.update(), PATIENCE)
    return bytes(rfb.pixels)


def press(rfb: Rfb, text: str) -> None:
    for char in text:
        rfb.key(0xFF0D if char == "\n" else ord(char) if ord(char) < 0x100 else 0x01000000 + ord(char))


async def typed(rfb: Rfb, text: str) -> None:
    press(rfb, text)
    await picture(rfb)  # answered after the keys: they have arrived


class TestInput:
    async def test_keys_arrive_and_are_seen(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        before = await picture(rfb)
        press(rfb, "hello 약국")
        await rig.until(lambda: rig.consoles.screen(rig.pos) == {"typed": "hello 약국", "clicks": [], "sessions": 1})
        rfb.ask(incremental=True)
        (rect,) = await asyncio.wait_for(rfb.update(), PATIENCE)
        assert rect[3] == 16  # one line of text, not the whole screen
        assert bytes(rfb.pixels) != before

    async def test_return_and_backspace(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        await typed(rfb, "abx")
        rfb.key(0xFF08)
        await typed(rfb, "c\nd")
        assert rig.consoles.screen(rig.pos)["typed"] == "abc\nd"

    async def test_extended_key_events_of_qemu(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        rfb.encodings(0, -258)
        await picture(rfb)
        assert rfb.extended_keys
        rfb.wire.send(struct.pack(">BBHII", 255, 0, 1, ord("q"), 0x10))
        rfb.wire.send(struct.pack(">BBHII", 255, 0, 0, ord("q"), 0x10))
        await rig.until(lambda: rig.consoles.screen(rig.pos)["typed"] == "q")

    async def test_clicks_arrive_and_leave_a_dot(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        rfb.click(300, 400)
        await rig.until(lambda: rig.consoles.screen(rig.pos)["clicks"] == [[300, 400, 1]])
        await picture(rfb)
        at = (400 * 1024 + 300) * 4
        assert rfb.pixels[at : at + 3] == bytes(reversed(PALETTE[10]))  # red, blue first

    async def test_input_outlives_the_session_and_a_stop(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        await typed(rfb, "kept")
        rig.power(rig.pos, "stopped")
        await rig.clock.advance(1)
        await rig.until(lambda: rig.consoles.screen(rig.pos) == {"typed": "kept", "clicks": [], "sessions": 0})

    async def test_a_vmid_that_is_used_again_inherits_nothing(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        await typed(rfb, "old")
        rig.power(rig.pos, "removed")
        assert rig.consoles.screen(rig.pos)["typed"] == ""

    async def test_each_guest_has_its_own(self, rig: Rig) -> None:
        first, second = await rig.console(rig.pos), await rig.console(rig.kiosk)
        await typed(first, "one")
        await typed(second, "two")
        assert rig.consoles.screen(rig.pos)["typed"] == "one"
        assert rig.consoles.screen(rig.kiosk)["typed"] == "two"
        assert second.size == (600, 1024)

    @pytest.mark.parametrize(
        ("keysym", "char"),
        [(0x61, "a"), (0xE9, "é"), (0x0100C57D, "약"), (0xFF0D, "\n"), (0xFFE1, ""), (0x0100D800, "")],
    )
    def test_keysyms(self, keysym: int, char: str) -> None:
        assert character(keysym) == char


class TestUpdates:
    async def test_an_incremental_request_waits_until_something_moves(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        await picture(rfb)
        rfb.ask(incremental=True)
        await rig.drive(rfb.update(), step=0.05)  # from here on it is half a second to the next movement
        before = bytes(rfb.pixels)
        rfb.ask(incremental=True)
        assert await rig.silent(rfb.wire, 0.3)
        rects = await rig.drive(rfb.update(), step=0.05)
        assert sum(w * h for _, _, w, h in rects) < 1024 * 768 // 20
        assert bytes(rfb.pixels) != before

    async def test_a_suspended_guest_shows_its_last_picture(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        before = await picture(rfb)
        rig.power(rig.pos, "paused")
        rfb.ask(incremental=True)
        assert await rig.silent(rfb.wire, 5)
        assert await picture(await rig.console(rig.pos)) == before
        rig.power(rig.pos, "resumed")
        await rig.drive(rfb.update())
        assert bytes(rfb.pixels) != before

    async def test_without_a_request_nothing_is_drawn_or_sent(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        await picture(rfb)
        assert await rig.silent(rfb.wire, 120)

    async def test_incremental_updates_add_up_to_the_picture(self, rig: Rig) -> None:
        rfb, witness = await rig.console(rig.pos), await rig.console(rig.pos)
        await picture(rfb)
        for n in range(8):
            rfb.click(100 + n * 40, 200 + n * 30)
            rfb.key(ord("a") + n)
            await rig.clock.advance(0.5)
            rfb.ask(incremental=True)
            await rig.drive(rfb.update())
        rfb.ask(incremental=True)
        await rig.drive(rfb.update())
        assert bytes(rfb.pixels) == await picture(witness)

    async def test_tight_and_raw_show_the_same(self, rig: Rig) -> None:
        plain, packed = await rig.console(rig.kiosk), await rig.console(rig.kiosk)
        packed.encodings(7, 0)
        assert await picture(plain) == await picture(packed)
        packed.frames.clear()
        await picture(packed)
        assert sum(packed.frames) < 60_000
        await rig.clock.advance(1)
        packed.ask(incremental=True)
        await rig.drive(packed.update())
        assert bytes(packed.pixels) == await picture(plain)

    @pytest.mark.parametrize(
        ("wanted", "size"),
        [
            (PixelFormat(8, 8, 0, 1, (7, 7, 3), (0, 3, 6)), 1),
            (PixelFormat(16, 16, 0, 1, (31, 63, 31), (11, 5, 0)), 2),
            (PixelFormat(32, 24, 1, 1, (255, 255, 255), (0, 8, 16)), 4),
        ],
    )
    async def test_the_client_chooses_its_pixels(self, rig: Rig, wanted: PixelFormat, size: int) -> None:
        rfb = await rig.console(rig.pos)
        rfb.wire.send(b"\0\0\0\0" + wanted.pack())
        rfb.ask(area=(0, 0, 10, 4))
        assert await asyncio.wait_for(rfb.read(4), PATIENCE) == b"\0\0\0\1"
        assert await rfb.read(12) == struct.pack(">HHHHi", 0, 0, 10, 4, 0)
        assert await asyncio.wait_for(rfb.read(40 * size), PATIENCE) == raw(bytes((6,)) * 40, PALETTE, wanted)

    async def test_an_impossible_request_is_cut_to_the_screen(self, rig: Rig) -> None:
        rfb = await rig.console(rig.kiosk)
        rfb.ask(area=(590, 1000, 5000, 5000))
        assert await asyncio.wait_for(rfb.update(), PATIENCE) == [(590, 1000, 10, 24)]

    @pytest.mark.parametrize("message", [b"\x63", b"\xff\x63", b"\0\0\0\0" + bytes((24,)) + bytes(15)])
    async def test_nonsense_ends_the_session(self, rig: Rig, message: bytes) -> None:
        rfb = await rig.console(rig.pos)
        rfb.wire.send(message)
        assert await asyncio.wait_for(rfb.wire.reader.read(), PATIENCE) == b""

    async def test_messages_that_change_nothing_are_stepped_over(self, rig: Rig) -> None:
        rfb = await rig.console(rig.pos)
        rfb.wire.send(b"\6\0\0\0" + struct.pack(">I", 5) + b"paste")
        rfb.wire.send(b"\xfb\0" + struct.pack(">HHBx", 800, 600, 1) + bytes(16))
        rfb.wire.send(struct.pack(">BBH", 255, 1, 2) + bytes(6))
        rfb.wire.send(struct.pack(">BBH", 255, 1, 1))
        assert await picture(rfb)


class TestPure:
    def test_text_without_a_korean_font_is_still_drawn(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(glyphs, "korean_font", lambda: None)
        glyphs.glyph.cache_clear()
        try:
            rows = glyphs.glyph("약", 2)
            assert len(rows) == len(rows[0]) == 32
            assert any(any(row) for row in rows)
        finally:
            glyphs.glyph.cache_clear()

    def test_every_letter_has_ink_and_its_own_shape(self) -> None:
        shapes = {glyphs.glyph(chr(code), 1) for code in range(0x21, 0x7F)}
        assert len(shapes) == 94
        assert all(any(any(row) for row in shape) for shape in shapes)

    def test_lines_are_as_wide_as_promised(self) -> None:
        assert len(glyphs.line("a약b", 2)[0]) == glyphs.width("a약b", 2) == 64

    def test_drawing_outside_is_cut(self) -> None:
        screen = Screen(20, 20)
        screen.text(-4, 12, "WW WW", 1, 2)
        screen.fill(15, -5, 50, 10, 3)
        assert len(screen.pixels) == 400
        assert screen.read(Rect(15, 0, 5, 5)) == b"\3" * 25

    def test_the_dot_leaves_the_picture_as_it_was(self) -> None:
        screen = Screen(40, 40)
        screen.text(0, 0, "Wg", 1, 2)
        before = bytes(screen.pixels)
        screen.dot(10, 10, 5)
        assert bytes(screen.pixels) != before
        screen.dot(0, 39, 5)
        screen.lift_dot()
        assert bytes(screen.pixels) == before

    def test_damage_joins_and_keeps_what_was_not_asked_for(self) -> None:
        damage = Damage(limit=3)
        damage.add(Rect(0, 0, 10, 10))
        damage.add(Rect(2, 2, 3, 3))
        damage.add(Rect(50, 50, 5, 5))
        assert damage.take(Rect(0, 0, 20, 20)) == [Rect(0, 0, 10, 10)]
        assert damage.take(Rect(0, 0, 60, 60)) == [Rect(50, 50, 5, 5)]
        assert not damage
        for n in range(4):
            damage.add(Rect(n * 10, 0, 5, 5))
        assert damage.take(Rect(0, 0, 99, 99)) == [Rect(0, 0, 35, 5)]
        assert bounds([Rect(1, 2, 3, 4), Rect(0, 9, 1, 1)]) == Rect(0, 2, 4, 8)

    def test_a_rectangle_half_inside_stays_for_the_rest(self) -> None:
        damage = Damage()
        damage.add(Rect(0, 0, 10, 10))
        assert damage.take(Rect(0, 0, 5, 10)) == [Rect(0, 0, 5, 10)]
        assert damage.take(Rect(5, 0, 5, 10)) == [Rect(5, 0, 5, 10)]

    def test_pixel_formats(self) -> None:
        assert parse_format(QEMU_FORMAT.pack()) == QEMU_FORMAT
        mapped = parse_format(VNCTERM_FORMAT.pack())
        assert mapped is not None
        assert mapped.true_colour == 1
        assert parse_format(PixelFormat(24, 24).pack()) is None
        assert raw(b"\0\1", ((0, 0, 0), (255, 128, 1)), QEMU_FORMAT) == bytes((0, 0, 0, 0, 1, 128, 255, 0))

    @pytest.mark.parametrize(("size", "packed"), [(127, "7f"), (128, "8001"), (10000, "904e"), (70000, "f0a204")])
    def test_tight_lengths(self, size: int, packed: str) -> None:
        assert compact_length(size).hex() == packed
