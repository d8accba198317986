"""One call that opens every source."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Union

import numpy as np
from numpy.typing import NDArray

from edgeau._system.address_text import without_secrets
from edgeau._system.did_you_mean import did_you_mean
from edgeau.errors import InputError, UsageError
from edgeau.sources.camera import CameraSource, board
from edgeau.sources.clip import clip_path
from edgeau.sources.frame import Frame
from edgeau.sources.jetson_camera import ArgusSource
from edgeau.sources.kinds import PICTURES, files_of_folder, files_of_glob, is_glob, kind_of, picture_series
from edgeau.sources.network_stream import SCHEMES, NetworkStream
from edgeau.sources.paced import PacedSource
from edgeau.sources.pictures import ArraySource, PictureSource
from edgeau.sources.raspberry_camera import Picamera2Source
from edgeau.sources.reconnecting import ReconnectingSource
from edgeau.sources.source import Source
from edgeau.sources.video import open_video

__all__ = ["open_source"]

_log = logging.getLogger(__name__)

_SHOWN = 5  # names in a line

_WHAT = (
    'a picture, a video, a folder or pattern of pictures, a camera number, "picamera2", "argus", an rtsp:// or http:// '
    'address, an iterable of frames, or "clip"'
)

# Words that are sources by themselves.
_NAMES = ("clip", "picamera2", "argus", "csi")

What = Union[str, "os.PathLike[str]", int, "Iterable[NDArray[np.uint8] | Frame]"]
_Size = tuple[int, int]
_CSI = re.compile(r"(picamera2|argus|csi)(?::(\d+))?")
_NUMBER, _DEVICE = re.compile(r"\d{1,9}"), re.compile(r"/dev/video(\d+)")


def open_source(
    what: What,
    *,
    real_time: bool = False,
    repeat: bool = False,
    fps: float | None = None,
    size: tuple[int, int] | None = None,
    reconnect: bool = True,
    sequence: bool = False,
) -> Source:
    """Open a source of frames.

    Args:
        what: a picture or video file; a folder of pictures (only those directly in it, in natural order of their names);
            a pattern such as ``"faces/*.png"`` or ``"faces/**/*.png"``; a camera's number, also as text or as
            ``"/dev/video0"``; the camera on a board's ribbon cable, ``"picamera2"`` (Raspberry Pi), ``"argus"`` (Jetson)
            or ``"csi"`` (whichever this board is), a second one as ``"picamera2:1"``; an address of a stream, ``rtsp://``
            or ``http://`` (MJPEG); an iterable of BGR arrays or :class:`~edgeau.sources.Frame`; or ``"clip"``, the
            packaged clip (a file of that name is ``"./clip"``).
        real_time: play a file or an iterable at its own rate, as a camera would give it: frames that are not taken in
            time are lost.
        repeat: with ``real_time``, start a file again at its end, without limit.
        fps: frames a second: to ask a camera for, or to play at with ``real_time``, or that give an iterable's arrays
            their times. None takes the source's own.
        size: width and height in pixels to ask a camera for.
        reconnect: whether a camera or stream that dies is opened again, after longer and longer waits, until it answers
            (:class:`~edgeau.sources.reconnecting.ReconnectingSource`). Without, its iterator raises.
        sequence: a folder, a pattern or ``"frames/%04d.png"`` is one film, its pictures being the frames, ``fps`` of them a
            second (25).

    Returns:
        A source, to be used in ``with`` and iterated once. It holds one frame in memory at a time.

    Raises:
        InputError: it does not exist, is neither picture nor video, is damaged, or nothing answers there.
        DependencyError: this camera needs a package that is not there.
        UsageError: an option does not fit the source.
    """
    if fps is not None and not fps > 0:
        raise UsageError(f"fps must be more than 0, got {fps!r}")
    if isinstance(what, str | os.PathLike):
        _check_name(os.fspath(what))
    if sequence:
        if not isinstance(what, str | os.PathLike) or real_time or repeat or size is not None:
            raise UsageError("sequence is for a folder or pattern of pictures, and goes with fps only")
        text = os.fspath(what)
        series = picture_series(text)
        _tell(text, series.left_out)
        return PictureSource(series.files, text, fps or 25.0, series.places)
    camera = _camera(what, size, fps)
    shown = without_secrets(what) if isinstance(what, str) else what
    if camera is not None:
        if real_time or repeat:
            raise UsageError(f"{shown!r} is live already; real_time and repeat are for files")
        return ReconnectingSource(camera) if reconnect else camera()
    if size is not None:
        raise UsageError(f"size is for cameras; {shown!r} has the size that it has")
    if repeat and not (real_time and isinstance(what, str | os.PathLike)):
        raise UsageError("repeat is for files that are played with real_time")
    if real_time:
        return PacedSource(partial(_file_or_frames, what, fps), fps=fps, repeat=repeat)
    return _file_or_frames(what, fps)


def _check_name(text: str) -> None:
    """Refuse a name that the system cannot look up: too long, a circle of links, in a folder that is closed to this user."""
    if "://" in text:
        return
    try:
        Path(text).stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # said with what there is instead
        pass
    except OSError as error:
        raise InputError(f"{without_secrets(text)!r} cannot be read: {error.strerror or error}") from error


def _camera(what: What, size: _Size | None, fps: float | None) -> Callable[[], Source] | None:
    """Find the function that opens a live source; None when it is no such source."""
    if isinstance(what, bool):
        return None
    if isinstance(what, int):
        return partial(CameraSource, what, size, fps)
    if isinstance(what, os.PathLike):
        what = os.fspath(what)
        return _camera(what, size, fps) if what.startswith("/dev/") else None
    if not isinstance(what, str):
        return None
    if _device(what) is not None:
        # Looked up again at every opening: a camera that is plugged in again may have another number.
        return lambda: CameraSource(_device(what) or 0, size, fps)
    if csi := _CSI.fullmatch(what):
        kind = csi[1] if csi[1] != "csi" else ("argus" if board() == "jetson" else "picamera2")
        source = ArgusSource if kind == "argus" else Picamera2Source
        return partial(source, int(csi[2] or 0), size, fps)
    return _stream(what, size) if "://" in what else None


def _device(text: str) -> int | None:
    """The number of a camera that is given as text."""
    if _NUMBER.fullmatch(text) and not Path(text).exists():
        return int(text)
    if not text.startswith("/dev/"):
        return None
    device = _DEVICE.fullmatch(str(Path(text).resolve()))  # /dev/v4l/by-id/... links to one
    return int(device[1]) if device else None


def _stream(address: str, size: _Size | None) -> Callable[[], Source]:
    if address.partition("://")[0].lower() not in SCHEMES:
        raise InputError(
            f"{without_secrets(address)!r} has a scheme that is not supported; supported are {', '.join(SCHEMES)}"
        )
    if size is not None:
        raise UsageError("a stream has the size that its server gives; choose another of its addresses")
    return partial(NetworkStream, address)


def _file_or_frames(what: What, fps: float | None) -> Source:
    if isinstance(what, bool) or what is None:
        raise InputError(f"cannot open {what!r}; a source is {_WHAT}")
    if isinstance(what, str | os.PathLike):
        return _from_text(os.fspath(what))
    if isinstance(what, Iterable):
        return ArraySource(what, fps or 30.0)
    raise InputError(f"cannot open a {type(what).__name__}; a source is {_WHAT}")


def _beside(path: Path) -> list[str]:
    """Names of what lies where a file was looked for, as far as this user may see it."""
    folder = path.parent
    try:
        return [str(folder / one.name) for one in folder.iterdir()]
    except OSError:
        return []


def _from_text(text: str) -> Source:
    if not text:
        raise InputError(f"got an empty name; a source is {_WHAT}")
    if text == "clip":
        return open_video(clip_path(), "clip")
    path = Path(text)
    if path.is_dir():
        return _pictures(files_of_folder(path, None), text)
    if is_glob(text):
        return _pictures(files_of_glob(text, None), text)
    if not path.exists():
        raise InputError(
            f"{without_secrets(text)!r} does not exist; {did_you_mean(text, (*_NAMES, *_beside(path)))}a source is {_WHAT}"
        )
    if kind_of(path) == "picture":
        return PictureSource([path], path.name)
    return open_video(path)


def _pictures(every: list[Path], text: str) -> Source:
    paths = [path for path in every if path.suffix.lower() in PICTURES]
    if not paths:
        raise InputError(f"{text!r} holds no pictures; known are {', '.join(sorted(PICTURES))}")
    _tell(text, [path for path in every if path.suffix.lower() not in PICTURES])
    return PictureSource(paths, text)


def _tell(text: str, left_out: list[Path]) -> None:
    """Name what a folder or pattern holds beside pictures: films, and others."""
    if left_out:
        names = ", ".join(path.name for path in left_out[:_SHOWN]) + ", ..." * (len(left_out) > _SHOWN)
        what = "1 file whose suffix is not that of a picture"
        if len(left_out) > 1:
            what = f"{len(left_out)} files whose suffixes are not those of pictures"
        _log.warning("%r: left out %s: %s", text, what, names)
