"""The HTTP side of a WebSocket upgrade as pveproxy does it: what it demands, how it refuses, how it agrees."""

import asyncio
from datetime import datetime
from email.utils import format_datetime

from pharmq_sim.console.frames import accept_key


def upgrade_error(headers: dict[str, str]) -> str:
    """Why these headers (lower-case names) are refused with 500, or ""."""
    protocol = headers["upgrade"].lower()
    if protocol != "websocket":
        return f"unable to upgrade to protocol '{protocol}'"
    version = headers.get("sec-websocket-version", "")
    if version != "13":
        return f"unsupported websocket-version '{version}'"
    if not headers.get("sec-websocket-key"):
        return "missing websocket-key"
    return ""


async def refuse_upgrade(writer: asyncio.StreamWriter, reason: str, now: datetime) -> None:
    """A 500 whose body is text without a Content-Type; the connection ends."""
    date = format_datetime(now, usegmt=True)
    body = f"{reason}\n"
    head = (
        f"HTTP/1.1 500 {reason}",
        "Cache-Control: max-age=0",
        "Connection: close",
        f"Date: {date}",
        "Pragma: no-cache",
        "Server: pve-api-daemon/3.0",
        f"Content-Length: {len(body)}",
        f"Expires: {date}",
    )
    writer.write(("\r\n".join(head) + f"\r\n\r\n{body}").encode())
    await writer.drain()
    writer.close()


async def switch_protocols(writer: asyncio.StreamWriter, headers: dict[str, str]) -> None:
    """The 101. The subprotocol header is echoed word for word, extensions are never agreed to."""
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: upgrade",
        f"Sec-WebSocket-Accept: {accept_key(headers['sec-websocket-key'])}",
    ]
    if protocol := headers.get("sec-websocket-protocol"):
        lines.append(f"Sec-WebSocket-Protocol: {protocol}")
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    await writer.drain()
