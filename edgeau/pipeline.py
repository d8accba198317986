"""Frames in, action units of every face out."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.network import AUDetector
from edgeau.action_units.predictor import AUReader
from edgeau.faces.detected_face import FoundFace
from edgeau.faces.head_pose import head_pose
from edgeau.faces.landmarks import Landmarker, open_landmarker
from edgeau.faces.quality import Limits, QualityAssessor
from edgeau.faces.tracker import FaceTracks
from edgeau.live import LivePipeline
from edgeau.results import ActionUnit, Box, Face, FrameResult
from edgeau.sources.frame import Frame
from edgeau.temporal.result_filter import Refiner

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from edgeau.action_units.landmark_model import LandmarkModel
    from edgeau.action_units.neutral_baseline import NeutralBaseline
    from edgeau.bundle.load import Bundle
    from edgeau.bundle.manifest import Artifact
    from edgeau.runtimes.session import EngineInfo
    from edgeau.sources import Source

__all__ = ["Pipeline"]

_log = logging.getLogger(__name__)


class Pipeline:
    """Landmarks, alignment, network, landmark model and thresholds.

    It follows one stream at a time, and belongs to the thread that uses it. Close it, or use it in ``with``. Its stages
    are :meth:`find`, :meth:`read` and :meth:`refine`; :meth:`process` and :meth:`stream` run them.

    Args:
        detector: of BGR crops; closed with the pipeline.
        max_faces: how many faces are looked for at most.
        static: every frame stands for itself: nothing is tracked, faces get no ``track_id``.
        experimental: whether AUs without evidence on real faces are given too.
        landmarker_model: MediaPipe's face networks: a ``face_landmarker.task``, a folder or a wheel of mediapipe. None takes
            those of the bundle, else those of this machine (``edgeau-landmarks`` lists them).
        landmarker: opens another landmarker than MediaPipe's; its argument says whether every frame stands for itself.
        refiners: what every result passes through, in this order.
        limits: of a face's picture; AUs that cannot be read from it are refused with the reason. None takes those that
            were measured, ``Limits.none()`` refuses nothing.

    Attributes:
        live: what runs, or ran last, a live source: its counters, its newest picture, and the way to stop it. None
            before the first live source.
    """

    def __init__(
        self,
        detector: AUDetector,
        *,
        max_faces: int = 4,
        static: bool = False,
        experimental: bool = False,
        landmarker_model: Path | None = None,
        landmarker: Callable[[bool], Landmarker] | None = None,
        refiners: Sequence[Refiner] = (),
        limits: Limits | None = None,
    ) -> None:
        self.live: LivePipeline | None = None
        self._refiners = tuple(refiners)
        self._detector = detector
        self._reader = AUReader(detector, experimental=experimental)
        self._assessor = QualityAssessor(self._reader.labels, limits)
        self._alignment = detector.bundle.manifest.alignment
        self._max_faces = max_faces
        self._static = static
        self._landmarker_model = landmarker_model
        self._open_landmarker = landmarker or self._open_mediapipe
        self._landmarkers: dict[bool, Landmarker] = {}
        self._landmarker(
            static=static
        )  # what is missing on this machine is reported now, not at the first frame
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
        refiners: Sequence[Refiner] = (),
        limits: Limits | None = None,
    ) -> Pipeline:
        """A pipeline from a bundle.

        Args:
            path: the bundle's folder; None takes the one that the package carries.
            engine: which of its artifacts may be tried: a runtime (``"onnxruntime"``), a precision (``"int8"``), both
                (``"onnxruntime/int8"``) or a file name; None chooses among all.
            threads: that one inference may use; None takes as many as are fastest. What is fastest here is measured
                once for each bundle, see :func:`edgeau.bundle.select.open_engine`.
            provider: the engine's device or kernel library; None takes the backend's default.
            max_faces: how many faces are looked for at most. With 1, a video costs less: while fewer faces than this
                are in view, every frame is searched for more.
            static: every frame stands for itself (pictures in any order): nothing is tracked.
            experimental: whether AUs without evidence on real faces are given too.
            landmarker_model: MediaPipe's face networks: a ``face_landmarker.task``, a folder or a wheel of mediapipe. None takes
                those of the bundle, else those of this machine (``edgeau-landmarks`` lists them).
            refiners: what every result passes through, in this order.
            limits: of a face's picture; AUs that cannot be read from it are refused with the reason. None takes those
                that were measured, ``Limits.none()`` refuses nothing.

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
                refiners=refiners,
                limits=limits,
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
    def artifact(self) -> Artifact:
        """Which of the bundle's artifacts is run."""
        return self._detector.artifact

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
            baseline: from :class:`edgeau.action_units.neutral_baseline.NeutralCollector`; None goes back to the mean of many faces.
            track_id: whose; None for everybody who has none of their own. Track ids start again with every stream.
        """
        if baseline is None:
            self._baselines.pop(track_id, None)
        else:
            self._baselines[track_id] = baseline

    def use_refiners(self, *refiners: Refiner) -> None:
        """Pass every result from now on through these, in this order; for those that need to know the pipeline."""
        self._refiners = refiners

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
        time_s = taken_s - self._start_s if time_s is None else time_s
        result = self._result(Frame(self._count, time_s, frame_bgr, ""), static=self._static, taken_s=taken_s)
        self._count += 1
        return result

    def stream(self, source: Source) -> Iterator[FrameResult]:
        """The action units of a source's frames, in order, with the source's numbers and times.

        Of files every frame is processed, one after the other, and twice the same way. Of a live source the newest
        frames are, in threads of their own: see :class:`~edgeau.live.LivePipeline`, which is what runs then and what
        :attr:`live` is. Pictures are each looked at alone. Closing the source stays with whoever opened it.

        Args:
            source: from :func:`edgeau.open_source`.

        Raises:
            InputError: from the iterator, where the source could not deliver frames; what it could comes before.
            EngineError: the engine failed.
        """
        if source.live:
            self.live = self.live or LivePipeline(self)
            yield from self.live.stream(source)
            return
        static = self._static or source.still
        self.start(static=static)
        for frame in source:
            yield self._result(frame, static=static, taken_s=time.monotonic())

    def start(self, *, static: bool = False) -> None:
        """Forget the frames so far: what comes next is another stream.

        Args:
            static: its frames have nothing to do with each other.
        """
        self._landmarker(static=static).reset()
        self._tracks = FaceTracks()
        self._baselines = {who: face for who, face in self._baselines.items() if who is None}
        for refiner in self._refiners:
            refiner.reset()

    def find(self, frame: Frame, *, static: bool = False) -> list[FoundFace]:
        """The first stage: where the faces are, who they are among those seen before, and how the heads are turned.

        It may run in another thread than :meth:`read`, but in one at a time.

        Args:
            frame: of the stream that :meth:`start` began; faces are looked for in its small picture where it has one.
            static: frames have nothing to do with each other.

        Raises:
            InputError: the frame is not a BGR picture.
        """
        landmarks = self._landmarks(frame, static=static)
        boxes = [_box(points) for points in landmarks]
        numbers: Sequence[int | None] = (
            [None] * len(boxes) if static else self._tracks.update(boxes, landmarks, frame.time_s)
        )
        poses = [head_pose(points) for points in landmarks]
        found = [FoundFace(*parts) for parts in zip(boxes, landmarks, numbers, poses, strict=True)]
        return sorted(found, key=_place)

    def read(self, frame: Frame, faces: Sequence[FoundFace]) -> list[Face]:
        """The second stage: the action units of some faces of a frame.

        Args:
            frame: as given to :meth:`find`.
            faces: all or some of what :meth:`find` gave.

        Raises:
            EngineError: the engine failed.
        """
        landmarks = [face.landmarks for face in faces]
        crops = [self._alignment.crop(frame.image, points) for points in landmarks]
        baselines = [self._baselines.get(face.track_id, self._baselines.get(None)) for face in faces]
        action_units = self._reader.read(crops, landmarks, baselines)
        return [self._judged(frame, *parts) for parts in zip(faces, crops, action_units, strict=True)]

    def _judged(
        self, frame: Frame, face: FoundFace, crop: NDArray[np.uint8], aus: dict[str, ActionUnit]
    ) -> Face:
        """A face without the AUs that cannot be read from its picture."""
        quality = self._assessor.assess(frame.image, face.landmarks, face.box, crop, face.pose)
        return Face(
            face.box,
            face.landmarks,
            face.track_id,
            face.pose,
            quality.refuse(aus),
            quality=quality,
            aus_time_s=frame.time_s,
        )

    def unread(self, face: FoundFace) -> Face:
        """A face that the network has not looked at yet: its action units are there, without numbers."""
        return Face(face.box, face.landmarks, face.track_id, face.pose, self._reader.unread())

    def refine(self, result: FrameResult) -> FrameResult:
        """The last stage: what the pipeline's refiners make of a result. It runs in the thread that takes results."""
        for refiner in self._refiners:
            result = refiner.refine(result)
        return result

    def close(self) -> None:
        """Stop what is live and give the models' memory back; a second call does nothing."""
        if self.live is not None:
            self.live.close()
        for landmarker in self._landmarkers.values():
            landmarker.close()
        self._detector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _result(self, frame: Frame, *, static: bool, taken_s: float) -> FrameResult:
        faces = tuple(self.read(frame, self.find(frame, static=static)))
        age_s = time.monotonic() - taken_s
        return self.refine(FrameResult(frame.index, frame.time_s, age_s, 0, faces))

    def _landmarks(self, frame: Frame, *, static: bool) -> list[NDArray[np.float32]]:
        landmarker = self._landmarker(static=static)
        if frame.small is None:
            return landmarker.detect(frame.image)
        across = frame.image.shape[1] / frame.small.shape[1]
        scale = np.array((across, frame.image.shape[0] / frame.small.shape[0], across), np.float32)
        return [points * scale for points in landmarker.detect(frame.small)]

    def _landmarker(self, *, static: bool) -> Landmarker:
        if static not in self._landmarkers:
            self._landmarkers[static] = self._open_landmarker(static)
        return self._landmarkers[static]

    def _open_mediapipe(self, static: bool) -> Landmarker:
        return open_landmarker(
            static=static,
            max_faces=self._max_faces,
            model=self._landmarker_model,
            bundled=self.bundle.landmark_networks,
        )


def _box(landmarks: NDArray[np.float32]) -> Box:
    x, y = landmarks[:, 0], landmarks[:, 1]
    left, top = float(np.minimum.reduce(x)), float(np.minimum.reduce(y))
    return Box(left, top, float(np.maximum.reduce(x)) - left, float(np.maximum.reduce(y)) - top)


def _place(face: FoundFace) -> tuple[float, float]:
    return (face.box.left, face.box.top) if face.track_id is None else (float(face.track_id), 0.0)
