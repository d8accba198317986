"""Analyzing pictures: the next ones are decoded and looked at while the results of one are written."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from edgeau import Pipeline
from edgeau.errors import DependencyError, InputError, OutputError
from edgeau.results import FrameResult
from edgeau.sources import Frame, Source, open_source
from edgeau_apps.analyze.decoder_logging import decoder_lines_dropped
from edgeau_apps.analyze.inputs import Input
from edgeau_apps.analyze.recording import InputFacts, record
from edgeau_apps.analyze.result import Outcome
from edgeau_apps.analyze.sinks import Options

__all__ = ["analyze_pictures"]


def analyze_pictures(inputs: Sequence[Input], pipeline: Pipeline, options: Options) -> Iterator[Outcome]:
    """Outcomes of pictures, in their order.

    One that cannot be read writes nothing, and its outcome tells why.

    Raises:
        EngineError: the network failed.
    """
    pictures = _PictureInputs(inputs)
    with closing(pipeline.stream(pictures, cores=options.cores)) as results:
        for result in results:
            yield from pictures.unreadable()
            yield _recorded(pictures.take(), result, pipeline, options)
    yield from pictures.unreadable()


def _recorded(decoded: _Decoded, result: FrameResult, pipeline: Pipeline, options: Options) -> Outcome:
    outcome, frame = decoded.outcome, decoded.frame
    assert frame is not None
    height, width = frame.image.shape[:2]
    try:
        facts = InputFacts(height, width, decoded.fps, 1)
        record([(frame, result)], facts, decoded.given, pipeline, options, outcome)
    except (InputError, DependencyError, OutputError) as error:
        outcome.error = str(error)
    return outcome


@dataclass
class _Decoded:
    """An input, its picture (None where it cannot be read), the frame rate that its source states, and its outcome so far."""

    given: Input
    outcome: Outcome
    frame: Frame | None = None
    fps: float | None = None


class _PictureInputs(Source):
    """The pictures of inputs as one source; what cannot be read is passed over, and told by :meth:`unreadable`."""

    def __init__(self, inputs: Sequence[Input]) -> None:
        self.name, self.length, self.still = "pictures", len(inputs), True
        self._inputs = inputs
        self._decoded: deque[_Decoded] = deque()  # and their outcomes not taken yet

    def take(self) -> _Decoded:
        """The picture of the next result, which is forgotten then."""
        return self._decoded.popleft()

    def unreadable(self) -> Iterator[Outcome]:
        """The outcomes of inputs that could not be read, up to the picture of the next result."""
        while self._decoded and self._decoded[0].frame is None:
            yield self._decoded.popleft().outcome

    def __iter__(self) -> Iterator[Frame]:
        for given in self._inputs:
            decoded = _decoded(given)
            self._decoded.append(decoded)
            if decoded.frame is not None:
                yield decoded.frame


def _decoded(given: Input) -> _Decoded:
    decoded = _Decoded(given, Outcome(given.name))
    try:
        # The decoders' own lines on stderr would only repeat, in words for programmers, what the source reports.
        with decoder_lines_dropped(), open_source(given.path) as source:
            decoded.fps = source.fps
            for frame in source:
                decoded.frame = frame
    except (InputError, DependencyError) as error:
        decoded.outcome.error = str(error)
    except OSError as error:  # it was taken away meanwhile, or its disk fails
        decoded.outcome.error = f"{str(given.path)!r} cannot be read: {error.strerror or error}"
    return decoded
