"""What a film shows is what ffmpeg's own program makes of it: pixel by pixel, frame by frame, at the same times."""

from __future__ import annotations

import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeau.sources import open_source
from tests.edgeau.sources.films import ffmpeg, film_of

pytest.importorskip("av")

WIDTH, HEIGHT, COUNT = 160, 120, 12
X264 = ("-c:v", "libx264", "-crf", "8")
X265 = ("-c:v", "libx265", "-crf", "8", "-x265-params", "log-level=none")
YUV420 = ("-pix_fmt", "yuv420p")
# ffmpeg's program takes BT.601 for films that do not say; players take BT.709 for high ones. No film here is so high.


def coloured(matrix: str, range_: str, layout: str = "yuv420p") -> tuple[str, ...]:
    convert = f"scale=out_color_matrix={matrix.removesuffix('nc')}:out_range={range_},format={layout}"
    return ("-vf", convert, "-colorspace", matrix, "-color_range", range_)


FILMS: dict[str, tuple[str, ...]] = {
    **{
        f"h264-{layout}.mp4": ("-pix_fmt", layout, *X264)
        for layout in ("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le", "gray")
    },
    **{
        f"h264-{matrix}-{range_}{suffix}": (*coloured(matrix, range_), *X264)
        for matrix in ("smpte170m", "bt709", "bt2020nc")
        for range_ in ("tv", "pc")
        for suffix in (".mp4", ".mkv")
    },
    "h264-rgb.mp4": ("-c:v", "libx264rgb", "-crf", "8"),
    "hevc.mp4": (*YUV420, *X265),
    "hevc-10-bit.mov": ("-pix_fmt", "yuv420p10le", *X265, "-tag:v", "hvc1"),
    "hevc-4:2:2.mkv": ("-pix_fmt", "yuv422p", *X265),
    "odd-size-4:4:4.mp4": ("-vf", "crop=157:117:0:0", "-pix_fmt", "yuv444p", *X264),
    "conformance-window.mp4": ("-vf", "crop=150:106:0:0", *YUV420, *X264),
    "conformance-window-hevc.mp4": ("-vf", "crop=150:106:0:0", *YUV420, *X265),
    "odd-size.webm": ("-vf", "crop=157:117:0:0", *YUV420, "-c:v", "libvpx-vp9", "-crf", "10"),
    "vp8.webm": (*YUV420, "-c:v", "libvpx", "-crf", "10", "-b:v", "2M"),
    "vp9-10-bit.webm": ("-pix_fmt", "yuv420p10le", "-c:v", "libvpx-vp9", "-crf", "10"),
    "av1.mp4": (*YUV420, "-c:v", "libaom-av1", "-crf", "15", "-cpu-used", "8"),
    "av1-10-bit.mkv": ("-pix_fmt", "yuv420p10le", "-c:v", "libaom-av1", "-crf", "15", "-cpu-used", "8"),
    "mjpeg.avi": ("-c:v", "mjpeg", "-q:v", "2"),
    "mjpeg.mov": ("-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj420p"),
    "uyvy.avi": ("-c:v", "rawvideo", "-pix_fmt", "uyvy422"),
    "bgr.avi": ("-c:v", "rawvideo", "-pix_fmt", "bgr24"),
    "rgb-15-bit.avi": ("-c:v", "rawvideo", "-pix_fmt", "rgb555le"),
    "grey-10-bit.mkv": ("-c:v", "ffv1", "-pix_fmt", "gray10le"),
    "rgb-48-bit.mkv": ("-c:v", "ffv1", "-pix_fmt", "rgb48le"),
    "alpha.mkv": ("-c:v", "ffv1", "-pix_fmt", "yuva420p"),
    "prores.mov": ("-c:v", "prores_ks"),
    "prores-4444.mov": ("-c:v", "prores_ks", "-pix_fmt", "yuva444p10le"),
    "huffyuv.avi": ("-c:v", "huffyuv"),
    "mpeg1.mpg": ("-c:v", "mpeg1video", "-q:v", "2"),
    "mpeg2-16:9.mpg": ("-c:v", "mpeg2video", "-q:v", "2", "-aspect", "16:9"),
    "broadcast.ts": (*YUV420, *X264),
    "blu-ray.m2ts": (*YUV420, *X264),
    "windows.wmv": ("-c:v", "wmv2", "-q:v", "2"),
    "flash.flv": ("-c:v", "flv", "-q:v", "2"),
    "flash-h264.flv": (*YUV420, *X264),
    "theora.ogv": ("-c:v", "libtheora", "-q:v", "9"),
    "xvid.avi": ("-c:v", "libxvid", "-q:v", "2"),
    "phone.3gp": ("-vf", "scale=176:144", "-c:v", "h263", "-q:v", "2"),
    "animation.gif": ("-r", "25"),
    "material.mxf": ("-c:v", "mpeg2video", "-q:v", "2"),
    "uncompressed.y4m": YUV420,
    "wide-pixels.mp4": ("-vf", "setsar=64/45", *YUV420, *X264),
    "wide-pixels.ts": ("-vf", "setsar=64/45", *YUV420, *X264),
    "wide-pixels.avi": ("-vf", "setsar=4/3", "-c:v", "mpeg4", "-q:v", "1"),
    "narrow-pixels.mkv": ("-vf", "setsar=8/9", "-c:v", "mpeg4", "-q:v", "1"),
    "late.mp4": (*YUV420, *X264, "-output_ts_offset", "1.5"),
    "late.mov": (*YUV420, *X264, "-output_ts_offset", "1.5"),
    "late.mkv": (*YUV420, *X264, "-output_ts_offset", "1.5"),
    "early.mp4": (*YUV420, *X264, "-output_ts_offset", "-0.2", "-avoid_negative_ts", "disabled"),
    "early.mkv": (
        "-c:v",
        "mpeg4",
        "-q:v",
        "1",
        "-output_ts_offset",
        "-0.2",
        "-avoid_negative_ts",
        "disabled",
    ),
    "early-variable-rate.mkv": (
        *("-vf", "select='lt(n,4)+not(mod(n,3))'", "-vsync", "vfr", "-c:v", "mpeg4", "-q:v", "1"),
        *("-output_ts_offset", "-0.3", "-avoid_negative_ts", "disabled"),
    ),
    "many-b-frames.mp4": (*YUV420, *X264, "-bf", "4"),
    "fragments.mp4": (*YUV420, *X264, "-movflags", "+frag_keyframe+empty_moov", "-g", "5"),
    "variable-rate.mp4": ("-vf", "select='lt(n,4)+not(mod(n,3))'", "-vsync", "vfr", *YUV420, *X264),
    "variable-rate.webm": (
        "-vf",
        "select='lt(n,4)+not(mod(n,3))'",
        "-vsync",
        "vfr",
        "-c:v",
        "libvpx",
        "-b:v",
        "1M",
    ),
    "30000-over-1001.mov": ("-vf", "setpts=PTS*25*1001/30000", "-r", "30000/1001", *YUV420, *X264),
}
# Transport streams start their clock anywhere; ffmpeg, too, shows them from 0. So it does with what starts before 0.
FROM_0 = (
    "broadcast.ts",
    "blu-ray.m2ts",
    "mpeg1.mpg",
    "mpeg2-16:9.mpg",
    "wide-pixels.ts",
    "early.mkv",
    "early-variable-rate.mkv",
)


