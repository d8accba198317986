"""Thinning a source that is faster than asked."""

from __future__ import annotations

__all__ = ["RateLimit"]

# A frame may come this share of a period early and still be taken: cameras are not exact clocks.
_EARLY = 0.25


class RateLimit:
    """Lets through no more than so many frames a second, evenly.

    Args:
        fps: frames a second; None lets all through.
    """

    def __init__(self, fps: float | None) -> None:
        self._period_s = None if fps is None else 1 / fps
        self._next_s: float | None = None

    def lets_through(self, now_s: float) -> bool:
        """Whether the frame of this moment is taken."""
        if self._period_s is None:
            return True
        if self._next_s is None or now_s > self._next_s + self._period_s:
            self._next_s = now_s  # the first one, or the source paused: no catching up
        if now_s < self._next_s - _EARLY * self._period_s:
            return False
        self._next_s += self._period_s
        return True
