"""Results as a Parquet file, with the columns of the CSV as numbers."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from edgeau._system.atomic_file import AtomicFile
from edgeau._system.install_lines import extra_line
from edgeau.errors import DependencyError, OutputError
from edgeau.results import FrameResult
from edgeau.sinks.description import Description
from edgeau.sinks.sink import Sink
from edgeau.sinks.tables.openface_rows import Cell, OpenFaceRows

__all__ = ["ParquetSink"]

# Half a minute of one face at 30 frames a second; what is held in memory until it is written.
_ROWS = 1000


class ParquetSink(Sink):
    """Writes OpenFace's columns (:mod:`edgeau.sinks.tables.openface_csv`); an AU that is refused is null.

    A Parquet file is readable only once it is closed: a process that is killed loses it. The other files lose nothing.

    Args:
        path: path of the file; one that is there is replaced at the end.
        description: description of the results.

    Raises:
        OutputError: the folder cannot be written to, or the disk is full.
        DependencyError: pyarrow is missing.
    """

    def __init__(self, path: Path, description: Description) -> None:
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise DependencyError(
                f"Parquet files need the package pyarrow; {extra_line('parquet')}, or write .csv or .jsonl"
            ) from error
        self.name = str(path)
        self._table = OpenFaceRows(
            description.labels,
            intensities=description.intensity_labels,
            sided=description.sided_labels,
            pose=True,
            complete=True,
            optional_outputs=description.optional_outputs,
        )
        fields = [
            (column.name, pa.int32() if column.digits is None else pa.float32())
            for column in self._table.columns
        ]
        metadata = {"edgeau.trained": str(description.trained).lower()}
        self._schema: Any = pa.schema(dict(fields) | {"timestamp": pa.float64()}, metadata=metadata)
        self._from_pydict: Any = pa.Table.from_pydict
        # Where a write has failed, pyarrow refuses all that follow with errors of its own.
        self._errors: tuple[type[Exception], ...] = (OSError, pa.lib.ArrowException)
        self._file = AtomicFile(path)
        try:
            self._writer: Any = parquet.ParquetWriter(str(self._file.temporary), self._schema)
        except self._errors as error:
            self._file.discard()
            raise self._refusal(error) from error
        self._rows: list[tuple[Cell, ...]] = []
        self._taken = self._lost = 0
        self._fault: OutputError | None = None

    @property
    def is_open(self) -> bool:
        """True while it takes results."""
        return self._writer is not None

    @property
    def lost(self) -> int:
        """Results that were taken before a write failed: nobody can read a half of the file."""
        return self._lost

    def write(self, result: FrameResult) -> None:
        """Add its rows.

        Raises:
            OutputError: the disk is full, or gone, or somebody removed the file; the file is given up then.
        """
        if self._fault is not None:
            raise OutputError(str(self._fault))
        self._file.check()
        self._rows.extend(self._table.rows(result))
        if len(self._rows) >= _ROWS:
            try:
                self._write_rows()
            except self._errors as error:
                self._lost, self._fault = self._taken, self._refusal(error)
                self._give_up()
                raise self._fault from error
        self._taken += 1

    def close(self) -> None:
        """Finish the file and give it its name.

        Raises:
            OutputError: the disk is full, or gone.
        """
        if self._writer is None:
            return
        try:
            if self._rows:
                self._write_rows()
            self._writer.close()
        except self._errors as error:
            self._give_up()
            raise self._refusal(error) from error
        self._writer = None
        self._file.commit()

    def _write_rows(self) -> None:
        rows, self._rows = self._rows, []
        columns = dict(zip(self._schema.names, zip(*rows, strict=True), strict=True))
        self._writer.write_table(self._from_pydict(columns, schema=self._schema))

    def _give_up(self) -> None:
        with suppress(*self._errors):
            self._writer.close()
        self._writer = None
        self._rows.clear()
        self._file.discard()

    def _refusal(self, error: Exception) -> OutputError:
        return OutputError(f"{self.name} cannot be written: {getattr(error, 'strerror', None) or error}")
