"""A browser's WebSocket frames (RFC 6455 section 5), taken apart in any chunking. Pure: bytes in, frames out."""

from typing import Final, NamedTuple

from pharmq.pve.frames import MAX_FRAME

FRAME_LIMIT: Final = 1 << 20
"""Largest payload we take from a browser; a paste is far smaller."""


class FrameError(Exception):
    """What a browser never sends."""


class ClientFrame(NamedTuple):
    """``raw``: the whole masked frame, where a Proxmox host takes it as it is; else None."""

    payload: bytes
    raw: bytes | None


class ClientFrames:
    """``feed`` gives whole data frames: their borders carry no meaning, so a fragment counts as a frame."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._needs = 0
        self._fragmented = False
        self._plain = True
        """Not within a fragmented message, nor closed."""
        self.pings: list[bytes] = []
        """Payloads of pings to answer."""
        self.closed: int | None = None
        """The code of a close frame that came (1005: without one); nothing after it is read."""

    @property
    def waiting(self) -> int:
        """Bytes kept of a frame that is not whole yet."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[ClientFrame]:
        size = len(data) - 6
        if 0 < size < 126 and data[0] == 0x82 and data[1] == size | 0x80 and not self._rest and self._plain:
            return [ClientFrame(unmasked(data[6:], data[2:6]), data)]  # nearly always: one key, one pointer
        found: list[ClientFrame] = []
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needs:
                return found
            data = bytes(self._rest)
            self._rest.clear()
        position, end = 0, len(data)
        while position < end and self.closed is None:
            start, size = self._head(data, position)
            if start == 0 or start + size > end:
                self._rest += data[position:]
                self._needs = start + size - position
                break
            self._frame(data, position, start, start + size, found)
            position = start + size
        return found

    def _head(self, data: bytes, position: int) -> tuple[int, int]:
        """Where the payload begins, or 0 if that is not known yet, and its size. Raises FrameError."""
        available = len(data) - position
        if available < 2:
            return 0, 0
        first, second = data[position], data[position + 1]
        if first & 0x70 or not second & 0x80 or first & 0x0F not in (0, 1, 2, 8, 9, 10):
            raise FrameError(f"frame {first:02x} {second:02x}")
        size, start = second & 0x7F, position + 6
        if first & 0x08:
            if size > 125 or not first & 0x80:
                raise FrameError("a control frame that is long or in parts")
        elif size == 126:
            start += 2
            size = int.from_bytes(data[position + 2 : position + 4], "big")
        elif size == 127:
            start += 8
            size = int.from_bytes(data[position + 2 : position + 10], "big")
        if available < start - position:
            return 0, 0
        if size > FRAME_LIMIT:
            raise FrameError(f"a frame of {size} bytes")
        return start, size

    def _frame(self, data: bytes, position: int, start: int, stop: int, found: list[ClientFrame]) -> None:
        opcode, last = data[position] & 0x0F, bool(data[position] & 0x80)
        payload = unmasked(data[start:stop], data[start - 4 : start])
        if opcode == 9:
            self.pings.append(payload)
        elif opcode == 8:
            self._plain = False
            self.closed = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
        elif opcode == 10:
            return
        elif opcode == 1 or (opcode == 0) is not self._fragmented:
            raise FrameError("text frame" if opcode == 1 else "a fragment out of order")
        else:
            self._fragmented = not last
            self._plain = last
            whole = opcode == 2 and last and stop - start <= MAX_FRAME
            found.append(ClientFrame(payload, data[position:stop] if whole else None))


def unmasked(payload: bytes, key: bytes) -> bytes:
    size = len(payload)
    repeated = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(repeated, "little")).to_bytes(size, "little")


def control_frame(opcode: int, payload: bytes) -> bytes:
    return bytes((0x80 | opcode, len(payload))) + payload


def close_frame(code: int, reason: str) -> bytes:
    return control_frame(8, code.to_bytes(2, "big") + reason.encode()[:123])
