"""Rate and age of live results: a real-time 640x480 source at 30 frames a second, the packaged default, this machine.

    python benchmarks/live.py --data DIR [--faces 1,2,4] [--seconds 30] [--hog] [--video FILE] [--bundle BUNDLE] [--json]

The sources are films of rendered faces (benchmarks/scenes.py; --data is a synthetic data set), the packaged clip, and a film
of one's own with --video. Age is from the moment at which a camera would have taken the frame until the result is in the
taker's hands. "AU age" is the same for the frame that the action units were read from, which is an earlier one when the
network looks at every k-th frame only. With --hog every run is repeated beside a program that keeps one processor busy. Exit
code 3 when a run without the hog misses 29 frames a second, a median age of 80 ms or a 99th percentile of 200 ms; with it,
the ages count and the rate does not.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scenes import SIZE, FaceScene, cutouts
from this_machine import measured_here

from edgeau import open_source
from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau.live import LiveOptions, LivePipeline
from edgeau.sources import Source
from edgeau.stages import FrameStages

GATE = 3
FPS = 30.0
WARM_UP_S = 3.0
FEWEST_FPS, MEDIAN_MS, P99_MS = 29.0, 80.0, 200.0
_FILM = 120  # frames, played forwards and backwards

OpenSource = Callable[[], Source]


def film(data: Path, faces: int) -> OpenSource:
    """Opens a film of so many rendered faces, without end."""
    scene = FaceScene(cutouts(data, faces, seed=faces), seed=faces, crossing=False)
    frames = [image for image, _ in scene.frames(_FILM)]
    frames += frames[-2:0:-1]

    def endless() -> Iterator[np.ndarray]:
        while True:
            yield from frames

    return lambda: open_source(endless(), real_time=True, fps=FPS)


@contextmanager
def hog() -> Iterator[None]:
    """One processor is kept busy."""
    program = "import os\nos.sched_setaffinity(0, {0})\nwhile True: pass"
    process = subprocess.Popen([sys.executable, "-c", program])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def measure(open_: OpenSource, faces: int, seconds: float, bundle: Path | None) -> dict[str, Any]:
    ages, evidence_ages, every, found, dropped = [], [], [], [], 0
    with (
        FrameStages.load(bundle, max_faces=faces) as stages,
        LivePipeline(stages, LiveOptions(fps=FPS)) as live,
        open_() as source,
    ):
        begun_s = first_s = cpu_s = 0.0
        for result in live.stream(source):
            now_s = time.monotonic()
            begun_s = begun_s or now_s
            if now_s - begun_s < WARM_UP_S:
                continue
            if not first_s:
                first_s, cpu_s = now_s, time.process_time()
            if now_s - first_s > seconds:
                break
            ages.append(result.age_s)
            every.append(result.every)
            found.append(len(result.faces))
            dropped += result.dropped
            evidence_ages += [
                result.age_s + result.time_s - face.aus_time_s
                for face in result.faces
                if face.aus_time_s is not None
            ]
        took_s = time.monotonic() - first_s
        cpu_s = time.process_time() - cpu_s
        counters, engine = live.snapshot(), str(stages.detector.describe())
    return {
        "fps": round(len(ages) / took_s, 2),
        "age_ms": percentiles(ages),
        "au_age_ms": percentiles(evidence_ages),
        "every": round(float(np.mean(every)), 2),
        "faces_found": round(float(np.mean(found)), 2),
        "dropped": dropped,
        "landmarks_ms": round(1e3 * counters.landmarks_s, 1),
        "network_ms_a_face": round(1e3 * counters.network_s, 1),
        "cpu_cores": round(cpu_s / took_s, 2),
        "engine": engine,
    }


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    median, p99, worst = np.percentile(seconds, (50, 99, 100)) * 1e3 if len(seconds) else (np.nan,) * 3
    return {"median": round(median, 1), "p99": round(p99, 1), "max": round(worst, 1)}


def passed(row: dict[str, Any]) -> bool:
    fast_enough = row["hog"] or row["fps"] >= FEWEST_FPS
    return bool(fast_enough and row["age_ms"]["median"] <= MEDIAN_MS and row["age_ms"]["p99"] <= P99_MS)


def table(rows: list[dict[str, Any]]) -> str:
    head = f"{'source':<16}{'hog':<5}{'fps':>6}{'age ms: median':>16}{'p99':>7}{'max':>7}"
    head += (
        f"{'AU age: median':>16}{'p99':>7}{'k':>6}{'dropped':>9}{'landmarks':>11}{'network':>9}{'cores':>7}"
    )
    lines = [rows[0]["engine"], head]
    for row in rows:
        age, evidence = row["age_ms"], row["au_age_ms"]
        lines.append(
            f"{row['source']:<16}{'yes' if row['hog'] else 'no':<5}{row['fps']:>6.1f}{age['median']:>16.1f}{age['p99']:>7.0f}"
            f"{age['max']:>7.0f}{evidence['median']:>16.1f}{evidence['p99']:>7.0f}{row['every']:>6.1f}{row['dropped']:>9}"
            f"{row['landmarks_ms']:>11.1f}{row['network_ms_a_face']:>9.1f}{row['cpu_cores']:>7.2f}"
        )
    return "\n".join(lines)


def sources(arguments: argparse.Namespace) -> list[tuple[str, int, OpenSource]]:
    found: list[tuple[str, int, OpenSource]] = []
    if arguments.data is not None:
        counts = map(int, arguments.faces.split(","))
        found = [(f"{n} face{'s' * (n > 1)}", n, film(arguments.data, n)) for n in counts]
    play = partial(open_source, real_time=True, repeat=True, fps=FPS)
    found.append(("clip", 1, partial(play, "clip")))
    if arguments.video is not None:
        found.append((arguments.video.name, 1, partial(play, arguments.video)))
    return found


def main(argv: Sequence[str] | None = None) -> int:
    parser = CommandParser(
        "live",
        "Rate and age of live results from a real-time 640x480 source.",
        "python benchmarks/live.py --data synth --hog",
    )
    parser.add_argument("--data", type=Path, help="a synthetic data set; without it only the clip is played")
    parser.add_argument("--faces", default="1,2,4", help="how many at once (%(default)s)")
    parser.add_argument("--video", type=Path, help="a film with one face, played at 30 frames a second")
    parser.add_argument("--bundle", type=Path, help="the packaged default without it")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each run (%(default)s)")
    parser.add_argument(
        "--hog", action="store_true", help="also beside a program that keeps one processor busy"
    )
    parser.add_json()
    arguments = parser.parse_args(argv)
    rows, measured = [], measured_here()
    for name, faces, open_ in sources(arguments):
        for hogged in (False, True)[: 1 + arguments.hog]:
            with hog() if hogged else nullcontext():
                row = measure(open_, faces, arguments.seconds, arguments.bundle)
            rows.append({"source": name, "hog": hogged, **row})
    if arguments.json:
        print_json({**measured, "size": SIZE, "fps": FPS, "seconds": arguments.seconds, "runs": rows})
    else:
        print(table(rows))
    return DONE if all(map(passed, rows)) else GATE


if __name__ == "__main__":
    sys.exit(run("live", main))
