"""A video file as a source, decoded by PyAV (FFmpeg): as players show it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau.sources.av_picture import reformatted
from edgeau.sources.check_frame import check_size, most_pixels
from edgeau.sources.container_end import is_cut
from edgeau.sources.deinterlacing import deinterlace
from edgeau.sources.display_colours import KNOWN_MATRICES, display_colours, is_srgb_like
from edgeau.sources.film_header import Crop, dolby_only, read_film_headers
from edgeau.sources.frame import Frame
from edgeau.sources.matroska_crop import read_matroska_crops
from edgeau.sources.orientation import UPRIGHT, orient, orientation_of_matrix, square_size
from edgeau.sources.source import Source

__all__ = ["AvVideo", "clock_start_s"]

# A cover picture in a sound file is a video stream with this disposition (AV_DISPOSITION_ATTACHED_PIC).
_COVER = 0x400
# FFmpeg's number for colours of an unknown standard. Players then take BT.709 from this height on, else BT.601.
_UNKNOWN_COLOURS, _HIGH_DEFINITION = 2, 720
# Transfers that are neither a gamma near sRGB's nor of high dynamic range: linear, logarithms, digital cinema.
_STRANGE_TRANSFERS = (8, 9, 10, 17)
# Containers of broadcasting, whose clocks start anywhere; all others mean the time that they give.
_ANY_START = ("mpegts", "mpeg")


class AvVideo(Source):
    """The frames of a video file, each once, in order, with the file's own times, as a player shows them.

    Turned and mirrored as the file says, cut to its clean aperture, pixels made square, only the part that an edit list shows,
    colours by the file's own matrix and range, high dynamic range and wide gamuts brought to sRGB, interlaced frames
    deinterlaced. Of several films in one file it is the default one, as in players.

    Damaged frames are passed over; the times show the gap. After the last frame the damage is reported.

    Args:
        path: path of the file.
        name: for people; None takes the file's.

    Raises:
        InputError: the file cannot be opened as a video, holds only sound, or has larger frames than
            :func:`~edgeau.sources.check_frame.most_pixels`; from the iterator, when its colours are of a kind that cannot be
            shown; and after the last frame, when frames were damaged or the file was cut short.
    """

    def __init__(self, path: Path, name: str | None = None) -> None:
        self.name = name or path.name
        self._path = path
        self._shown_path = repr(os.fspath(path))
        self._file: BinaryIO | None = None
        # FFmpeg crashes where a file is closed in one thread while another decodes it: whoever closes waits for the picture.
        self._decoding, self._closed = threading.Lock(), False
        self._container = self._open()
        try:
            self._stream = self._video_stream()
            self._crop = self._stated_crop()
            context = self._codec_context()
            check_size(context.width, context.height, self._shown_path)
            # Frames may grow on the way: the decoder refuses them before it takes memory for them.
            context.options = {"max_pixels": str(most_pixels())}
        except BaseException:
            self.close()
            raise
        # Frames are decoded ahead in FFmpeg's threads, while what was given is looked at.
        self._stream.thread_type = "AUTO"
        rate = self._stream.average_rate or self._stream.guessed_rate
        self.fps = float(rate) if rate and 0 < rate < 10_000 else None
        self.length = self._expected_length()
        # The stream's: a codec's own is missing for VP8 and VP9.
        self._pixel_aspect: Fraction = self._stream.sample_aspect_ratio or Fraction(1)
        self._shift_s = clock_start_s(self._container)
        self.is_damaged = False
        self._rotation: float | None = None
        self._turn = UPRIGHT

    def __iter__(self) -> Iterator[Frame]:
        delivered, time_s = 0, -1.0
        for picture in deinterlace(self._pictures()):
            time_s = self._time_s(picture, time_s)
            yield Frame(delivered, time_s, self._image(picture), f"{self.name} frame {delivered}")
            delivered += 1
        if not self._closed:
            self._report(delivered)

    def close(self) -> None:
        """Release the file, after the picture that another thread may be decoding; whoever iterates gets no more."""
        with self._decoding:
            self._closed = True
            self._container.close()
            if self._file is not None:
                self._file.close()

    def _codec_context(self) -> Any:
        context = self._stream.codec_context
        if context is None:
            raise InputError(
                f"{self._shown_path} is not a video that can be decoded: its codec is not supported, or the file is damaged"
            )
        return context

    def _open(self) -> Any:
        import av

        # FFmpeg would take some names for addresses or lists of files, and lists may name others: this is one file.
        address: Any = f"file:{self._path}"
        try:
            address.encode("utf-8")
        except UnicodeEncodeError:
            self._file = address = self._path.open("rb")  # a name that is not UTF-8: PyAV reads what is open
        try:
            # Titles and comments are in any alphabet, whatever the format says of it; none is shown here.
            return av.open(address, metadata_errors="replace", options={"protocol_whitelist": "file"})
        except av.error.FFmpegError as error:
            if self._file is not None:
                self._file.close()
            raise InputError(
                f"{self._shown_path} is neither a picture nor a video that FFmpeg can read, or it is damaged "
                f"({error.strerror})"
            ) from error

    def _pictures(self) -> Iterator[Any]:
        """Whole decoded frames; what is damaged is left out and remembered."""
        import av

        started = False
        packets = self._container.demux(self._stream)
        while True:
            with self._decoding:
                if self._closed:
                    return
                try:
                    packet = next(packets, None)
                except av.error.FFmpegError:
                    self.is_damaged = True
                    return
                if packet is None:
                    return
                # Before the first whole picture there is nothing to lose: recordings of broadcasts start in the middle.
                self.is_damaged |= packet.is_corrupt
                try:
                    pictures = packet.decode()
                except av.error.FFmpegError:
                    self.is_damaged |= started
                    continue
            for picture in pictures:
                if picture.is_corrupt:
                    self.is_damaged = True
                    continue
                started = True
                yield picture

    def _image(self, picture: Any) -> NDArray[np.uint8]:
        import av

        colours = int(picture.colorspace)
        if colours == _UNKNOWN_COLOURS:
            colours = 1 if picture.height >= _HIGH_DEFINITION else 5
        transfer, primaries = int(picture.color_trc), int(picture.color_primaries)
        if colours not in KNOWN_MATRICES or transfer in _STRANGE_TRANSFERS:
            raise InputError(
                f"{self._shown_path} has colours that are not supported (matrix {colours}, transfer {transfer} of ITU-T "
                "H.273); convert it to BT.709"
            )
        plain = is_srgb_like(transfer, primaries)
        width, height = square_size(picture.width, picture.height, self._pixel_aspect)
        if self._crop is not None:  # cut first, stretched after
            width, height = picture.width, picture.height
        try:
            shown = reformatted(
                picture,
                width=width,
                height=height,
                format="bgr24" if plain else "bgr48le",
                src_colorspace=colours,
                interpolation="BICUBIC",
            )
        except av.error.FFmpegError as error:
            raise InputError(
                f"{self._shown_path} has a pixel format that is not supported ({picture.format.name}): {error.strerror}"
            ) from error
        image: NDArray[Any] = shown.to_ndarray()
        if self._crop is not None:
            image = self._crop.of(image)
            size = square_size(image.shape[1], image.shape[0], self._pixel_aspect)
            if size != (image.shape[1], image.shape[0]):
                image = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
        if not plain:
            image = display_colours(image, transfer, primaries)
        return orient(image, self._orientation(picture))

    def _orientation(self, picture: Any) -> int:
        # Looking into a frame's side data ties frame and data into a circle, and such frames stay in memory until Python
        # looks for circles: some hundred megabytes. The rotation alone does not, and tells when the matrix is another one.
        if picture.rotation != self._rotation:
            self._rotation = picture.rotation
            matrix = picture.side_data.get("DISPLAYMATRIX")
            numbers = None if matrix is None else np.frombuffer(bytes(matrix)[:36], np.int32).tolist()
            self._turn = UPRIGHT if numbers is None else orientation_of_matrix(numbers)
        return self._turn

    def _video_stream(self) -> Any:
        kind = self._container.format.name
        if kind.endswith("_pipe") or kind.startswith("image2"):  # to FFmpeg a film of one frame
            raise InputError(
                f"{self._shown_path} is a picture in a format that is not supported ({kind.removesuffix('_pipe')}); "
                "save it as JPEG or PNG"
            )
        films = self._films()
        if films:
            best = self._container.streams.best("video")
            return best if best in films else films[0]
        what = "it is sound" if self._container.streams.audio else "it holds something else"
        if self._container.streams.video:
            what += " with a cover picture"
        raise InputError(f"{self._shown_path} has no video in it: {what}")

    def _films(self) -> list[Any]:
        return [stream for stream in self._container.streams.video if not int(stream.disposition) & _COVER]

    def _stated_crop(self) -> Crop | None:
        """The crop that the container states, which FFmpeg reads and PyAV does not hand on; that of the codec is applied.

        Raises:
            InputError: the container says that the colours are Dolby Vision's own.
        """
        films, headers = self._films(), read_film_headers(self._path)
        place = films.index(self._stream)
        if len(headers) == len(films) and headers[place].is_dolby_only:
            raise InputError(dolby_only(self._shown_path))
        crops = [header.crop for header in headers] or read_matroska_crops(self._path)
        return crops[place] if len(crops) == len(films) else None

    def _expected_length(self) -> int | None:
        """Frames by the index, but no more than fit into the time that is shown."""
        known = [self._stream.frames] if self._stream.frames else []
        if self.fps and self._stream.duration and self._stream.time_base:
            known.append(round(float(self._stream.duration * self._stream.time_base) * self.fps))
        elif self.fps and self._container.duration:
            known.append(round(self._container.duration / 1e6 * self.fps))
        return min(known) if known and min(known) > 0 else None

    def _time_s(self, picture: Any, before: float) -> float:
        """The file's time of a frame; where a container has none, the rate's."""
        time_s = before if picture.time is None else picture.time - self._shift_s
        if time_s > before:
            return max(time_s, 0.0)
        return max(before, 0.0) + (1 / self.fps if self.fps and before >= 0 else 0.0)

    def _is_cut(self) -> bool:
        try:
            return is_cut(self._path)
        except OSError as error:
            raise InputError(
                f"{self._shown_path} was taken away while it was read, so that nobody can tell whether it is whole: "
                f"{error.strerror or error}"
            ) from error

    def _report(self, delivered: int) -> None:
        if delivered == 0:
            raise InputError(f"{self._shown_path} opens as a video but none of its frames can be decoded")
        if self.is_damaged or self._is_cut():
            promised = self._stream.frames or self.length or 0
            of = f" of {promised}" if promised >= delivered else ""
            raise InputError(
                f"{self._shown_path} is damaged or cut short: {delivered}{of} frames could be read"
            )


def clock_start_s(container: Any) -> float:
    """The time on the clock of an opened file at which it begins to be shown, seconds: what is taken from the times of its pictures and sound.

    Args:
        container: of PyAV.
    """
    start = container.start_time
    if start is None:
        return 0.0
    # A film that begins before its clock's zero is shown from its beginning.
    start_s = float(start / 1e6)
    return start_s if container.format.name in _ANY_START else min(start_s, 0.0)
