"""What stands on both sides of the relay that is measured: a host that sends frames, a browser that swallows them.

Only the CPU time of the process in the middle counts, so these need not be fast; they must only be the same for all.
"""

import asyncio
import base64
import hashlib
import os
import ssl
import struct
import subprocess
import sys
from pathlib import Path

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def certificate(directory: Path) -> tuple[Path, Path]:
    """RSA-2048, as Proxmox makes them."""
    cert, key = directory / "leaf.pem", directory / "leaf.key"
    if not cert.exists():
        command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=pve -keyout {key} -out {cert}"
        subprocess.run(command.split(), check=True, capture_output=True)
    return cert, key


def server_frame(payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((0x82, size)) + payload
    if size < 65536:
        return b"\x82\x7e" + struct.pack(">H", size) + payload
    return b"\x82\x7f" + struct.pack(">Q", size) + payload


def masked_frame(payload: bytes) -> bytes:
    size = len(payload)
    head = bytes((0x82, 0x80 | size)) if size < 126 else b"\x82\xfe" + struct.pack(">H", size)
    return head + b"\0\0\0\0" + payload


async def source(port: int, directory: Path) -> None:
    """A host: upgrades anything; an order ``BULK count size`` or ``PACE count size ms`` in a client frame starts it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(directory))

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            key = next(line[19:] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key: "))
            accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
            writer.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Protocol: binary\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
            )
            while True:
                start = await reader.readexactly(2)
                size = start[1] & 0x7F
                if size == 126:
                    size = int.from_bytes(await reader.readexactly(2), "big")
                mask = await reader.readexactly(4)
                body = await reader.readexactly(size)
                plain = bytes(b ^ mask[i % 4] for i, b in enumerate(body))
                await obey(plain, writer)
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", port, ssl=context)
    await server.serve_forever()


async def obey(order: bytes, writer: asyncio.StreamWriter) -> None:
    words = order.split()
    if words[0] == b"BULK":
        frame = server_frame(os.urandom(int(words[2])))
        for _ in range(int(words[1])):
            writer.write(frame)
            await writer.drain()
    elif words[0] == b"PACE":
        frame = server_frame(os.urandom(int(words[2])))
        for _ in range(int(words[1])):
            writer.write(frame)
            await writer.drain()
            await asyncio.sleep(int(words[3]) / 1000)


class Sink:
    """A browser: upgrades, gives an order, counts payload bytes."""

    def __init__(self, port: int, path: str, headers: str = "") -> None:
        self.port, self.path, self.headers = port, path, headers

    async def open(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
        self.writer.write(
            f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\nSec-WebSocket-Version: 13\r\n{self.headers}\r\n".encode()
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head:
            raise RuntimeError(head.decode())

    async def take(self, order: bytes, payload: int) -> None:
        """Until ``payload`` bytes came; frame heads are not counted."""
        self.writer.write(masked_frame(order))
        left = payload
        head = b""
        inside = 0
        while left > 0:
            data = head + await self.reader.read(1 << 20)
            head, at = b"", 0
            while at < len(data):
                if inside == 0:
                    need = 2 if len(data) - at < 2 else {126: 4, 127: 10}.get(data[at + 1], 2)
                    if len(data) - at < need:
                        head = data[at:]
                        break
                    size = data[at + 1]
                    inside = size if size < 126 else int.from_bytes(data[at + 2 : at + need], "big")
                    at += need
                    continue
                taken = min(inside, len(data) - at)
                at, inside, left = at + taken, inside - taken, left - taken

    def close(self) -> None:
        self.writer.close()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its children's, to the nanosecond."""
    total = 0
    for child in [pid, *children(pid)]:
        for task in Path(f"/proc/{child}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def rss_kib(pid: int) -> int:
    return sum(
        int(line.split()[1])
        for child in [pid, *children(pid)]
        for line in Path(f"/proc/{child}/status").read_text().splitlines()
        if line.startswith("VmRSS")
    )


if __name__ == "__main__":
    asyncio.run(source(int(sys.argv[1]), Path(sys.argv[2])))
