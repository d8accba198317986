"""A file that grows under a hidden name and takes its place when it is closed."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from edgeau.errors import OutputError

__all__ = ["GrowingFile"]


class GrowingFile:
    """A place for a file; :attr:`temporary` is where to write.

    Should the process be killed, what was written so far is still there, under the hidden name beside the place.

    Args:
        path: its place. What is there stays until :meth:`finish`.

    Raises:
        OutputError: the folder cannot be made or written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.temporary.touch()
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error

    def open_text(self) -> TextIO:
        """Text that is written through line by line."""
        return self.temporary.open("w", encoding="utf-8", newline="", buffering=1)

    def finish(self) -> None:
        """Put the file into its place; a second call does nothing.

        Raises:
            OutputError: the system does not let it.
        """
        try:
            with suppress(FileNotFoundError):
                self.temporary.replace(self.path)
        except OSError as error:
            raise OutputError(f"{self.path} cannot be written: {error.strerror or error}") from error
