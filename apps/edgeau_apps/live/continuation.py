"""Streams one after another as one: what goes on over changes of source and artifact.

Each change begins another stream, whose frames, times and tracks count from 0 again. Here they go on: time by the clock, the
seconds of the change included; frame numbers one by one; and no face of a later stream gets the number of an earlier one's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from edgeau.results import FrameResult

__all__ = ["Continuation"]


class Continuation:
    """Renumbers results.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._empty, self._begins = True, False
        self._later = (0, 0.0, 0)  # what is added to a result's index, time and track numbers
        self._last = (-1, 0.0, -1)  # index, time and largest track number so far
        self._last_s = 0.0

    def begin_stream(self) -> None:
        """Begin another stream with what comes from now on."""
        self._begins = not self._empty

    def of(self, result: FrameResult) -> FrameResult:
        """The next result, with the numbers that it has in the whole."""
        now_s = self._clock()
        if self._begins:
            index, time_s, track = self._last
            passed_s = max(0.001, now_s - self._last_s)  # a table's times have three digits
            self._later = (index + 1 - result.index, time_s + passed_s - result.time_s, track + 1)
            self._begins = False
        result = _moved(result, *self._later)
        tracks = [face.track_id for face in result.faces if face.track_id is not None]
        self._last = (result.index, result.time_s, max([self._last[2], *tracks]))
        self._last_s = now_s
        self._empty = False
        return result


def _moved(result: FrameResult, frames: int, seconds: float, tracks: int) -> FrameResult:
    if not (frames or seconds or tracks):
        return result
    faces = tuple(
        face if face.track_id is None else replace(face, track_id=face.track_id + tracks)
        for face in result.faces
    )
    return replace(result, index=result.index + frames, time_s=result.time_s + seconds, faces=faces)
