"""The stages that a frame passes: faces found, action units read, results filtered.

:class:`~edgeau.pipeline.Pipeline` runs them one after the other, :class:`~edgeau.live.LivePipeline` in threads of their own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgeau._system.closing import Closing
from edgeau._system.lifetime import Lifetime
from edgeau._system.pool import Pool
from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.action_units.network import AUDetector
from edgeau.action_units.neutral_baseline import NeutralBaseline
from edgeau.action_units.predictor import AUPredictor, KnownLogits, Predicted
from edgeau.action_units.unchanged import SKIP, SeenFace, Skip, UnchangedFaces
from edgeau.bundle import Bundle, SignaturePolicy, bundle_folder, load_bundle
from edgeau.errors import DependencyError, UsageError
from edgeau.faces.detected_face import DetectedFace
from edgeau.faces.head_pose import head_pose
from edgeau.faces.landmarks import Landmarker, open_landmarker
from edgeau.faces.landmarks.detection_frame import in_larger_frame
from edgeau.faces.landmarks.landmarker import FaceLandmarks
from edgeau.faces.optional_outputs import OptionalOutput, OptionalOutputs
from edgeau.faces.quality import Limits, QualityAssessor
from edgeau.faces.tracker import FaceTracker
from edgeau.results import Box, Face, FaceQuality, FrameResult
from edgeau.runtimes.table import runtimes
from edgeau.sources.frame import Frame
from edgeau.temporal.hysteresis import Hysteresis
from edgeau.temporal.smoothing import Smoother
from edgeau.temporal.track_states import PerTrackFilter, ResultFilter

__all__ = ["MOST_FACES", "FrameStages", "Stages"]

_log = logging.getLogger(__name__)

MOST_FACES = 100
"""Faces that are looked for in one picture unless told otherwise."""

# Live, each face takes time that the next frame waits for. Ours.
_MOST_LIVE = 4


class Stages(Protocol):
    """The interface that the threads of a live stream call; :class:`FrameStages` is the real one."""

    def start(self) -> None:
        """Forget the frames so far: what comes next is another stream."""

    def find(self, frame: Frame) -> list[DetectedFace]:
        """The faces of a frame."""

    def read(self, frame: Frame, faces: Sequence[DetectedFace], *, loaded: bool = False) -> list[Face]:
        """The action units of some faces of a frame; ``loaded`` says that the stream cannot keep its rate."""

    def without_aus(self, face: DetectedFace) -> Face:
        """A face that the network has not looked at yet."""

    def apply_filters(self, result: FrameResult) -> FrameResult:
        """Pass a result through the filters."""

    def close(self) -> None:
        """Give the models' memory back."""


@dataclass(frozen=True, slots=True)
class _Look:
    """Memory of a look at a face: the network's logits ``(C,)``, and the quality of its picture."""

    network_logits: NDArray[np.float32]
    quality: FaceQuality


