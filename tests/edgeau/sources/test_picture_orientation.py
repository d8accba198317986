"""Every format that carries EXIF comes out turned and mirrored as its file says, the eight ways there are."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau.sources.orientation import orient, orientation_of_matrix
from edgeau.sources.picture_file import read_picture

Image = pytest.importorskip("PIL.Image")
ImageOps = pytest.importorskip("PIL.ImageOps")


def blobs() -> np.ndarray:
    """RGB without any symmetry."""
    noise = np.random.default_rng(0).integers(0, 255, (40, 64, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 6)


def save(path: Path, mode: str, orientation: int, **options: Any) -> np.ndarray:
    """Write a picture with the tag; what Pillow shows of it, BGR."""
    tags = Image.Exif()
    tags[0x112] = orientation
    Image.fromarray(blobs()).convert(mode).save(path, exif=tags, **options)
    # From memory: Pillow scrambles turned grey TIFF that it opens by path.
    shown = ImageOps.exif_transpose(Image.open(io.BytesIO(path.read_bytes())))
    return np.asarray(shown.convert("RGB"))[:, :, ::-1]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("suffix", "mode", "options"),
    [
        ("jpg", "RGB", {}),
        ("jpg", "L", {}),
        ("png", "RGB", {}),
        ("png", "RGBA", {}),
        ("png", "LA", {}),
        ("png", "P", {}),
        ("webp", "RGB", {"lossless": True}),
        ("webp", "RGBA", {"lossless": True}),
        ("tiff", "RGB", {"compression": "raw"}),
        ("tiff", "RGBA", {"compression": "tiff_lzw"}),
        ("tiff", "L", {"compression": "raw"}),
        ("avif", "RGB", {}),
    ],
)
def test_the_tag_is_applied(
    tmp_path: Path, suffix: str, mode: str, options: dict[str, Any], orientation: int
) -> None:
    if suffix == "avif" and ".avif" not in Image.registered_extensions():
        pytest.skip("this Pillow has no AVIF")
    path = tmp_path / f"a.{suffix}"
    shown = save(path, mode, orientation, **options)
    got = read_picture(path)
    assert got.shape == shown.shape
    assert np.abs(got.astype(int) - shown).mean() < 3


@pytest.mark.parametrize("number", [0, 9, 65535])
def test_a_tag_without_meaning_counts_as_upright(tmp_path: Path, number: int) -> None:
    save(tmp_path / "a.png", "RGB", number)
    assert (read_picture(tmp_path / "a.png") == blobs()[:, :, ::-1]).all()


def test_webp_exif_is_applied_as_a_jpeg_that_was_turned(shared_data: Path) -> None:
    files = shared_data.parent / "cases" / "files"
    tagged, right = (
        read_picture(files / name) for name in ("exif_orientation3.webp", "exif_orientation3_right.jpg")
    )
    assert np.abs(tagged.astype(int) - right).mean() < 3


def test_heic_is_read(shared_data: Path) -> None:
    pytest.importorskip("pi_heif")
    picture = read_picture(shared_data.parent / "cases" / "files" / "IMG_0001.HEIC")
    assert picture.dtype == np.uint8
    assert picture.shape[2] == 3
    assert picture.std() > 20


@pytest.mark.parametrize("kind", [b"heic", b"avif"])
def test_a_damaged_one_is_refused(tmp_path: Path, kind: bytes) -> None:
    pytest.importorskip("pi_heif")
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftyp" + kind + bytes(400))
    with pytest.raises(InputError, match="damaged"):
        read_picture(tmp_path / "a.heic")


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_an_animation_is_named_and_not_its_first_picture_given(tmp_path: Path, suffix: str) -> None:
    frames = [Image.fromarray(np.roll(blobs(), step, 1)) for step in (0, 5, 10)]
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match="animation"):
        read_picture(tmp_path / f"a.{suffix}")


def test_pages_are_named(tmp_path: Path) -> None:
    page = Image.fromarray(blobs())
    page.save(tmp_path / "a.tiff", save_all=True, append_images=[page, page])
    with pytest.raises(InputError, match="3 pictures"):
        read_picture(tmp_path / "a.tiff")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_display_matrix_is_the_exif_number_that_moves_pixels_alike(orientation: int) -> None:
    stored = np.zeros((3, 5), np.uint8)
    stored[0, 0], stored[0, 4] = 1, 2
    seen = orient(stored, orientation)
    first, second = (np.argwhere(seen == value)[0][::-1] for value in (1, 2))  # x y
    along = (second - first) / 4
    corner = orient(np.arange(15, dtype=np.uint8).reshape(3, 5) == 10, orientation)
    down = (np.argwhere(corner)[0][::-1] - first) / 2
    matrix = [along[0], along[1], 0, down[0], down[1], 0, 0, 0, 1]
    assert orientation_of_matrix(matrix) == orientation
    assert orientation_of_matrix([65536 * value for value in matrix]) == orientation
