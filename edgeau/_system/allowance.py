"""Limit on how often something may happen: a token bucket."""

from __future__ import annotations

import time

__all__ = ["Allowance"]


class Allowance:
    """A number of times that comes back by and by.

    Args:
        per_s: how many come back each second.
        burst: how many there are at most.
    """

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s, self._burst = per_s, burst
        self._left, self._last_s = burst, time.monotonic()

    def spend(self) -> bool:
        """Take one; False when there is none."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + self._per_s * (now - self._last_s))
        self._last_s = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
