"""Cost of edgeau-analyze on a film of 1920 x 1080 with one face: decoding alone, and all of it.

    python benchmarks/analyze_speed.py [--frames 175] [--artifact onnxruntime/int8] [--json]

The film is the packaged clip enlarged and written as H.264. CPU and wall milliseconds a frame with one inference thread, start-up left out; the peak
memory is that of the process. Decoding runs ahead in FFmpeg's threads, so that the wall time of all is less than the sum.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from this_machine import machine_name

from edgeau import Pipeline, open_source
from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau_apps.analyze.annotated import AnnotatedVideo

NAME = "analyze_speed"
_SIZE = (1920, 1080)


def main(argv: Sequence[str] | None = None) -> int:
    return run(NAME, _measure, argv)


def _measure(argv: Sequence[str] | None) -> int:
    parser = CommandParser(NAME, __doc__ or "", "python benchmarks/analyze_speed.py")
    parser.add_argument("--frames", type=int, default=175, help="of the film (%(default)s)")
    parser.add_argument("--artifact", default="onnxruntime/int8", help="(%(default)s)")
    parser.add_json()
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        # In a process of its own: the encoder's memory is not the analysis's.
        writer = get_context("spawn").Process(target=_write, args=(film, arguments.frames))
        writer.start()
        writer.join()
        with Pipeline.load(artifact=arguments.artifact, threads=1, max_faces=100) as pipeline:
            pipeline.process(np.zeros((48, 64, 3), np.uint8))
            document = {
                "machine": machine_name(),
                "artifact": str(pipeline.describe()),
                "decode": _timed(lambda: _decoded(film)),
                "decode_and_analyze": _timed(lambda: _analyzed(film, pipeline)),
            }
    document["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    if arguments.json:
        print_json(document)
    else:
        print("\n".join(f"{name}: {value}" for name, value in document.items()))
    return DONE


def _write(path: Path, count: int) -> None:
    video = AnnotatedVideo(path, None, 25.0)
    with open_source("clip") as source:
        for frame, _ in zip(source, range(count), strict=False):
            video.write(np.asarray(cv2.resize(frame.image, _SIZE), np.uint8), frame.time_s)
    video.close()


def _timed(work: Callable[[], int]) -> dict[str, float]:
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    frames = work()
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    return {
        "frames": frames,
        "wall_ms": round(1000 * wall_s / frames, 2),
        "cpu_ms": round(1000 * cpu_s / frames, 2),
    }


def _decoded(film: Path) -> int:
    with open_source(film) as source:
        return sum(1 for _ in source)


def _analyzed(film: Path, pipeline: Pipeline) -> int:
    with open_source(film) as source:
        return sum(1 for _ in pipeline.stream(source))


if __name__ == "__main__":
    sys.exit(main())
