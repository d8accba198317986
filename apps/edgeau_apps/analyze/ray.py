"""Analyzing many inputs on a Ray cluster: each worker process keeps one pipeline for all of its inputs."""

from __future__ import annotations

import logging
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from edgeau import Pipeline
from edgeau._system.ray_cluster import spread
from edgeau_apps.analyze.analyze_inputs import analyze
from edgeau_apps.analyze.decoder_logging import quieten_decoders
from edgeau_apps.analyze.inputs import Input
from edgeau_apps.analyze.result import Outcome
from edgeau_apps.analyze.sinks import Options

__all__ = ["analyze_spread"]


@dataclass(frozen=True)
class _Job:
    """One input, and how the command was called."""

    given: Input
    arguments: Namespace
    load: Callable[[Namespace], tuple[Pipeline, Options]]

    def __str__(self) -> str:
        return self.given.name


def analyze_spread(
    address: str,
    inputs: Sequence[Input],
    arguments: Namespace,
    load: Callable[[Namespace], tuple[Pipeline, Options]],
) -> Iterator[Outcome]:
    """Outcomes in the order in which inputs are finished.

    Args:
        address: address of the cluster, or ``"local"``.
        inputs: whose files every node sees under the same paths.
        arguments: arguments of the command.
        load: makes a worker's pipeline and options from the arguments; a function of a module.

    Raises:
        UserError: see :func:`edgeau._system.ray_cluster.spread`.
    """
    jobs = [_Job(given, arguments, load) for given in inputs]
    for _, outcome in spread(address, _analyze_one, jobs):
        yield outcome


class _Worker:
    """The pipeline and options that this process has opened."""

    opened: tuple[Pipeline, Options] | None = None
    arguments: Namespace | None = None


def _analyze_one(job: _Job) -> Outcome:
    if _Worker.opened is None or _Worker.arguments != job.arguments:
        logging.basicConfig(
            level=logging.ERROR
        )  # the command itself has said what there is to say of the engines
        quieten_decoders()
        _Worker.opened, _Worker.arguments = job.load(job.arguments), job.arguments
    pipeline, options = _Worker.opened
    (outcome,) = analyze([job.given], pipeline, options)
    return outcome
