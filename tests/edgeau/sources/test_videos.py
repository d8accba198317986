"""Videos give every frame once with the file's times, and never pass for whole when they are not."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau.sources import open_source

COUNT = 50


def film(path: Path, count: int = COUNT, fps: float = 25) -> Path:
    """A film whose frame number can be read off its brightness."""
    codec = {".mp4": "mp4v", ".avi": "MJPG", ".webm": "VP80", ".mkv": "MJPG"}[path.suffix]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, (160, 120))
    assert writer.isOpened()
    noise = np.random.default_rng(0).integers(0, 40, (120, 160, 3), np.uint8)
    for index in range(count):
        writer.write(noise + np.uint8(4 * index))
    writer.release()
    return path


def frames_until_error(path: Path) -> tuple[int, str]:
    count = 0
    with open_source(path) as source:
        try:
            for _ in source:
                count += 1
        except InputError as error:
            return count, str(error)
    return count, ""


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".webm", ".mkv"])
def test_every_frame_comes_once_in_order_with_its_time(tmp_path: Path, suffix: str) -> None:
    with open_source(film(tmp_path / f"a{suffix}")) as source:
        assert source.length == COUNT
        assert source.fps == pytest.approx(25)
        assert not source.live
        assert not source.still
        frames = [(frame.index, frame.time_s, frame.image.mean()) for frame in source]
    assert [index for index, _, _ in frames] == list(range(COUNT))
    assert [time for _, time, _ in frames] == pytest.approx([index / 25 for index in range(COUNT)], abs=1e-3)
    brightness = np.array([mean for _, _, mean in frames])
    assert (np.diff(brightness) > 2).all()


def test_the_real_video_has_472_frames(shared_data: Path) -> None:
    assert frames_until_error(shared_data / "real-face.mp4") == (472, "")


@pytest.mark.parametrize("suffix", [".avi", ".webm", ".mkv"])
def test_a_video_that_ends_early_gives_its_frames_and_then_says_so(tmp_path: Path, suffix: str) -> None:
    path = film(tmp_path / f"a{suffix}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    count, message = frames_until_error(path)
    assert COUNT // 3 < count < COUNT * 3 // 4
    assert f"cut short: {count} of {COUNT} frames" in message
    assert path.name in message


def test_the_real_video_cut_short_says_so(shared_data: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes((shared_data / "real-face.mp4").read_bytes()[:1_000_000])
    count, message = frames_until_error(path)
    assert 200 < count < 400
    assert f"{count} of 472" in message


def test_frames_after_damaged_bytes_are_delivered_and_the_damage_is_reported(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = np.random.default_rng(1).bytes(3000)
    path.write_bytes(data)
    count, message = frames_until_error(path)
    assert count > COUNT * 3 // 4, "decoding must go on behind the damage"
    assert "damaged" in message


def test_an_mp4_without_its_index_is_refused(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="damaged"):
        open_source(path)


@pytest.mark.parametrize("content", [b"", b"this is text", bytes(range(256)) * 40])
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.mp4"):
        open_source(path)


def test_a_name_with_percent_digits_is_that_file(tmp_path: Path) -> None:
    path = film(tmp_path / "a.avi", count=3).rename(tmp_path / "shot%03d ü.avi")
    assert frames_until_error(path) == (3, "")


def test_closing_twice_does_no_harm(tmp_path: Path) -> None:
    source = open_source(film(tmp_path / "a.avi", count=3))
    source.close()
    source.close()
