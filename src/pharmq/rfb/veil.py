"""What a viewer may be shown: everything but the guest's clipboard, for who may not have it.

The host's messages have no length of their own: to find where one ends, each rectangle of each picture is walked
over. That is possible for the encodings in ``WALKABLE``; the viewer's ``ViewerSieve`` lets it ask for no others.
"""

from collections.abc import Generator

from pharmq.rfb.errors import RfbError

RAW, COPY, RRE, TIGHT, ZRLE, TIGHT_PNG, H264 = 0, 1, 2, 7, 16, -260, 50
DESKTOP_SIZE, LAST_RECT, CURSOR, POINTER_CHANGE, EXTENDED_KEYS, LED = -223, -224, -239, -257, -258, -261
DESKTOP_NAME, EXTENDED_SIZE, XVP, FENCE, CONTINUOUS, VMWARE_CURSOR = -307, -308, -309, -312, -313, 0x574D5664
_QUALITY = frozenset(range(-512, -411)) | frozenset(range(-32, -22)) | frozenset(range(-256, -246))

WALKABLE = _QUALITY | {
    RAW, COPY, RRE, TIGHT, ZRLE, TIGHT_PNG, H264, DESKTOP_SIZE, LAST_RECT, CURSOR, POINTER_CHANGE, EXTENDED_KEYS, LED,
    DESKTOP_NAME, EXTENDED_SIZE, XVP, FENCE, CONTINUOUS, VMWARE_CURSOR,
}  # fmt: skip
"""What ``ServerVeil`` can measure; the extended clipboard is not among them."""

_LIMIT = 1 << 28
Walk = Generator[int, bytes, None]
"""Yields how many bytes it wants to see (positive), or wants skipped (negative); is sent the bytes, or nothing."""


