"""A recording of results: OpenFace's columns, JSON lines and events, kept in files without a name that go away with the program.

Frames and times count from the recording's own beginning.

It goes on over changes of source and artifact (:mod:`edgeau_apps.live.continuation`).
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Literal, TextIO, cast

from edgeau.errors import OutputError
from edgeau.faces.optional_outputs import OptionalOutput
from edgeau.results import FrameResult
from edgeau.sinks.tables import OpenFaceCsv
from edgeau.sinks.tables.event_csv import EventCsv
from edgeau.sinks.tables.jsonl import frame_document, json_line
from edgeau.temporal.events import EventDetector
from edgeau_apps.live.continuation import Continuation

__all__ = ["Kind", "Recorded", "Recording"]

Kind = Literal["csv", "jsonl", "events"]
"""A recording's table of results, the same as JSON lines, and its table of events."""

_MOST_ROWS = 30 * 3600 * 4  # four hours at 30 a second: a program that is left alone must not fill the disk


class Recorded:
    """One file of a recording as far as it has come; it is read once.

    Args:
        file: descriptor of the file, which stays with the recording.
    """

    def __init__(self, file: int) -> None:
        self._file, self._size = os.dup(file), os.fstat(file).st_size

    def read(self) -> bytes:
        """Its whole lines."""
        blocks, size = [], 0
        try:
            while size < self._size and (block := os.pread(self._file, self._size - size, size)):
                blocks.append(block)
                size += len(block)
        finally:
            os.close(self._file)
        content = b"".join(blocks)
        return content[: content.rfind(b"\n") + 1]


class Recording:
    """Results as tables and lines.

    Args:
        labels: AUs with columns.
        intensities: those with an intensity.
        sided: those whose left and right side are told apart.
        optional_outputs: those with columns.
        trained: False when the network never saw data, which the lines say.
        clock: seconds that never go back.

    Raises:
        OutputError: there is no room for temporary files.
    """

    def __init__(
        self,
        labels: Sequence[str],
        intensities: Sequence[str],
        sided: Sequence[str] = (),
        optional_outputs: Sequence[OptionalOutput] = (),
        *,
        trained: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        try:
            self._files: dict[Kind, TextIO] = {
                kind: cast("TextIO", tempfile.TemporaryFile("w+", newline="", encoding="utf-8"))  # noqa: SIM115 - open as long as we are
                for kind in ("csv", "jsonl", "events")
            }
            self._table = OpenFaceCsv(
                self._files["csv"],
                labels,
                intensities=intensities,
                sided=sided,
                pose=True,
                complete=True,
                optional_outputs=optional_outputs,
            )
            self._happened = EventCsv(self._files["events"])
        except OSError as error:
            raise OutputError(f"nothing can be recorded: {error.strerror or error}") from error
        self._continuation = Continuation(clock)
        self._events = EventDetector()
        self._trained = trained
        self._first: tuple[int, float] | None = None
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
        result = self._from_zero(self._continuation.of(result))
        try:
            self._table.write(result)
            self._files["jsonl"].write(
                json_line(frame_document(result, trained=self._trained, live=True)) + "\n"
            )
            self._happened.write(self._events.update(result))
            for file in self._files.values():
                file.flush()
        except OSError as error:
            raise OutputError(f"the recording ended: {error.strerror or error}") from error
        self.rows += 1

    def _from_zero(self, result: FrameResult) -> FrameResult:
        if self._first is None:
            self._first = (result.index, result.time_s)
        index, time_s = self._first
        return replace(result, index=result.index - index, time_s=result.time_s - time_s)

    def recorded(self, kind: Kind = "csv") -> Recorded:
        """The rows so far, to be read while more are added, or after :meth:`close`.

        Args:
            kind: of the files that lie beside each other.
        """
        file = self._files[kind]
        with suppress(OSError):  # a full disk: what is on it is kept
            file.flush()
        return Recorded(file.fileno())

    def close(self) -> None:
        """Throw it away."""
        for file in self._files.values():
            with suppress(OSError):
                file.close()
