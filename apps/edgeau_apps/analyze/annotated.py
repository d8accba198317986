"""Writing annotated pictures and videos."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau._system.install_lines import extra_line
from edgeau.errors import DependencyError, OutputError
from edgeau.sources.av_picture import reformatted
from edgeau_apps.analyze.outputs import refusing

__all__ = ["AnnotatedPicture", "AnnotatedVideo", "PictureWriter", "check_video_writer"]

_log = logging.getLogger(__name__)

# Ticks a second of the times in the file: film rates and milliseconds are near enough to whole numbers of them.
_TICKS = 90_000
_QUALITY = {"preset": "veryfast", "crf": "20"}
# Sound that MP4 files hold and browsers play: copied. Any other is coded anew as AAC, which has these rates (ISO/IEC 14496-3).
_SOUND = ("aac", "mp3", "opus", "flac", "alac", "ac3", "eac3")
_AAC_RATES = (
    96_000,
    88_200,
    64_000,
    48_000,
    44_100,
    32_000,
    24_000,
    22_050,
    16_000,
    12_000,
    11_025,
    8_000,
    7_350,
)
# The shortest time between two frames, a millisecond. Ours.
_STEP = _TICKS // 1000
# Rate of a video whose source does not say its own, frames a second. Ours.
_FPS = 25.0


class PictureWriter(Protocol):
    """Takes annotated pictures, uint8 BGR."""

    def write(self, picture: NDArray[np.uint8], time_s: float) -> None:
        """Add one, shown from ``time_s`` on, seconds."""

    def close(self) -> None:
        """Finish the file."""


class AnnotatedPicture:
    """One picture; the suffix of the path says in which format."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, picture: NDArray[np.uint8], time_s: float) -> None:
        """Write it."""
        del time_s
        ok, data = cv2.imencode(self._path.suffix, picture)
        if not ok:
            raise OutputError(f"this OpenCV cannot write {self._path.suffix} pictures")
        with refusing(self._path.parent):
            self._path.write_bytes(data.tobytes())

    def close(self) -> None:
        """Nothing is held."""


def check_video_writer() -> None:
    """Refuse at once where annotated videos cannot be written.

    Raises:
        DependencyError: PyAV is missing; OpenCV's wheels write nothing that a browser plays.
    """
    if find_spec("av") is None:
        raise DependencyError(f"annotated videos need PyAV: {extra_line('video')}; or leave --annotate out")


