"""What went through one console."""

from typing import Final

RATE_SECONDS: Final = 2.0


class Meter:
    """Bytes each way, the time of the last one, and a rate smoothed over a few seconds. Times are monotonic."""

    __slots__ = ("_counted_at", "_counted_down", "down", "last", "last_up", "rate", "up")

    def __init__(self, now: float) -> None:
        self.up = 0
        self.down = 0
        self.last = self.last_up = now
        self.rate = 0.0
        self._counted_at = now
        self._counted_down = 0

    def sample(self, now: float) -> None:
        passed = now - self._counted_at
        if passed < RATE_SECONDS:
            return
        fresh = (self.down - self._counted_down) / passed
        self.rate = fresh if fresh == 0 else (self.rate + fresh) / 2
        self._counted_at, self._counted_down = now, self.down
