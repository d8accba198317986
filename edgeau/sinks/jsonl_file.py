"""Results as JSON lines, in a file or on a stream."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from edgeau.errors import OutputError
from edgeau.results import FrameResult
from edgeau.sinks.description import Description
from edgeau.sinks.sink import Sink
from edgeau.sinks.tables import JsonLines
from edgeau.sinks.text_file import TextFileSink

__all__ = ["JsonLinesSink", "JsonStreamSink"]


class JsonLinesSink(TextFileSink):
    """Writes :class:`~edgeau.sinks.tables.JsonLines` to a file.

    Args:
        path: path of the file.
        description: description of the results.

    Raises:
        OutputError: the folder cannot be written to.
    """

    def __init__(self, path: Path, description: Description) -> None:
        super().__init__(path, lambda stream: JsonLines(stream, trained=description.trained))


class JsonStreamSink(Sink):
    """Writes JSON lines to an open text stream, such as standard output, which stays open.

    Args:
        stream: text; flushed after every line.
        description: description of the results.
        name: for people.
    """

    def __init__(self, stream: TextIO, description: Description, name: str = "standard output") -> None:
        self.name = name
        self._stream = stream
        self._lines = JsonLines(stream, trained=description.trained)

    def write(self, result: FrameResult) -> None:
        """Add a line.

        Raises:
            OutputError: the reader went away.
        """
        try:
            self._lines.write(result)
            self._stream.flush()
        except OSError as error:
            raise OutputError(f"{self.name} cannot be written: {error.strerror or error}") from error
