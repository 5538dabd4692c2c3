"""One RFB 3.8 session as QEMU's VNC server holds it (RFC 6143 and QEMU's own messages)."""

import asyncio
import random
import struct
from typing import Protocol

from pharmq_sim.console.guest_screen import GuestScreen
from pharmq_sim.console.pixels import PixelFormat, Tight, parse_format, raw
from pharmq_sim.console.screen import PALETTE, Damage, Rect

RAW, TIGHT, QEMU_KEYS = 0, 7, -258
_VNC_AUTH, _VENCRYPT = 2, 19
_REFUSED = b"Authentication failed\0"


class Stream(Protocol):
    """A byte stream to and from one client."""

    async def recv(self) -> bytes:
        """The next bytes, b"" at the end."""
        ...

    async def send(self, data: bytes) -> None: ...


class Server(Protocol):
    """What the sessions of one VNC server have in common."""

    name: str
    screen: GuestScreen
    pixel_format: PixelFormat
    #: security type 19 instead of 2, as vncterm offers without ``websocket=1``
    vencrypt: bool

    def knows(self, challenge: bytes, response: bytes) -> bool:
        """Whether the response proves the password that is valid right now."""
        ...

    def admit(self, session: "Session", shared: bool) -> bool:
        """Apply the rules of the shared flag; False = the session is refused."""
        ...


class Hangup(Exception):
    """The client is gone, or said something that ends the session."""


class Session:
    """``run`` until the client goes. Two tasks at work: one reads messages, one sends updates."""

    def __init__(self, stream: Stream, server: Server, rng: random.Random) -> None:
        self._stream = stream
        self._server = server
        self._rng = rng
        self._buffer = bytearray()
        self._format = server.pixel_format
        self._encodings: frozenset[int] = frozenset()
        self._tight = Tight()
        self._damage = Damage()
        self._asked: tuple[bool, Rect] | None = None
        self._wake = asyncio.Event()
        self._announced = False

    async def run(self) -> None:
        """The whole session. Returns when it ended in any way a client can cause."""
        try:
            if await self._authenticate() and await self._begin():
                await self._live()
        except Hangup:
            return

    async def _read(self, count: int) -> bytes:
        buffer = self._buffer
        while len(buffer) < count:
            data = await self._stream.recv()
            if not data:
                raise Hangup
            buffer += data
        taken = bytes(buffer[:count])
        del buffer[:count]
        return taken

    async def _authenticate(self) -> bool:
        send = self._stream.send
        await send(b"RFB 003.008\n")
        version = await self._read(12)
        if version != b"RFB 003.008\n":  # our callers speak 3.8; QEMU takes 3.3 and 3.7 too
            raise Hangup
        offered = _VENCRYPT if self._server.vencrypt else _VNC_AUTH
        await send(bytes((1, offered)))
        if (await self._read(1))[0] != offered:
            await self._refuse()
            return False
        if self._server.vencrypt:
            await send(b"\0\2")  # VeNCrypt 0.2; what follows is TLS, which nobody here speaks
            await self._read(1 << 30)
        challenge = self._rng.randbytes(16)
        await send(challenge)
        if not self._server.knows(challenge, await self._read(16)):
            await self._refuse()
            return False
        await send(b"\0\0\0\0")
        return True

    async def _refuse(self) -> None:
        await self._stream.send(struct.pack(">II", 1, len(_REFUSED)) + _REFUSED)

    async def _begin(self) -> bool:
        shared = bool((await self._read(1))[0])
        if not self._server.admit(self, shared):
            return False
        area, name = self._server.screen.screen.area, self._server.name.encode()
        await self._stream.send(
            struct.pack(">HH", area.w, area.h) + self._server.pixel_format.pack() + struct.pack(">I", len(name)) + name
        )
        return True

    async def _live(self) -> None:
        screen = self._server.screen.screen
        screen.watchers.add(self._changed)
        try:
            async with asyncio.TaskGroup() as both:
                sending = both.create_task(self._updates())
                try:
                    while True:
                        await self._message()
                finally:
                    sending.cancel()
        except* Hangup:
            pass
        finally:
            screen.watchers.discard(self._changed)

    def _changed(self, rect: Rect) -> None:
        self._damage.add(rect)
        if self._asked is not None:
            self._wake.set()

    # --- what the client says

    async def _message(self) -> None:
        kind = (await self._read(1))[0]
        match kind:
            case 0:
                wanted = parse_format((await self._read(19))[3:])
                if wanted is None:
                    raise Hangup
                self._format = wanted
            case 2:
                (count,) = struct.unpack(">xH", await self._read(3))
                self._encodings = frozenset(struct.unpack(f">{count}i", await self._read(4 * count)))
            case 3:
                incremental, x, y, w, h = struct.unpack(">BHHHH", await self._read(9))
                self._request(bool(incremental), Rect(x, y, w, h))
            case 4:
                down, keysym = struct.unpack(">BxxI", await self._read(7))
                self._server.screen.key(keysym, bool(down))
            case 5:
                buttons, x, y = struct.unpack(">BHH", await self._read(5))
                self._server.screen.pointer(x, y, buttons)
            case 6:
                (size,) = struct.unpack(">xxxi", await self._read(7))
                await self._read(min(abs(size), 1 << 20))
            case 251:  # SetDesktopSize: our screens keep theirs
                (screens,) = struct.unpack(">xxxxxBx", await self._read(7))
                await self._read(16 * screens)
            case 255:
                await self._qemu_message()
            case _:
                raise Hangup

    async def _qemu_message(self) -> None:
        kind = (await self._read(1))[0]
        if kind == 0:  # extended key event: down, keysym, XT scan code
            down, keysym, _ = struct.unpack(">HII", await self._read(10))
            self._server.screen.key(keysym, bool(down))
        elif kind == 1:  # audio: enable, disable, or a format
            (operation,) = struct.unpack(">H", await self._read(2))
            if operation == 2:
                await self._read(6)
        else:
            raise Hangup

    def _request(self, incremental: bool, wanted: Rect) -> None:
        area = self._server.screen.screen.area.clip(wanted)
        if area is None:
            return
        # A pending full request is not weakened by an incremental one that follows it.
        if self._asked is not None and not self._asked[0]:
            incremental = False
        if self._asked is None:
            self._server.screen.waiting += 1
        self._asked = (incremental, area)
        self._wake.set()

    # --- what the client is sent

    async def _updates(self) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                if self._asked is not None and (rects := self._due(*self._asked)):
                    self._answered()
                    await self._stream.send(self._update(rects))
        finally:
            self._answered()

    def _answered(self) -> None:
        if self._asked is not None:
            self._asked = None
            self._server.screen.waiting -= 1

    def _due(self, incremental: bool, area: Rect) -> list[Rect]:
        self._server.screen.animate()
        changed = self._damage.take(area)
        return changed if incremental else [area]

    def _update(self, rects: list[Rect]) -> bytes:
        screen = self._server.screen.screen
        tight = TIGHT in self._encodings
        parts: list[bytes] = []
        if QEMU_KEYS in self._encodings and not self._announced:
            self._announced = True
            parts.append(struct.pack(">HHHHi", 0, 0, screen.area.w, screen.area.h, QEMU_KEYS))
        for rect in rects:
            indexes = screen.read(rect)
            head = struct.pack(">HHHHi", rect.x, rect.y, rect.w, rect.h, TIGHT if tight else RAW)
            body = (self._tight.encode if tight else raw)(indexes, PALETTE, self._format)
            parts.append(head + body)
        return struct.pack(">BxH", 0, len(parts)) + b"".join(parts)
