"""The pipeline's own CPU time a frame, beside its two networks.

    python benchmarks/pipeline_overhead.py [BUNDLE] [--frame FILE] [--frames 300] [--json]

"Own" is all that is neither MediaPipe nor the AU network: colour, crop, alignment, normalising, landmark model,
thresholds, tracks, result objects. CPU time of the whole process, all threads, so that a busy machine disturbs it less
than wall time. Exit code 3 when the own time is over the budget.
"""

from __future__ import annotations

import platform
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edgeau import Pipeline, au_reading, pipeline
from edgeau.command import DONE, CommandParser, print_json, run
from edgeau.errors import InputError

SIZE = (640, 480)
GATE = 3
NETWORKS = ("MediaPipe", "AU network")


class Stages:
    """CPU time of nested calls, each without the calls inside it."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, list[float]] = defaultdict(list)
        self._inner = [0.0]

    def measured(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed under the name of a stage."""

        def timed(*arguments: Any, **options: Any) -> Any:
            self._inner.append(0.0)
            start = time.process_time_ns()
            try:
                return function(*arguments, **options)
            finally:
                whole = (time.process_time_ns() - start) / 1e6
                self.milliseconds[stage].append(whole - self._inner.pop())
                self._inner[-1] += whole

        return timed

    def medians(self) -> dict[str, float]:
        """Milliseconds a frame by stage."""
        return {stage: float(np.median(values)) for stage, values in self.milliseconds.items()}


def instrument(stages: Stages, subject: Pipeline) -> None:
    """Time the stages of a pipeline, from outside."""
    landmarker = subject._landmarkers[False]
    landmarker._mesh.process = stages.measured(NETWORKS[0], landmarker._mesh.process)
    landmarker.detect = stages.measured("colour, landmarks to pixels", landmarker.detect)
    detector = subject._detector
    detector._session.run = stages.measured(NETWORKS[1], detector._session.run)
    detector._preprocessor.batch = stages.measured("normalising", detector._preprocessor.batch)
    crop = stages.measured("alignment and crop", subject._alignment.crop)
    object.__setattr__(subject._alignment, "crop", crop)  # it is frozen for everybody else
    pipeline.head_pose = stages.measured("head pose", pipeline.head_pose)
    if subject.landmark_model is not None:
        part = au_reading._LandmarkPart
        part.estimate = stages.measured("landmark model", part.estimate)
    subject._faces = stages.measured("everything else", subject._faces)


def one_face(file: Path | None) -> np.ndarray:
    """A 640x480 frame with one face."""
    if file is not None:
        frame = cv2.imread(str(file))
        if frame is None:
            raise InputError(f"{file} is not a picture that OpenCV can read")
        return cv2.resize(frame, SIZE)
    from skimage import data

    portrait = np.ascontiguousarray(data.astronaut()[:384, :, ::-1])
    return cv2.resize(portrait, SIZE)


def measure(bundle: Path | None, frame: np.ndarray, frames: int) -> dict[str, Any]:
    with Pipeline.load(bundle, threads=1) as subject:
        for _ in range(30):
            faces = subject.process(frame).faces
        if len(faces) != 1:
            raise InputError(f"the frame must show one face, {len(faces)} were found")
        stages = Stages()
        instrument(stages, subject)
        for _ in range(frames):
            subject.process(frame)
        medians = stages.medians()
        own = {stage: value for stage, value in medians.items() if stage not in NETWORKS}
        return {
            "frame": list(frame.shape),
            "frames": frames,
            "machine": platform.machine(),
            "engine": str(subject.describe()),
            "artifact": subject._detector.artifact.file,
            "cpu_ms": {stage: round(value, 4) for stage, value in medians.items()},
            "own_cpu_ms": round(sum(own.values()), 4),
        }


def table(result: dict[str, Any]) -> str:
    height, width, _ = result["frame"]
    rows = sorted(result["cpu_ms"].items(), key=lambda row: (row[0] in NETWORKS, -row[1]))
    lines = [f"CPU ms a frame, {width}x{height}, one face, median of {result['frames']}; {result['engine']}"]
    lines += [f"  {stage:<30}{value:8.3f}" for stage, value in rows if stage not in NETWORKS]
    lines += [f"  {'own, together':<30}{result['own_cpu_ms']:8.3f}   (budget {result['budget_ms']})"]
    lines += [f"  {stage:<30}{value:8.3f}" for stage, value in rows if stage in NETWORKS]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    parser = CommandParser(
        "pipeline_overhead",
        "The pipeline's own CPU time a frame.",
        "python benchmarks/pipeline_overhead.py --json",
    )
    parser.add_argument("bundle", nargs="?", type=Path, help="a bundle; the packaged default without it")
    parser.add_argument(
        "--frame", type=Path, help="a picture with one face; without it scikit-image's astronaut"
    )
    parser.add_argument("--frames", type=int, default=300, help="how many are timed (300)")
    parser.add_argument("--budget-ms", type=float, default=1.0, help="own CPU time allowed (1.0)")
    parser.add_json()
    arguments = parser.parse_args(argv)
    result = measure(arguments.bundle, one_face(arguments.frame), arguments.frames)
    result["budget_ms"] = arguments.budget_ms
    if arguments.json:
        print_json(result)
    else:
        print(table(result))
    return DONE if result["own_cpu_ms"] < arguments.budget_ms else GATE


if __name__ == "__main__":
    sys.exit(run("pipeline_overhead", main))
