"""Picture files of every kind come out as BGR of 8 bits, or are refused in words."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau.sources import open_source


def gradient(height: int = 60, width: int = 100) -> np.ndarray:
    """A picture that no rotation or channel swap leaves as it is."""
    y, x = np.mgrid[0:height, 0:width]
    return np.dstack((x * 255 // width, y * 255 // height, np.full((height, width), 40))).astype(np.uint8)


def write(path: Path, image: np.ndarray) -> Path:
    ok, data = cv2.imencode(path.suffix, image)
    assert ok
    path.write_bytes(data.tobytes())
    return path


def read(path: Path) -> np.ndarray:
    with open_source(path) as source:
        (frame,) = source
    assert frame.name == path.name
    assert frame.index == 0
    return frame.image


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp", ".jpg"])
def test_a_colour_picture_is_read_as_it_is(tmp_path: Path, suffix: str) -> None:
    image = gradient()
    close = 0 if suffix in (".png", ".bmp", ".tiff") else 25
    assert np.abs(read(write(tmp_path / f"a{suffix}", image)).astype(int) - image).max() <= close


def test_grey_becomes_bgr(tmp_path: Path) -> None:
    grey = gradient()[:, :, 0]
    assert (read(write(tmp_path / "a.png", grey)) == grey[:, :, None]).all()


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_sixteen_bits_become_eight(tmp_path: Path, suffix: str) -> None:
    image = gradient()
    assert (read(write(tmp_path / f"a{suffix}", image.astype(np.uint16) * 257)) == image).all()


def test_sixteen_bit_grey_becomes_bgr(tmp_path: Path) -> None:
    grey = gradient()[:, :, 0]
    assert (read(write(tmp_path / "a.png", grey.astype(np.uint16) * 257)) == grey[:, :, None]).all()


def test_transparent_pixels_show_mid_grey_and_opaque_ones_their_colour(tmp_path: Path) -> None:
    image = gradient()
    alpha = np.full(image.shape[:2], 255, np.uint8)
    alpha[:, :50] = 0
    got = read(write(tmp_path / "a.png", np.dstack((image, alpha))))
    assert (got[:, :50] == 128).all()
    assert (got[:, 50:] == image[:, 50:]).all()


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    image = gradient()
    jpeg = cv2.imencode(".jpg", image)[1].tobytes()
    tag = struct.pack(
        "<HHHII", 1, 0x112, 3, 1, 6
    )  # one entry: orientation, short, count 1, turn right by 90 degrees
    exif = b"Exif\0\0" + b"II*\0" + struct.pack("<I", 8) + tag + b"\0\0\0\0"
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
    got = read(path)
    assert got.shape == (100, 60, 3)
    assert np.abs(got.astype(int) - cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE)).max() <= 25


@pytest.mark.parametrize("name", ["gesicht-ä-Ω-顔.png", "with space.PNG", "no_suffix"])
def test_any_name_is_read(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a.png", gradient()).rename(tmp_path / name)
    assert read(path).shape == (60, 100, 3)


def test_an_8k_picture_is_read(tmp_path: Path) -> None:
    image = np.zeros((4320, 7680, 3), np.uint8)
    image[2000:2100, 3000:3300] = 200
    got = read(write(tmp_path / "a.bmp", image))
    assert got.shape == (4320, 7680, 3)
    assert got[2050, 3100].tolist() == [200, 200, 200]


def test_a_float_picture_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tiff", gradient().astype(np.float32) / 255)
    with pytest.raises(InputError, match="float32"):
        read(path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff", ".bmp"])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.95])
def test_a_truncated_picture_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    path = write(tmp_path / f"a{suffix}", gradient())
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError, match="damaged"):
        read(path)


def test_a_text_file_with_a_picture_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("not a picture")
    with pytest.raises(InputError, match="not a picture"):
        read(path)


def test_a_folder_comes_in_natural_order_without_other_files_and_sub_folders(tmp_path: Path) -> None:
    for name in ("frame10.png", "frame2.png", "frame1.JPG", ".hidden.png"):
        write(tmp_path / name.lower(), gradient()).rename(tmp_path / name)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "deeper.png").mkdir()
    with open_source(tmp_path) as source:
        assert source.length == 3
        assert source.still
        assert [frame.name for frame in source] == ["frame1.JPG", "frame2.png", "frame10.png"]


def test_patterns_name_pictures_and_two_stars_go_deeper(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("a1.png", "a2.png", "b/a3.png"):
        write(tmp_path / name, gradient())
    with open_source(str(tmp_path / "a*.png")) as source:
        assert [frame.name for frame in source] == ["a1.png", "a2.png"]
    with open_source(str(tmp_path / "**" / "*.png")) as source:
        assert source.length == 3


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", gradient()).rename(tmp_path / "a[1].png")
    assert read(path).shape == (60, 100, 3)


def test_a_bad_picture_in_a_folder_is_named_after_the_good_ones(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        write(tmp_path / name, gradient())
    (tmp_path / "b.png").write_bytes(b"")
    names = []
    with open_source(tmp_path) as source, pytest.raises(InputError, match=r"b\.png"):
        names.extend(frame.name for frame in source)
    with open_source(tmp_path) as source:
        frames = iter(source)
        assert [next(frames).name, next(frames).name] == ["a.png", "c.png"]
        with pytest.raises(InputError, match=r"b\.png"):
            next(frames)


@pytest.mark.parametrize("size", [(8, 33000), (40000, 10)])
def test_a_picture_that_is_too_long_for_opencv_is_named_and_the_others_are_read(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    write(tmp_path / "a.png", np.zeros((*size, 3), np.uint8))
    write(tmp_path / "b.png", gradient())
    names = []
    with open_source(tmp_path) as source, pytest.raises(InputError, match="32766"):
        names.extend(frame.name for frame in source)
    assert names == ["b.png"]


def test_missing_numbers_leave_gaps_in_time(tmp_path: Path) -> None:
    for number in (7, 8, 10, 110, 12):
        write(tmp_path / f"f{number}.png", gradient())
    write(tmp_path / "other7.png", gradient())
    with open_source(tmp_path / "f%d.png", sequence=True, fps=10) as source:
        assert [(frame.index, frame.name, frame.time_s) for frame in source] == [
            (0, "f7.png", 0),
            (1, "f8.png", 0.1),
            (2, "f10.png", 0.3),
            (3, "f12.png", 0.5),
            (4, "f110.png", 10.3),
        ]


@pytest.mark.parametrize("what", ["", "*"])
@pytest.mark.parametrize("sequence", [False, True])
def test_films_and_others_beside_pictures_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, what: str, sequence: bool
) -> None:
    for name in ("a.png", "b.png"):
        write(tmp_path / name, gradient())
    for name in ("film.mp4", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    with open_source(str(tmp_path / what), sequence=sequence) as source:
        assert source.length == 2
    assert "left out 2 files whose suffixes are not those of pictures: film.mp4, notes.txt" in caplog.text
