"""Analyzing a video, or a film that is made of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import chain

from edgeau import Pipeline
from edgeau.errors import DependencyError, InputError, OutputError
from edgeau.results import FrameResult
from edgeau.sources import Frame, Source, open_source
from edgeau_apps.analyze.decoder_logging import decoder_lines_dropped
from edgeau_apps.analyze.inputs import Input
from edgeau_apps.analyze.recording import InputFacts, record
from edgeau_apps.analyze.result import Outcome
from edgeau_apps.analyze.sinks import Options

__all__ = ["analyze_film"]


def analyze_film(given: Input, pipeline: Pipeline, options: Options) -> Outcome:
    """Analyze a film.

    One that cannot be read writes nothing; one that breaks off keeps what came before. The outcome tells either.

    Raises:
        EngineError: the network failed.
    """
    outcome = Outcome(given.name)
    try:
        # The decoders' own lines on stderr would only repeat, in words for programmers, what the source reports.
        with decoder_lines_dropped():
            source = (
                open_source(given.path, sequence=True, fps=options.fps)
                if options.sequence
                else open_source(given.path)
            )
        with source:
            watched = _Watched(source)
            # Closed before its source: threads may be reading that ahead.
            with closing(pipeline.stream(watched, cores=options.cores)) as results:
                # Before any file is made, so that an unreadable input leaves none.
                first = next(results, None)
                if first is not None:
                    facts = InputFacts(*watched.size, watched.fps, watched.length)
                    pairs = watched.with_frames(chain([first], results))
                    record(pairs, facts, given, pipeline, options, outcome)
    except (InputError, DependencyError, OutputError) as error:
        outcome.error = str(error)
    except OSError as error:  # of the input: it was taken away meanwhile, or its disk fails; those of outputs are OutputErrors
        outcome.error = f"{str(given.path)!r} cannot be read: {error.strerror or error}"
    return outcome


class _Watched(Source):
    """A source whose frames can be seen once more with their results, for drawing on them; it may be read ahead.

    Attributes:
        size: height and width of the first frame, pixels.
    """

    def __init__(self, source: Source) -> None:
        self.name, self.length, self.fps = source.name, source.length, source.fps
        self.live, self.still = source.live, source.still
        self._source = source
        self._frames: dict[int, Frame] = {}
        self.size = (0, 0)

    def with_frames(self, results: Iterator[FrameResult]) -> Iterator[tuple[Frame, FrameResult]]:
        """The results, each with its frame, which is forgotten then."""
        for result in results:
            yield self._frames.pop(result.index), result

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._source:
            if self.size == (0, 0):
                self.size = (frame.image.shape[0], frame.image.shape[1])
            self._frames[frame.index] = frame
            yield frame
