"""Picture files as a source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeau.errors import DependencyError, InputError
from edgeau.sources.frame import Frame
from edgeau.sources.picture_file import read_picture
from edgeau.sources.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["PictureSource"]


class PictureSource(Source):
    """Pictures, one frame each, in the order given.

    A picture that cannot be read is passed over, and named after the last one.

    Args:
        paths: of the files.
        name: for people.
        fps: the pictures are a film of so many frames a second; None takes each for itself.
    """

    def __init__(self, paths: Sequence[Path], name: str, fps: float | None = None) -> None:
        self.name = name
        self.length = len(paths)
        self.fps = fps
        self.still = fps is None
        self._paths = paths

    def __iter__(self) -> Iterator[Frame]:
        unreadable = []
        for index, path in enumerate(self._paths):
            try:
                time_s = index / self.fps if self.fps else 0.0
                frame = Frame(index, time_s, read_picture(path), path.name)
            except (InputError, DependencyError) as error:
                where = repr(str(path))
                unreadable.append(str(error) if where in str(error) else f"{where}: {error}")
                continue
            yield frame
        if unreadable:
            raise InputError("; ".join(unreadable))
