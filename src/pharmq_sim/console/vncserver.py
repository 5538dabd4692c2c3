"""A VNC server of one guest: its password that expires, the shared flag's rules, and the picture its sessions share."""

import asyncio
import random
from collections.abc import Callable

from pharmq.base.clock import Clock
from pharmq.base.spawn import Spawner
from pharmq_sim.console import vncauth
from pharmq_sim.console.guest_screen import GuestScreen
from pharmq_sim.console.pixels import PixelFormat
from pharmq_sim.console.rfb import Session, Stream


class VncServer:
    """QEMU's (one per VM, its password replaced by each new console) or vncterm's (one per console)."""

    def __init__(
        self,
        name: str,
        screen: GuestScreen,
        pixel_format: PixelFormat,
        clock: Clock,
        spawner: Spawner,
        *,
        vencrypt: bool = False,
    ) -> None:
        self.name = name
        self.screen = screen
        self.pixel_format = pixel_format
        self.vencrypt = vencrypt
        self._clock = clock
        self._spawner = spawner
        self._password = ""
        self._expires: float | None = None
        self._open: dict[Session, tuple[bool, Callable[[], None]]] = {}
        self._kicks: dict[Session, Callable[[], None]] = {}
        self._animation: asyncio.Task[None] | None = None

    def set_password(self, password: str, lifetime_s: float | None) -> None:
        """From now on only this one is right, for ``lifetime_s`` seconds (None = always)."""
        self._password = password
        self._expires = None if lifetime_s is None else self._clock.monotonic() + lifetime_s

    def knows(self, challenge: bytes, response: bytes) -> bool:
        if not self._password or (self._expires is not None and self._clock.monotonic() >= self._expires):
            return False
        return response == vncauth.response(self._password, challenge)

    def admit(self, session: Session, shared: bool) -> bool:
        """QEMU's allow-exclusive policy: an exclusive client ends all others, and keeps shared ones out."""
        if shared and any(not other for other, _ in self._open.values()):
            return False
        if not shared:
            for _, kick in list(self._open.values()):
                kick()
        self._open[session] = (shared, self._kicks[session])
        return True

    async def serve(self, stream: Stream, rng: random.Random, kick: Callable[[], None]) -> None:
        """Hold one session; ``kick`` ends its connection from outside."""
        session = Session(stream, self, rng)
        self._kicks[session] = kick
        if self._animation is None:
            self._animation = self._spawner.spawn(self.screen.run(), f"screen/{self.name}")
        try:
            await session.run()
        finally:
            self._open.pop(session, None)
            del self._kicks[session]
            if not self._kicks and self._animation is not None:
                self._animation.cancel()
                self._animation = None

    @property
    def sessions(self) -> int:
        """How many clients see the picture."""
        return len(self._open)
