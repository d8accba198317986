"""Time from the start of a process to its first action units, and its peak memory, of pictures and of a live stream with one face.

    python benchmarks/start_and_memory.py [--rounds 5] [--out result.json] [--write docs/frame-cost.md]

Each start is a process of its own; what was measured and verified on this machine before is remembered, as after any first start, and Python's
modules are compiled, as pip compiles them when it installs a package (those of a checkout may not be). A picture: from starting
Python until ``edgeau analyze`` has printed its action units and ended. Live: until the first result with action units of pictures that come as from a webcam, 640 x 480, JPEG, 25 a second;
then 100 frames more, and the most memory that the process held (the largest resident set that Linux counted, shared libraries included).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
from result_options import add_result_options, give_result
from this_machine import about, measured_here

from edgeau import open_source
from edgeau._system.command import DONE, CommandParser, run
from edgeau.errors import InputError
from edgeau.runtimes.table import runtimes

NAME = "start_and_memory"
GATE = 3
_MOST_S, _MOST_MB = 0.8, 150
_PICTURE = Path(__file__).resolve().parent.parent / "docs" / "portrait.jpg"
_ARTIFACTS = (
    "litert/int8",
    "onnxruntime/int8",
    "onnxruntime/fp32",
    "openvino/int8",
    "openvino/fp32",
)
_FRAMES = 60
# A camera's road without a camera: JPEG pictures 25 times a second, decoded by OpenCV as those of a webcam are.
_LIVE = """
import sys, time
started = float(sys.argv[2])
from itertools import count
from pathlib import Path
import cv2
import numpy as np
from edgeau import Pipeline
from edgeau.sources import Frame, Source

class Camera(Source):
    name, fps, live, length = "pictures", 25.0, True, None
    stopped = False
    def __iter__(self):
        files = sorted(Path(sys.argv[3]).glob("*.jpg"))
        began = time.monotonic()
        for number in count():
            if self.stopped:
                return
            time.sleep(max(0.0, began + number / 25 - time.monotonic()))
            picture = cv2.imdecode(np.fromfile(files[number % len(files)], np.uint8), cv2.IMREAD_COLOR)
            yield Frame(number, number / 25, picture, "picture")
    def stop(self):
        self.stopped = True

with Pipeline.load(artifact=sys.argv[1], threads=1, max_faces=1) as pipeline:
    first, taken = None, 0
    for result in pipeline.stream(Camera()):
        if first is None and result.faces and result.faces[0].aus_time_s is not None:
            first = time.time() - started
        taken += 1
        if taken > 100:
            break
    # Not ru_maxrss, which begins with the parent's.
    print(first, next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def main(argv: Sequence[str] | None = None) -> int:
    return run(NAME, _measure, argv)


def _measure(argv: Sequence[str] | None) -> int:
    parser = CommandParser(NAME, __doc__ or "", f"python benchmarks/{NAME}.py")
    parser.add_argument("--rounds", type=int, default=5, help="starts of each (%(default)s)")
    add_result_options(parser)
    arguments = parser.parse_args(argv)
    document = measured_here()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as compiled:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}
        _picture(environment)
        taken = [_picture(environment) for _ in range(arguments.rounds)]
        document["picture_s"] = round(statistics.median(taken), 2)
        _write_pictures(Path(folder))
        document["live"] = {
            artifact: _live(artifact, folder, arguments.rounds, environment)
            for artifact in _ARTIFACTS
            if runtimes()[artifact.partition("/")[0]].is_installed
        }
    give_result(arguments, NAME, document, table)
    litert = document["live"]["litert/int8"]
    held = max(document["picture_s"], litert["first_s"]) <= _MOST_S and litert["peak_mb"] <= _MOST_MB
    return DONE if held else GATE


def _write_pictures(folder: Path) -> None:
    with open_source("clip") as source:
        for frame in islice(source, _FRAMES):
            cv2.imwrite(str(folder / f"{frame.index:03}.jpg"), cv2.resize(frame.image, (640, 480)))


def _picture(environment: Mapping[str, str]) -> float:
    began = time.perf_counter()
    command = [sys.executable, "-m", "edgeau", "analyze", str(_PICTURE)]
    subprocess.run(command, capture_output=True, check=True, env=environment)
    return time.perf_counter() - began


def _live(artifact: str, folder: str, rounds: int, environment: Mapping[str, str]) -> dict[str, float]:
    """Seconds to the first action units, median, and peak memory in units of 1024 x 1024 bytes, the largest.

    Raises:
        InputError: the artifact does not run.
    """
    found = []
    for _ in range(rounds + 1):  # the first one compiles, and is not counted
        command = [sys.executable, "-c", _LIVE, artifact, str(time.time()), folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if done.returncode:
            raise InputError(f"{artifact} could not be measured: {done.stderr.strip()[-500:]}")
        first_s, peak_mb = done.stdout.split()[-2:]
        found.append((float(first_s), int(peak_mb)))
    first, peak = zip(*found[1:], strict=True)
    return {"first_s": round(statistics.median(first), 2), "peak_mb": max(peak)}


def table(document: dict[str, Any]) -> str:
    """Markdown."""
    lines = [
        f"{about(document, NAME)}. `edgeau analyze` of a picture: {document['picture_s']} s from start to end (limit {_MOST_S} s).",
        "",
        f"| live, one face | first action units after, s (limit {_MOST_S}) | peak memory, MB (limit {_MOST_MB} with LiteRT) |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | {row['first_s']} | {row['peak_mb']} |" for name, row in document["live"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