def moving() -> list[np.ndarray]:
    """Coloured blobs that move to the right, with blacks and whites."""
    noise = np.random.default_rng(3).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    blobs = ((cv2.GaussianBlur(noise, (0, 0), 8).astype(float) - 127) * 6 + 127).clip(0, 255).astype(np.uint8)
    return [np.roll(blobs, 3 * index, axis=1) for index in range(COUNT)]


def probed(path: Path) -> list[dict[str, Any]]:
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed")
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_frames", "-of", "json", str(path)]
    frames: list[dict[str, Any]] = json.loads(subprocess.check_output(command))["frames"]
    return frames


def rendered(path: Path, width: int, height: int, filters: str = "") -> np.ndarray:
    """What ffmpeg's program shows: uint8 (frames, height, width, 3), BGR."""
    scale = f"{filters}scale={width}:{height}:flags=bicubic"
    raw = ffmpeg("-i", path, "-vsync", "0", "-vf", scale, "-f", "rawvideo", "-pix_fmt", "bgr24", "-")
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)


@pytest.mark.parametrize("name", FILMS)
def test_pixels_times_and_number_of_frames(tmp_path: Path, name: str) -> None:
    path = film_of(moving(), tmp_path / name, *FILMS[name])
    known = probed(path)
    with open_source(path) as source:
        frames = list(source)
    aspect = Fraction(known[0].get("sample_aspect_ratio", "1:1").replace(":", "/"))
    width, height = known[0]["width"], known[0]["height"]
    size = (round(width * aspect), height) if aspect >= 1 else (width, round(height / aspect))
    assert frames[0].image.shape[1::-1] == size
    shown = rendered(path, *size)
    assert len(frames) == len(known) == len(shown)
    times = np.array([float(frame.get("best_effort_timestamp_time", "nan")) for frame in known])
    times -= times[0] if name in FROM_0 else 0
    said = np.isfinite(times)  # ffprobe has no times for some frames of program streams
    assert said[0]
    assert np.array([frame.time_s for frame in frames])[said] == pytest.approx(times[said], abs=0.002)
    # Releases of FFmpeg differ by a rounding, and in scaling by a little more.
    allowed = 1 if size == (width, height) else 2
    for frame, right in zip(frames, shown, strict=True):
        assert np.abs(frame.image.astype(int) - right).mean() < allowed


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_rotation_as_ffmpeg_applies_it(tmp_path: Path, degrees: int, suffix: str) -> None:
    plain = film_of(moving(), tmp_path / f"plain{suffix}", "-vf", "setsar=4/3", *YUV420, *X264)
    path = tmp_path / f"turned{suffix}"
    ffmpeg("-i", plain, "-c", "copy", "-metadata:s:v:0", f"rotate={degrees}", path)
    with open_source(path) as source:
        images = [frame.image for frame in source]
    height, width = images[0].shape[:2]
    assert (width, height) == ((213, 120) if degrees == 180 else (120, 213))
    for image, right in zip(images, rendered(path, width, height), strict=True):
        assert np.abs(image.astype(int) - right).mean() < 2


