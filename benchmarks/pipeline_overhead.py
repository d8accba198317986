"""The pipeline's own CPU time a frame, beside the models that it runs.

    python benchmarks/pipeline_overhead.py [BUNDLE] [--frame FILE] [--frames 300] [--json]

"Own" is all that is no model: cutting out what the landmark networks look at, landmarks to pixels, tracks, pose, alignment and crop,
normalising, quality, fusion, thresholds, filters, result objects. It runs in one thread (OpenCV is told to use one), so it is that thread's CPU time, without the
time inside the models; of those the CPU time of all threads is given. The parts are measured in a second round, since
measuring them takes time too. Exit code 3 when the own time is over the budget.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from this_machine import measured_here

from edgeau import Pipeline
from edgeau import stages as stages_module
from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau.errors import InputError

SIZE = (640, 480)
WARM_UP = 30
GATE = 3
MODELS = ("MediaPipe", "AU network", "landmark model")

Clock = Callable[[], int]
Function = Callable[..., Any]


class StageTimes:
    """CPU time of nested calls, each without the calls inside it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._samples: dict[str, list[float]] = defaultdict(list)
        self._frame: dict[str, float] = defaultdict(float)
        self._inner = [0.0]

    def measured(self, stage: str, function: Function) -> Function:
        """The function, timed under the name of a stage."""

        def timed(*arguments: Any, **options: Any) -> Any:
            self._inner.append(0.0)
            start = self._clock()
            result = function(*arguments, **options)
            whole = (self._clock() - start) / 1e6
            self._frame[stage] += whole - self._inner.pop()
            self._inner[-1] += whole
            if len(self._inner) == 1:  # the outermost call is a frame
                for name, spent in self._frame.items():
                    self._samples[name].append(spent)
                self._frame.clear()
            return result

        return timed

    def medians(self) -> dict[str, float]:
        """Milliseconds a frame by stage."""
        return {stage: float(np.median(samples)) for stage, samples in self._samples.items()}


class TimedInterpreter:
    """A LiteRT interpreter whose runs are timed, and nothing else of it."""

    def __init__(self, interpreter: Any, timed: Callable[[Function], Function]) -> None:
        self._interpreter = interpreter
        self.invoke = timed(interpreter.invoke)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._interpreter, name)


def landmark_networks(landmarker: Any) -> list[Any]:
    """Every network of MediaPipe's that a landmarker runs; a refined mesh has two."""
    parts = (landmarker._detector, landmarker._mesh, getattr(landmarker._mesh, "_refinement", None))
    return [part._network for part in parts if part is not None]


def time_models(subject: Pipeline, stages: StageTimes) -> None:
    landmarker, detector = subject.stages._landmarkers[False], subject.stages.detector
    for network in landmark_networks(landmarker):
        network._interpreter = TimedInterpreter(
            network._interpreter, lambda invoke: stages.measured(MODELS[0], invoke)
        )
    detector._session.run = stages.measured(MODELS[1], detector._session.run)
    if subject.landmark_model is not None:
        part = subject.stages.predictor._landmarks
        part.estimate = stages.measured(MODELS[2], part.estimate)


def time_parts(subject: Pipeline, stages: StageTimes) -> None:
    landmarker, detector = subject.stages._landmarkers[False], subject.stages.detector
    landmarker.find = stages.measured("landmarks beside their networks", landmarker.find)
    crop = stages.measured("alignment and crop", subject.stages._alignment.crop)
    object.__setattr__(subject.stages._alignment, "crop", crop)  # it is frozen for everybody else
    session, preprocessor = detector._sessions.take()  # its only one
    preprocessor.batch = stages.measured("normalising", preprocessor.batch)
    detector._sessions.give_back((session, preprocessor))
    assessor = subject.stages._assessor
    assessor.assess = stages.measured("quality", assessor.assess)
    subject.stages.apply_filters = stages.measured("filters", subject.stages.apply_filters)
    predictor = subject.stages.predictor
    predictor.predict = stages.measured("fusion, thresholds, action units", predictor.predict)
    tracker = subject.stages._tracker
    tracker.update = stages.measured("tracks", tracker.update)


def medians(
    bundle: Path | None, frame: np.ndarray, frames: int, clock: Clock, *, parts: bool
) -> dict[str, float]:
    """Milliseconds of every stage, and of what no stage covers as ``"own"``."""
    with Pipeline.load(bundle, threads=1) as subject:
        for _ in range(WARM_UP):
            faces = subject.track(frame).faces
        if len(faces) != 1:
            raise InputError(f"the frame must show one face, {len(faces)} were found")
        stages = StageTimes(clock)
        time_models(subject, stages)
        head_pose = stages_module.head_pose
        if parts:
            time_parts(subject, stages)
            stages_module.head_pose = stages.measured("head pose", head_pose)
        process = stages.measured("own", subject.track)
        try:
            for _ in range(frames):
                process(frame)
        finally:
            stages_module.head_pose = head_pose
        return stages.medians()


def measure(bundle: Path | None, frame: np.ndarray, frames: int) -> dict[str, Any]:
    cv2.setNumThreads(1)
    measured = measured_here()
    own = medians(bundle, frame, frames, time.thread_time_ns, parts=False)["own"]
    parts = medians(bundle, frame, frames, time.thread_time_ns, parts=True)
    parts["everything else"] = parts.pop("own")
    models = medians(bundle, frame, frames, time.process_time_ns, parts=False)
    with Pipeline.load(bundle, threads=1) as subject:
        engine, artifact = str(subject.describe()), subject.artifact.file
    return {
        "frame": {"width": frame.shape[1], "height": frame.shape[0], "faces": 1},
        "frames": frames,
        **measured,
        "engine": engine,
        "artifact": artifact,
        "own_cpu_ms": round(own, 4),
        "own_parts_cpu_ms": {part: round(ms, 4) for part, ms in parts.items() if part not in MODELS},
        "models_cpu_ms": {model: round(ms, 4) for model, ms in models.items() if model in MODELS},
    }


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


def table(result: dict[str, Any], budget_ms: float) -> str:
    size = f"{result['frame']['width']}x{result['frame']['height']}"
    lines = [f"CPU ms a frame, {size}, one face, median of {result['frames']}; {result['engine']}"]
    lines += [f"  {model:<36}{ms:8.3f}" for model, ms in result["models_cpu_ms"].items()]
    lines += [f"  {'the pipeline itself':<36}{result['own_cpu_ms']:8.3f}   budget {budget_ms:g}"]
    parts = sorted(result["own_parts_cpu_ms"].items(), key=lambda part: -part[1])
    lines += [f"    {part:<34}{ms:8.3f}" for part, ms in parts]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    parser = CommandParser(
        "pipeline_overhead",
        "The pipeline's own CPU time a frame, beside the models that it runs.",
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
    if arguments.json:
        print_json({**result, "budget_ms": arguments.budget_ms})
    else:
        print(table(result, arguments.budget_ms))
    return DONE if result["own_cpu_ms"] < arguments.budget_ms else GATE


if __name__ == "__main__":
    sys.exit(run("pipeline_overhead", main))
