"""Results as a CSV file with OpenFace's columns."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from edgeau.sinks.description import Description
from edgeau.sinks.tables import OpenFaceCsv
from edgeau.sinks.text_file import TextFileSink

__all__ = ["CsvSink"]


class CsvSink(TextFileSink):
    """Writes :class:`~edgeau.sinks.tables.OpenFaceCsv` to a file.

    Args:
        path: path of the file.
        description: description of the results.
        landmarks: 68 or 478 for landmark columns, None for none.
        pose: whether to give head rotation columns.

    Raises:
        OutputError: the folder cannot be written to.
    """

    def __init__(
        self,
        path: Path,
        description: Description,
        *,
        landmarks: Literal[68, 478] | None = None,
        pose: bool = True,
    ) -> None:
        super().__init__(
            path,
            lambda stream: OpenFaceCsv(
                stream,
                description.labels,
                intensities=description.intensity_labels,
                sided=description.sided_labels,
                landmarks=landmarks,
                pose=pose,
                complete=True,
            ),
        )
