"""What went through one console."""

from typing import Final

RATE_SECONDS: Final = 2.0


class Meter:
    """Bytes each way, the time of the last one, and a rate smoothed over a few seconds. Times are monotonic.

    ``last`` is right to the length of a look (``sample``): a clock is not asked for every frame."""

    __slots__ = ("_counted_at", "_counted_down", "_seen", "down", "last", "last_up", "rate", "up")

    def __init__(self, now: float) -> None:
        self.up = 0
        self.down = 0
        self.last = self.last_up = now
        self.rate = 0.0
        self._seen = 0
        self._counted_at = now
        self._counted_down = 0

    def look(self, now: float) -> None:
        """Whatever came since the last look came now."""
        if self.up + self.down != self._seen:
            self._seen = self.up + self.down
            self.last = now

    def sample(self, now: float) -> None:
        self.look(now)
        passed = now - self._counted_at
        if passed < RATE_SECONDS:
            return
        fresh = (self.down - self._counted_down) / passed
        self.rate = fresh if fresh == 0 else (self.rate + fresh) / 2
        self._counted_at, self._counted_down = now, self.down
