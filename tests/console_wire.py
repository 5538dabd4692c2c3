"""A client written by hand: HTTP and WebSocket on a raw TLS socket, RFB and a Tight/Raw picture on top.

Nothing of the product or the simulator is used, so that neither can agree with itself.
"""

import asyncio
import base64
import json
import os
import ssl
import struct
import zlib
from typing import Any
from urllib.parse import quote, urlencode

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

PATIENCE = 60.0  # real seconds; only a broken test waits so long


class Closed(Exception):
    """The TCP connection ended."""


def insecure() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Wire:
    """One TLS connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, address: str, port: int) -> "Wire":
        return cls(*await asyncio.open_connection(address, port, ssl=insecure()))

    async def head(self) -> tuple[int, str, dict[str, str]]:
        raw = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        _, status, reason = raw[0].split(" ", 2)
        headers = dict(line.split(": ", 1) for line in raw[1:] if line)
        return int(status), reason, {name.lower(): value for name, value in headers.items()}

    async def call(self, method: str, path: str, headers: dict[str, str], form: dict[str, Any] | None = None) -> Any:
        """(status, reason, decoded body or raw bytes)."""
        body = urlencode(form or {}).encode()
        lines = [f"{method} /api2/json{path} HTTP/1.1", "Host: sim", *(f"{k}: {v}" for k, v in headers.items())]
        if method == "POST":
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + (body if method == "POST" else b""))
        status, reason, got = await self.head()
        data = await self.reader.readexactly(int(got.get("content-length", 0)))
        return status, reason, json.loads(data) if "json" in got.get("content-type", "") else data

    def send_upgrade(self, path: str, headers: dict[str, str], **change: str | None) -> str:
        """Write the upgrade request; returns its key. ``change`` replaces headers (None removes one)."""
        key = base64.b64encode(os.urandom(16)).decode()
        wanted: dict[str, str | None] = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": "binary",
            **headers,
            **{name.replace("_", "-"): value for name, value in change.items()},
        }
        lines = [f"GET /api2/json{path} HTTP/1.1", "Host: sim"]
        lines += [f"{name}: {value}" for name, value in wanted.items() if value is not None]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        return key

    async def frame(self) -> tuple[int, bytes]:
        """(opcode, payload) of the next frame from the server; Closed when TCP ends instead."""
        try:
            first, second = await self.reader.readexactly(2)
            assert first & 0xF0 == 0x80, "server frames are whole, without reserved bits"
            assert not second & 0x80
            size = second & 0x7F
            if size >= 126:
                size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
            return first & 0x0F, await self.reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise Closed from None

    def send(self, payload: bytes, opcode: int = 2, *, first: int | None = None, mask: bool = True) -> None:
        head = bytes(((0x80 | opcode) if first is None else first,))
        size, bit = len(payload), 0x80 if mask else 0
        if size < 126:
            head += bytes((bit | size,))
        elif size < 65536:
            head += bytes((bit | 126,)) + size.to_bytes(2, "big")
        else:
            head += bytes((bit | 127,)) + size.to_bytes(8, "big")
        if mask:
            key = os.urandom(4)
            head += key
            payload = bytes(byte ^ key[n % 4] for n, byte in enumerate(payload))
        self.writer.write(head + payload)

    def close(self) -> None:
        self.writer.close()


def websocket_path(base: str, reply: dict[str, Any], **change: str) -> str:
    """``base`` + /vncwebsocket with the ticket handed back whole and percent-encoded."""
    port, ticket = change.get("port", reply["port"]), change.get("ticket", reply["ticket"])
    return f"{base}/vncwebsocket?port={port}&vncticket={quote(ticket, safe='')}"


def des(password: str, challenge: bytes) -> bytes:
    key = bytes(int(f"{b:08b}"[::-1], 2) for b in password.encode()[:8].ljust(8, b"\0"))
    cipher = Cipher(TripleDES(key * 3), modes.ECB()).encryptor()
    return cipher.update(challenge)


class Rfb:
    """An RFB 3.8 client over a Wire that was upgraded. Keeps a 32-bit picture."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.pending = b""
        self.frames: list[int] = []
        self.size = (0, 0)
        self.name = ""
        self.format = b""
        self.pixels = bytearray()
        self.extended_keys = False
        self._tight = zlib.decompressobj()

    async def read(self, count: int) -> bytes:
        while len(self.pending) < count:
            opcode, payload = await self.wire.frame()
            assert opcode == 2
            self.frames.append(len(payload))
            self.pending += payload
        taken, self.pending = self.pending[:count], self.pending[count:]
        return taken

    async def challenge(self) -> bytes:
        assert await self.read(12) == b"RFB 003.008\n"
        self.wire.send(b"RFB 003.008\n")
        assert await self.read(2) == b"\1\2"
        self.wire.send(b"\2")
        return await self.read(16)

    async def answer(self, password: str, challenge: bytes) -> str:
        """ "" when the password was right, else the server's reason."""
        self.wire.send(des(password, challenge))
        (result,) = struct.unpack(">I", await self.read(4))
        if result == 0:
            return ""
        (size,) = struct.unpack(">I", await self.read(4))
        return (await self.read(size)).decode()

    async def begin(self, *, shared: bool = True) -> None:
        self.wire.send(b"\1" if shared else b"\0")
        width, height = struct.unpack(">HH", await self.read(4))
        self.format = await self.read(16)
        (size,) = struct.unpack(">I", await self.read(4))
        self.name = (await self.read(size)).decode()
        self.size = (width, height)
        self.pixels = bytearray(width * height * 4)

    async def connect(self, password: str, *, shared: bool = True) -> None:
        assert await self.answer(password, await self.challenge()) == ""
        await self.begin(shared=shared)

    def encodings(self, *wanted: int) -> None:
        self.wire.send(struct.pack(f">BxH{len(wanted)}i", 2, len(wanted), *wanted))

    def ask(self, *, incremental: bool = False, area: tuple[int, int, int, int] | None = None) -> None:
        self.wire.send(struct.pack(">BBHHHH", 3, incremental, *(area or (0, 0, *self.size))))

    def key(self, keysym: int) -> None:
        self.wire.send(struct.pack(">BBxxI", 4, 1, keysym) + struct.pack(">BBxxI", 4, 0, keysym))

    def click(self, x: int, y: int) -> None:
        self.wire.send(struct.pack(">BBHH", 5, 1, x, y) + struct.pack(">BBHH", 5, 0, x, y))

    async def update(self) -> list[tuple[int, int, int, int]]:
        """The rectangles of the next update, drawn into ``pixels``."""
        kind, count = struct.unpack(">BxH", await self.read(4))
        assert kind == 0
        rects = []
        for _ in range(count):
            x, y, w, h, encoding = struct.unpack(">HHHHi", await self.read(12))
            if encoding == -258:
                self.extended_keys = True
                continue
            body = await self.read(w * h * 4) if encoding == 0 else await self._read_tight(w, h, encoding)
            for row in range(h):
                at = ((y + row) * self.size[0] + x) * 4
                self.pixels[at : at + w * 4] = body[row * w * 4 : (row + 1) * w * 4]
            rects.append((x, y, w, h))
        return rects

    async def _read_tight(self, w: int, h: int, encoding: int) -> bytes:
        assert encoding == 7
        assert await self.read(2) == b"\x50\x01"
        colours = (await self.read(1))[0] + 1
        assert colours > 2
        rgb = await self.read(colours * 3)
        palette = [bytes((rgb[n + 2], rgb[n + 1], rgb[n], 0)) for n in range(0, len(rgb), 3)]
        if w * h < 12:
            indexes = await self.read(w * h)
        else:
            size, shift = 0, 0
            for shift in (0, 7, 14):
                (byte,) = await self.read(1)
                size |= (byte if shift == 14 else byte & 0x7F) << shift
                if not byte & 0x80:
                    break
            indexes = self._tight.decompress(await self.read(size))
        assert len(indexes) == w * h
        return b"".join(palette[n] for n in indexes)
