"""WebSocket frames as pveproxy sends and takes them: reading without copies, and the few forms that we write."""

import struct

from pharmq.pve.errors import ProtocolError

MAX_FRAME = 131072
"""Payload bytes of one frame, either way."""
_FRAME_LIMIT = 16 * MAX_FRAME
"""Payload bytes of one frame that we take."""
_HEAD = struct.Struct(">BBH").unpack_from


def mask_frame(payload: bytes, key: bytes, opcode: int = 2) -> bytes:
    """One whole, masked client frame. ``key`` is 4 random bytes."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 65536:
        head = bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8, "big")
    # XOR of two big integers: the quickest way in the standard library, and a paste is at most 128 KB.
    repeated = (key * (size // 4 + 1))[:size]
    masked = int.from_bytes(payload, "little") ^ int.from_bytes(repeated, "little")
    return head + key + masked.to_bytes(size, "little")


def binary_head(size: int) -> bytes:
    """The head of one whole, unmasked binary frame."""
    if size < 126:
        return bytes((0x82, size))
    if size < 65536:
        return b"\x82\x7e" + size.to_bytes(2, "big")
    return b"\x82\x7f" + size.to_bytes(8, "big")


def whole_frames(view: memoryview, position: int, end: int) -> tuple[int, int]:
    """Where the whole binary frames that begin at ``position`` end, and how many bytes of payload are in them."""
    payload = 0
    while end - position >= 4:  # one that is shorter still is met again, as a part
        first, size, longer = _HEAD(view, position)
        start = position + 2
        if size == 126:
            start, size = position + 4, longer
        elif size == 127:
            start, size = position + 10, int.from_bytes(view[position + 2 : position + 10], "big")
        elif size > 127:
            break
        if first != 0x82 or start + size > end or size > _FRAME_LIMIT:
            break
        position = start + size
        payload += size
    return position, payload


class FrameReader:
    """Takes the host's bytes in any chunking; gives payload as it comes, without waiting for a frame's end."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._left = 0
        self._opcode = 0
        self._control = bytearray()
        self.pings: list[bytes] = []
        """Payloads of pings to answer."""
        self.pongs = 0
        self.closed = False
        """A close frame came."""

    def feed(self, data: bytes | memoryview) -> list[bytes]:
        """Payload parts, in order. Raises ProtocolError for what the host never sends."""
        return [bytes(part) for part in self.views(memoryview(data))]

    def views(self, view: memoryview) -> list[memoryview]:
        """The same, not copied."""
        parts: list[memoryview] = []
        position, end = 0, len(view)
        while position < end and not self.closed:
            part, position = self._part(view, position, end)
            if part:
                parts.append(part)
        return parts

    @property
    def between(self) -> bool:
        """No part of a frame has come of which the rest has not."""
        return not (self._left or self._head or self.closed)

    def frames(self, view: memoryview) -> tuple[list[bytes | memoryview], int]:
        """The same as whole binary frames in pieces, and how many bytes of payload are in them. What already is
        one stays as it came; a part of a frame becomes a frame, so that another may follow at any time."""
        pieces: list[bytes | memoryview] = []
        payload, position, end = 0, 0, len(view)
        while position < end and not self.closed:
            if not self._left and not self._head:
                stop, size = whole_frames(view, position, end)
                if size:
                    pieces.append(view[position:stop])
                    payload += size
                    position = stop
                    continue
            part, position = self._part(view, position, end)
            if part:
                pieces += (binary_head(len(part)), part)
                payload += len(part)
        return pieces, payload

    def _part(self, view: memoryview, position: int, end: int) -> tuple[memoryview | None, int]:
        """Payload from here to the end of its frame or of what is here, if there is some; and where that is."""
        if self._left == 0:
            position = self._read_head(view, position)
            if self._left == 0:
                return None, position
        stop = min(position + self._left, end)
        part = view[position:stop]
        self._left -= stop - position
        if self._opcode < 8:
            return part, stop
        self._control += part
        if self._left == 0:
            self._end_control()
        return None, stop

    def _read_head(self, data: memoryview, position: int) -> int:
        """Take what is there of the head; once it is whole, ``_left`` is the payload's size."""
        head = self._head
        have = len(head)
        head += data[position : position + 10 - have]
        size = 2
        if len(head) >= 2:
            short = head[1] & 0x7F
            size = 2 if short < 126 else 4 if short == 126 else 10
        if len(head) < size:
            return len(data)
        if head[1] & 0x80 or head[0] & 0x70:
            raise ProtocolError("a masked or compressed frame", "websocket")
        self._opcode = head[0] & 0x0F
        if self._opcode not in (0, 1, 2, 8, 9, 10):
            raise ProtocolError(f"opcode {self._opcode}", "websocket")
        self._left = short if short < 126 else int.from_bytes(head[2:size], "big")
        if self._left > (_FRAME_LIMIT if self._opcode < 8 else 125):
            raise ProtocolError(f"a frame of {self._left} bytes", "websocket")
        head.clear()
        if self._left == 0 and self._opcode >= 8:
            self._end_control()
        return position + size - have

    def _end_control(self) -> None:
        if self._opcode == 9:
            self.pings.append(bytes(self._control))
        elif self._opcode == 8:
            self.closed = True
        elif self._opcode == 10:
            self.pongs += 1
        self._control.clear()
