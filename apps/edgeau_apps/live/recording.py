"""A recording of results: OpenFace's columns, kept in a file that goes away with the program unless it is asked for."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO, cast

from edgeau.results import FrameResult
from edgeau.sinks.tables import OpenFaceCsv

__all__ = ["Recording"]

_MOST_ROWS = 30 * 3600 * 4  # four hours at 30 a second: a program that is left alone must not fill the disk


class Recording:
    """Results as CSV.

    Args:
        labels: AUs with columns.
        intensities: those with an intensity.
    """

    def __init__(self, labels: Sequence[str], intensities: Sequence[str]) -> None:
        self._file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - it is open as long as the recording
            "w", newline="", encoding="utf-8", prefix="edgeau-recording-", suffix=".csv"
        )
        self._table = OpenFaceCsv(cast("TextIO", self._file), labels, intensities=intensities, pose=True)
        self.rows = 0

    @property
    def full(self) -> bool:
        """Whether no more is taken."""
        return self.rows >= _MOST_ROWS

    def add(self, result: FrameResult) -> None:
        """One more result."""
        if not self.full:
            self._table.write(result)
            self.rows += 1

    def content(self) -> bytes:
        """What was recorded so far."""
        self._file.flush()
        return Path(self._file.name).read_bytes()

    def close(self) -> None:
        """Throw it away."""
        self._file.close()
