"""What the relay's bench and the others measure with: a certificate, a browser written by hand, processes' CPU time and
memory. The host is ``source.c``; browsers whose speed matters are ``sink.c``."""

import asyncio
import subprocess
from pathlib import Path


def certificate(directory: Path) -> tuple[Path, Path]:
    """RSA-2048, as Proxmox makes them."""
    cert, key = directory / "leaf.pem", directory / "leaf.key"
    if not cert.exists():
        command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=pve -keyout {key} -out {cert}"
        subprocess.run(command.split(), check=True, capture_output=True)
    return cert, key


class Sink:
    """A browser that upgrades, may give the host an order, and takes nothing unless asked to."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def open(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 14)
        self.writer.write(
            f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head:
            raise RuntimeError(head.decode())

    def order(self, text: str) -> None:
        self.writer.write(bytes((0x82, 0x80 | len(text))) + b"\0\0\0\0" + text.encode())

    def close(self) -> None:
        self.writer.transport.abort()


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
