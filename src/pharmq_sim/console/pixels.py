"""From palette indexes to what a client asked for: pixel formats, Raw and Tight rectangles. Pure.

A screen keeps one byte a pixel. ``bytes.translate`` turns a rectangle into any pixel format without a Python loop,
and Tight's palette filter takes the indexes as they are.
"""

import struct
import zlib
from functools import lru_cache

import msgspec

Colour = tuple[int, int, int]
Palette = tuple[Colour, ...]


class PixelFormat(msgspec.Struct, frozen=True):
    """RFB's PIXEL_FORMAT (RFC 6143, 7.4)."""

    bits: int = 32
    depth: int = 24
    big_endian: int = 0
    true_colour: int = 1
    maxima: Colour = (255, 255, 255)
    shifts: Colour = (16, 8, 0)

    def pack(self) -> bytes:
        head = (self.bits, self.depth, self.big_endian, self.true_colour)
        return struct.pack(">BBBBHHHBBB3x", *head, *self.maxima, *self.shifts)


def parse_format(data: bytes) -> PixelFormat | None:
    """A client's PIXEL_FORMAT, or None where QEMU would end the connection (bits other than 8, 16, 32)."""
    bits, depth, big, true, *rest = struct.unpack(">BBBBHHHBBB3x", data)
    if bits not in (8, 16, 32):
        return None
    if not true:  # a colour map; QEMU answers with a fixed one of 3-3-2 bits
        return PixelFormat(8, 8, 0, 1, (7, 7, 3), (0, 3, 6))
    return PixelFormat(bits, depth, big, true, (rest[0], rest[1], rest[2]), (rest[3], rest[4], rest[5]))


#: what QEMU offers: 32 bits, little endian, blue first
QEMU_FORMAT = PixelFormat()
#: what vncterm offers; its true-colour flag is 0 although it sends 3-3-2 pixels and no colour map
VNCTERM_FORMAT = PixelFormat(8, 8, 0, 0, (7, 7, 3), (0, 3, 6))


def _pixel(colour: Colour, wanted: PixelFormat) -> bytes:
    value = 0
    for part, maximum, shift in zip(colour, wanted.maxima, wanted.shifts, strict=True):
        value |= (part * maximum // 255) << shift
    size = wanted.bits // 8
    return (value & ((1 << wanted.bits) - 1)).to_bytes(size, "big" if wanted.big_endian else "little")


@lru_cache(maxsize=64)
def _planes(palette: Palette, wanted: PixelFormat) -> tuple[bytes, ...]:
    """For each byte of a pixel the table from palette index to that byte."""
    pixels = [_pixel(colour, wanted) for colour in palette]
    return tuple(bytes(p[n] for p in pixels).ljust(256, b"\0") for n in range(wanted.bits // 8))


def raw(indexes: bytes, palette: Palette, wanted: PixelFormat) -> bytes:
    """Body of a Raw rectangle."""
    planes = _planes(palette, wanted)
    if len(planes) == 1:
        return indexes.translate(planes[0])
    out = bytearray(len(indexes) * len(planes))
    for n, table in enumerate(planes):
        out[n :: len(planes)] = indexes.translate(table)
    return bytes(out)


@lru_cache(maxsize=64)
def _tight_palette(palette: Palette, wanted: PixelFormat) -> bytes:
    if wanted.bits == 32 and wanted.depth == 24 and wanted.maxima == (255, 255, 255):
        return b"".join(bytes(colour) for colour in palette)
    return b"".join(_pixel(colour, wanted) for colour in palette)


class Tight:
    """Tight rectangles of one connection: basic compression with the palette filter, one zlib stream (number 1)."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj(1)

    def encode(self, indexes: bytes, palette: Palette, wanted: PixelFormat) -> bytes:
        """Body of a rectangle. The palette needs at least three colours: with two, indexes would be single bits."""
        assert len(palette) >= 3
        # 0x5: filter byte follows, stream 1; filter 1: palette
        head = bytes((0x50, 1, len(palette) - 1)) + _tight_palette(palette, wanted)
        if len(indexes) < 12:
            return head + indexes
        packed = self._stream.compress(indexes) + self._stream.flush(zlib.Z_SYNC_FLUSH)
        return head + compact_length(len(packed)) + packed


def compact_length(size: int) -> bytes:
    """Tight's length: seven bits, seven bits, eight bits, lowest first."""
    if size < 0x80:
        return bytes((size,))
    if size < 0x4000:
        return bytes((size & 0x7F | 0x80, size >> 7))
    return bytes((size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14))
