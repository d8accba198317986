"""Videos are given as players show them: turned, mirrored, with square pixels, the part and the times that the file means."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau.errors import DependencyError, InputError
from edgeau.sources import open_source
from edgeau.sources import video as video_module
from edgeau.sources.orientation import orient
from tests.edgeau.sources.films import (
    COUNT,
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


@pytest.fixture(params=["pyav", "opencv"])
def decoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to decode must show the same."""
    if request.param == "opencv":
        monkeypatch.setattr(video_module, "find_spec", lambda _: None)
    else:
        pytest.importorskip("av")
    return str(request.param)


def with_matrix(path: Path, tagged: Path, matrix: tuple[int, int, int, int]) -> Path:
    """A copy of a film whose header says (ISO/IEC 14496-12, 8.3.2) that pixel (p, q) is seen at (a p + c q, b p + d q)."""
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 4
    a, b, c, d = (65536 * value for value in matrix)
    struct.pack_into(">9i", data, place + (52 if data[place] == 1 else 40), a, b, 0, c, d, 0, 0, 0, 1 << 30)
    tagged.write_bytes(data)
    return tagged


EIGHT = [(1, 0, 0, 1), (-1, 0, 0, 1), (1, 0, 0, -1), (-1, 0, 0, -1)]
EIGHT += [(0, 1, 1, 0), (0, -1, 1, 0), (0, 1, -1, 0), (0, -1, -1, 0)]


@pytest.mark.parametrize("matrix", EIGHT)
@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_turning_and_mirroring_tags_are_applied(
    tmp_path: Path, decoder: str, suffix: str, matrix: tuple[int, int, int, int]
) -> None:
    plain = film(tmp_path / f"plain{suffix}", count=3)
    stored = times_and_images(plain)[1][0]
    q, p = np.mgrid[0:HEIGHT, 0:WIDTH]
    a, b, c, d = matrix
    x, y = a * p + c * q, b * p + d * q
    x, y = x - x.min(), y - y.min()
    right = np.empty((y.max() + 1, x.max() + 1, 3), np.uint8)
    right[y, x] = stored
    image = times_and_images(with_matrix(plain, tmp_path / f"tagged{suffix}", matrix))[1][0]
    assert image.shape == right.shape
    assert (image == right).all(), decoder


