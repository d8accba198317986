"""Speed of edgeau-analyze with one core and with more: the same film, and the same pictures; tables are compared byte by byte.

    python benchmarks/film_cores.py VIDEO [--cores 2] [--rounds 3] [--artifact litert/int8] [--out result.json] [--write docs/frame-cost.md]

Each run is a process of its own, bound to as many processors as it is told to use; of the first frames the start is left out by taking a short
film's time off the long one's. Landmarks and networks have one thread each. What the processors themselves allow is measured beside it: as many
programs of one core each at once, each with a film of its own. The pictures are frames of the video, as JPEG files.
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
    parser.add_argument(
        "--pictures", type=int, default=90, help="frames of it that are pictures (%(default)s)"
    )
    parser.add_argument(
        "--width", type=int, default=1280, help="of the film and the pictures that are analyzed (%(default)s)"
    )
    parser.add_argument("--cores", type=int, default=2, help="beside one (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (%(default)s)")
    parser.add_argument("--artifact", default="litert/int8", help="(%(default)s)")
    add_result_options(parser)
    arguments = parser.parse_args(argv)
    measured = measured_here()
    with tempfile.TemporaryDirectory() as folder:
        films = (Path(folder) / "short" / "film.mp4", Path(folder) / "long" / "film.mp4")
        for film, count in zip(films, (_SHORT, arguments.frames), strict=True):
            film.parent.mkdir()
            frames = _write(arguments.video, film, count, arguments.width)
        series = (Path(folder) / "few", Path(folder) / "many")
        for place, count in zip(series, (_SHORT, arguments.pictures), strict=True):
            pictures = _write_pictures(arguments.video, place, count, arguments.width)
        apart: list[float] = []
        of_films = _Turns(arguments.cores)
        of_pictures = _Turns(arguments.cores)
        for _ in range(arguments.rounds):
            of_films.take(films, frames - _SHORT, arguments.artifact)
            short, long = (_seconds_at_once(film, arguments.cores, arguments.artifact) for film in films)
            apart.append((long - short) / (frames - _SHORT) / arguments.cores)
            of_pictures.take(series, pictures - _SHORT, arguments.artifact)
    document: dict[str, Any] = {
        **measured,
        "artifact": arguments.artifact,
        "frames": frames,
        "width": arguments.width,
        **of_films.document(),
        "programs_at_once": round(
            statistics.median(one / many for one, many in zip(of_films.times[1], apart, strict=True)), 2
        ),
        "pictures": {"count": pictures, **of_pictures.document()},
    }
    give_result(arguments, NAME, document, table)
    both = (document, document["pictures"])
    held = all(one["speedup"] >= _LEAST and one["tables_equal"] for one in both)
    return DONE if held else GATE


class _Turns:
    """Seconds a frame with one core and with more, in turns, and every table that came of it."""

    def __init__(self, cores: int) -> None:
        self.times: dict[int, list[float]] = {1: [], cores: []}
        self._tables: set[tuple[bytes, ...]] = set()

    def take(self, inputs: Sequence[Path], frames: int, artifact: str) -> None:
        """Measure once more.

        Args:
            inputs: a short one, and one that has so many frames more.
            frames: number of frames that it has more.
            artifact: of the packaged default.
        """
        for cores, found in self.times.items():
            short, long = (_seconds(one, "out", range(cores), artifact) for one in inputs)
            found.append((long - short) / frames)
            self._tables.add(
                tuple(path.read_bytes() for path in sorted((inputs[1].parent / "out").glob("*.csv")))
            )

    def document(self) -> dict[str, Any]:
        ratios = [one / many for one, many in zip(*self.times.values(), strict=True)]
        return {
            "ms": {
                str(cores): round(1000 * statistics.median(found), 2) for cores, found in self.times.items()
            },
            "speedup": round(statistics.median(ratios), 2),
            "speedups": sorted(round(ratio, 2) for ratio in ratios),
            "tables_equal": len(self._tables) == 1,
        }


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


def _write_pictures(source: str, folder: Path, count: int, width: int) -> int:
    folder.mkdir()
    written = 0
    with open_source(source) as opened:
        for frame in islice(opened, count):
            height = round(frame.image.shape[0] * width / frame.image.shape[1])
            cv2.imwrite(str(folder / f"{written:04}.jpg"), cv2.resize(frame.image, (width, height)))
            written += 1
    return written


def _seconds_at_once(film: Path, programs: int, artifact: str) -> float:
    """Wall seconds until as many programs, of one processor each, have analyzed the film."""
    with ThreadPoolExecutor(programs) as pool:
        given = [(film, f"out{number}", (number,), artifact) for number in range(programs)]
        return max(pool.map(lambda one: _seconds(*one), given))


def _seconds(given: Path, out: str, processors: Sequence[int], artifact: str) -> float:
    """Wall seconds of a program that analyzes a film or a folder.

    Args:
        given: to analyze.
        out: folder beside it for the results.
        processors: it runs on, by their place among those that this program may use.
        artifact: of the packaged default.
    """
    usable = sorted(os.sched_getaffinity(0))
    options = [
        "--out",
        str(given.parent / out),
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
        [sys.executable, "-m", "edgeau", "analyze", str(given), *options],
        check=True,
        capture_output=True,
        preexec_fn=lambda: os.sched_setaffinity(0, allowed),
    )
    return time.perf_counter() - began


def table(document: dict[str, Any]) -> str:
    """Markdown."""
    film = f"{document['frames']} frames, {document['width']} pixels wide, {document['artifact']}"
    pictures = document["pictures"]
    equal = document["tables_equal"] and pictures["tables_equal"]
    lines = [
        f"{about(document, NAME)}: {film}. Tables equal: {'yes' if equal else 'NO'}.",
        "",
        "| cores | ms a frame of a video | ms a picture |",
        "|---|---|---|",
    ]
    lines += [f"| {cores} | {ms} | {pictures['ms'][cores]} |" for cores, ms in document["ms"].items()]
    most = max(map(int, document["ms"]))
    lines += [
        "",
        f"Video: {_speed(document)}; pictures: {_speed(pictures)}; bar {_LEAST}.",
        f"{most} programs of one core each, at once: {document['programs_at_once']} times as fast as one.",
    ]
    return "\n".join(lines)


def _speed(document: dict[str, Any]) -> str:
    return f"{document['speedup']} times as fast (rounds: {', '.join(map(str, document['speedups']))})"


if __name__ == "__main__":
    raise SystemExit(main())
