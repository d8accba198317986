"""How long to wait between tries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Backoff"]


@dataclass(frozen=True)
class Backoff:
    """Waits that double from ``first_s`` to ``longest_s``, seconds, without end."""

    first_s: float = 0.5
    longest_s: float = 30.0

    def __iter__(self) -> Iterator[float]:
        wait_s = self.first_s
        while True:
            yield wait_s
            wait_s = min(2 * wait_s, self.longest_s)