@pytest.mark.parametrize(
    ("aspect", "size"), [("64/45", (228, 120)), ("1/2", (160, 240)), ("1/1", (160, 120))]
)
def test_pixels_become_square(tmp_path: Path, decoder: str, aspect: str, size: tuple[int, int]) -> None:
    path = film(tmp_path / "a.mp4", "-vf", f"setsar={aspect}", *MPEG)
    image = times_and_images(path)[1][0]
    assert image.shape[1::-1] == size, decoder
    right = cv2.resize(picture() // 2, size, interpolation=cv2.INTER_CUBIC)
    assert np.abs(image.astype(int) - right).mean() < 5


@needs_av
@pytest.mark.parametrize("suffix", [".mkv", ".webm"])
def test_pixels_of_matroska_become_square(tmp_path: Path, suffix: str) -> None:
    codec = ("-c:v", "libvpx", "-crf", "10", "-b:v", "2M") if suffix == ".webm" else MPEG
    path = film(tmp_path / f"a{suffix}", "-vf", "setsar=4/3", *codec)
    assert times_and_images(path)[1][0].shape[1::-1] == (213, 120)


@needs_av
def test_pixels_and_turning_together(tmp_path: Path) -> None:
    plain = film(tmp_path / "plain.mp4", "-vf", "setsar=4/3", *MPEG, count=2)
    turned = with_matrix(plain, tmp_path / "a.mp4", (0, 1, -1, 0))
    assert times_and_images(turned)[1][0].shape[:2] == (213, 120)


@needs_av
def test_only_the_part_of_an_edit_list_is_shown(tmp_path: Path) -> None:
    plain = film(tmp_path / "plain.mp4", "-c:v", "mpeg4", "-q:v", "1", "-g", "50", count=50)
    ffmpeg("-ss", "0.8", "-i", plain, "-t", "0.6", "-c", "copy", tmp_path / "a.mp4")
    times, images = times_and_images(tmp_path / "a.mp4")
    assert 14 <= len(times) <= 17
    first = picture().mean() / 2 + 2 * 20  # frame 20 is that of 0.8 s
    assert abs(float(images[0].mean()) - first) < 6
    assert times[0] == pytest.approx(0, abs=0.05)


def test_edit_lists_without_pyav_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = film(tmp_path / "plain.mp4", "-c:v", "mpeg4", "-q:v", "1", "-g", "50", count=50)
    ffmpeg("-ss", "0.8", "-i", plain, "-t", "0.6", "-c", "copy", tmp_path / "a.mp4")
    monkeypatch.setattr(video_module, "find_spec", lambda _: None)
    with pytest.raises(DependencyError, match=r"edit list.*edgeau\[video\]"):
        open_source(tmp_path / "a.mp4")


def test_containers_that_opencv_cannot_be_trusted_with_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film(tmp_path / "a.mkv", count=2)
    monkeypatch.setattr(video_module, "find_spec", lambda _: None)
    with pytest.raises(DependencyError, match=r"edgeau\[video\]"):
        open_source(tmp_path / "a.mkv")


@needs_av
def test_a_film_that_starts_late_keeps_its_times_and_is_whole(tmp_path: Path) -> None:
    plain = film(tmp_path / "plain.mkv")
    ffmpeg("-itsoffset", "1.523", "-i", plain, "-c", "copy", tmp_path / "a.mkv")
    times, _ = times_and_images(tmp_path / "a.mkv")
    assert len(times) == COUNT
    assert times[0] == pytest.approx(1.523, abs=0.002)


@needs_av
@pytest.mark.parametrize("suffix", [".ts", ".m2ts"])
def test_the_clock_of_a_broadcast_starts_at_0(tmp_path: Path, suffix: str) -> None:
    times, _ = times_and_images(film(tmp_path / f"a{suffix}", "-c:v", "mpeg2video", "-q:v", "2"))
    assert len(times) == COUNT
    assert times[:2] == pytest.approx([0, 0.04], abs=0.001)


@needs_av
def test_a_broadcast_that_is_joined_in_the_middle_is_not_damaged(tmp_path: Path) -> None:
    path = film(tmp_path / "a.ts", "-c:v", "mpeg2video", "-q:v", "2", "-g", "10", count=50)
    data = path.read_bytes()
    start = len(data) // 3 // 188 * 188
    (tmp_path / "b.ts").write_bytes(data[: 188 * 3] + data[start:])
    count, error = count_and_error(tmp_path / "b.ts")
    assert 15 < count < 50
    assert error == ""


@needs_av
@pytest.mark.parametrize("suffix", [".webm", ".mkv", ".mp4"])
def test_a_variable_rate_gives_the_files_times(tmp_path: Path, suffix: str) -> None:
    codec = ("-c:v", "libvpx", "-b:v", "1M") if suffix == ".webm" else MPEG
    select = "select='lt(n,10)+not(mod(n,5))',setpts=PTS"
    path = film(tmp_path / f"a{suffix}", "-vf", select, "-fps_mode", "vfr", *codec)
    times, _ = times_and_images(path)
    right = [index / 25 for index in range(COUNT) if index < 10 or index % 5 == 0]
    assert times == pytest.approx(right, abs=0.002)
    assert count_and_error(path)[1] == ""


@needs_av
@pytest.mark.parametrize("keep", [0.4, 0.7, 0.95])
@pytest.mark.parametrize("kind", ["faststart", "fragmented", "mkv", "webm", "avi"])
def test_what_is_cut_is_damage(tmp_path: Path, kind: str, keep: float) -> None:
    suffix = {"faststart": ".mp4", "fragmented": ".mp4"}.get(kind, f".{kind}")
    flags = {
        "faststart": ("-movflags", "+faststart"),
        "fragmented": ("-movflags", "+frag_keyframe+empty_moov", "-g", "5"),
    }.get(kind, ())
    codec = ("-c:v", "libvpx", "-b:v", "1M") if kind == "webm" else MPEG
    path = film(tmp_path / f"a{suffix}", *codec, *flags, count=50)
    assert count_and_error(path) == (50, "")
    data = path.read_bytes()
    (tmp_path / f"cut{suffix}").write_bytes(data[: int(len(data) * keep)])
    count, error = count_and_error(tmp_path / f"cut{suffix}")
    assert 0 < count < 50
    assert "cut short" in error


@needs_av
def test_flipped_bytes_are_damage(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", count=50)
    data = bytearray(path.read_bytes())
    for place in range(len(data) // 2, len(data) // 2 + 4000):
        data[place] ^= 0x5A
    path.write_bytes(data)
    count, error = count_and_error(path)
    assert 10 < count < 50
    assert "damaged" in error


@needs_av
def test_sound_is_no_video(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac", tmp_path / "a.m4a")
    with pytest.raises(InputError, match="no video in it"):
        open_source(tmp_path / "a.m4a")


@needs_av
@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".mkv", ("-c:v", "ffv1", "-pix_fmt", "yuv420p10le")),
        (".mkv", ("-c:v", "ffv1", "-pix_fmt", "gray")),
        (".mkv", ("-c:v", "ffv1", "-pix_fmt", "yuv444p")),
        (".avi", ("-c:v", "rawvideo", "-pix_fmt", "rgb24")),
        (".mov", ("-c:v", "png", "-pix_fmt", "rgba")),
        (".mkv", ("-vf", "crop=157:117:0:0", "-c:v", "ffv1", "-pix_fmt", "yuv444p")),
    ],
)
def test_pixel_formats_and_odd_sizes(tmp_path: Path, suffix: str, options: tuple[str, ...]) -> None:
    _, images = times_and_images(film(tmp_path / f"a{suffix}", *options))
    right = picture() // 2
    if "gray" in options:
        right = np.repeat(cv2.cvtColor(right, cv2.COLOR_BGR2GRAY)[:, :, None], 3, 2)
    right = right[: images[0].shape[0], : images[0].shape[1]]
    assert images[0].shape == right.shape
    assert np.abs(images[0].astype(int) - right).mean() < 8


@needs_av
def test_an_animated_gif_is_a_film(tmp_path: Path) -> None:
    path = film(tmp_path / "a.gif", "-r", "25")
    assert count_and_error(path) == (COUNT, "")


@needs_av
@pytest.mark.parametrize("matrix", ["bt709", "smpte170m", "bt2020nc"])
def test_colours_follow_the_files_matrix(tmp_path: Path, matrix: str) -> None:
    colours = {"bt709": "bt709", "smpte170m": "smpte170m", "bt2020nc": "bt2020"}[matrix]
    convert = f"scale=out_color_matrix={colours}:out_range=tv,format=yuv444p"
    tags = ("-colorspace", matrix, "-color_range", "tv")
    path = film(tmp_path / "a.mkv", "-vf", convert, "-c:v", "ffv1", *tags, count=2)
    assert np.abs(times_and_images(path)[1][0].astype(int) - picture() // 2).mean() < 1.5


@needs_av
def test_a_name_that_is_not_utf8_is_read(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", count=3)
    odd = os.fsencode(tmp_path) + b"/f\xe4ce.mkv"
    path = path.rename(os.fsdecode(odd))
    assert count_and_error(path) == (3, "")


def cases(shared_data: Path) -> Path:
    return shared_data.parent / "cases" / "files"


def test_a_phone_video_is_upright(shared_data: Path, decoder: str) -> None:
    turned, upright = (
        times_and_images(cases(shared_data) / name)[1] for name in ("phone_rot180.mp4", "phone_upright.mp4")
    )
    assert len(turned) == len(upright) == 50
    assert np.abs(turned[10].astype(int) - upright[10]).mean() < 2, decoder
    assert np.abs(orient(turned[10], 3).astype(int) - upright[10]).mean() > 20


def test_pal_is_as_wide_as_it_was(shared_data: Path, decoder: str) -> None:
    images = times_and_images(cases(shared_data) / "pal_wide_sar_64_45.mp4")[1]
    assert (len(images), images[0].shape) == (50, (480, 640, 3)), decoder


@needs_av
@pytest.mark.parametrize(
    ("name", "count", "last_s"),
    [("trimmed_without_reencoding.mp4", 27, 1.08), ("variable_rate.webm", 40, 3.8)],
)
def test_whole_files_are_not_called_damaged(shared_data: Path, name: str, count: int, last_s: float) -> None:
    assert count_and_error(cases(shared_data) / name) == (count, "")
    assert times_and_images(cases(shared_data) / name)[0][-1] == pytest.approx(last_s, abs=0.04)


@needs_av
def test_the_cover_of_a_song_is_no_video(shared_data: Path) -> None:
    with pytest.raises(InputError, match="no video in it: it is sound with a cover picture"):
        open_source(cases(shared_data) / "song.m4a")


def test_both_decoders_show_the_clip_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("av")
    with open_source("clip") as source:
        one = [frame for frame, _ in zip(source, range(5), strict=False)]
    monkeypatch.setattr(video_module, "find_spec", lambda _: None)
    with open_source("clip") as source:
        other = [frame for frame, _ in zip(source, range(5), strict=False)]
    for left, right in zip(one, other, strict=True):
        assert left.time_s == pytest.approx(right.time_s, abs=1e-3)
        assert np.abs(left.image.astype(int) - right.image).mean() < 1


@pytest.mark.parametrize("suffix", [".avi", ".mp4", ".mkv"])
def test_titles_in_any_alphabet_do_no_harm(tmp_path: Path, suffix: str) -> None:
    plain = film(tmp_path / "plain.mp4", *MPEG, count=3)
    path = tmp_path / f"titled{suffix}"
    ffmpeg("-i", plain, "-c", "copy", "-metadata", "title=caf\udce9", path)  # Latin-1: the byte E9
    assert b"caf\xe9" in path.read_bytes()
    assert count_and_error(path) == (3, "")


@needs_av
def test_a_film_that_is_taken_away_while_it_is_read_is_said(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4")
    with open_source(path) as source:
        frames = iter(source)
        next(frames)
        path.unlink()
        with pytest.raises(InputError, match="was taken away while it was read"):
            list(frames)
