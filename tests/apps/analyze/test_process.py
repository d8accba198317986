"""The program as a process: Ctrl-C, terminals, memory."""

from __future__ import annotations

import fcntl
import os
import pty
import resource
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

PROGRAM = (sys.executable, "-c", "import sys; from edgeau_apps.analyze.command import main; sys.exit(main())")


def long_film(path: Path, frames: int, face: np.ndarray | None = None) -> Path:
    image = np.full((96, 128, 3), 90, np.uint8) if face is None else cv2.resize(face, (128, 96))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (128, 96))
    for index in range(frames):
        writer.write(np.roll(image, index % 7, axis=1))
    writer.release()
    return path


def start(*words: str | Path, **options) -> subprocess.Popen:
    command = [*PROGRAM, *map(str, words), "--threads", "1"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, text=True, **{**pipes, **options})


def wait_for(condition, process: subprocess.Popen, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.02)


def test_ctrl_c_leaves_what_was_there_and_what_is_complete(tmp_path, picture, bundle) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "long.csv").write_text("from before")
    film = long_film(tmp_path / "long.avi", 4000)
    process = start(picture, film, "--out", out, "--bundle", bundle, "--annotate")

    def rows_are_being_written() -> bool:
        return any(path.stat().st_size > 2000 for path in out.glob(".long.*.csv"))

    wait_for(rows_are_being_written, process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.splitlines()[-1] == "edgeau-analyze: interrupted; nothing half-written was left"
    assert "Traceback" not in said
    assert sorted(path.name for path in out.iterdir()) == [
        *("astronaut.annotated.png", "astronaut.csv", "astronaut.jsonl", "long.csv"),
    ]
    assert (out / "long.csv").read_text() == "from before"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".annotated.mp4"])
def test_a_file_that_is_taken_away_meanwhile_is_said(tmp_path, bundle, suffix) -> None:
    out = tmp_path / "out"
    process = start(long_film(tmp_path / "long.avi", 4000), "--out", out, "--bundle", bundle, "--annotate")
    wait_for(lambda: any(path.stat().st_size > 2000 for path in out.glob(".long.*.csv")), process)
    next(path for path in out.iterdir() if path.name.endswith(suffix.removeprefix(".annotated"))).unlink()
    _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert f"long{suffix} was removed while it was written" in said
    assert said.count("\n") == 1
    assert not out.exists(), "nothing of the film is there, and no folder made for it"


def test_a_full_disk_ends_in_one_line_and_leaves_nothing(tmp_path, bundle) -> None:
    film = long_film(tmp_path / "film.avi", 300)
    full = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))}
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    process = start(film, "--out", tmp_path / "out", "--bundle", bundle, env=environment, **full)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2, said
    assert said.startswith("edgeau-analyze: cannot write to")
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_terminal_gets_a_bar_and_a_pipe_does_not(tmp_path, bundle) -> None:
    film = long_film(tmp_path / "film.avi", 60)
    piped = start(film, "--out", tmp_path / "a", "--bundle", bundle)
    assert piped.communicate(timeout=60)[1] == ""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 100, 0, 0))
    seen = start(film, "--out", tmp_path / "b", "--bundle", bundle, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = b""
    while chunk := _read(ours):
        shown += chunk
    os.close(ours)
    assert seen.wait(timeout=60) == 0
    assert b"film.avi" in shown
    assert b"/60" in shown


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side was closed
        return b""


@pytest.mark.slow
def test_memory_stays_flat_over_a_long_film(tmp_path, astronaut, bundle) -> None:
    film = long_film(tmp_path / "long.avi", 3000, astronaut[0:225, 60:360])
    words = (film, "--out", tmp_path / "out", "--bundle", bundle, "--max-faces", "1", "--annotate")
    process = start(*words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    resident = []
    while process.poll() is None:
        resident.append(_resident_mb(process.pid))
        time.sleep(0.1)
    assert process.returncode == 0
    resident = [value for value in resident if value]
    early, late = (
        np.median(part) for part in (resident[len(resident) // 3 : len(resident) // 2], resident[-10:-2])
    )
    print(f"resident: {early:.1f} MB in the first half, {late:.1f} MB at the end")
    assert late - early < 10, f"{early:.1f} -> {late:.1f} MB"


def _resident_mb(pid: int) -> float:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1:2]
    except FileNotFoundError:
        return 0.0
    return int(pages[0]) * os.sysconf("SC_PAGE_SIZE") / 1e6 if pages else 0.0
