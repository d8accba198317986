"""One call that opens every source."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Union

from edgeau.errors import InputError
from edgeau.sources.arrays import ArraySource
from edgeau.sources.camera import CameraSource
from edgeau.sources.clip import clip_path
from edgeau.sources.kinds import PICTURES, files_of_folder, files_of_glob, is_glob, kind_of
from edgeau.sources.pictures import PictureSource
from edgeau.sources.video import VideoSource

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeau.sources.frame import Frame
    from edgeau.sources.source import Source

__all__ = ["open_source"]

_WHAT = (
    'a picture, a video, a folder or pattern of pictures, a camera number, an iterable of frames, or "clip"'
)

What = Union[str, "os.PathLike[str]", int, "Iterable[NDArray[np.uint8] | Frame]"]


def open_source(what: What) -> Source:
    """Open a source of frames.

    Args:
        what: a picture or video file; a folder of pictures (only those directly in it, in natural order of their names);
            a pattern such as ``"faces/*.png"`` or ``"faces/**/*.png"``; a camera's number, also as text; an iterable of
            BGR arrays or :class:`~edgeau.sources.Frame`; or ``"clip"``, the packaged clip (a file of that name is
            ``"./clip"``).

    Returns:
        A source, to be used in ``with`` and iterated once. It holds one frame in memory at a time.

    Raises:
        InputError: it does not exist, is neither picture nor video, is damaged, or nothing answers there.
    """
    if isinstance(what, bool) or what is None:
        raise InputError(f"cannot open {what!r}; a source is {_WHAT}")
    if isinstance(what, int):
        return CameraSource(what)
    if isinstance(what, str | os.PathLike):
        return _from_text(os.fspath(what))
    if isinstance(what, Iterable):
        return ArraySource(what)
    raise InputError(f"cannot open a {type(what).__name__}; a source is {_WHAT}")


def _from_text(text: str) -> Source:
    if not text:
        raise InputError(f"got an empty name; a source is {_WHAT}")
    if text == "clip":
        return VideoSource(clip_path(), "clip")
    path = Path(text)
    if text.isdecimal() and not path.exists():
        return CameraSource(int(text))
    if "://" in text:
        raise InputError(f"{text!r} is an address, which this version does not read; a source is {_WHAT}")
    if path.is_dir():
        return _pictures(files_of_folder(path, PICTURES), text)
    if is_glob(text):
        return _pictures(files_of_glob(text, PICTURES), text)
    if not path.exists():
        raise InputError(f"{text!r} does not exist; a source is {_WHAT}")
    if kind_of(path) == "picture":
        return PictureSource([path], path.name)
    return VideoSource(path)


def _pictures(paths: list[Path], text: str) -> Source:
    if not paths:
        raise InputError(f"{text!r} holds no pictures; known are {', '.join(sorted(PICTURES))}")
    return PictureSource(paths, text)
