"""Cost of edgeau-analyze on a film of 1920 x 1080 with one face: decoding alone, all of it, and beside an earlier release.

    python benchmarks/analyze_speed.py [--frames 175] [--artifact onnxruntime/int8] [--against CHECKOUT] [--json]

The film is the packaged clip enlarged and written as H.264. CPU and wall milliseconds a frame with one inference thread, tables written, start-up
left out (a short film's time is taken off a long one's); the peak memory is that of a process that does nothing else. Decoding runs ahead
in FFmpeg's threads, so that the wall time of all is less than the sum.

--against names a checkout of another release (git worktree add ../before v0.1.0): both run in turns, each in processes of its own, with the
options that their edgeau-analyze has by itself, and the median of the ratios is given. Exit code 3 when it is above 1.1.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from this_machine import measured_here
from tqdm import tqdm

from edgeau import open_source
from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau.errors import InputError
from edgeau_apps.analyze.annotated import AnnotatedVideo

NAME = "analyze_speed"
GATE, ALLOWED = 3, 1.1
_SIZE, _SHORT = (1920, 1080), 10
_PACKAGES = ("", "export", "calibration", "training", "apps")
# Runs in either release; the first says engine where the second says artifact.
_PROGRAM = """
import inspect, json, sys, tempfile, time
import edgeau
from edgeau import Pipeline, open_source
from edgeau_apps.analyze.command import main
place, short, film, artifact = sys.argv[1:]
assert edgeau.__file__.startswith(place), edgeau.__file__
option = "--artifact" if "artifact" in inspect.signature(Pipeline.load).parameters else "--engine"
def analyzed(path):
    with tempfile.TemporaryDirectory() as out:
        started, cpu = time.perf_counter(), time.process_time()
        code = main([path, "--out", out, option, artifact, "--threads", "1", "--json"])
        assert code == 0, code
        return time.perf_counter() - started, time.process_time() - cpu
def decoded(path):
    started, cpu = time.perf_counter(), time.process_time()
    with open_source(path) as source:
        frames = sum(1 for _ in source)
    return time.perf_counter() - started, time.process_time() - cpu, frames
real, sys.stdout = sys.stdout, sys.stderr
analyzed(short)
start, whole = analyzed(short), analyzed(film)
few_frames = decoded(short)[2]
long = decoded(film)
more = long[2] - few_frames
print(json.dumps({
    "wall_ms": 1000 * (whole[0] - start[0]) / more, "cpu_ms": 1000 * (whole[1] - start[1]) / more,
    "decode_wall_ms": 1000 * long[0] / long[2], "decode_cpu_ms": 1000 * long[1] / long[2],
    # Not ru_maxrss, which begins with the parent's.
    "peak_memory_mb": next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")),
}), file=real)
"""


def main(argv: Sequence[str] | None = None) -> int:
    return run(NAME, _measure, argv)


def _measure(argv: Sequence[str] | None) -> int:
    parser = CommandParser(NAME, __doc__ or "", "python benchmarks/analyze_speed.py --against ../before")
    parser.add_argument("--frames", type=int, default=175, help="of the film (%(default)s)")
    parser.add_argument("--artifact", default="onnxruntime/int8", help="(%(default)s)")
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="of another release")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (%(default)s)")
    parser.add_json()
    arguments = parser.parse_args(argv)
    releases = {"now": Path(__file__).resolve().parent.parent}
    if arguments.against is not None:
        if not (arguments.against / "edgeau").is_dir():
            raise InputError(f"{str(arguments.against)!r} is no checkout of edgeau")
        releases["before"] = arguments.against.resolve()
    measured = measured_here()
    turns: dict[str, list[dict[str, float]]] = {name: [] for name in releases}
    with tempfile.TemporaryDirectory() as folder:
        films = [Path(folder) / "short.mp4", Path(folder) / "film.mp4"]
        for film, frames in zip(films, (_SHORT, arguments.frames), strict=True):
            # In a process of its own: the encoder's memory is not the analysis's.
            writer = get_context("spawn").Process(target=_write, args=(film, frames))
            writer.start()
            writer.join()
        for _ in tqdm(range(arguments.rounds), disable=None):
            for name, place in releases.items():
                turns[name].append(_turn(place, films, arguments.artifact))
    document = measured | {"frames": arguments.frames, "rounds": arguments.rounds} | _figures(turns)
    if arguments.json:
        print_json(document)
    else:
        print("\n".join(f"{name}: {value}" for name, value in document.items()))
    return GATE if document.get("cpu_ratio", 0) > ALLOWED else DONE


def _turn(place: Path, films: list[Path], artifact: str) -> dict[str, float]:
    paths = os.pathsep.join(str(place / package) for package in _PACKAGES)
    command = [sys.executable, "-c", _PROGRAM, str(place), *map(str, films), artifact]
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    # There, since a program given with -c takes packages from the folder that it runs in first.
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, cwd=place)
    if done.returncode:
        raise InputError(f"{place} could not be measured: {done.stderr.strip()[-500:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _figures(turns: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    document: dict[str, Any] = {
        name: {key: round(statistics.median(turn[key] for turn in of_release), 2) for key in of_release[0]}
        for name, of_release in turns.items()
    }
    if "before" in turns:
        for key in ("cpu", "wall"):
            pairs = zip(turns["now"], turns["before"], strict=True)
            ratios = [now[f"{key}_ms"] / before[f"{key}_ms"] for now, before in pairs]
            document[f"{key}_ratio"] = round(statistics.median(ratios), 3)
            document[f"{key}_ratios"] = [round(ratio, 3) for ratio in sorted(ratios)]
    return document


def _write(path: Path, count: int) -> None:
    video = AnnotatedVideo(path, None, 25.0)
    with open_source("clip") as source:
        for frame, _ in zip(source, range(count), strict=False):
            video.write(np.asarray(cv2.resize(frame.image, _SIZE), np.uint8), frame.time_s)
    video.close()


if __name__ == "__main__":
    sys.exit(main())
