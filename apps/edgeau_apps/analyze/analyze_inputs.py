"""Analyzing inputs: films one after the other, and pictures several at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from edgeau import Pipeline
from edgeau_apps.analyze.film import analyze_film
from edgeau_apps.analyze.inputs import Input
from edgeau_apps.analyze.pictures import analyze_pictures
from edgeau_apps.analyze.result import Outcome
from edgeau_apps.analyze.sinks import Options

__all__ = ["analyze"]


def analyze(inputs: Sequence[Input], pipeline: Pipeline, options: Options) -> Iterator[Outcome]:
    """Outcomes of inputs, in their order; close the iterator where it is left early.

    An input that cannot be read writes nothing; one that breaks off keeps what came before. The outcome tells either.

    Raises:
        EngineError: the network failed.
    """
    for kind, group in groupby(inputs, lambda given: given.kind):
        if kind == "picture":
            yield from analyze_pictures(list(group), pipeline, options)
        else:
            yield from (analyze_film(given, pipeline, options) for given in group)
