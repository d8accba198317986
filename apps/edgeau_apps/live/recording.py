"""A recording of results: OpenFace's columns, kept in a file without a name that goes away with the program.

A recording outlives changes of source and artifact: each begins another stream, whose frames, times and tracks count from 0
again. In the recording they go on: time by the clock, the seconds of the change included; frame numbers one by one; and no
face of a later stream gets the number of an earlier one's.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TextIO, cast

from edgeau.errors import OutputError
from edgeau.results import FrameResult
from edgeau.sinks.tables import OpenFaceCsv

__all__ = ["Recording"]

_MOST_ROWS = 30 * 3600 * 4  # four hours at 30 a second: a program that is left alone must not fill the disk
_BLOCK = 1 << 20


class Recording:
    """Results as CSV.

    Args:
        labels: AUs with columns.
        intensities: those with an intensity.
        clock: seconds that never go back.

    Raises:
        OutputError: there is no room for temporary files.
    """

    def __init__(
        self,
        labels: Sequence[str],
        intensities: Sequence[str],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        try:
            self._file = tempfile.TemporaryFile("w+", newline="", encoding="utf-8")  # noqa: SIM115 - open as long as we are
            self._table = OpenFaceCsv(cast("TextIO", self._file), labels, intensities=intensities, pose=True)
        except OSError as error:
            raise OutputError(f"nothing can be recorded: {error.strerror or error}") from error
        self._clock = clock
        self._begins = False
        self._later = (0, 0.0, 0)  # what is added to a result's index, time and track numbers
        self._last = (-1, 0.0, -1)  # index, time and largest track number in the recording
        self._last_s = 0.0
        self.rows = 0

    @property
    def full(self) -> bool:
        """Whether no more is taken."""
        return self.rows >= _MOST_ROWS

    def begin_stream(self) -> None:
        """What is added from now on is another stream's."""
        self._begins = self.rows > 0

    def add(self, result: FrameResult) -> None:
        """One more result.

        Raises:
            OutputError: the disk is full; what was recorded before is kept.
        """
        if self.full:
            return
        now_s = self._clock()
        if self._begins:
            index, time_s, track = self._last
            passed_s = max(0.001, now_s - self._last_s)  # a table's times have three digits
            self._later = (index + 1 - result.index, time_s + passed_s - result.time_s, track + 1)
            self._begins = False
        result = _moved(result, *self._later)
        try:
            self._table.write(result)
            self._file.flush()
        except OSError as error:
            raise OutputError(f"the recording ended: {error.strerror or error}") from error
        tracks = [face.track_id for face in result.faces if face.track_id is not None]
        self._last = (result.index, result.time_s, max([self._last[2], *tracks]))
        self._last_s = now_s
        self.rows += 1

    def content(self) -> bytes:
        """What was recorded so far, whole lines."""
        with suppress(OSError):  # a full disk: what is on it is kept
            self._file.flush()
        content = b""
        while block := os.pread(self._file.fileno(), _BLOCK, len(content)):
            content += block
        return content[: content.rfind(b"\n") + 1]

    def close(self) -> None:
        """Throw it away."""
        with suppress(OSError):
            self._file.close()


def _moved(result: FrameResult, frames: int, seconds: float, tracks: int) -> FrameResult:
    faces = tuple(
        face if face.track_id is None else replace(face, track_id=face.track_id + tracks)
        for face in result.faces
    )
    return replace(result, index=result.index + frames, time_s=result.time_s + seconds, faces=faces)
