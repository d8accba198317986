"""Writing annotated pictures and videos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import cv2

from edgeau.errors import OutputError
from edgeau_apps.analyze.outputs import refusing

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["AnnotatedPicture", "AnnotatedVideo", "PictureWriter"]

# MPEG-4 part 2 is what OpenCV's own wheels can write on every machine; they have no H.264 encoder.
_CODEC = "mp4v"


class PictureWriter(Protocol):
    """Takes annotated pictures, uint8 BGR, all of one size."""

    def write(self, picture: NDArray[np.uint8]) -> None:
        """Add one."""

    def close(self) -> None:
        """Finish the file."""


class AnnotatedPicture:
    """One picture; the suffix of the path says in which format."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, picture: NDArray[np.uint8]) -> None:
        """Write it."""
        ok, data = cv2.imencode(self._path.suffix, picture)
        if not ok:
            raise OutputError(f"this OpenCV cannot write {self._path.suffix} pictures")
        with refusing(self._path.parent):
            self._path.write_bytes(data.tobytes())

    def close(self) -> None:
        """Nothing is held."""


class AnnotatedVideo:
    """An MP4 video at a constant rate.

    Args:
        path: ends in ``.mp4``.
        fps: frames a second.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self._path = path
        self._fps = fps
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)

    def write(self, picture: NDArray[np.uint8]) -> None:
        """Add a frame; one of another size than the first is resized to it."""
        if self._writer is None:
            self._size = (picture.shape[1], picture.shape[0])
            self._writer = cv2.VideoWriter(
                str(self._path), cv2.VideoWriter.fourcc(*_CODEC), self._fps, self._size
            )
            if not self._writer.isOpened():
                raise OutputError(
                    f"this OpenCV cannot write {_CODEC} videos of {self._size[0]} x {self._size[1]} pixels"
                )
        if picture.shape[1::-1] != self._size:
            picture = cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        self._writer.write(picture)

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.release()
