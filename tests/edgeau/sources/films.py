"""Films that the tests make with ffmpeg."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau.sources import open_source

__all__ = [
    "COUNT",
    "HEIGHT",
    "MPEG",
    "WIDTH",
    "count_and_error",
    "ffmpeg",
    "film",
    "film_of",
    "picture",
    "times_and_images",
]

WIDTH, HEIGHT, COUNT = 160, 120, 25
MPEG = ("-c:v", "mpeg4", "-q:v", "1")


def picture() -> np.ndarray:
    """BGR without any symmetry."""
    noise = np.random.default_rng(3).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 12).astype(float).__mul__(3).clip(0, 255).astype(np.uint8)


def ffmpeg(*arguments: str | Path) -> bytes:
    """What it wrote to its standard output; skips where it is not there, or lacks an encoder."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-y", *map(str, arguments)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"this ffmpeg cannot make it: {done.stderr.decode(errors='replace').strip()[-200:]}")
    return done.stdout


def film(path: Path, *output: str, before: tuple[str, ...] = (), count: int = COUNT) -> Path:
    """A film of the picture, 25 frames a second, whose brightness rises by 2 a frame."""
    images = [picture() // 2 + np.uint8(2 * index) for index in range(count)]
    return film_of(images, path, *output, before=before)


def film_of(images: list[np.ndarray], path: Path, *output: str, before: tuple[str, ...] = ()) -> Path:
    """A film of BGR pictures of 8 or 16 bits, 25 of them a second."""
    raw = path.with_suffix(".raw")
    raw.write_bytes(b"".join(image.tobytes() for image in images))
    height, width = images[0].shape[:2]
    layout = "bgr24" if images[0].dtype == np.uint8 else "bgr48le"
    source = ("-f", "rawvideo", "-pix_fmt", layout, "-s", f"{width}x{height}", "-r", "25", "-i", str(raw))
    ffmpeg(*before, *source, *(output or MPEG), path)
    return path


def times_and_images(path: Path) -> tuple[list[float], list[np.ndarray]]:
    with open_source(path) as source:
        frames = list(source)
    return [frame.time_s for frame in frames], [frame.image for frame in frames]


def count_and_error(path: Path) -> tuple[int, str]:
    count = 0
    with open_source(path) as source:
        try:
            for _ in source:
                count += 1
        except InputError as error:
            return count, str(error)
    return count, ""
