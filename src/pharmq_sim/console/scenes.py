"""What the screens show: a point of sale, a kiosk, a server's terminal. Each moves, so that a live picture can be
told from a frozen one, and shows what was typed and where it was clicked."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec

from pharmq_sim.console import screen as c
from pharmq_sim.console.screen import Screen


class Look(msgspec.Struct, frozen=True):
    """Who the screen belongs to: the pharmacy's name (or whatever title the world gives) and the guest's."""

    title: str
    guest: str


class Scene(Protocol):
    """A kind of picture. ``size`` in pixels; ``echo`` is where the typed line stands: x, y, width, colours."""

    size: tuple[int, int]
    echo: tuple[int, int, int, int, int]

    def paint(self, screen: Screen, look: Look) -> None: ...

    def animate(self, screen: Screen, now: datetime, tick: int) -> None:
        """Draw what moves; ``tick`` counts half seconds."""
        ...


_GOODS = (
    ("해열진통제 500mg", 3000, 2),
    ("종합감기약 10정", 4500, 1),
    ("소화제 20정", 5000, 1),
    ("일회용 밴드 50매", 2500, 3),
    ("비타민 C 1000", 18000, 1),
    ("KF94 마스크 5매", 4000, 4),
    ("생리식염수 500ml", 2000, 2),
)


class PointOfSale:
    size = (1024, 768)
    echo = (40, 668, 620, c.INK, c.WHITE)

    def paint(self, screen: Screen, look: Look) -> None:
        screen.fill(0, 0, 1024, 768, c.PAPER)
        screen.fill(0, 0, 1024, 76, c.NAVY)
        screen.text(28, 20, f"{look.title} {look.guest}", c.WHITE, c.NAVY, 2)
        columns = ((40, "품명"), (420, "수량"), (560, "단가"), (760, "금액"))
        screen.fill(24, 100, 976, 40, c.SOFT)
        for x, name in columns:
            screen.text(x, 112, name, c.INK, c.SOFT)
        for row, (name, price, count) in enumerate(_GOODS):
            y = 152 + row * 48
            for x, cell in zip(
                (40, 420, 560, 760), (name, str(count), f"{price:,}", f"{price * count:,}"), strict=True
            ):
                screen.text(x, y, cell, c.INK, c.PAPER)
            screen.fill(24, y + 30, 976, 1, c.LINE)
        total = sum(price * count for _, price, count in _GOODS)
        screen.text(560, 520, "합계", c.INK, c.PAPER, 2)
        screen.text(700, 520, f"{total:,}", c.RED, c.PAPER, 2)
        for n, (name, colour) in enumerate((("결제", c.BLUE), ("취소", c.GREY), ("영수증", c.TEAL))):
            screen.fill(700 + n * 104, 640, 96, 72, colour)
            screen.text(700 + n * 104 + 24, 668, name, c.WHITE, colour)
        screen.fill(24, 656, 652, 40, c.WHITE)
        screen.frame(24, 656, 652, 40, c.LINE)

    def animate(self, screen: Screen, now: datetime, tick: int) -> None:
        screen.text(840, 28, f"{now:%H:%M:%S}", c.WHITE, c.NAVY, 2)
        _sweep(screen, 0, 72, 1024, 4, tick, c.AMBER, c.NAVY)
        screen.text(40, 740, f"#{tick // 2 % 10000:04d}", c.GREY, c.PAPER)


class Kiosk:
    size = (600, 1024)
    echo = (60, 924, 480, c.INK, c.WHITE)

    def paint(self, screen: Screen, look: Look) -> None:
        screen.fill(0, 0, 600, 1024, c.WHITE)
        screen.fill(0, 0, 600, 156, c.TEAL)
        screen.text(40, 30, look.title, c.WHITE, c.TEAL, 2)
        screen.text(40, 90, look.guest, c.SKY, c.TEAL, 2)
        buttons = (("처방전 접수", c.BLUE), ("조제 확인", c.GREEN), ("일반약", c.AMBER), ("호출", c.RED))
        for n, (name, colour) in enumerate(buttons):
            y = 200 + n * 170
            screen.fill(50, y, 500, 140, colour)
            screen.text(90, y + 46, name, c.WHITE, colour, 3)
        screen.fill(44, 912, 512, 40, c.WHITE)
        screen.frame(44, 912, 512, 40, c.LINE)

    def animate(self, screen: Screen, now: datetime, tick: int) -> None:
        screen.text(400, 974, f"{now:%H:%M:%S}", c.INK, c.WHITE, 2)
        screen.text(44, 974, f"{(now.minute * 60 + now.second) // 20 + 1:03d}", c.TEAL, c.WHITE, 2)
        _sweep(screen, 0, 150, 600, 6, tick, c.AMBER, c.TEAL)


class Server:
    size = (800, 600)
    echo = (8, 568, 780, c.GREEN, c.BLACK)

    def paint(self, screen: Screen, look: Look) -> None:
        screen.fill(0, 0, 800, 600, c.BLACK)
        screen.text(8, 8, f"{look.title} {look.guest} tty1", c.WHITE, c.BLACK)
        for n, unit in enumerate(("network", "database", "backup agent", "spooler", "web")):
            screen.text(8, 48 + n * 20, f"[  OK  ] Started {unit} service.", c.GREEN, c.BLACK)

    def animate(self, screen: Screen, now: datetime, tick: int) -> None:
        screen.text(660, 8, f"{now:%H:%M:%S}", c.AMBER, c.BLACK)
        row = tick // 2 % 18
        screen.text(8, 176 + row * 20, f"[{tick // 2:8d}] heartbeat {tick // 2 % 97:02d}", c.GREY, c.BLACK)
        _sweep(screen, 0, 36, 800, 2, tick, c.GREEN, c.BLACK)


class Backup(Server):
    size = (720, 400)
    echo = (8, 376, 700, c.SKY, c.NAVY)

    def paint(self, screen: Screen, look: Look) -> None:
        screen.fill(0, 0, 720, 400, c.NAVY)
        screen.text(8, 8, f"{look.title} {look.guest}", c.WHITE, c.NAVY, 2)
        screen.frame(40, 120, 640, 40, c.SKY)

    def animate(self, screen: Screen, now: datetime, tick: int) -> None:
        screen.text(580, 60, f"{now:%H:%M:%S}", c.AMBER, c.NAVY)
        done = tick % 100
        screen.fill(42, 122, done * 6, 36, c.TEAL)
        screen.fill(42 + done * 6, 122, 636 - done * 6, 36, c.NAVY)
        screen.text(40, 180, f"{done:3d} %", c.WHITE, c.NAVY)


class Terminal(Server):
    """vncterm: what a container, or a VM whose display is a serial port, shows (93 x 25 characters)."""

    size = (744, 400)
    echo = (0, 64, 740, c.WHITE, c.BLACK)

    def paint(self, screen: Screen, look: Look) -> None:
        screen.fill(0, 0, 744, 400, c.BLACK)
        screen.text(0, 0, f"{look.guest} tty1", c.WHITE, c.BLACK)
        screen.text(0, 48, "/ #", c.WHITE, c.BLACK)

    def animate(self, screen: Screen, now: datetime, tick: int) -> None:
        screen.fill(0, 96, 8, 16, c.WHITE if tick % 2 else c.BLACK)
        screen.text(656, 0, f"{now:%H:%M:%S}", c.GREY, c.BLACK)


def _sweep(screen: Screen, x: int, y: int, w: int, h: int, tick: int, colour: int, paper: int) -> None:
    """A block that wanders along a bar."""
    steps = 20
    step = w // steps
    screen.fill(x + (tick - 1) % steps * step, y, step, h, paper)
    screen.fill(x + tick % steps * step, y, step, h, colour)


_SCENES: dict[str, Callable[[], Scene]] = {
    "pos": PointOfSale,
    "kiosk": Kiosk,
    "server": Server,
    "backup": Backup,
    "terminal": Terminal,
}


def scene(kind: str) -> Scene:
    """The scene for a kind of guest; an unknown kind looks like a server."""
    return _SCENES.get(kind, Server)()
