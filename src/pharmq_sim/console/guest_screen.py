"""One guest's screen and input: what it shows, what arrived by keyboard and pointer, and its half-second clock."""

from datetime import datetime, timedelta, timezone

from pharmq.base.clock import Clock
from pharmq_sim.console import screen as c
from pharmq_sim.console.scenes import Look, scene
from pharmq_sim.console.screen import Screen

_SEOUL = timezone(timedelta(hours=9))
#: a picture changes twice a second
TICK_S = 0.5

_RETURN, _BACKSPACE = 0xFF0D, 0xFF08


def character(keysym: int) -> str:
    """The character an X11 keysym stands for: Latin-1 as is, Unicode (Hangul) as 0x01000000 + code point; else ""."""
    if 0x20 <= keysym <= 0x7E or 0xA0 <= keysym <= 0xFF:
        return chr(keysym)
    if 0x01000100 <= keysym <= 0x0110FFFF and not 0x0100D800 <= keysym <= 0x0100DFFF:
        return chr(keysym - 0x01000000)
    return "\n" if keysym == _RETURN else ""


class Input:
    """What a guest was given; it outlives every session, as a guest's memory does."""

    def __init__(self) -> None:
        self.typed = ""
        self.clicks: list[tuple[int, int, int]] = []

    def key(self, keysym: int) -> None:
        if keysym == _BACKSPACE:
            self.typed = self.typed[:-1]
        else:
            self.typed += character(keysym)


class GuestScreen:
    """A picture that moves while somebody waits for it. ``run`` is its animation; without waiters it costs nothing."""

    def __init__(self, kind: str, look: Look, given: Input, clock: Clock) -> None:
        self._scene = scene(kind)
        self._look = look
        self._given = given
        self._clock = clock
        self._buttons = 0
        self._tick = -1
        self.screen = Screen(*self._scene.size)
        #: a suspended guest still shows its last picture
        self.frozen = False
        #: sessions with an unanswered request for changes
        self.waiting = 0
        self.repaint()

    def repaint(self) -> None:
        """Draw everything anew, as after a reset."""
        self.screen.lift_dot()
        self._scene.paint(self.screen, self._look)
        self._echo()
        self.animate()

    def animate(self) -> None:
        """Draw what moves, if half a second has passed since it last did."""
        now = self._clock.now()
        tick = int(now.timestamp() / TICK_S)
        if tick != self._tick and not self.frozen:
            self._tick = tick
            self.screen.lift_dot()
            self._scene.animate(self.screen, _local(now), tick)
            self._mark()

    async def run(self) -> None:
        while True:
            await self._clock.sleep(TICK_S)
            if self.waiting:
                self.animate()

    def key(self, keysym: int, down: bool) -> None:
        if down:
            self._given.key(keysym)
            self.screen.lift_dot()
            self._echo()
            self._mark()

    def pointer(self, x: int, y: int, buttons: int) -> None:
        pressed = buttons & ~self._buttons
        self._buttons = buttons
        if pressed:
            self._given.clicks.append((x, y, buttons))
            self.screen.lift_dot()
            self._echo()
            self.screen.dot(x, y, c.RED)

    def _mark(self) -> None:
        if self._given.clicks:
            x, y, _ = self._given.clicks[-1]
            self.screen.dot(x, y, c.RED)

    def _echo(self) -> None:
        x, y, width, ink, paper = self._scene.echo
        self.screen.fill(x, y, width, 16, paper)
        last = self._given.typed.rsplit("\n", 1)[-1]
        counter = f"[{len(self._given.clicks)}]" if self._given.clicks else ""
        self.screen.text(x, y, f"{counter}> {last[-28:]}_", ink, paper)


def _local(now: datetime) -> datetime:
    return now.astimezone(_SEOUL)
