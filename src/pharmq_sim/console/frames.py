"""WebSocket frames as pveproxy reads and writes them (PVE/APIServer/AnyEvent.pm), without any I/O."""

import base64
import hashlib
from dataclasses import dataclass
from enum import IntEnum

#: the largest payload pveproxy takes, and the most it puts into one frame
MAX_PAYLOAD = 131072


class Opcode(IntEnum):
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


_KNOWN = frozenset(int(opcode) for opcode in Opcode)


@dataclass(frozen=True, slots=True)
class Frame:
    opcode: Opcode
    payload: bytes


class ClientFrames:
    """Parses what a client sends. A frame that breaks the rules makes the session hang, not end: ``hung`` stays
    set and nothing that follows is looked at, because the error dies in a callback that runs again and again."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.hung = ""

    def feed(self, data: bytes) -> list[Frame]:
        if self.hung:
            return []
        self._buffer += data
        frames = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def _next(self) -> Frame | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        if wrong := _broken_rule(buffer[0], buffer[1]):
            self.hung = wrong
            return None
        length, start = buffer[1] & 0x7F, 2
        if length >= 126:
            size = 2 if length == 126 else 8
            if len(buffer) < 2 + size:
                return None
            length, start = int.from_bytes(buffer[2 : 2 + size], "big"), 2 + size
        if length > MAX_PAYLOAD:
            self.hung = "payload too large"
            return None
        end = start + 4 + length
        if len(buffer) < end:
            return None
        frame = Frame(
            Opcode(buffer[0] & 0x0F), unmask(bytes(buffer[start + 4 : end]), bytes(buffer[start : start + 4]))
        )
        del buffer[:end]
        return frame


def _broken_rule(first: int, second: int) -> str:
    if not first & 0x80:
        return "fragmented"
    if first & 0x70:
        return "reserved bits"
    if not second & 0x80:
        return "unmasked"
    if first & 0x0F not in _KNOWN:
        return "unknown opcode"
    return ""


def unmask(payload: bytes, mask: bytes) -> bytes:
    """XOR with the four-byte mask, as one long integer because a loop over bytes would dominate everything."""
    size = len(payload)
    stream = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")).to_bytes(size, "big")


def server_frame(payload: bytes, opcode: Opcode = Opcode.BINARY) -> bytes:
    """One unfragmented, unmasked frame."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, size))
    elif size < 65536:
        head = bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big")
    return head + payload


def accept_key(key: str) -> str:
    """Sec-WebSocket-Accept (RFC 6455, 4.2.2)."""
    return base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
