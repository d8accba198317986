"""Results as a CSV file with OpenFace's columns."""

from __future__ import annotations

from pathlib import Path

from edgeau.sinks.description import Description
from edgeau.sinks.tables import OpenFaceCsv
from edgeau.sinks.text_file import TextFileSink

__all__ = ["CsvSink"]


class CsvSink(TextFileSink):
    """Writes :class:`~edgeau.sinks.tables.OpenFaceCsv` to a file.

    Args:
        path: path of the file.
        description: description of the results.

    Raises:
        OutputError: the folder cannot be written to.
    """

    def __init__(self, path: Path, description: Description) -> None:
        super().__init__(
            path,
            lambda stream: OpenFaceCsv(
                stream,
                description.labels,
                intensities=description.intensity_labels,
                sided=description.sided_labels,
                pose=True,
                complete=True,
                optional_outputs=description.optional_outputs,
            ),
        )
