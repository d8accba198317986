"""Annotated films of odd inputs: the times and the sound of the input, played by a real Chromium."""

from __future__ import annotations

import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeau_apps.analyze.annotated import AnnotatedVideo
from edgeau_apps.analyze.command import main
from tests.chromium import CHROMIUM, FLAGS

av = pytest.importorskip("av")

_PLAY = """async (name) => {
    const video = document.createElement("video");
    video.muted = true;
    video.src = name;
    document.body.append(video);
    const ended = new Promise((done, failed) => {
        video.onended = done;
        video.onerror = () => failed(video.error.message);
    });
    await video.play();
    await ended;
    return {
        duration: video.duration,
        at: video.currentTime,
        width: video.videoWidth,
        height: video.videoHeight,
        frames: video.getVideoPlaybackQuality().totalVideoFrames,
        sound: video.webkitAudioDecodedByteCount,
    };
}"""
# How ffmpeg makes each from 12 frames of 320 x 240 at 20 a second, and 0.6 s of a tone.
FILMS = {
    "plain.mp4": "-c:v mpeg4 -c:a aac",
    "variable-rate.mp4": "-c:v mpeg4 -c:a aac -vf select=not(between(n\\,3\\,6)) -fps_mode vfr",
    "late-pictures.mkv": "-c:v mpeg4 -c:a aac -vf setpts=PTS+0.25/TB -fps_mode passthrough",
    "all-late.mkv": "-c:v mpeg4 -c:a aac -output_ts_offset 1.5",
    "odd-size.mp4": "-c:v mpeg4 -c:a aac -vf scale=321:241",
    "mp3.mkv": "-c:v mpeg4 -c:a libmp3lame",
    "opus.webm": "-c:v libvpx -c:a libopus",
    "pcm.mov": "-c:v mpeg4 -c:a pcm_s16le",
    "pcm-of-telephones.avi": "-c:v mpeg4 -c:a pcm_mulaw -ar 8000",
    "odd-rate.mkv": "-c:v mpeg4 -c:a pcm_s16le -ar 37800 -ac 1",
    "six-channels.mkv": "-c:v mpeg4 -c:a pcm_s24le -ac 6",
    "vorbis.webm": "-c:v libvpx -c:a libvorbis",
    "late-vorbis.mkv": "-c:v mpeg4 -c:a libvorbis -vf setpts=PTS+0.25/TB -fps_mode passthrough",
    "broadcast.ts": "-c:v libx264 -c:a aac -output_ts_offset 5000",
    "broadcast-of-mp2.ts": "-c:v libx264 -c:a mp2",
    "silent.mp4": "-c:v mpeg4 -an",
}


def ffmpeg(*words: str) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    subprocess.run(["ffmpeg", "-v", "error", "-y", *words], check=True)


@pytest.fixture
def films(film: Path, tmp_path: Path) -> list[Path]:
    sound = ["-f", "lavfi", "-i", "sine=d=0.6"]
    made = tmp_path / "films"
    made.mkdir()
    for name, how in FILMS.items():
        ffmpeg("-i", str(film), *sound, *how.split(), str(made / name))
    turn = ["-c", "copy", "-metadata:s:v:0", "rotate=90"]
    ffmpeg("-i", str(made / "plain.mp4"), *turn, str(made / "turned.mp4"))
    return sorted(made.iterdir())


def times(path: Path) -> tuple[list[float], float | None]:
    """Of every picture, and of the first sound; seconds."""
    with av.open(str(path)) as file:
        shown = [frame.time for frame in file.decode(video=0)]
    with av.open(str(path)) as file:
        sound = next((frame.time for frame in file.decode(audio=0)), None) if file.streams.audio else None
    return shown, sound


def test_films_keep_their_times_and_sound_and_play_in_chromium(
    films: list[Path], bundle: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert (
        main([*map(str, films), "--annotate", "--out", str(out), "--bundle", str(bundle), "--threads", "1"])
        == 0
    )
    for given in films:
        made = out / f"{given.stem}.annotated.mp4"
        shown, sound = times(given)
        drawn, heard = times(made)
        assert [t - drawn[0] for t in drawn] == pytest.approx([t - shown[0] for t in shown], abs=0.002), given
        assert (sound is None) is (heard is None)
        if sound is not None and heard is not None:
            # An encoder's first block of sound may lie before 0, and is left out by players.
            assert drawn[0] - heard == pytest.approx(shown[0] - sound, abs=0.05), given.name
    played = play(out, [f"{given.stem}.annotated.mp4" for given in films])
    for given in films:
        found, (shown, sound) = played[f"{given.stem}.annotated.mp4"], times(given)
        assert found["at"] == pytest.approx(found["duration"], abs=0.1)
        assert found["duration"] >= shown[-1] - shown[0]
        assert found["frames"] > 0
        assert (found["sound"] > 0) is (sound is not None), given.name
    assert played["turned.annotated.mp4"]["width"] < played["plain.annotated.mp4"]["width"]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def play(folder: Path, names: list[str]) -> dict[str, dict[str, float]]:
    """Each film to its end."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    (folder / "page.html").write_text("<!doctype html><body>")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with api.sync_playwright() as playwright:
            flags = [*FLAGS, "--autoplay-policy=no-user-gesture-required"]
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_address[1]}/page.html")
            assert page.evaluate(
                "document.createElement('video').canPlayType('video/mp4; codecs=avc1.64001f')"
            )
            played = {name: page.evaluate(_PLAY, name) for name in names}
            browser.close()
    finally:
        server.shutdown()
        server.server_close()
    return played


def test_sound_without_a_decoder_is_said(film: Path, bundle: Path, tmp_path: Path, caplog) -> None:
    """Four letters that stand for no codec, in the place of those that do."""
    given = tmp_path / "odd.mov"
    ffmpeg(
        "-i", str(film), "-f", "lavfi", "-i", "sine=d=0.6", "-c:v", "mpeg4", "-c:a", "pcm_s16le", str(given)
    )
    content = given.read_bytes()
    assert content.count(b"sowt") == 1
    given.write_bytes(content.replace(b"sowt", b"zzzz"))
    out = tmp_path / "out"
    assert main([str(given), "--annotate", "--out", str(out), "--bundle", str(bundle), "--threads", "1"]) == 0
    (line,) = [record.getMessage() for record in caplog.records if "sound" in record.getMessage()]
    assert line == f"{given}: its annotated video has no sound: this FFmpeg has no decoder for it"
    assert times(out / "odd.annotated.mp4")[1] is None


def test_a_film_begins_with_its_first_picture(tmp_path: Path) -> None:
    with av.open(str(_drawn(tmp_path / "a.mp4", [0.0, 0.04, 0.0401, 0.08]))) as file:
        assert [frame.time for frame in file.decode(video=0)] == pytest.approx(
            [0, 0.04, 0.041, 0.08], abs=1e-9
        )


def _drawn(path: Path, times_s: list[float]) -> Path:
    video = AnnotatedVideo(path, None, 25.0)
    for time_s in times_s:
        video.write(np.zeros((48, 64, 3), np.uint8), time_s)
    video.close()
    return path
