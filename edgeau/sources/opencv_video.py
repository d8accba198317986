"""A video file as a source, decoded by OpenCV, for machines without PyAV: what its file says of turning is applied here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau._system.install_lines import extra_line
from edgeau.errors import DependencyError, InputError
from edgeau.sources.check_frame import check_size
from edgeau.sources.display_colours import KNOWN_MATRICES, is_srgb_like
from edgeau.sources.film_header import FilmHeader, dolby_only, read_film_headers
from edgeau.sources.frame import Frame
from edgeau.sources.orientation import orient, square_size
from edgeau.sources.source import Source

__all__ = ["OpenCvVideo"]

# Containers that have no way to say that a video is turned, or that only a part is to be shown.
_PLAIN = (".avi", ".gif", ".mjpeg", ".mjpg")

# A decoder that stumbles over damaged bytes gives up on one frame and goes on with the next: only this many refusals in
# a row mean that nothing more will come. Ours.
_REFUSALS = 20
# Containers without an index only estimate their number of frames. A shortage within this share, and one frame, says
# nothing about damage. Ours.
_ESTIMATE = 0.005


class OpenCvVideo(Source):
    """The frames of a video file, each once, in order, with the file's own times.

    Damaged frames are passed over; the times show the gap. After the last frame the damage is reported.

    Args:
        path: path of the file.
        name: for people; None takes the file's.

    Raises:
        DependencyError: only PyAV can show this file as players do.
        InputError: the file cannot be opened as a video; and from the iterator, after the last frame, when frames were
            damaged or the file ends before the number of frames that it promises.
    """

    def __init__(self, path: Path, name: str | None = None) -> None:
        self.name = name or path.name
        self._path = path
        self._header = _header(path)
        # A file that is closed in one thread while another decodes it crashes: whoever closes waits for the picture.
        self._decoding = threading.Lock()
        self._capture = _open(path)
        # Releases of OpenCV differ in what they turn by themselves; none may, since it is done here.
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        # BGR of 8 bits, whatever the file has and the release does by itself.
        self._capture.set(cv2.CAP_PROP_CONVERT_RGB, 1)
        width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        check_size(width, int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT)), repr(str(path)))
        count, fps = self._capture.get(cv2.CAP_PROP_FRAME_COUNT), self._capture.get(cv2.CAP_PROP_FPS)
        self.length = int(count) if 0 < count < 1e9 else None
        self.fps = fps if 0 < fps < 1e4 else None

    def __iter__(self) -> Iterator[Frame]:
        delivered = refusals = 0
        time_s = -1.0
        while refusals < _REFUSALS and not self._complete(delivered, refusals):
            with self._decoding:
                if not self._capture.isOpened():
                    return
                ok, image = self._capture.read()
                time_s = self._time_s(time_s) if ok else time_s
            if not ok:
                refusals += 1
                continue
            self.is_damaged |= refusals > 0
            refusals = 0
            yield Frame(delivered, time_s, self._shown(image), f"{self.name} frame {delivered}")
            delivered += 1
        self._report(delivered)

    def close(self) -> None:
        """Release the file, after the picture that another thread may be decoding; whoever iterates gets no more."""
        with self._decoding:
            self._capture.release()

    def _shown(self, image: NDArray[Any]) -> NDArray[np.uint8]:
        if self._header.crop is not None:
            image = self._header.crop.of(image)
        size = square_size(image.shape[1], image.shape[0], self._header.pixel_aspect)
        if size != (image.shape[1], image.shape[0]):
            image = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
        return orient(image, self._header.orientation)

    def _complete(self, delivered: int, refusals: int) -> bool:
        return refusals > 0 and self.length is not None and delivered >= self.length

    def _time_s(self, before: float) -> float:
        """The file's time of the frame just read; where a container has none, the rate's."""
        time_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if time_s > before:
            return time_s
        return max(before, 0.0) + (1 / self.fps if self.fps and before >= 0 else 0.0)

    def _report(self, delivered: int) -> None:
        where = f"{str(self._path)!r}"
        if delivered == 0:
            raise InputError(f"{where} opens as a video but none of its frames can be decoded")
        short = self.length is not None and self.length - delivered > max(1, _ESTIMATE * self.length)
        if self.is_damaged or short:
            of = f" of {self.length}" if self.length else ""
            raise InputError(f"{where} is damaged or cut short: {delivered}{of} frames could be read")


def _header(path: Path) -> FilmHeader:
    """Read what the file says of turning and pixels, where OpenCV can show the rest.

    Raises:
        DependencyError: it cannot.
    """
    try:
        headers = read_film_headers(path)
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror or error}") from error
    header = headers[0] if headers else FilmHeader()
    if not headers:
        # An MP4 or MOV without a header is damaged, which opening says.
        if path.suffix.lower() in (*_PLAIN, ".mp4", ".mov", ".m4v"):
            return header
        why = f"{path.suffix or 'this'} files"
    elif header.has_edits:
        why = "a file that shows a part of its film (an edit list)"
    elif header.is_fragmented:
        why = "a fragmented MP4"
    elif len(headers) > 1:
        why = "a file with several films"
    elif header.is_dolby_only:
        raise InputError(dolby_only(repr(str(path))))
    elif header.matrix not in KNOWN_MATRICES or not is_srgb_like(header.transfer, header.primaries):
        why = "films of high dynamic range, a wide gamut or other colours"
    else:
        return header
    raise DependencyError(
        f"{str(path)!r}: {why} are shown as in a player only with PyAV: {extra_line('video')}"
    )


def _open(path: Path) -> cv2.VideoCapture:
    # Naming the decoder keeps OpenCV from taking a file name with digits for a numbered series of pictures.
    ffmpeg = cv2.CAP_FFMPEG in cv2.videoio_registry.getBackends()
    try:
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG if ffmpeg else cv2.CAP_ANY)
    except cv2.error as error:
        raise InputError(f"{str(path)!r} cannot be opened as a video: {error}") from error
    if not capture.isOpened():
        raise InputError(
            f"{str(path)!r} is neither a picture nor a video that OpenCV can read, or it is damaged"
        )
    return capture