class FrameStages(Closing):
    """Landmarks, tracking, alignment, network, landmark model, thresholds and filters of one stream.

    :meth:`find` may run in another thread than :meth:`read`, and :meth:`apply_filters` in a third one. Threads that call one
    of them at a time take turns. They do not outlive a fork: load them in each process.

    Args:
        detector: detector of BGR crops; closed with the stages.
        max_faces: how many faces are looked for at most; None takes 100 in pictures and files and 4 live.
        far: whether faces below 11 % of the long side of the frame are looked for too, down to 2.5 %, in tiles. It costs about
            60 ms of CPU time for a picture of 1920 x 1080, in a film for one frame in 25. None does so for pictures and
            files but not live.
        experimental: whether AUs without evidence on real faces are given too.
        landmarker: opens a landmarker; its argument says whether every frame stands for itself. None takes MediaPipe's with the
            networks of the bundle, else those of this machine (``edgeau-landmarks`` lists them).
        filters: what every result passes through, in this order; None takes smoothing and hysteresis at the thresholds of
            the bundle, an empty sequence takes nothing. Faces without a track (single pictures) pass unchanged.
        limits: limits of a face's picture; AUs that cannot be read from it are refused with the reason. None takes those that
            were measured, ``Limits.none()`` refuses nothing.
        skip: whether the network is spared faces of a stream that did not change since it looked at them last
            (:data:`edgeau.action_units.unchanged.SKIP`).
        search_every: of a stream: so many frames lie between two searches for further faces, at least, while the known ones are in view.
        optional: adds optional outputs to every result; None adds none.

    Raises:
        UsageError: ``skip`` is none of its values, or ``search_every`` is below 1.
    """

    def __init__(
        self,
        detector: AUDetector,
        *,
        max_faces: int | None = None,
        far: bool | None = None,
        experimental: bool = False,
        landmarker: Callable[[bool], Landmarker] | None = None,
        filters: Sequence[ResultFilter] | None = None,
        limits: Limits | None = None,
        skip: Skip = "off",
        search_every: int = 1,
        optional: OptionalOutputs | None = None,
    ) -> None:
        if skip not in SKIP:
            raise UsageError(f"skip must be one of {', '.join(SKIP)}, got {skip!r}")
        if search_every < 1:
            raise UsageError(f"search_every must be 1 or more frames, got {search_every}")
        self._search_every = search_every
        self._skip = skip
        self._unchanged: UnchangedFaces[_Look] = UnchangedFaces()
        self.detector = detector
        self.predictor = AUPredictor(detector, experimental=experimental)
        self._assessor = QualityAssessor(self.predictor.labels, limits)
        self._alignment = detector.bundle.manifest.alignment
        self._max_faces = max_faces
        self._far = far
        self._looks_far, self._most = far is True, _MOST_LIVE if max_faces is None else max_faces
        self._lifetime = Lifetime("pipeline")
        self._finding, self._filtering = threading.RLock(), threading.RLock()
        self._open_landmarker = landmarker or _mediapipe(detector.bundle, max_faces, None)
        self._landmarkers: dict[bool, Landmarker] = {}
        self._side_by_side: Pool[Landmarker] = Pool()
        # What is missing here is said now, not at the first frame.
        self._check_far(self._landmarker(static=False))
        self._tracker = FaceTracker()
        self._baselines: dict[int | None, NeutralBaseline] = {}
        self.filters: tuple[ResultFilter, ...] = (
            (Smoother(), Hysteresis(self.predictor.thresholds)) if filters is None else tuple(filters)
        )
        self._optional = optional

    @classmethod
    def load(
        cls,
        path: Path | str | None = None,
        *,
        artifact: str | None = None,
        threads: int | None = None,
        provider: str | None = None,
        max_faces: int | None = None,
        far: bool | None = None,
        experimental: bool = False,
        landmarker_model: Path | str | None = None,
        filters: Sequence[ResultFilter] | None = None,
        limits: Limits | None = None,
        signatures: SignaturePolicy | None = None,
        skip: Skip = "off",
        search_every: int = 1,
        also: Sequence[OptionalOutput] = (),
    ) -> FrameStages:
        """The stages of a bundle; arguments and errors as for :meth:`edgeau.Pipeline.load`."""
        model = None if landmarker_model is None else Path(landmarker_model)
        optional = OptionalOutputs(also, model) if also else None
        bundle = load_bundle(bundle_folder(path), signatures=signatures)
        open_ = _mediapipe(bundle, max_faces, model)
        with ExitStack() as undone:
            # Before the network: what is missing here is said at once, and not after seconds in which engines are timed.
            first = [undone.enter_context(open_(False))]
            detector = undone.enter_context(
                AUDetector.load(bundle, artifact=artifact, threads=threads, provider=provider, color="BGR")
            )
            stages = cls(
                detector,
                max_faces=max_faces,
                far=far,
                experimental=experimental,
                landmarker=lambda static: first.pop() if first and not static else open_(static),
                filters=filters,
                limits=limits,
                skip=skip,
                search_every=search_every,
                optional=optional,
            )
            undone.pop_all()
        if not detector.bundle.manifest.network.trained:
            _log.warning("%s holds an untrained network: its action units are meaningless", path)
        return stages

    @property
    def remembers_looks(self) -> bool:
        """True where :meth:`read` must be given the frames in order."""
        return self._skip != "off"

    @property
    def landmark_model(self) -> LandmarkModel | None:
        """The bundle's landmark model, where it has one."""
        return self.predictor.landmark_model

    def use_baseline(self, baseline: NeutralBaseline | None, track_id: int | None = None) -> None:
        """Measure a person's expressions from their own neutral face; arguments and errors as for :meth:`edgeau.Pipeline.use_baseline`."""
        if baseline is None:
            self._baselines.pop(track_id, None)
        else:
            self.predictor.check_baseline(baseline)
            self._baselines[track_id] = baseline

    def start(self, *, static: bool = False, live: bool = True) -> None:
        """Forget the frames so far: what comes next is another stream.

        Args:
            static: its frames have nothing to do with each other.
            live: it cannot wait, so that small faces are looked for only where that was asked for.
        """
        self._lifetime.check()
        with self._finding:
            self._looks_far = self._far is True if live else self._far is not False
            usual = _MOST_LIVE if live else MOST_FACES
            self._most = usual if self._max_faces is None else self._max_faces
            self._landmarker(static=static)
            for landmarker in self._landmarkers.values():
                landmarker.reset()
            self._tracker = FaceTracker()
            self._unchanged.clear()
            everybody = self._baselines.get(None)
            self._baselines = {} if everybody is None else {None: everybody}
        with self._filtering:
            for result_filter in self.filters:
                result_filter.reset()

    def find(self, frame: Frame, *, static: bool = False, follow: bool = False) -> list[DetectedFace]:
        """Find the faces, who they are among those seen before, and how the heads are turned.

        Args:
            frame: frame of the stream that :meth:`start` began; faces are looked for in its small picture where it has one.
            static: it is a picture by itself: nothing is tracked, faces get no ``track_id``.
            follow: the picture may continue the one before; where it does, faces are looked at where they were.

        Raises:
            InputError: the frame is not a BGR picture.
            EngineError: the stages were loaded before the process forked.
            UsageError: they are closed.
        """
        with self._finding:
            self._lifetime.check()
            placed = self._landmarks(self._landmarker(static=static), frame, static=static, follow=follow)
            if static:
                return _in_order(placed)
            boxes = [_box(face.points) for face in placed]
            numbers = self._tracker.update(boxes, [face.points for face in placed], frame.time_s)
        return _in_order(placed, boxes, numbers)

    def widen(self, count: int) -> None:
        """Make room for threads that call :meth:`look_at_picture` at once; each takes memory of its own.

        Args:
            count: threads altogether.

        Raises:
            EngineError: the engine refuses another session, or the stages were loaded before the process forked.
            UsageError: they are closed.
        """
        self.detector.widen(count)
        self._side_by_side.widen(count, self._open_another)

    def look_at_picture(self, frame: Frame) -> list[Face]:
        """Find and read the faces of a picture by itself; as many threads as :meth:`widen` made room for get answers at once.

        Raises:
            EngineError: the engine failed, or the stages were loaded before the process forked.
            UsageError: they are closed.
        """
        self._lifetime.check()
        landmarker = self._side_by_side.take()
        try:
            self._lifetime.check()
            placed = self._landmarks(landmarker, frame, static=True, follow=False)
        finally:
            self._side_by_side.give_back(landmarker)
        return self.read(frame, _in_order(placed))

    def smallest_face(self, *, static: bool = False) -> float:
        """Width of the smallest face that is found reliably, as a share of the frame's long side.

        Args:
            static: in pictures by themselves; else in the stream that :meth:`start` began.
        """
        with self._finding:
            return self._landmarker(static=static).smallest(far=self._is_far(static=static))

    def most_faces(self, *, static: bool = False) -> int:
        """Number of faces beyond which no more are looked for.

        Args:
            static: in pictures by themselves; else in the stream that :meth:`start` began.
        """
        if not static:
            return self._most
        return MOST_FACES if self._max_faces is None else self._max_faces

    def read(self, frame: Frame, faces: Sequence[DetectedFace], *, loaded: bool = False) -> list[Face]:
        """The action units of some faces of a frame.

        Args:
            frame: as given to :meth:`find`.
            faces: all or some of what :meth:`find` gave.
            loaded: the stream cannot keep its rate, which is when ``skip="auto"`` does not run the network on what did not change.

        Raises:
            EngineError: the engine failed.
        """
        skips = self._skip == "on" or (self._skip == "auto" and loaded)
        looks = [self._last_look(frame, face) if skips else None for face in faces]
        crops = [
            self._alignment.crop(frame.image, face.landmarks)
            if look is None
            else KnownLogits(look.answer.network_logits)
            for face, look in zip(faces, looks, strict=True)
        ]
        # Before the network, which leaves the caches empty: the pixels were just read.
        qualities = [
            None if isinstance(crop, KnownLogits) else self._quality(frame, face, crop)
            for face, crop in zip(faces, crops, strict=True)
        ]
        baselines = [self._baselines.get(face.track_id, self._baselines.get(None)) for face in faces]
        predicted = self.predictor.predict(crops, [face.landmarks for face in faces], baselines)
        read = []
        for face, quality, answer, look in zip(faces, qualities, predicted, looks, strict=True):
            if look is not None:
                read.append(self._held(frame, face, answer, look))
            elif quality is not None:
                read.append(_assessed(frame, face, quality, answer))
                if skips:
                    self._remember(frame, read[-1])
        return read

    def without_aus(self, face: DetectedFace) -> Face:
        """A face that the network has not looked at yet: its action units are there, without numbers."""
        return Face(face.box, face.landmarks, face.track_id, face.pose, self.predictor.empty())

    def apply_filters(self, result: FrameResult, *, static: bool = False) -> FrameResult:
        """Pass a result through the filters, and add the optional outputs that were asked for.

        Args:
            result: of the stream that :meth:`start` began.
            static: it is of a picture by itself; filters that follow tracks are left out, for whose states its time means nothing.

        Raises:
            UsageError: the stages are closed.
        """
        with self._filtering:
            self._lifetime.check()
            for result_filter in self.filters:
                if not (static and isinstance(result_filter, PerTrackFilter)):
                    result = result_filter.apply(result)
            return result if self._optional is None else self._optional.add(result)

    @property
    def optional_outputs(self) -> tuple[OptionalOutput, ...]:
        """Optional outputs that every result has."""
        return () if self._optional is None else self._optional.names

    def close(self) -> None:
        """Give the models' memory back; a second call does nothing."""
        if self._lifetime.end():
            with self._finding:  # a thread that looks for faces right now ends that first
                for landmarker in self._landmarkers.values():
                    landmarker.close()
            self._side_by_side.close(lambda landmarker: landmarker.close())
            if self._optional is not None:
                with self._filtering:
                    self._optional.close()
            self.detector.close()

    def _quality(self, frame: Frame, face: DetectedFace, crop: NDArray[np.uint8]) -> FaceQuality:
        quality = self._assessor.assess(frame.image, face.landmarks, face.box, crop, face.pose)
        if not face.is_reliable:
            return replace(quality, refused=dict.fromkeys(self.predictor.labels, "landmarks"))
        return quality

    def _last_look(self, frame: Frame, face: DetectedFace) -> SeenFace[_Look] | None:
        if face.track_id is None or not face.is_reliable:
            return None
        return self._unchanged.last_look(face.track_id, frame.image, face.landmarks, face.box, frame.time_s)

    def _remember(self, frame: Frame, face: Face) -> None:
        if face.track_id is not None and face.quality is not None and face.network_logits is not None:
            kept = _Look(face.network_logits, face.quality)
            self._unchanged.remember(face.track_id, frame.image, face.landmarks, face.box, frame.time_s, kept)

    def _held(self, frame: Frame, face: DetectedFace, predicted: Predicted, look: SeenFace[_Look]) -> Face:
        """A face that did not change: what the network and the quality say of it is that of the last look."""
        return Face(
            face.box,
            face.landmarks,
            face.track_id,
            face.pose,
            look.answer.quality.refuse(predicted.aus),
            quality=look.answer.quality,
            aus_time_s=look.time_s,
            aus_held_s=frame.time_s,
        )

    def _check_far(self, landmarker: Landmarker) -> None:
        """Refuse to look for small faces where that cannot be done.

        Raises:
            DependencyError: it was asked for.
        """
        if self._far and landmarker.smallest(far=True) >= landmarker.smallest(far=False):
            raise DependencyError(
                f"small faces cannot be looked for with {landmarker.describe()}, which finds them from "
                f"{landmarker.smallest(far=False):.1%} of the long side on; MediaPipe's networks in LiteRT can: "
                f"{runtimes()['litert'].install_line}"
            )

    def _is_far(self, *, static: bool) -> bool:
        return self._far is not False if static else self._looks_far

    def _landmarks(
        self, landmarker: Landmarker, frame: Frame, *, static: bool, follow: bool
    ) -> list[FaceLandmarks]:
        far = self._is_far(static=static)
        most = self.most_faces(static=static)
        if frame.small is None or far:
            return landmarker.find(
                frame.image, far=far, most=most, follow=follow, search_every=self._search_every
            )
        across = frame.image.shape[1] / frame.small.shape[1]
        down = frame.image.shape[0] / frame.small.shape[0]
        found = landmarker.find(frame.small, most=most, follow=follow, search_every=self._search_every)
        return [replace(face, points=in_larger_frame(face.points, across, down)) for face in found]

    def _open_another(self) -> Landmarker:
        self._lifetime.check()
        return self._open_landmarker(True)

    def _landmarker(self, *, static: bool) -> Landmarker:
        if static not in self._landmarkers:
            other = self._landmarkers.get(not static)
            sibling = None if other is None else other.sibling(static=static)
            self._landmarkers[static] = sibling or self._open_landmarker(static)
        return self._landmarkers[static]


