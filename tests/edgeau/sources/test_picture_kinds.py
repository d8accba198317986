"""Pictures of every usual kind come out as Pillow, the viewer of this test, shows them; what is none is named."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeau.errors import DependencyError, InputError
from edgeau.sources import open_source
from edgeau.sources.picture_file import read_picture
from edgeau.sources.tiff import tiff_pages
from tests.edgeau.sources.films import ffmpeg, film

Image = pytest.importorskip("PIL.Image")


def blobs(size: tuple[int, int] = (60, 100)) -> np.ndarray:
    """RGB without any symmetry."""
    noise = np.random.default_rng(0).integers(0, 255, (*size, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 4)


def ramp() -> Any:
    """Opacity from 0 to 255, left to right."""
    return Image.fromarray(np.tile(np.linspace(0, 255, 100).astype(np.uint8), (60, 1)))


def with_alpha(mode: str) -> Any:
    picture = Image.fromarray(blobs()).convert(mode[:-1])
    picture.putalpha(ramp())
    return picture


def palette_with_transparency() -> Any:
    picture = Image.fromarray(blobs()).quantize(32)
    picture.info["transparency"] = bytes([0, 128] + [255] * 30)
    return picture


KINDS: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "progressive.jpg": (lambda: Image.fromarray(blobs()), {"progressive": True, "quality": 95}),
    "4:4:4.jpg": (lambda: Image.fromarray(blobs()), {"subsampling": 0, "quality": 95}),
    "restart-markers.jpg": (lambda: Image.fromarray(blobs()), {"restart_marker_blocks": 2, "quality": 95}),
    "cmyk.jpg": (lambda: Image.fromarray(blobs()).convert("CMYK"), {"quality": 98}),
    "grey.jpg": (lambda: Image.fromarray(blobs()).convert("L"), {"quality": 95}),
    "odd.jfif": (lambda: Image.fromarray(blobs((61, 99))), {"format": "JPEG", "quality": 95}),
    "two.mpo": (
        lambda: Image.fromarray(blobs()),
        {"save_all": True, "append_images": [Image.new("RGB", (100, 60))]},
    ),
    "palette.png": (lambda: Image.fromarray(blobs()).quantize(64), {}),
    "transparent-palette.png": (palette_with_transparency, {}),
    "one-bit.png": (lambda: Image.fromarray(blobs()).convert("1"), {}),
    "grey-alpha.png": (lambda: with_alpha("LA"), {}),
    "alpha.png": (lambda: with_alpha("RGBA"), {}),
    "alpha.webp": (lambda: with_alpha("RGBA"), {"lossless": True, "exact": True}),
    "transparent-colour.png": (lambda: Image.fromarray(blobs()), {"transparency": (1, 2, 3)}),
    "lossy.webp": (lambda: Image.fromarray(blobs()), {"quality": 95}),
    "lzw.tiff": (lambda: Image.fromarray(blobs()), {"compression": "tiff_lzw"}),
    "deflate.tif": (lambda: Image.fromarray(blobs()), {"compression": "tiff_adobe_deflate"}),
    "alpha.tiff": (lambda: with_alpha("RGBA"), {}),
    "palette.tiff": (lambda: Image.fromarray(blobs()).quantize(64), {}),
    "one-bit.tiff": (lambda: Image.fromarray(blobs()).convert("1"), {"compression": "group4"}),
    "big.tiff": (lambda: Image.fromarray(blobs()), {"big_tiff": True}),
    "cmyk.tiff": (lambda: Image.fromarray(blobs()).convert("CMYK"), {}),
    "a.bmp": (lambda: Image.fromarray(blobs()), {}),
    "palette.bmp": (lambda: Image.fromarray(blobs()).quantize(64), {}),
    "a.ppm": (lambda: Image.fromarray(blobs()), {}),
    "a.pgm": (lambda: Image.fromarray(blobs()).convert("L"), {}),
    "a.pbm": (lambda: Image.fromarray(blobs()).convert("1"), {}),
    "a.avif": (lambda: Image.fromarray(blobs()), {"quality": 95}),
    "alpha.avif": (lambda: with_alpha("RGBA"), {"quality": 95}),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_picture_is_what_a_viewer_shows_over_grey(tmp_path: Path, name: str) -> None:
    make, options = KINDS[name]
    path = tmp_path / name
    if path.suffix not in Image.registered_extensions():
        pytest.skip(f"this Pillow has no {path.suffix}")
    make().save(path, **options)
    shown = Image.open(io.BytesIO(path.read_bytes())).convert("RGBA")
    right = np.asarray(Image.alpha_composite(Image.new("RGBA", shown.size, (128, 128, 128, 255)), shown))[
        :, :, 2::-1
    ]
    got = read_picture(path)
    assert got.shape == right.shape
    assert np.abs(got.astype(int) - right).mean() < 1.5


@pytest.mark.parametrize("bits", [16])
@pytest.mark.parametrize("suffix", ["png", "tiff"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_deep_pictures_keep_their_tones(tmp_path: Path, bits: int, suffix: str, channels: int) -> None:
    eight = np.dstack((blobs(), np.full((60, 100), 255, np.uint8)))[:, :, :channels]
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(cv2.imencode(f".{suffix}", eight.astype(np.uint16) * 257)[1].tobytes())
    right = np.repeat(eight, 3, 2) if channels == 1 else eight[:, :, :3]
    assert np.abs(read_picture(path).astype(int) - right).max() <= 1


def test_a_thumbnail_inside_a_tiff_is_no_second_picture(tmp_path: Path) -> None:
    small = Image.fromarray(blobs((15, 25)))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    Image.fromarray(blobs()).save(tmp_path / "a.tiff", save_all=True, append_images=[small])
    assert (read_picture(tmp_path / "a.tiff") == blobs()[:, :, ::-1]).all()


def test_a_tiff_that_leads_in_a_circle_is_read_once() -> None:
    """4096 entries a round, ten thousand rounds: half a minute, were it followed."""
    entries = struct.pack("<HHII", 1000, 3, 1, 0) * 4096
    circle = b"II*\0" + struct.pack("<IH", 8, 4096) + entries + struct.pack("<I", 8) + bytes(8)
    assert tiff_pages(circle) == 1


ANIMATIONS = {
    "apng.png": {},
    "animation.webp": {"lossless": True},
    "sequence.avif": {},
    "pages.tiff": {},
    "pages.tif": {"big_tiff": True},
}


@pytest.mark.parametrize("name", ANIMATIONS)
def test_several_pictures_in_one_file_are_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix not in Image.registered_extensions():
        pytest.skip(f"this Pillow has no {path.suffix}")
    frames = [Image.fromarray(np.roll(blobs(), step, 1)) for step in (0, 9, 18)]
    frames[0].save(path, save_all=True, append_images=frames[1:], **ANIMATIONS[name])
    with pytest.raises(InputError, match=r"several pictures|3 pictures"):
        read_picture(path)


def test_an_animated_gif_is_a_film_of_its_frames(tmp_path: Path) -> None:
    pytest.importorskip("av")
    frames = [Image.fromarray(np.roll(blobs(), step, 1)) for step in (0, 9, 18)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=[100, 200, 100])
    with open_source(tmp_path / "a.gif") as source:
        assert not source.still
        assert [round(frame.time_s, 2) for frame in source] == [0, 0.1, 0.3]


WRONG = [
    ("png", "jpg"),
    ("jpg", "png"),
    ("webp", "jpg"),
    ("tiff", "png"),
    ("bmp", "jpeg"),
    ("jpg", "webp"),
    ("png", "tif"),
    ("jpg", "heic"),
    ("png", "avif"),
    ("png", ""),
    ("jpg", "dat"),
]


@pytest.mark.parametrize(("holds", "named"), WRONG)
def test_a_wrong_suffix_does_not_matter_among_pictures(tmp_path: Path, holds: str, named: str) -> None:
    Image.fromarray(blobs()).save(tmp_path / f"right.{holds}")
    path = (tmp_path / f"right.{holds}").rename(tmp_path / f"a.{named}".rstrip("."))
    with open_source(path) as source:
        (frame,) = source
    assert source.still
    assert np.abs(frame.image.astype(int) - blobs()[:, :, ::-1]).mean() < 6


@pytest.mark.parametrize(
    ("holds", "named"), [("png", "mp4"), ("jpg", "mov"), ("webp", "mkv"), ("tiff", "avi"), ("png", "gif")]
)
def test_a_picture_with_a_films_name_is_named(tmp_path: Path, holds: str, named: str) -> None:
    Image.fromarray(blobs()).save(tmp_path / f"right.{holds}")
    path = (tmp_path / f"right.{holds}").rename(tmp_path / f"a.{named}")
    with pytest.raises(InputError, match=r"is a picture \(.*rename it"):
        open_source(path)


@pytest.mark.parametrize(
    ("suffix", "kind"), [(".mp4", "MP4"), (".mkv", "Matroska"), (".avi", "AVI"), (".gif", "GIF")]
)
@pytest.mark.parametrize("named", ["jpg", "png", "heic"])
def test_a_film_with_a_pictures_name_is_named(tmp_path: Path, suffix: str, kind: str, named: str) -> None:
    path = film(tmp_path / f"right{suffix}", *(() if suffix != ".gif" else ("-r", "25")), count=3)
    path = path.rename(tmp_path / f"a.{named}")
    with open_source(path) as source, pytest.raises(InputError, match=f"not a picture.*it is a {kind}"):
        list(source)


@pytest.mark.parametrize("suffix", ["tga", "exr", "dpx", "jp2", "pcx", "xwd"])
@pytest.mark.parametrize("named", ["", "mov"])
def test_pictures_of_other_kinds_are_named(tmp_path: Path, suffix: str, named: str) -> None:
    pytest.importorskip("av")
    path = tmp_path / f"a.{suffix}"
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48", "-frames:v", "1", path)
    path = path.rename(path.with_suffix(f".{named}")) if named else path
    with pytest.raises(
        InputError, match=r"format that is not supported|neither a picture nor a video"
    ) as caught:
        open_source(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "suffix", ["png", "jpg", "webp", "tiff", "heic", "avif", "mp4", "mkv", "gif", "mjpeg", "dat", ""]
)
@pytest.mark.parametrize(
    "content", [b"", b"\0", bytes(5000), b"hello\n" * 50, b"<html></html>", b"\xff\xd8", b"\x89PNG\r\n\x1a\n"]
)
def test_empty_files_and_others_are_one_line(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"a.{suffix}".rstrip(".")
    path.write_bytes(content)

    def read() -> None:
        with open_source(path) as source:
            list(source)

    with pytest.raises((InputError, DependencyError)) as caught:
        read()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
