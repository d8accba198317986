"""A live source's newest frames through the stages of a frame, in threads."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path

from edgeau._system.closing import Closing
from edgeau.action_units.unchanged import Skip
from edgeau.bundle import SignaturePolicy
from edgeau.errors import UsageError
from edgeau.faces.optional_outputs import OptionalOutput
from edgeau.faces.quality import Limits
from edgeau.live.counters import LiveCounters
from edgeau.live.options import LiveOptions
from edgeau.live.run import LiveRun, View
from edgeau.results import FrameResult
from edgeau.sources import Source
from edgeau.stages import FrameStages, Stages
from edgeau.temporal.track_states import ResultFilter

__all__ = ["LivePipeline"]


class LivePipeline(Closing):
    """Keeps up with a live source.

    One thread captures, one finds the faces, one runs the network; between them lies one frame at most, the newest. Every
    frame's faces are found; the network looks at each face in every k-th frame, k being the least number with which the
    asked rate is kept (:mod:`edgeau.live.scheduler`), and the frames between carry its last answer. Results come in order
    and are never held back for longer than ``max_age_s``: under load, k grows and not the age.

    Used by :meth:`edgeau.Pipeline.stream` for live sources; by itself where pictures are wanted too::

        with LivePipeline.load() as live, open_source(0) as source:
            for view in live.views(source):
                draw(view.frame.image, view.result)

    Everything but the iterators may be called from any thread. Leaving the iterator, or :meth:`stop`, ends the threads
    within half a second.

    Args:
        stages: that are run, such as :attr:`edgeau.Pipeline.stages`; nobody else may use them while a stream runs. They stay
            with whoever opened them.
        options: what is asked.
    """

    def __init__(self, stages: Stages, options: LiveOptions | None = None) -> None:
        self.stages = stages
        self.options = options or LiveOptions()
        self._owns_stages = False
        self._run: LiveRun | None = None
        self._running = False
        self._latest: View | None = None

    @classmethod
    def load(
        cls,
        path: Path | str | None = None,
        *,
        options: LiveOptions | None = None,
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
    ) -> LivePipeline:
        """A live pipeline with stages of its own, which are closed with it.

        Args:
            path: the bundle's folder; None takes the one that the package carries.
            options: what is asked of the live run.
            artifact: as all that follow, see :meth:`edgeau.Pipeline.load`; errors as there.
            threads: that one inference may use.
            provider: the engine's device or kernel library.
            max_faces: how many faces are looked for at most; None takes 4.
            far: whether small faces are looked for too.
            experimental: whether AUs without evidence on real faces are given too.
            landmarker_model: a ``face_landmarker.task``.
            filters: what every result passes through.
            limits: limits of a face's picture.
            signatures: what is asked of the bundle's signature.
            skip: whether the network is spared faces that did not change.
            search_every: so many frames lie between two searches for further faces, at least.
            also: optional outputs of every face.
        """
        stages = FrameStages.load(
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
        live = cls(stages, options)
        live._owns_stages = True
        return live

    def stream(self, source: Source) -> Generator[FrameResult, None, None]:
        """The newest results of a source, as fast as they are taken.

        Args:
            source: from :func:`edgeau.open_source`; closing it stays with whoever opened it. One that is not live (a file)
                is read as fast as it gives frames, and most of them are dropped: pace it with ``real_time=True``.

        Raises:
            InputError: from the iterator, where the source failed, or gave nothing for ``give_up_s``.
            EngineError: the engine fails again and again.
            UsageError: a stream of this pipeline runs already.
        """
        return _results(self.views(source))

    def views(self, source: Source) -> Generator[View, None, None]:
        """Follow a source like :meth:`stream`, each result with the frame that it is about.

        :meth:`stop` is heard from this call on, also before the first result is asked for.
        """
        self._refuse_another()
        self._run = LiveRun(self.stages, source, self.options)
        return self._views(self._run)

    def _views(self, run: LiveRun) -> Generator[View, None, None]:
        self._refuse_another()
        self._running = True
        try:
            run.start()
            while (view := run.take()) is not None:
                self._latest = view
                yield view
        finally:
            run.stop()
            run.join()
            self._running = False

    def _refuse_another(self) -> None:
        if self._running:
            raise UsageError(
                "this pipeline follows a source already; end that stream, or load another pipeline"
            )

    def latest(self) -> View | None:
        """The newest result that was taken and its frame; None before the first. It stays after the stream's end."""
        return self._latest

    def snapshot(self) -> LiveCounters:
        """Count what became of every frame so far, and how fast; all 0 before the first stream. Counts go on after the end."""
        return LiveCounters() if self._run is None else self._run.counters()

    def stop(self) -> None:
        """End the stream as if its source had ended: the iterator stops. Any thread, and a signal handler, may call it."""
        if self._run is not None:
            self._run.stop()

    def close(self) -> None:
        """Stop, wait for the threads, and close the stages if :meth:`load` made them; more than once does no harm."""
        if self._run is not None:
            self._run.stop()
            self._run.join()
        if self._owns_stages:
            self.stages.close()


def _results(views: Generator[View, None, None]) -> Generator[FrameResult, None, None]:
    with closing(views):
        for view in views:
            yield view.result
