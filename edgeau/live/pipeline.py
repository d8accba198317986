"""A live source's newest frames through a pipeline's stages, in threads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeau.errors import UsageError
from edgeau.live.counters import LiveCounters
from edgeau.live.options import LiveOptions
from edgeau.live.run import LiveRun
from edgeau.live.view import View

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from edgeau.pipeline import Pipeline
    from edgeau.results import FrameResult
    from edgeau.sources import Source

__all__ = ["LivePipeline"]


class LivePipeline:
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
        pipeline: whose stages are run; nobody else may use it while a stream runs. It stays with whoever opened it.
        options: what is asked.
    """

    def __init__(self, pipeline: Pipeline, options: LiveOptions | None = None) -> None:
        self.pipeline = pipeline
        self.options = options or LiveOptions()
        self._owns = False
        self._run: LiveRun | None = None
        self._running = False
        self._latest: View | None = None

    @classmethod
    def load(
        cls, path: Path | str | None = None, *, options: LiveOptions | None = None, **of_pipeline: Any
    ) -> LivePipeline:
        """A live pipeline of its own, closed with it.

        Args:
            path: the bundle's folder; None takes the one that the package carries.
            options: what is asked.
            of_pipeline: as for :meth:`edgeau.Pipeline.load`, errors as there.
        """
        from edgeau.pipeline import Pipeline

        live = cls(Pipeline.load(path, **of_pipeline), options)
        live._owns = True
        return live

    def stream(self, source: Source) -> Iterator[FrameResult]:
        """The newest results of a source, as fast as they are taken.

        Args:
            source: from :func:`edgeau.open_source`; closing it stays with whoever opened it. One that is not live (a file)
                is read as fast as it gives frames, and most of them are dropped: pace it with ``real_time=True``.

        Raises:
            InputError: from the iterator, where the source failed, or gave nothing for ``give_up_s``.
            EngineError: the engine fails again and again.
            UsageError: a stream of this pipeline runs already.
        """
        return (view.result for view in self.views(source))

    def views(self, source: Source) -> Iterator[View]:
        """As :meth:`stream`, each result with the frame that it is about."""
        if self._running:
            raise UsageError(
                "this pipeline follows a source already; end that stream, or load another pipeline"
            )
        self._running = True
        run = self._run = LiveRun(self.pipeline, source, self.options)
        try:
            run.start()
            while (view := run.take()) is not None:
                self._latest = view
                yield view
        finally:
            run.stop()
            run.join()
            self._running = False

    def latest(self) -> View | None:
        """The newest result that was taken and its frame; None before the first. It stays after the stream's end."""
        return self._latest

    def snapshot(self) -> LiveCounters:
        """What became of every frame so far, and how fast; all 0 before the first stream. Counts go on after the end."""
        return LiveCounters() if self._run is None else self._run.counters()

    def stop(self) -> None:
        """End the stream as if its source had ended: the iterator stops. Any thread, and a signal handler, may call it."""
        if self._run is not None:
            self._run.stop()

    def close(self) -> None:
        """Stop, wait for the threads, and close the pipeline if :meth:`load` made it; more than once does no harm."""
        if self._run is not None:
            self._run.stop()
            self._run.join()
        if self._owns:
            self.pipeline.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