def test_deinterlaced_as_ffmpeg_does_it(tmp_path: Path) -> None:
    woven = (
        "-vf",
        "tinterlace=interleave_top",
        *YUV420,
        *X264,
        "-flags",
        "+ildct+ilme",
        "-x264opts",
        "tff=1",
    )
    path = film_of(moving(), tmp_path / "a.mp4", *woven)
    assert all(frame["interlaced_frame"] for frame in probed(path))
    with open_source(path) as source:
        frames = list(source)
    assert [frame.time_s for frame in frames] == pytest.approx([0.08 * index for index in range(COUNT // 2)])
    combed = rendered(path, WIDTH, HEIGHT)
    smooth = rendered(path, WIDTH, HEIGHT, "bwdif=mode=send_frame:deint=interlaced,")
    for frame, right, wrong in zip(frames, smooth, combed, strict=True):
        assert np.abs(frame.image.astype(int) - right).mean() < 1.5
        assert np.abs(frame.image.astype(int) - wrong).mean() > 2


def test_edit_lists_as_ffmpeg_follows_them(tmp_path: Path) -> None:
    plain = film_of(moving() * 4, tmp_path / "plain.mp4", *YUV420, *X264, "-g", "48", "-bf", "2")
    path = tmp_path / "cut.mp4"
    ffmpeg("-ss", "0.6", "-i", plain, "-t", "0.8", "-c", "copy", path)
    known = [frame for frame in probed(path) if float(frame["best_effort_timestamp_time"]) >= 0]
    with open_source(path) as source:
        frames = list(source)
    assert [frame.time_s for frame in frames] == pytest.approx(
        [float(frame["best_effort_timestamp_time"]) for frame in known], abs=0.002
    )
    assert 0 < len(frames) < 30
