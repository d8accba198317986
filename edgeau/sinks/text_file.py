"""Results into a text file, as one of the tables of :mod:`edgeau.sinks.tables`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Protocol, TextIO

from edgeau._system.atomic_file import AtomicFile
from edgeau.errors import OutputError
from edgeau.results import FrameResult
from edgeau.sinks.sink import Sink

__all__ = ["TableWriter", "TextFileSink"]


class TableWriter(Protocol):
    """Puts results into text."""

    def write(self, result: FrameResult) -> None:
        """Add one."""


class TextFileSink(Sink):
    """Writes each result through to the system, and gives the file its name when it is closed.

    Should the process be killed, what was written so far is kept: the next sink for the same place puts it beside it,
    as ``results.interrupted.csv``.

    Args:
        path: path of the file; one that is there is replaced at the end.
        table: makes the table on a stream.

    Raises:
        OutputError: the folder cannot be written to, or the disk is full.
    """

    def __init__(self, path: Path, table: Callable[[TextIO], TableWriter]) -> None:
        self.name = str(path)
        self._file = AtomicFile(path, growing=True)
        self._text = StringIO(newline="")
        self._length = 0  # bytes of the file that are whole results
        try:
            self._written = self._file.temporary.open("r+b", buffering=0)
            self._table = table(self._text)
            self._write_through()
        except OSError as error:
            self._file.discard()
            raise self._refusal(error) from error

    @property
    def is_open(self) -> bool:
        """True while it takes results."""
        return not self._written.closed

    def write(self, result: FrameResult) -> None:
        """Add it.

        Raises:
            OutputError: the disk is full, or gone, or somebody removed the file.
        """
        try:
            self._file.check()
            self._table.write(result)
            self._write_through()
        except OSError as error:
            raise self._refusal(error) from error

    def close(self) -> None:
        """Give the file its name.

        Raises:
            OutputError: the system does not let it.
        """
        try:
            self._written.close()
        except OSError as error:
            raise OutputError(
                f"{self.name} cannot be finished: {error.strerror or error}; "
                f"what came before is in {self._file.temporary}"
            ) from error
        self._file.commit()

    def _write_through(self) -> None:
        """Write what the table has made, all of it or nothing: where room comes back later, the next line must not follow a half one."""
        content = self._text.getvalue().encode()
        self._text.seek(0)
        self._text.truncate()
        try:
            left = memoryview(content)
            while left:
                left = left[self._written.write(left) :]
        except OSError:
            with suppress(OSError):
                self._written.truncate(self._length)
                self._written.seek(self._length)
            raise
        self._length += len(content)

    def _refusal(self, error: OSError) -> OutputError:
        return OutputError(f"{self.name} cannot be written: {error.strerror or error}")
