"""Counts of what became of every frame."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

__all__ = ["DROP_REASONS", "FrameStats", "LiveCounters"]

DROP_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "rate": "the source is faster than the asked rate",
        "busy": "a newer frame came while faces were looked for in another one",
        "unclaimed": "a newer result came before this one was taken",
        "stopped": "the stream was ended while the frame was on its way",
    }
)
"""Why a frame was left out, for people."""


@dataclass(frozen=True)
class LiveCounters:
    """A moment of a live run. ``captured == processed + sum(dropped.values()) + failed + on_the_way``.

    Attributes:
        captured: frames that the source gave.
        processed: results that were taken.
        dropped: frames left out, by reason (:data:`DROP_REASONS`).
        failed: frames that could not be looked at.
        on_the_way: frames between the source and whoever takes results.
        last_failure: what the newest failed frame failed of, in words; "" when none did.
        fps: results taken a second, over the last seconds.
        every: the network looks at each face in every k-th frame.
        age_s: age of the newest result when it was taken, seconds.
        landmarks_s: time to find the faces of one frame, seconds, running mean.
        network_s: time of the network for one face, seconds, median of its last runs.
        temperature_c: temperature of the processor, degrees Celsius; None when unknown.
        silent_s: since the source's newest frame, seconds.
        gaps: how often the source left and came back.
        gap_s: seconds without frames that these took.
    """

    captured: int = 0
    processed: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    failed: int = 0
    on_the_way: int = 0
    last_failure: str = ""
    fps: float = 0.0
    every: int = 1
    age_s: float = 0.0
    landmarks_s: float = 0.0
    network_s: float = 0.0
    temperature_c: float | None = None
    silent_s: float = 0.0
    gaps: int = 0
    gap_s: float = 0.0


class FrameStats:
    """Counts frames; any thread may."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._captured = self._processed = self._failed = self._gaps = 0
        self._gap_s = self._unreported_gap_s = 0.0
        self._last_failure = ""
        self._dropped: Counter[str] = Counter()
        self._unreported: Counter[str] = Counter()

    def count_captured(self, gap_s: float = 0.0) -> None:
        """The source gave a frame, after a gap or not."""
        with self._lock:
            self._captured += 1
            self._gaps += gap_s > 0
            self._gap_s += gap_s
            self._unreported_gap_s += gap_s

    def count_dropped(self, why: str) -> None:
        """A frame was left out."""
        with self._lock:
            self._dropped[why] += 1
            self._unreported[why] += 1

    def count_failed(self, error: Exception) -> None:
        """A frame could not be looked at."""
        with self._lock:
            self._failed += 1
            self._last_failure = f"{type(error).__name__}: {error}"

    def count_processed(self) -> tuple[dict[str, int], float]:
        """A result is taken; what was left out since the one before it, and for how long the source had left."""
        with self._lock:
            self._processed += 1
            drops, gap_s = dict(self._unreported), self._unreported_gap_s
            self._unreported.clear()
            self._unreported_gap_s = 0.0
            return drops, gap_s

    def counters(self) -> LiveCounters:
        """The counts so far."""
        with self._lock:
            gone = self._processed + self._failed + self._dropped.total()
            return LiveCounters(
                captured=self._captured,
                processed=self._processed,
                dropped=MappingProxyType(dict(self._dropped)),
                failed=self._failed,
                on_the_way=self._captured - gone,
                last_failure=self._last_failure,
                gaps=self._gaps,
                gap_s=self._gap_s,
            )
