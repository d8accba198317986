"""What runs on the emulated machine to count a frame: the pipeline on a video, with marks of the counter where a part begins and ends.

python frame_guest.py BUNDLE LANDMARKS PICTURES WARM_UP OUT.json

BUNDLE is the name of a packaged bundle; its INT8 file runs in LiteRT. LANDMARKS are MediaPipe's networks, as Pipeline.load takes them. The files are
opened without the tries in a child process that Pipeline.load makes, which have limits of time that an emulator may exceed.
PICTURES is a folder of the video's frames as PNG files, 25 a second. Frames after the first WARM_UP are counted. Earlier commits are counted
by this file too, so it uses only what they have.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2

from edgeau import Bundle, Pipeline, load_bundle
from edgeau.action_units.network import AUDetector
from edgeau.bundle.packaged import packaged_bundle_path
from edgeau.faces.landmarks.landmarker import Landmarker
from edgeau.faces.landmarks.litert.landmarker import LiteRtLandmarker
from edgeau.runtimes import open_session
from edgeau.stages import FrameStages

# The counter of instructions (instructions.c) notes its count when this is closed.
_MARK = 987654
_FRAME_S = 1 / 25


class Marks:
    """Marks of the counter, and what they stand for.

    Attributes:
        made: the part of each mark, and True where it begins there, False where it ends.
    """

    def __init__(self) -> None:
        self.made: list[tuple[str, bool]] = []
        self._counting = False

    def count(self) -> None:
        """Make marks from now on."""
        self._counting = True

    def marked(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with a mark before and after it."""
        begins, ends = (part, True), (part, False)

        def runs(*given: Any, **named: Any) -> Any:
            self._mark(begins)
            answer = function(*given, **named)
            self._mark(ends)
            return answer

        return runs

    def _mark(self, mark: tuple[str, bool]) -> None:
        if self._counting:
            self.made.append(mark)
            try:
                os.close(_MARK)
            except OSError:
                return


def main(bundle: str, landmarks: str, pictures: str, warm_up: str, out: str) -> None:
    """Track the face through the pictures, and write which mark is which."""
    cv2.setNumThreads(1)
    marks = Marks()
    frames = [cv2.imread(str(path)) for path in sorted(Path(pictures).glob("*.png"))]
    faces = []
    with opened(load_bundle(packaged_bundle_path(bundle)), Path(landmarks)) as pipeline:
        mark_parts(pipeline, marks)
        track, nothing = marks.marked("frame", pipeline.track), marks.marked("nothing", lambda: None)
        for number, frame in enumerate(frames):
            if number == int(warm_up):
                marks.count()
            faces.append(len(track(frame, time_s=number * _FRAME_S).faces))
            nothing()  # what two marks cost
        told = {
            "engine": str(pipeline.describe()),
            "landmarker": pipeline.stages._landmarkers[False].describe(),
            "artifact": pipeline.artifact.file,
            "faces": faces,
            "marks": marks.made,
        }
    Path(out).write_text(json.dumps(told))


def opened(bundle: Bundle, landmarks: Path) -> Pipeline:
    """The pipeline with a bundle's INT8 file in LiteRT, for one face, with one thread."""
    kind = ("litert", "int8")
    (artifact,) = (one for one in bundle.manifest.artifacts if (one.runtime, one.precision) == kind)
    session = open_session(artifact.runtime, bundle.path(artifact.file), threads=1)

    def landmarker(static: bool) -> Landmarker:
        return LiteRtLandmarker(static=static, max_faces=1, models=landmarks, threads=1)

    detector = AUDetector(bundle, session, artifact, color="BGR")
    return Pipeline(FrameStages(detector, max_faces=1, landmarker=landmarker))


def mark_parts(pipeline: Pipeline, marks: Marks) -> None:
    """Let the parts of a frame make marks."""
    landmarker: Any = pipeline.stages._landmarkers[False]
    session: Any = pipeline.stages.detector._session
    mark_method(landmarker, "find", "landmarks", marks)
    for network in landmark_networks(landmarker):
        mark_method(network._interpreter, "invoke", "landmark networks", marks)
    mark_method(session, "run", "AU session", marks)
    mark_method(session._interpreter, "invoke", "AU network", marks)
    if (model := pipeline.stages.predictor._landmarks) is not None:
        mark_method(model, "estimate", "landmark model", marks)


def mark_method(of: Any, name: str, part: str, marks: Marks) -> None:
    """Exchange a method of one object."""
    setattr(of, name, marks.marked(part, getattr(of, name)))


def landmark_networks(landmarker: Any) -> list[Any]:
    """Every network of MediaPipe's that a landmarker runs; a refined mesh has two."""
    parts = (landmarker._detector, landmarker._mesh, getattr(landmarker._mesh, "_refinement", None))
    return [part._network for part in parts if part is not None]


if __name__ == "__main__":
    main(*sys.argv[1:])
