"""Frames in, action units of every face out."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeau.au_reading import AUReader
from edgeau.detector import AUDetector
from edgeau.head_pose import head_pose
from edgeau.landmarks import Landmarker, open_landmarker
from edgeau.results import Box, Face, FrameResult
from edgeau.tracks import FaceTracks

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from edgeau.bundle.bundle import Bundle
    from edgeau.landmark_model import LandmarkModel
    from edgeau.neutral_baseline import NeutralBaseline
    from edgeau.session import EngineInfo
    from edgeau.sources import Source

__all__ = ["Pipeline"]

_log = logging.getLogger(__name__)


class Pipeline:
    """Landmarks, alignment, network, landmark model and thresholds, one frame after the other.

    It belongs to the thread that uses it, and follows one stream at a time. Close it, or use it in ``with``.

    Args:
        detector: of BGR crops; closed with the pipeline.
        max_faces: how many faces are looked for at most.
        static: every frame stands for itself: nothing is tracked, faces get no ``track_id``.
        experimental: whether AUs without evidence on real faces are given too.
        landmarker_model: a ``face_landmarker.task``, needed with mediapipe from 0.10.30 on.
    """

    def __init__(
        self,
        detector: AUDetector,
        *,
        max_faces: int = 4,
        static: bool = False,
        experimental: bool = False,
        landmarker_model: Path | None = None,
    ) -> None:
        self._detector = detector
        self._reader = AUReader(detector, experimental=experimental)
        self._alignment = detector.bundle.manifest.alignment
        self._max_faces = max_faces
        self._static = static
        self._landmarker_model = landmarker_model
        self._landmarkers: dict[bool, Landmarker] = {}
        self._landmarker(static=static)  # what is missing on this machine is said now, not at the first frame
        self._tracks = FaceTracks()
        self._baselines: dict[int | None, NeutralBaseline] = {}
        self._count = 0
        self._start_s: float | None = None

    @classmethod
    def load(
        cls,
        path: Path | str | None = None,
        *,
        engine: str | None = None,
        threads: int | None = None,
        provider: str | None = None,
        max_faces: int = 4,
        static: bool = False,
        experimental: bool = False,
        landmarker_model: Path | str | None = None,
    ) -> Pipeline:
        """A pipeline from a bundle.

        Args:
            path: the bundle's folder; None takes the one that the package carries.
            engine: which of its artifacts may be tried: a runtime (``"onnxruntime"``), a precision (``"int8"``), both
                (``"onnxruntime/int8"``) or a file name; None tries all in the bundle's order.
            threads: that one inference may use; None takes half of the processors, at most 4.
            provider: the engine's device or kernel library; None takes the backend's default.
            max_faces: how many faces are looked for at most. With 1, a video costs less: while fewer faces than this
                are in view, every frame is searched for more.
            static: every frame stands for itself (pictures in any order): nothing is tracked.
            experimental: whether AUs without evidence on real faces are given too.
            landmarker_model: a ``face_landmarker.task``, needed with mediapipe from 0.10.30 on.

        Raises:
            BundleError: there is no bundle, or it is damaged or newer than this library.
            EngineError: no artifact works here.
            DependencyError: a package is missing.
            InputError: the landmarker model is missing or is none.
        """
        detector = AUDetector.load(path, engine=engine, threads=threads, provider=provider, color="BGR")
        try:
            pipeline = cls(
                detector,
                max_faces=max_faces,
                static=static,
                experimental=experimental,
                landmarker_model=None if landmarker_model is None else Path(landmarker_model),
            )
        except BaseException:
            detector.close()
            raise
        if not detector.bundle.manifest.network.trained:
            _log.warning("%s holds an untrained network: its action units mean nothing", path)
        return pipeline

    @property
    def bundle(self) -> Bundle:
        """The bundle that is run."""
        return self._detector.bundle

    @property
    def labels(self) -> tuple[str, ...]:
        """The AUs that every face gets, in order."""
        return self._reader.labels

    @property
    def thresholds(self) -> dict[str, float]:
        """Decision threshold on the probability of each of :attr:`labels`, 0..1."""
        return self._reader.thresholds

    @property
    def intensity_labels(self) -> tuple[str, ...]:
        """Those of :attr:`labels` whose intensity the bundle estimates; the others have None."""
        return self._reader.intensity_labels

    @property
    def landmark_model(self) -> LandmarkModel | None:
        """The bundle's landmark model, where it has one; what a neutral baseline is collected with."""
        return self._reader.landmark_model

    def use_baseline(self, baseline: NeutralBaseline | None, track_id: int | None = None) -> None:
        """Measure a person's expressions from their own neutral face.

        Args:
            baseline: from :class:`edgeau.neutral_baseline.NeutralCollector`; None goes back to the mean of many faces.
            track_id: whose; None for everybody who has none of their own. Track ids start again with every stream.
        """
        if baseline is None:
            self._baselines.pop(track_id, None)
        else:
            self._baselines[track_id] = baseline

    def describe(self) -> EngineInfo:
        """What runs the network."""
        return self._detector.describe()

    def process(self, frame_bgr: NDArray[np.uint8], *, time_s: float | None = None) -> FrameResult:
        """The action units of one frame.

        Args:
            frame_bgr: uint8 ``(height, width, 3)``, blue first, as OpenCV reads it.
            time_s: time of the frame, seconds; None takes the time since the first call.

        Returns:
            The result; its index counts the calls.

        Raises:
            InputError: the frame is not a BGR picture; the message says how to make it one.
            EngineError: the engine failed.
        """
        taken_s = time.monotonic()
        if self._start_s is None:
            self._start_s = taken_s
        faces = self._faces(frame_bgr, static=self._static)
        index, self._count = self._count, self._count + 1
        time_s = taken_s - self._start_s if time_s is None else time_s
        return FrameResult(index, time_s, time.monotonic() - taken_s, 0, faces)

    def stream(self, source: Source) -> Iterator[FrameResult]:
        """The action units of every frame of a source, in order, with the source's numbers and times.

        Pictures are each looked at alone. Closing the source stays with whoever opened it.

        Args:
            source: from :func:`edgeau.open_source`.

        Raises:
            InputError: from the iterator, where the source could not deliver frames; what it could comes before.
            EngineError: the engine failed.
        """
        static = self._static or source.still
        self._landmarker(static=static).reset()
        self._tracks = FaceTracks()
        self._baselines = {who: face for who, face in self._baselines.items() if who is None}
        for frame in source:
            taken_s = time.monotonic()
            faces = self._faces(frame.image, static=static)
            yield FrameResult(frame.index, frame.time_s, time.monotonic() - taken_s, 0, faces)

    def close(self) -> None:
        """Give the models' memory back; a second call does nothing."""
        for landmarker in self._landmarkers.values():
            landmarker.close()
        self._detector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _faces(self, frame: NDArray[np.uint8], *, static: bool) -> tuple[Face, ...]:
        landmarks = self._landmarker(static=static).detect(frame)
        boxes = [_box(points) for points in landmarks]
        numbers: Sequence[int | None] = [None] * len(boxes) if static else self._tracks.update(boxes)
        poses = [head_pose(points) for points in landmarks]
        crops = [self._alignment.crop(frame, points) for points in landmarks]
        baselines = [self._baselines.get(number, self._baselines.get(None)) for number in numbers]
        action_units = self._reader.read(crops, landmarks, baselines)
        faces = [Face(*parts) for parts in zip(boxes, landmarks, numbers, poses, action_units, strict=True)]
        return tuple(sorted(faces, key=_place))

    def _landmarker(self, *, static: bool) -> Landmarker:
        if static not in self._landmarkers:
            self._landmarkers[static] = open_landmarker(
                static=static, max_faces=self._max_faces, model=self._landmarker_model
            )
        return self._landmarkers[static]


def _box(landmarks: NDArray[np.float32]) -> Box:
    x, y = landmarks[:, 0], landmarks[:, 1]
    left, top = float(np.minimum.reduce(x)), float(np.minimum.reduce(y))
    return Box(left, top, float(np.maximum.reduce(x)) - left, float(np.maximum.reduce(y)) - top)


def _place(face: Face) -> tuple[float, float]:
    return (face.box.left, face.box.top) if face.track_id is None else (float(face.track_id), 0.0)
