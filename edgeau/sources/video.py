"""Video files: opened with what this machine has that shows them as players do."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from edgeau.errors import InputError
from edgeau.sources.kinds import kind_of_content
from edgeau.sources.picture_header import PICTURE_KINDS
from edgeau.sources.source import Source

__all__ = ["open_video"]

# Films that are one JPEG after the other, without a container.
_JPEG_STREAMS = (".mjpeg", ".mjpg")


def open_video(path: Path, name: str | None = None) -> Source:
    """A video file as a source.

    PyAV decodes it where it is installed (``pip install 'edgeau[video]'``). Without it OpenCV does, but only files whose
    header says all that OpenCV does not apply (MP4, MOV) or that have nothing of the kind (AVI, GIF, MJPEG).

    Args:
        path: path of the file.
        name: for people; None takes the file's.

    Raises:
        InputError: it does not exist, or is not a video; also when it is a picture with a video's name.
        DependencyError: OpenCV alone would show it otherwise than players do.
    """
    if not path.is_file():
        raise InputError(f"{str(path)!r} does not exist")
    kind = kind_of_content(path)
    if kind in PICTURE_KINDS and path.suffix.lower() not in _JPEG_STREAMS:
        raise InputError(f"{str(path)!r} is a picture ({kind}), whatever its name says; rename it")
    if find_spec("av") is not None:
        from edgeau.sources.av_video import AvVideo

        return AvVideo(path, name)
    from edgeau.sources.opencv_video import OpenCvVideo

    return OpenCvVideo(path, name)
