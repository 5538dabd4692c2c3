"""A guest's picture: one byte a pixel, damage told to whoever watches, and what was typed and clicked on it."""

from collections.abc import Callable

import msgspec

from pharmq_sim.console import glyphs
from pharmq_sim.console.pixels import Palette

(
    BLACK,
    WHITE,
    INK,
    GREY,
    PAPER,
    LINE,
    NAVY,
    BLUE,
    TEAL,
    GREEN,
    RED,
    AMBER,
    SKY,
    SOFT,
) = range(14)

PALETTE: Palette = (
    (0, 0, 0),
    (255, 255, 255),
    (28, 33, 40),
    (128, 136, 148),
    (244, 246, 249),
    (210, 216, 224),
    (18, 42, 84),
    (32, 96, 190),
    (12, 128, 120),
    (34, 150, 70),
    (206, 48, 48),
    (236, 160, 24),
    (190, 220, 250),
    (226, 232, 240),
)


class Rect(msgspec.Struct, frozen=True, gc=False):
    """Pixels from (x, y), ``w`` wide and ``h`` high."""

    x: int
    y: int
    w: int
    h: int

    def clip(self, other: "Rect") -> "Rect | None":
        """The common part, or None."""
        left, top = max(self.x, other.x), max(self.y, other.y)
        right, bottom = min(self.x + self.w, other.x + other.w), min(self.y + self.h, other.y + other.h)
        return Rect(left, top, right - left, bottom - top) if right > left and bottom > top else None


class Screen:
    """A palette picture. Every change is clipped to it and told to ``watchers`` as a rectangle."""

    def __init__(self, width: int, height: int) -> None:
        self.area = Rect(0, 0, width, height)
        self.pixels = bytearray(width * height)
        self.watchers: set[Callable[[Rect], None]] = set()
        self._dot: tuple[Rect, bytes] | None = None

    def fill(self, x: int, y: int, w: int, h: int, colour: int) -> None:
        if (rect := self.area.clip(Rect(x, y, w, h))) is not None:
            self._put(rect, [bytes((colour,)) * rect.w] * rect.h)

    def frame(self, x: int, y: int, w: int, h: int, colour: int) -> None:
        """The outline of a box, one pixel wide."""
        for edge in ((x, y, w, 1), (x, y + h - 1, w, 1), (x, y, 1, h), (x + w - 1, y, 1, h)):
            self.fill(*edge, colour)

    def text(self, x: int, y: int, text: str, colour: int, paper: int, scale: int = 1) -> int:
        """Draw one line with its upper left corner at (x, y); returns how many pixels wide it is."""
        if not text:
            return 0
        table = bytes((paper, colour)).ljust(256, b"\0")
        rows = glyphs.line(text, scale)
        whole = Rect(x, y, len(rows[0]), len(rows))
        if (rect := self.area.clip(whole)) is not None:
            left, top = rect.x - x, rect.y - y
            self._put(rect, [row[left : left + rect.w].translate(table) for row in rows[top : top + rect.h]])
        return whole.w

    def read(self, rect: Rect) -> bytes:
        """The indexes of ``rect``, row by row."""
        width, view = self.area.w, self.pixels
        if rect.x == 0 and rect.w == width:
            return bytes(view[rect.y * width : (rect.y + rect.h) * width])
        start = rect.y * width + rect.x
        return b"".join([view[at : at + rect.w] for at in range(start, start + rect.h * width, width)])

    def dot(self, x: int, y: int, colour: int) -> None:
        """Move the pointer's mark to (x, y): it lies over the picture and leaves it as it was."""
        self.lift_dot()
        if (rect := self.area.clip(Rect(x - 4, y - 4, 9, 9))) is not None:
            below = self.read(rect)
            self._put(rect, [bytes((colour,)) * rect.w] * rect.h)
            self._dot = (rect, below)

    def lift_dot(self) -> None:
        """Take the mark away. Whoever paints does so first, or the old picture below it would come back."""
        if self._dot is not None:
            rect, below = self._dot
            self._dot = None
            self._put(rect, [below[n * rect.w : (n + 1) * rect.w] for n in range(rect.h)])

    def _put(self, rect: Rect, rows: list[bytes]) -> None:
        width, pixels = self.area.w, self.pixels
        at = rect.y * width + rect.x
        for row in rows:
            pixels[at : at + rect.w] = row
            at += width
        for watcher in list(self.watchers):
            watcher(rect)


class Damage:
    """What changed since it was last taken: few rectangles, joined into one when there are too many to be worth it."""

    def __init__(self, limit: int = 24) -> None:
        self._rects: list[Rect] = []
        self._limit = limit

    def add(self, rect: Rect) -> None:
        rects = self._rects
        if any(known.clip(rect) == rect for known in rects):
            return
        rects[:] = [known for known in rects if rect.clip(known) != known]
        rects.append(rect)
        if len(rects) > self._limit:
            rects[:] = [bounds(rects)]

    def take(self, area: Rect) -> list[Rect]:
        """The damage inside ``area``, which is forgotten; what lies outside it stays."""
        inside = [part for rect in self._rects if (part := rect.clip(area)) is not None]
        self._rects = [rect for rect in self._rects if rect.clip(area) != rect]
        return inside

    def __bool__(self) -> bool:
        return bool(self._rects)


def bounds(rects: list[Rect]) -> Rect:
    """The smallest rectangle around all of them."""
    left, top = min(r.x for r in rects), min(r.y for r in rects)
    right, bottom = max(r.x + r.w for r in rects), max(r.y + r.h for r in rects)
    return Rect(left, top, right - left, bottom - top)
