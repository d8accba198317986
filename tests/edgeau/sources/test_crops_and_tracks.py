"""What a container says to show: a part of each picture, one of several films; and how large it may be."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau.errors import DependencyError, InputError
from edgeau.sources import open_source
from edgeau.sources import video as video_module
from edgeau.sources.container_end import is_cut
from edgeau.sources.film_header import read_film_headers
from edgeau.sources.matroska_crop import read_matroska_crops
from tests.edgeau.sources.films import (
    HEIGHT,
    MPEG,
    WIDTH,
    count_and_error,
    ffmpeg,
    film,
    picture,
    times_and_images,
)

needs_av = pytest.mark.skipif(not video_module.find_spec("av"), reason="PyAV is not installed")


def without_pyav(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_module, "find_spec", lambda _: None)


def in_entry(plain: Path, changed: Path, box: bytes) -> Path:
    """A copy of an MP4 whose header is its last box, with one more box in the description of its pictures."""
    data = plain.read_bytes()
    for parent in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"mp4v"):
        start = data.index(parent) - 4
        (size,) = struct.unpack_from(">I", data, start)
        data = data[:start] + struct.pack(">I", size + len(box)) + data[start + 4 :]
        end = start + size
    changed.write_bytes(data[:end] + box + data[end:])
    return changed


def clean_aperture(width: int, height: int, right: float, down: float) -> bytes:
    """A ``clap`` box: the size of what is shown, and how far its middle lies from the picture's."""
    numbers = (width, 1, height, 1, int(2 * right), 2, int(2 * down), 2)
    return struct.pack(">I4s8i", 40, b"clap", *numbers)


@pytest.mark.parametrize("decoder", ["pyav", "opencv"])
@pytest.mark.parametrize(
    ("aperture", "left", "top"),
    [((100, 80, 0, 0), 30, 20), ((100, 80, -30, 20), 0, 40), ((101, 81, 0.5, -0.5), 30, 19)],
)
def test_the_clean_aperture_is_shown(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    decoder: str,
    aperture: tuple[int, int, float, float],
    left: int,
    top: int,
) -> None:
    if decoder == "opencv":
        without_pyav(monkeypatch)
    else:
        pytest.importorskip("av")
    plain = film(tmp_path / "plain.mp4", count=3)
    whole = times_and_images(plain)[1][0]
    path = in_entry(plain, tmp_path / "a.mp4", clean_aperture(*aperture))
    shown = times_and_images(path)[1][0]
    assert shown.shape[:2] == (aperture[1], aperture[0])
    assert (shown == whole[top : top + aperture[1], left : left + aperture[0]]).all()