def _mediapipe(bundle: Bundle, max_faces: int | None, model: Path | None) -> Callable[[bool], Landmarker]:
    """Open MediaPipe's networks: those given, else those of the bundle, else those of this machine."""
    most = MOST_FACES if max_faces is None else max_faces

    def opened(static: bool) -> Landmarker:
        return open_landmarker(static=static, max_faces=most, model=model, bundled=bundle.landmark_networks)

    return opened


def _assessed(frame: Frame, face: DetectedFace, quality: FaceQuality, predicted: Predicted) -> Face:
    """A face without the AUs that cannot be read from its picture."""
    return Face(
        face.box,
        face.landmarks,
        face.track_id,
        face.pose,
        quality.refuse(predicted.aus),
        quality=quality,
        aus_time_s=frame.time_s,
        network_logits=predicted.network_logits,
    )


def _in_order(
    placed: Sequence[FaceLandmarks],
    boxes: Sequence[Box] | None = None,
    track_ids: Sequence[int] | None = None,
) -> list[DetectedFace]:
    """Faces with the turns of their heads, in the order of results.

    Args:
        placed: the landmarks of each.
        boxes: around their landmarks, where they are known already.
        track_ids: of their tracks; None for pictures.
    """
    boxes = [_box(face.points) for face in placed] if boxes is None else boxes
    numbers = [None] * len(placed) if track_ids is None else track_ids
    found = [
        DetectedFace(box, face.points, number, head_pose(face.points), face.is_reliable)
        for face, box, number in zip(placed, boxes, numbers, strict=True)
    ]
    return sorted(found, key=_order)


def _box(landmarks: NDArray[np.float32]) -> Box:
    x, y = landmarks[:, 0], landmarks[:, 1]
    left, top = float(np.minimum.reduce(x)), float(np.minimum.reduce(y))
    return Box(left, top, float(np.maximum.reduce(x)) - left, float(np.maximum.reduce(y)) - top)


def _order(face: DetectedFace) -> tuple[float, float]:
    return (face.box.left, face.box.top) if face.track_id is None else (float(face.track_id), 0.0)