class ServerVeil:
    """``feed`` gives what the viewer may be shown. Begins with ServerInit. Raises RfbError("not_rfb") for what cannot
    be walked over: showing it unmeasured could show the clipboard."""

    def __init__(self) -> None:
        self._bytes_per_pixel = 4
        self._tight_pixel = 3
        self.dropped = 0
        """Clipboard messages left out."""
        self._showing = True
        self._walk = self._messages()
        self._wants = next(self._walk)
        self._seen = bytearray()

    def pixel_format(self, message: bytes) -> None:
        """The 16 bytes of a pixel format: ServerInit's, then what the viewer sets before it asks for a picture."""
        bits, depth, _, true_colour = message[:4]
        if bits not in (8, 16, 32):
            raise RfbError("not_rfb", f"{bits} bits per pixel")
        self._bytes_per_pixel = bits // 8
        packed = bits == 32 and depth == 24 and true_colour and message[4:10] == b"\0\xff\0\xff\0\xff"
        self._tight_pixel = 3 if packed else self._bytes_per_pixel

    def feed(self, data: bytes | memoryview) -> bytes:
        view, out = memoryview(data), bytearray()
        position, end = 0, len(view)
        while position < end:
            if self._wants < 0:
                taken = min(-self._wants, end - position)
                if self._showing:
                    out += view[position : position + taken]
                self._wants += taken
                position += taken
                if self._wants == 0:
                    self._next(b"")
                continue
            taken = min(self._wants - len(self._seen), end - position)
            self._seen += view[position : position + taken]
            position += taken
            if len(self._seen) == self._wants:
                seen = bytes(self._seen)
                self._seen.clear()
                self._next(seen)
                if self._showing:
                    out += seen
        return bytes(out)

    def _next(self, seen: bytes) -> None:
        wants = self._walk.send(seen)
        while wants == 0:
            wants = self._walk.send(b"")
        if wants < -_LIMIT:
            raise RfbError("not_rfb", f"{-wants} bytes at once")
        self._wants = wants

    # -- the host's messages

    def _messages(self) -> Walk:
        init = yield 24
        self.pixel_format(init[4:20])
        yield -int.from_bytes(init[20:24], "big")
        while True:
            kind = (yield 1)[0]
            # Decided before ``feed`` shows this very byte, and kept until the next message begins.
            self._showing = kind != 3
            if kind == 0:
                yield from self._update()
            elif kind == 3:
                yield from self._clipboard()
            else:
                yield from self._other(kind)

    def _clipboard(self) -> Walk:
        self.dropped += 1
        head = yield 7
        yield -abs(int.from_bytes(head[3:7], "big", signed=True))

    def _other(self, kind: int) -> Walk:
        if kind == 1:  # colour map
            head = yield 5
            yield -6 * int.from_bytes(head[3:5], "big")
        elif kind == 248:  # fence
            head = yield 8
            yield -head[7]
        elif kind == 250:  # xvp
            yield 3
        elif kind == 255:  # QEMU audio: end, begin, data
            head = yield 3
            if head[0] != 1 or head[1:] not in (b"\0\0", b"\0\1", b"\0\2"):
                raise RfbError("not_rfb", "QEMU message")
            if head[1:] == b"\0\2":
                size = yield 4
                yield -int.from_bytes(size, "big")
        elif kind not in (2, 150):  # bell, end of continuous updates
            raise RfbError("not_rfb", f"message {kind}")

    def _update(self) -> Walk:
        head = yield 3
        for _ in range(int.from_bytes(head[1:3], "big")):
            rect = yield 12
            width, height = int.from_bytes(rect[4:6], "big"), int.from_bytes(rect[6:8], "big")
            encoding = int.from_bytes(rect[8:12], "big", signed=True)
            if encoding == LAST_RECT:
                return
            yield from self._rectangle(encoding, width, height)

    def _rectangle(self, encoding: int, width: int, height: int) -> Walk:
        pixel, area = self._bytes_per_pixel, width * height
        if encoding == RAW:
            yield -area * pixel
        elif encoding == COPY:
            yield 4
        elif encoding == RRE:
            count = yield 4
            yield -(pixel + int.from_bytes(count, "big") * (pixel + 8))
        elif encoding in (ZRLE, DESKTOP_NAME):
            size = yield 4
            yield -int.from_bytes(size, "big")
        elif encoding == H264:
            head = yield 8
            yield -int.from_bytes(head[:4], "big")
        elif encoding in (TIGHT, TIGHT_PNG):
            yield from self._tight(width, height)
        else:
            yield from self._pseudo(encoding, width, height)

    def _pseudo(self, encoding: int, width: int, height: int) -> Walk:
        pixel, area = self._bytes_per_pixel, width * height
        if encoding == CURSOR:
            yield -(area * pixel + (width + 7) // 8 * height)
        elif encoding == VMWARE_CURSOR:
            head = yield 2
            yield -(area * 4 * 2 if head[0] == 0 else area * 4)
        elif encoding == EXTENDED_SIZE:
            head = yield 4
            yield -16 * head[0]
        elif encoding == LED:
            yield 1
        elif encoding not in (DESKTOP_SIZE, POINTER_CHANGE, EXTENDED_KEYS):
            raise RfbError("not_rfb", f"encoding {encoding}")

    def _tight(self, width: int, height: int) -> Walk:
        control = (yield 1)[0] >> 4
        if control == 8:  # one colour
            yield self._tight_pixel
        elif control in (9, 10):  # JPEG, PNG
            yield from self._counted()
        elif control > 10:
            raise RfbError("not_rfb", f"tight {control}")
        else:
            row = width * self._tight_pixel
            kind = (yield 1)[0] if control & 4 else 0
            if kind == 1:
                colours = (yield 1)[0] + 1
                yield -colours * self._tight_pixel
                row = (width + 7) // 8 if colours == 2 else width
            elif kind not in (0, 2):
                raise RfbError("not_rfb", f"tight filter {kind}")
            if row * height < 12:
                yield -row * height
            else:
                yield from self._counted()

    def _counted(self) -> Walk:
        """A size in up to three bytes of seven bits, the least first, then so many bytes."""
        size = 0
        for shift in (0, 7, 14):
            byte = (yield 1)[0]
            size |= (byte & 0x7F if shift < 14 else byte) << shift
            if shift < 14 and not byte & 0x80:
                break
        yield -size