@needs_av
def test_cut_first_stretched_then_turned_last(tmp_path: Path) -> None:
    plain = film(tmp_path / "plain.mp4", "-vf", "setsar=2/1", *MPEG, count=3)
    ffmpeg("-i", plain, "-c", "copy", "-metadata:s:v:0", "rotate=90", tmp_path / "turned.mp4")
    path = in_entry(tmp_path / "turned.mp4", tmp_path / "a.mp4", clean_aperture(100, 80, 0, 0))
    shown = times_and_images(path)[1][0]
    stretched = cv2.resize((picture() // 2)[20:100, 30:130], (200, 80), interpolation=cv2.INTER_CUBIC)
    right = min(
        (np.abs(shown.astype(int) - np.rot90(stretched, turns)).mean() for turns in (1, 3)),
    )
    assert shown.shape[:2] == (200, 80)
    assert right < 6


@pytest.mark.parametrize("aperture", [(0, 80, 0, 0), (400, 80, 0, 0), (100, 80, 90, 0), (160, 120, 0, 0)])
def test_an_aperture_without_sense_shows_all(tmp_path: Path, aperture: tuple[int, int, int, int]) -> None:
    path = in_entry(film(tmp_path / "plain.mp4", count=2), tmp_path / "a.mp4", clean_aperture(*aperture))
    assert times_and_images(path)[1][0].shape[:2] == (HEIGHT, WIDTH)


def sized(identity: bytes, content: bytes) -> bytes:
    """An element of Matroska with a size of eight bytes."""
    return identity + (0x0100000000000000 | len(content)).to_bytes(8, "big") + content


def with_more(data: bytes, inside: list[bytes], more: bytes) -> bytes:
    """Elements of Matroska with more of them at the end of an inner one."""
    if not inside:
        return data + more
    place = 0
    while place < len(data):
        name = data[place : place + 9 - data[place].bit_length()]
        sizes = place + len(name)
        content = sizes + 9 - data[sizes].bit_length()
        size = int.from_bytes(data[sizes:content], "big") - (1 << 7 * (content - sizes))
        if size == (1 << 7 * (content - sizes)) - 1:  # the segment of a film that was piped
            size = len(data) - content
        if name == inside[0]:
            changed = sized(name, with_more(data[content : content + size], inside[1:], more))
            return data[:place] + changed + data[content + size :]
        place = content + size
    raise AssertionError(inside)


@needs_av
@pytest.mark.parametrize("suffix", [".mkv", ".webm"])
@pytest.mark.parametrize("aspect", ["1/1", "2/1"])
def test_the_crop_of_matroska_is_shown(tmp_path: Path, suffix: str, aspect: str) -> None:
    codec = ("-c:v", "libvpx", "-b:v", "2M") if suffix == ".webm" else MPEG
    plain = film(tmp_path / f"plain{suffix}", "-vf", f"setsar={aspect}", *codec, count=3)
    kind = "webm" if suffix == ".webm" else "matroska"
    piped = ffmpeg("-i", plain, "-c", "copy", "-f", kind, "-")
    sides = {b"\x54\xbb": 10, b"\x54\xaa": 20, b"\x54\xcc": 30, b"\x54\xdd": 40}  # top, bottom, left, right
    more = b"".join(sized(identity, bytes([value])) for identity, value in sides.items())
    if aspect == "2/1":  # what is displayed is what is left of the picture
        more += sized(b"\x54\xb0", bytes([180])) + sized(b"\x54\xba", bytes([90]))
    inside = [b"\x18\x53\x80\x67", b"\x16\x54\xae\x6b", b"\xae", b"\xe0"]
    path = tmp_path / f"a{suffix}"
    path.write_bytes(with_more(piped, inside, more))
    shown = times_and_images(path)[1][0]
    right = (picture() // 2)[10:100, 30:120]
    if aspect == "2/1":
        right = cv2.resize(right, (180, 90), interpolation=cv2.INTER_CUBIC)
    assert shown.shape == right.shape
    assert np.abs(shown.astype(int) - right).mean() < 6


def two_films(path: Path, *disposition: str) -> Path:
    """A small dark film, and a larger bright one."""
    dark, bright = (
        ("-f", "lavfi", "-i", "color=black:s=160x120:d=0.2:r=25"),
        ("-f", "lavfi", "-i", "color=white:s=320x240:d=0.2:r=25"),
    )
    ffmpeg(*dark, *bright, "-map", "0", "-map", "1", *MPEG, *disposition, path)
    return path


@needs_av
@pytest.mark.parametrize(
    ("suffix", "disposition", "width"),
    [
        (".mkv", ("-disposition:v:0", "default", "-disposition:v:1", "0"), 160),
        (".mkv", ("-disposition:v:0", "0", "-disposition:v:1", "default"), 320),
    ],
)
def test_of_several_films_the_default_one_is_shown(
    tmp_path: Path, suffix: str, disposition: tuple[str, ...], width: int
) -> None:
    images = times_and_images(two_films(tmp_path / f"a{suffix}", *disposition))[1]
    assert (len(images), images[0].shape[1]) == (5, width)


def test_several_films_without_pyav_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = two_films(tmp_path / "a.mp4")
    without_pyav(monkeypatch)
    with pytest.raises(DependencyError, match=r"several films.*edgeau\[video\]"):
        open_source(path)


@needs_av
def test_frames_that_grow_beyond_the_limit_are_never_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, large = (
        film(tmp_path / f"{size}.ts", "-vf", f"scale={size}", "-c:v", "mpeg2video")
        for size in ("160:120", "640:480")
    )
    path = tmp_path / "a.ts"
    path.write_bytes(small.read_bytes() + large.read_bytes())
    monkeypatch.setenv("EDGEAU_MAX_PIXELS", "100000")
    count, error = count_and_error(path)
    assert 20 < count <= 25
    assert "damaged" in error


@pytest.mark.parametrize("decoder", ["pyav", "opencv"])
def test_a_film_beyond_the_limit_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decoder: str
) -> None:
    if decoder == "opencv":
        without_pyav(monkeypatch)
    path = film(tmp_path / "a.mp4", count=2)
    monkeypatch.setenv("EDGEAU_MAX_PIXELS", "19199")
    with pytest.raises(InputError, match=r"160 x 120 pixels.*EDGEAU_MAX_PIXELS"):
        open_source(path)


def dolby_configuration(profile: int, compatible: int) -> bytes:
    """A ``dvcC`` box (Dolby Vision Streams Within the ISO Base Media File Format, section 3.2)."""
    return struct.pack(">I4sBBBBB19x", 32, b"dvcC", 1, 0, profile << 1, 0b101, compatible << 4)


@pytest.mark.parametrize("decoder", ["pyav", "opencv"])
@pytest.mark.parametrize(("profile", "compatible"), [(5, 0), (8, 4), (8, 1)])
def test_colours_of_dolby_vision_alone_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decoder: str, profile: int, compatible: int
) -> None:
    if decoder == "opencv":
        without_pyav(monkeypatch)
    else:
        pytest.importorskip("av")
    plain = film(tmp_path / "plain.mp4", count=2)
    path = in_entry(plain, tmp_path / "a.mp4", dolby_configuration(profile, compatible))
    if profile == 5:
        with pytest.raises(InputError, match=r"not supported \(Dolby Vision"):
            open_source(path)
    else:
        assert count_and_error(path) == (2, "")


class Counted(io.FileIO):
    """A file that counts how often it is read."""

    reads = 0

    def read(self, *size: int) -> bytes:
        Counted.reads += 1
        return super().read(*size)


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (b"\0\0\0\x08ftyp" + b"\0\x0f\x42\x48moov" + b"\0\0\0\x08free" * 125_000, read_film_headers),
        (b"\0\0\0\x08ftyp" + b"\0\x0f\x42\x48moov" + b"\0\0\0\x08trak" * 125_000, read_film_headers),
        (
            b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01" + b"\xff" * 7 + b"\xec\x80" * 500_000,
            read_matroska_crops,
        ),
        (b"\x1a\x45\xdf\xa3\x80" * 200_000, is_cut),
        (b"RIFF\4\0\0\0AVI " * 80_000, is_cut),
    ],
)
def test_a_file_of_nothing_but_heads_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch, content, read
) -> None:
    """A megabyte of them took a third of a second, a gigabyte minutes."""
    path = tmp_path / "heads"
    path.write_bytes(content)
    monkeypatch.setattr(Path, "open", lambda self, _: Counted(self))
    Counted.reads = 0
    read(path)
    assert 2 <= Counted.reads < 50_000
