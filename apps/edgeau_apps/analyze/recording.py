"""The results of an input: counted for the terminal, or written to its files."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from edgeau import Pipeline
from edgeau.errors import InputError, OutputError
from edgeau.results import FrameResult
from edgeau.sources import Frame
from edgeau_apps.analyze.inputs import Input
from edgeau_apps.analyze.outputs import Outputs
from edgeau_apps.analyze.progress import Progress
from edgeau_apps.analyze.result import Outcome
from edgeau_apps.analyze.sinks import Options, Sinks
from edgeau_apps.analyze.summary import FaceSummaries

__all__ = ["InputFacts", "record"]


class InputFacts(NamedTuple):
    """Facts of an input: height and width of its first frame in pixels, frames a second and number of frames (None where unknown)."""

    height: int
    width: int
    fps: float | None
    length: int | None


def record(
    results: Iterable[tuple[Frame, FrameResult]],
    facts: InputFacts,
    given: Input,
    pipeline: Pipeline,
    options: Options,
    outcome: Outcome,
) -> None:
    """Take the results of an input, and tell the outcome.

    Args:
        results: each with its frame.
        facts: of the input.
        given: the input.
        pipeline: whose results these are.
        options: what to write.
        outcome: of the input; one that has an error already is written as one that broke off.

    Raises:
        OutputError: a file cannot be written; none is left then.
        InputError: from the results, where nothing is written.
    """
    still = given.kind == "picture"
    smallest = pipeline.stages.smallest_face(static=still)
    outcome.smallest = round(max(facts.width, facts.height) * smallest)
    outcome.limit = pipeline.stages.most_faces(static=still)
    with Progress(given.name, facts.length, "frames", draw=not still) as bar:
        if options.out is None:
            outcome.faces = FaceSummaries()
            for _, result in results:
                outcome.count(result)
                bar.step()
        else:
            _write(results, facts, given, pipeline, options, outcome, options.out, bar)


def _write(
    results: Iterable[tuple[Frame, FrameResult]],
    facts: InputFacts,
    given: Input,
    pipeline: Pipeline,
    options: Options,
    outcome: Outcome,
    out: Path,
    bar: Progress,
) -> None:
    with Outputs(out / Path(given.stem).parent) as outputs:
        size_and_rate = {"width": facts.width, "height": facts.height, "fps": facts.fps}
        sinks = Sinks(outputs, given, pipeline, options, size_and_rate)
        try:
            for frame, result in results:
                sinks.write(frame, result)
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
