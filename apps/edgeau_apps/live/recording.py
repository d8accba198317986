"""A recording of results: OpenFace's columns, kept in a file without a name that goes away with the program.

It goes on over changes of source and artifact (:mod:`edgeau_apps.live.continuation`).
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TextIO, cast

from edgeau.errors import OutputError
from edgeau.results import FrameResult
from edgeau.sinks.tables import OpenFaceCsv
from edgeau_apps.live.continuation import Continuation

__all__ = ["Recording"]

_MOST_ROWS = 30 * 3600 * 4  # four hours at 30 a second: a program that is left alone must not fill the disk
_BLOCK = 1 << 20


class Recording:
    """Results as CSV.

    Args:
        labels: AUs with columns.
        intensities: those with an intensity.
        sided: those whose left and right side are told apart.
        clock: seconds that never go back.

    Raises:
        OutputError: there is no room for temporary files.
    """

    def __init__(
        self,
        labels: Sequence[str],
        intensities: Sequence[str],
        sided: Sequence[str] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        try:
            self._file = tempfile.TemporaryFile("w+", newline="", encoding="utf-8")  # noqa: SIM115 - open as long as we are
            self._table = OpenFaceCsv(
                cast("TextIO", self._file),
                labels,
                intensities=intensities,
                sided=sided,
                pose=True,
                complete=True,
            )
        except OSError as error:
            raise OutputError(f"nothing can be recorded: {error.strerror or error}") from error
        self._continuation = Continuation(clock)
        self.rows = 0

    @property
    def full(self) -> bool:
        """True when no more is taken."""
        return self.rows >= _MOST_ROWS

    def begin_stream(self) -> None:
        """Begin another stream with what is added from now on."""
        self._continuation.begin_stream()

    def add(self, result: FrameResult) -> None:
        """One more result.

        Raises:
            OutputError: the disk is full; what was recorded before is kept.
        """
        if self.full:
            return
        result = self._continuation.of(result)
        try:
            self._table.write(result)
            self._file.flush()
        except OSError as error:
            raise OutputError(f"the recording ended: {error.strerror or error}") from error
        self.rows += 1

    def content(self) -> bytes:
        """Return what was recorded so far, whole lines."""
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
