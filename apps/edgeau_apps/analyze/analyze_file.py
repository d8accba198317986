"""Analyzing one input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, nullcontext, suppress
from itertools import chain
from pathlib import Path

from edgeau import Pipeline
from edgeau.errors import DependencyError, InputError, OutputError
from edgeau.results import FrameResult
from edgeau.sources import Frame, Source, open_source
from edgeau_apps.analyze.decoder_logging import decoder_lines_dropped
from edgeau_apps.analyze.inputs import Input
from edgeau_apps.analyze.outputs import Outputs
from edgeau_apps.analyze.progress import Progress
from edgeau_apps.analyze.result import Outcome
from edgeau_apps.analyze.sinks import Options, Sinks
from edgeau_apps.analyze.summary import FaceSummaries

__all__ = ["analyze"]


def analyze(given: Input, pipeline: Pipeline, options: Options) -> Outcome:
    """Analyze one input and write its files.

    An input that cannot be read writes nothing; one that breaks off keeps what came before. The outcome tells either.

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
                first = next(
                    results, None
                )  # before any file is made, so that an unreadable input leaves none
                if first is not None:
                    height, width = watched.size
                    smallest = pipeline.stages.smallest_face(static=watched.still)
                    outcome.smallest = round(max(width, height) * smallest)
                    outcome.limit = pipeline.stages.most_faces(static=watched.still)
                    found = chain([first], results)
                    if options.out is None:
                        _show(found, watched, outcome)
                    else:
                        folder = options.out / Path(given.stem).parent
                        _write(found, watched, given, pipeline, options, folder, outcome)
    except (InputError, DependencyError, OutputError) as error:
        outcome.error = str(error)
    except OSError as error:  # of the input: it was taken away meanwhile, or its disk fails; those of outputs are OutputErrors
        outcome.error = f"{str(given.path)!r} cannot be read: {error.strerror or error}"
    return outcome


def _show(results: Iterable[FrameResult], watched: _Watched, outcome: Outcome) -> None:
    outcome.faces = FaceSummaries()
    with Progress(outcome.input, watched.length, "frames", draw=not watched.still) as bar:
        for result in results:
            watched.take(result.index)
            outcome.count(result)
            bar.step()


def _write(
    results: Iterable[FrameResult],
    watched: _Watched,
    given: Input,
    pipeline: Pipeline,
    options: Options,
    folder: Path,
    outcome: Outcome,
) -> None:
    with Outputs(folder) as outputs:
        height, width = watched.size
        measured = {"width": width, "height": height, "fps": watched.fps}
        sinks = Sinks(outputs, given, pipeline, options, measured)
        try:
            with Progress(given.name, watched.length, "frames", draw=not watched.still) as bar:
                for result in results:
                    sinks.write(watched.take(result.index), result)
                    outcome.count(result)
                    bar.step()
        except InputError as error:
            outcome.error = str(error)
        except BaseException:
            with suppress(OutputError):  # what happened first is what is said
                sinks.close()
            raise
        sinks.close(outcome.error)
        outputs.commit()
    outcome.files = sinks.files


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

    def take(self, index: int) -> Frame:
        """The frame of a result, which is forgotten then."""
        return self._frames.pop(index)

    def __iter__(self) -> Iterator[Frame]:
        frames = iter(self._source)
        while True:
            with decoder_lines_dropped() if self.still else nullcontext():
                frame = next(frames, None)
            if frame is None:
                return
            if self.size == (0, 0):
                self.size = (frame.image.shape[0], frame.image.shape[1])
            self._frames[frame.index] = frame
            yield frame
