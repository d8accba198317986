"""Frames in, action units of every face out."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau._system.closing import Closing
from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.action_units.neutral_baseline import NeutralBaseline
from edgeau.action_units.unchanged import Skip
from edgeau.bundle.load import Bundle
from edgeau.bundle.manifest import Artifact
from edgeau.bundle.signature.policy import SignaturePolicy
from edgeau.errors import UsageError
from edgeau.faces.optional_outputs import OptionalOutput
from edgeau.faces.quality import Limits
from edgeau.live import LivePipeline
from edgeau.overlap import Looked, Overlap
from edgeau.results import FrameResult
from edgeau.runtimes.session import EngineInfo
from edgeau.side_by_side import looks_side_by_side
from edgeau.sources import Source
from edgeau.sources.check_frame import check_frame
from edgeau.sources.frame import Frame
from edgeau.stages import FrameStages
from edgeau.temporal.track_states import ResultFilter

__all__ = ["Pipeline"]


class Pipeline(Closing):
    """Landmarks, alignment, network, landmark model and thresholds behind three calls.

    :meth:`process` takes a picture; :meth:`track` takes the next frame of a stream that the caller reads;
    :meth:`stream` reads a source. It follows one stream at a time. Several threads may call :meth:`process`; they
    take turns, so that a pipeline for each is faster. It does not outlive a fork. Close it, or use it in ``with``.

    Args:
        stages: what is run; closed with the pipeline. :meth:`load` makes them from a bundle.

    Attributes:
        stages: for :class:`~edgeau.live.LivePipeline`, which runs them in threads of its own.
        live: what runs, or ran last, a live source: its counters, its newest picture, and the way to stop it. None
            before the first live source.
    """

    def __init__(self, stages: FrameStages) -> None:
        self.stages = stages
        self.live: LivePipeline | None = None
        self._count = 0
        self._start_s: float | None = None
        self._follows: object = None  # the stream that began last
        self._counting = threading.Lock()
        self._stepping = threading.RLock()  # streams: a frame, or the beginning of one

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
    ) -> Pipeline:
        """A pipeline from a bundle.

        Args:
            path: the bundle's folder, or the name of a packaged one (``"light"``); None takes the packaged default.
            artifact: which of its artifacts may be tried: a runtime (``"onnxruntime"``), a precision (``"int8"``), both
                (``"onnxruntime/int8"``) or a file name; None chooses among all.
            threads: that one inference may use; None takes as many as are fastest. What is fastest here is measured
                once for each bundle, see :mod:`edgeau.bundle.select`.
            provider: the engine's device or kernel library; None takes the runtime's default.
            max_faces: how many faces are looked for at most. None takes 100 in pictures and files and 4 live, where each costs time
                that others wait for. With 1, a video costs less: while fewer faces than this are in view, frames in which something beside the
                known faces changed are searched for more, and every tenth.
            far: whether faces below 11 % of the long side of the frame are looked for too, down to 2.5 %, in tiles. It costs about
                60 ms of CPU time for a picture of 1920 x 1080, in a film for one frame in 25. None does so for pictures and
                files but not live. Landmarks of an installed mediapipe cannot: True is refused there, and None finds faces
                from 11 % on (:meth:`edgeau.stages.FrameStages.smallest_face` tells).
            experimental: whether AUs without evidence on real faces are given too.
            landmarker_model: MediaPipe's face networks: a ``face_landmarker.task``, a folder or a wheel of mediapipe. None takes
                those of the bundle, else those of this machine (``edgeau-landmarks`` lists them).
            filters: what the results of a stream pass through, in this order. None takes smoothing and hysteresis; an
                empty sequence leaves results as they are. Raw probabilities stay beside smoothed ones
                (:attr:`edgeau.ActionUnit.raw`).
            limits: limits of a face's picture; AUs that cannot be read from it are refused with the reason. None takes those
                that were measured, ``Limits.none()`` refuses nothing.
            signatures: what is asked of the bundle's signature before anything of it is opened; None asks what the environment says
                (``EDGEAU_SIGNATURES``, ``EDGEAU_TRUST``), and without it nothing.
            search_every: of a stream: so many frames lie between two searches for further faces, at least, while the known ones are in view. Where
                the background moves, 1 searches every frame; a new face is found that much later. An installed mediapipe searches when it likes.
            also: optional outputs of every face: ``"blendshapes"`` (MediaPipe's weights of 51 shapes; they need a ``face_landmarker.task``, as
                ``landmarker_model`` or on this machine) and ``"eyes"`` (direction of the eyes, uncalibrated).
            skip: ``"on"`` does not run the network on faces of a stream that have not changed since its last run, ``"auto"`` does so
                while a live stream cannot keep its rate, ``"off"`` never. Results tell by :attr:`edgeau.Face.aus_time_s`.

        Raises:
            BundleError: there is no bundle, it is damaged or newer than this library, or not signed as it must be.
            EngineError: no artifact works here.
            DependencyError: a package is missing.
            InputError: the landmarker model is missing or is none, or there is no network of blendshapes.
            UsageError: there is no such optional output, or ``search_every`` is below 1.
        """
        return cls(
            FrameStages.load(
                path,
                artifact=artifact,
                threads=threads,
                provider=provider,
                max_faces=max_faces,
                far=far,
                experimental=experimental,
                landmarker_model=landmarker_model,
                filters=filters,
                limits=limits,
                signatures=signatures,
                skip=skip,
                search_every=search_every,
                also=also,
            )
        )

    @property
    def bundle(self) -> Bundle:
        """The bundle that is run."""
        return self.stages.detector.bundle

    @property
    def artifact(self) -> Artifact:
        """The artifact of the bundle that runs."""
        return self.stages.detector.artifact

    @property
    def labels(self) -> tuple[str, ...]:
        """The AUs that every face gets, in order."""
        return self.stages.predictor.labels

    @property
    def thresholds(self) -> dict[str, float]:
        """Decision threshold on the probability of each of :attr:`labels`, 0..1."""
        return self.stages.predictor.thresholds

    @property
    def intensity_labels(self) -> tuple[str, ...]:
        """Those of :attr:`labels` whose intensity the bundle estimates; the others have None."""
        return self.stages.predictor.intensity_labels

    @property
    def sided_labels(self) -> tuple[str, ...]:
        """Those of :attr:`labels` whose left and right side the bundle tells apart (the person's own left and right)."""
        return self.stages.predictor.sided_labels

    @property
    def optional_outputs(self) -> tuple[OptionalOutput, ...]:
        """Optional outputs that every result has."""
        return self.stages.optional_outputs

    @property
    def landmark_model(self) -> LandmarkModel | None:
        """The bundle's landmark model, where it has one; what a neutral baseline is collected with."""
        return self.stages.landmark_model

    def use_baseline(self, baseline: NeutralBaseline | None, track_id: int | None = None) -> None:
        """Measure a person's expressions from their own neutral face.

        Args:
            baseline: from :class:`edgeau.NeutralCollector`; None goes back to the mean of many faces.
            track_id: whose; None for everybody who has none of their own. Track ids start again with every stream.

        Raises:
            InputError: the baseline was collected with another landmark model or network, or with other weights of the network; or
                the bundle has no landmark model, so that it would have no effect. The baseline so far stays.
        """
        self.stages.use_baseline(baseline, track_id)

    def use_filters(self, *filters: ResultFilter) -> None:
        """Pass every result from now on through these, in this order; for filters that need to know the pipeline."""
        self.stages.filters = filters

    def describe(self) -> EngineInfo:
        """Name the engine that runs the network."""
        return self.stages.detector.describe()

    def process(self, frame_bgr: NDArray[np.uint8], *, time_s: float | None = None) -> FrameResult:
        """The action units of one picture; faces have no track, and filters that follow tracks do not apply.

        Where some pictures in a row hardly differ from each other, as in a loop over a camera's frames, the faces of the next one are looked at
        where they were, instead of searching the whole picture again. Any other picture is looked at by itself, and so are the first ones after
        :meth:`reset`.

        Args:
            frame_bgr: uint8 ``(height, width, 3)``, blue first, as OpenCV reads it.
            time_s: time to note in the result, seconds; None takes the time since the first call.

        Returns:
            The result; its index counts the calls.

        Raises:
            InputError: the frame is not a BGR picture, and the message says how to make it one; or the time is not finite.
            EngineError: the engine failed.
        """
        return self._next(frame_bgr, time_s, static=True)

    def track(self, frame_bgr: NDArray[np.uint8], *, time_s: float | None = None) -> FrameResult:
        """The action units of the next frame of a stream that the caller reads; :meth:`reset` begins another one.

        Arguments, result and errors as for :meth:`process`; faces have a ``track_id``, and the filters apply. ``time_s`` ascends:
        where it goes back by more than a second, tracks end.
        """
        with self._stepping:
            if self._follows is not self:
                self.reset()
            return self._next(frame_bgr, time_s, static=False)

    def reset(self) -> None:
        """Forget the frames so far: the next one that :meth:`track` gets begins another stream, and the next picture stands by itself."""
        with self._stepping:
            self._take_over(self)
            self.stages.start()
            self._count, self._start_s = 0, None

    def stream(self, source: Source, *, cores: int = 1) -> Generator[FrameResult, None, None]:
        """The action units of a source's frames, in order, with the source's numbers and times.

        Of files every frame is processed, one after the other, and with the same results in every run. Of a live source the newest
        frames are, in threads of their own: see :class:`~edgeau.live.LivePipeline`, which is what runs then and what
        :attr:`live` is. Pictures are each looked at alone. Closing the source stays with whoever opened it.

        Args:
            source: from :func:`edgeau.open_source`.
            cores: of files: with 2 or more, decoding, landmarks and networks of a video run in threads of their own, frames ahead of the result
                that is taken, and as many networks side by side; of pictures, as many are looked at at once. Results are bit-identical; best
                with ``threads=1``.

        Raises:
            InputError: from the iterator, where the source could not deliver frames; what it could comes before.
            EngineError: the engine failed.
            UsageError: from the iterator, where it is given no source; or, live or not, where another stream of this pipeline began
                meanwhile: the faces of two streams would be taken for each other.

        Close the iterator before its source where it is left early and kept in a variable (``contextlib.closing``): threads may be
        reading the source ahead. A ``for`` loop does so by itself.
        """
        if not isinstance(source, Source):
            raise UsageError(
                f"a stream is read from a source, not from a {type(source).__name__}: open it with edgeau.open_source(...)"
            )
        this = object()
        if source.live:
            with self._stepping:
                self._take_over(this)
                self.live = LivePipeline(self.stages)
                results = self.live.stream(source)  # whatever takes over from here on ends this run
            yield from results
            with self._step_of(this):  # or another stream ended it
                return
        with self._stepping:
            self._take_over(this)
            self.stages.start(static=source.still, live=False)
        if source.still and source.length is not None:
            cores = min(cores, source.length)
        if cores > 1:
            yield from self._on_cores(source, cores, this)
            return
        for frame in source:
            with self._step_of(this):
                result = self._result(frame, static=source.still, taken_s=time.monotonic())
            yield result

    def _on_cores(self, source: Source, cores: int, stream: object) -> Generator[FrameResult, None, None]:
        with closing(self._looked_at(source, cores, stream)) as looked:
            for frame, taken_s, reading in looked:
                faces = tuple(reading.result())
                age_s = time.monotonic() - taken_s
                with self._step_of(stream):
                    result = self.stages.apply_filters(
                        FrameResult(frame.index, frame.time_s, age_s, 0, faces), static=source.still
                    )
                yield result

    def _looked_at(self, source: Source, cores: int, stream: object) -> Generator[Looked, None, None]:
        if source.still:
            self.stages.widen(cores)
            return looks_side_by_side(source, self.stages.look_at_picture, cores, time.monotonic)
        readers = 1 if self.stages.remembers_looks else cores
        self.stages.detector.widen(readers)
        return Overlap(self.stages, source, readers, lambda: self._step_of(stream), time.monotonic).frames()

    def _take_over(self, stream: object) -> None:
        """Begin a stream: of those before, one that runs live in threads ends now, and the others at their next frame."""
        self._follows = stream
        if self.live is not None:
            self.live.close()

    @contextmanager
    def _step_of(self, stream: object) -> Iterator[None]:
        """Keep other streams out for a frame.

        Raises:
            UsageError: another one began.
        """
        with self._stepping:
            if self._follows is not stream:
                raise UsageError(
                    "another stream of this pipeline began before this one ended; end it first, or load another pipeline"
                )
            yield

    def close(self) -> None:
        """Stop what is live and give the models' memory back; a second call does nothing."""
        if self.live is not None:
            self.live.close()
        self.stages.close()

    def _next(self, frame_bgr: NDArray[np.uint8], time_s: float | None, *, static: bool) -> FrameResult:
        taken_s = time.monotonic()
        check_frame(frame_bgr)
        with self._counting:
            if self._start_s is None:
                self._start_s = taken_s
            number, self._count = self._count, self._count + 1
            since_s = taken_s - self._start_s
        frame = Frame(number, since_s if time_s is None else float(time_s), frame_bgr, "")
        return self._result(frame, static=static, taken_s=taken_s, follow=static)

    def _result(self, frame: Frame, *, static: bool, taken_s: float, follow: bool = False) -> FrameResult:
        found = self.stages.find(frame, static=static, follow=follow)
        faces = tuple(self.stages.read(frame, found))
        age_s = time.monotonic() - taken_s
        return self.stages.apply_filters(
            FrameResult(frame.index, frame.time_s, age_s, 0, faces), static=static
        )
