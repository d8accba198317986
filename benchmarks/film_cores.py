"""Speed of edgeau-analyze with one core and with more: the same film, tables compared byte by byte.

    python benchmarks/film_cores.py VIDEO [--cores 2] [--rounds 3] [--artifact litert/int8] [--out result.json] [--write docs/frame-cost.md]

Each run is a process of its own, bound to as many processors as it is told to use; of the first frames the start is left out by taking a short
film's time off the long one's. Landmarks and networks have one thread each. What the processors themselves allow is measured beside it: as many
programs of one core each at once, each with a film of its own.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from result_options import add_result_options, give_result
from this_machine import about, measured_here

from edgeau import open_source
from edgeau._system.command import DONE, CommandParser, run
from edgeau_apps.analyze.annotated import AnnotatedVideo

NAME = "film_cores"
GATE, _LEAST = 3, 1.7
_SHORT = 10


def main(argv: Sequence[str] | None = None) -> int:
    return run(NAME, _measure, argv)


def _measure(argv: Sequence[str] | None) -> int:
    parser = CommandParser(NAME, __doc__ or "", f"python benchmarks/{NAME}.py film.mp4")
    parser.add_argument("video", help="a film of a face, or clip")
    parser.add_argument("--frames", type=int, default=250, help="of it (%(default)s)")
    parser.add_argument("--width", type=int, default=1280, help="of the film that is analyzed (%(default)s)")
    parser.add_argument("--cores", type=int, default=2, help="beside one (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (%(default)s)")
    parser.add_argument("--artifact", default="litert/int8", help="(%(default)s)")
    add_result_options(parser)
    arguments = parser.parse_args(argv)
    times: dict[int, list[float]] = {1: [], arguments.cores: []}
    apart: list[float] = []
    tables: set[bytes] = set()
    measured = measured_here()
    with tempfile.TemporaryDirectory() as folder:
        films = (Path(folder) / "short" / "film.mp4", Path(folder) / "long" / "film.mp4")
        for film, count in zip(films, (_SHORT, arguments.frames), strict=True):
            film.parent.mkdir()
            frames = _write(arguments.video, film, count, arguments.width)
        for _ in range(arguments.rounds):
            for cores, found in times.items():
                short, long = (_seconds(film, "out", range(cores), arguments.artifact) for film in films)
                found.append((long - short) / (frames - _SHORT))
                tables.add((films[1].parent / "out" / "film.csv").read_bytes())
            short, long = (_seconds_at_once(film, arguments.cores, arguments.artifact) for film in films)
            apart.append((long - short) / (frames - _SHORT) / arguments.cores)
    ratios = [one / many for one, many in zip(*times.values(), strict=True)]
    document: dict[str, Any] = {
        **measured,
        "artifact": arguments.artifact,
        "frames": frames,
        "width": arguments.width,
        "ms": {str(cores): round(1000 * statistics.median(found), 2) for cores, found in times.items()},
        "speedup": round(statistics.median(ratios), 2),
        "speedups": sorted(round(ratio, 2) for ratio in ratios),
        "programs_at_once": round(
            statistics.median(one / many for one, many in zip(times[1], apart, strict=True)), 2
        ),
        "tables_equal": len(tables) == 1,
    }
    give_result(arguments, NAME, document, table)
    return DONE if document["speedup"] >= _LEAST and document["tables_equal"] else GATE


def _write(source: str, film: Path, count: int, width: int) -> int:
    written = 0
    with open_source(source) as opened:
        video = AnnotatedVideo(film, None, opened.fps or 25.0)
        for frame in islice(opened, count):
            height = round(frame.image.shape[0] * width / frame.image.shape[1] / 2) * 2
            video.write(np.asarray(cv2.resize(frame.image, (width, height)), np.uint8), frame.time_s)
            written += 1
        video.close()
    return written


def _seconds_at_once(film: Path, programs: int, artifact: str) -> float:
    """Wall seconds until as many programs, of one processor each, have analyzed the film."""
    with ThreadPoolExecutor(programs) as pool:
        given = [(film, f"out{number}", (number,), artifact) for number in range(programs)]
        return max(pool.map(lambda one: _seconds(*one), given))


def _seconds(film: Path, out: str, processors: Sequence[int], artifact: str) -> float:
    """Wall seconds of a program that analyzes the film.

    Args:
        film: to analyze.
        out: folder beside it for the results.
        processors: it runs on, by their place among those that this program may use.
        artifact: of the packaged default.
    """
    usable = sorted(os.sched_getaffinity(0))
    options = [
        "--out",
        str(film.parent / out),
        "--artifact",
        artifact,
        "--threads",
        "1",
        "--cores",
        str(len(processors)),
    ]
    allowed = {usable[place] for place in processors}
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "edgeau", "analyze", str(film), *options],
        check=True,
        capture_output=True,
        preexec_fn=lambda: os.sched_setaffinity(0, allowed),
    )
    return time.perf_counter() - began


def table(document: dict[str, Any]) -> str:
    """Markdown."""
    film = f"{document['frames']} frames, {document['width']} pixels wide, {document['artifact']}"
    lines = [
        f"{about(document, NAME)}: {film}. Tables equal: {'yes' if document['tables_equal'] else 'NO'}.",
        "",
        "| cores | ms a frame |",
        "|---|---|",
    ]
    lines += [f"| {cores} | {ms} |" for cores, ms in document["ms"].items()]
    rounds, most = ", ".join(map(str, document["speedups"])), max(map(int, document["ms"]))
    lines += [
        "",
        f"{document['speedup']} times as fast (rounds: {rounds}); bar {_LEAST}.",
        f"{most} programs of one core each, at once: {document['programs_at_once']} times as fast as one.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