class AnnotatedVideo:
    """An MP4 video that browsers play: H.264 with the frames' own times, and the sound of the input: as it is where MP4 holds it, else as AAC.

    Args:
        path: ends in ``.mp4``.
        sound_of: the input, whose sound goes along; None for none.
        fps: frames a second, from which the last frame gets its length.

    Raises:
        OutputError: it cannot be written; from :meth:`close` too, when what was written does not play back whole.
    """

    def __init__(self, path: Path, sound_of: Path | None, fps: float | None = None) -> None:
        import av

        self._path = path
        self._length = round(_TICKS / (fps or _FPS))
        self._frames = 0
        self._size = (0, 0)
        self._last = -_STEP
        self._error: type[Exception] = av.error.FFmpegError
        self._sound: Iterator[Any] = iter(())
        self._waiting: Any = None
        self._stream: Any = None
        with self._refusing():
            # The index in front, so that a browser begins at once.
            self._file: Any = av.open(os.fspath(path), "w", format="mp4", options={"movflags": "faststart"})
        self._input = _sound_input(sound_of)

    def write(self, picture: NDArray[np.uint8], time_s: float) -> None:
        """Add a frame; one of another size than the first is resized to it."""
        import av

        with self._refusing():
            if self._stream is None:
                self._open(picture.shape[1] // 2 * 2, picture.shape[0] // 2 * 2)
            if picture.shape[1::-1] != self._size:
                picture = np.asarray(cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA), np.uint8)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
            frame = reformatted(frame, format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
            self._last = max(round(time_s * _TICKS), self._last + _STEP)
            frame.pts, frame.time_base = self._last, Fraction(1, _TICKS)
            self._mux(frame)
            self._copy_sound(time_s)
        self._frames += 1

    def close(self) -> None:
        """Finish the file, and read it back."""
        try:
            with self._refusing():
                if self._stream is not None:
                    self._mux(None)
                    self._copy_sound(self._last / _TICKS + 1)
                self._file.close()
        finally:
            if self._input is not None:
                self._input.close()
        if self._frames:
            self._check()

    def _open(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._stream = self._file.add_stream("libx264", rate=None, options=_QUALITY)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, _TICKS)
        # What the pixels were made with, so that players need not guess.
        context = self._stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = 1, 1, 1, 1
        if self._input is not None:
            self._sound = _sound(self._input, self._file)

    def _mux(self, frame: Any) -> None:
        for packet in self._stream.encode(frame):
            packet.duration = self._length  # counts for the last one only
            self._file.mux(packet)

    def _copy_sound(self, until_s: float) -> None:
        """The sound up to a time, so that it lies beside its pictures in the file."""
        while True:
            self._waiting = self._waiting or next(self._sound, None)
            if self._waiting is None:
                return
            packet, stream = self._waiting
            if float(packet.dts * packet.time_base) > until_s:
                return
            self._waiting = None
            packet.stream = stream
            self._file.mux(packet)

    def _check(self) -> None:
        """Refuse what a full disk leaves: it would not play, and nobody would notice before looking."""
        import av

        try:
            with av.open(os.fspath(self._path)) as written:
                count = sum(1 for packet in written.demux(video=0) if packet.size)
        except self._error as error:
            raise OutputError(f"the annotated video cannot be read back: {error}") from error
        if count != self._frames:
            raise OutputError(
                f"the annotated video holds {count} of {self._frames} frames; is the disk full?"
            )

    def _refusing(self) -> Any:
        return _Refusing(self._path.parent, self._error)


class _Refusing:
    """FFmpeg's errors on writing, turned into ours."""

    def __init__(self, folder: Path, error: type[Exception]) -> None:
        self._folder, self._error = folder, error

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, (self._error, OSError)):
            why = getattr(error, "strerror", None) or error
            raise OutputError(f"cannot write to {str(self._folder)!r}: {why}") from error


def _sound_input(path: Path | None) -> Any:
    """The input opened for its sound; None where it has none, or, which is said, none that can be read."""
    import av

    if path is None or not path.is_file():
        return None
    try:
        container = av.open(f"file:{path}", metadata_errors="replace", options={"protocol_whitelist": "file"})
    except (av.error.FFmpegError, UnicodeEncodeError):
        _log.warning("%s: its annotated video has no sound: PyAV does not open the file", path)
        return None
    sounds = container.streams.audio
    if sounds and sounds[0].codec_context is not None:
        return container
    if sounds:
        _log.warning("%s: its annotated video has no sound: this FFmpeg has no decoder for it", path)
    container.close()
    return None


def _sound(given: Any, file: Any) -> Iterator[Any]:
    """Packets of the first sound of an opened input, on the clock of its pictures, each with the stream of ``file`` that it is for, which is made here."""
    from edgeau.sources.av_video import clock_start_s

    start_s = clock_start_s(given)
    for packet, stream in _packets(given, file):
        start = round(start_s / packet.time_base)
        packet.dts -= start
        packet.pts = packet.dts if packet.pts is None else packet.pts - start
        yield packet, stream


def _packets(given: Any, file: Any) -> Iterator[Any]:
    """The same on the clock of the file, which broadcasts begin anywhere."""
    sound = given.streams.audio[0]
    # The canonical name: a decoder's own may be another one ("mp3float").
    if sound.codec_context.codec.canonical_name in _SOUND:
        copy = file.add_stream_from_template(sound)
        return ((packet, copy) for packet in given.demux(sound) if packet.dts is not None)
    rate = min(_AAC_RATES, key=lambda one: abs(one - sound.codec_context.sample_rate))
    coded = file.add_stream("aac", rate=rate)
    coded.layout = "mono" if sound.codec_context.channels == 1 else "stereo"
    return ((packet, coded) for frame in _decoded(given, sound) for packet in coded.encode(frame))


def _decoded(given: Any, sound: Any) -> Iterator[Any]:
    """Frames of a sound, and None behind the last, which tells an encoder to end; a damaged one ends early, which is said."""
    import av

    try:
        yield from given.decode(sound)
    except av.error.FFmpegError as error:
        _log.warning("%s: the sound of its annotated video ends early: %s", given.name, error)
    yield None
