"""Description of results for a sink before the first one comes: its columns, and whether the numbers mean anything."""

from __future__ import annotations

from dataclasses import dataclass

from edgeau.faces.optional_outputs import OptionalOutput
from edgeau.pipeline import Pipeline

__all__ = ["Description"]


@dataclass(frozen=True)
class Description:
    """Properties that every result of a pipeline has in common.

    Attributes:
        labels: the AUs that every face gets, in order.
        intensity_labels: those of them that have an intensity.
        sided_labels: those of them whose left and right side are told apart.
        optional_outputs: those that every face has.
        trained: False when the network never saw data: its numbers then mean nothing.
    """

    labels: tuple[str, ...]
    intensity_labels: tuple[str, ...] = ()
    sided_labels: tuple[str, ...] = ()
    optional_outputs: tuple[OptionalOutput, ...] = ()
    trained: bool = True

    @classmethod
    def of(cls, pipeline: Pipeline) -> Description:
        """Describe a pipeline's results."""
        return cls(
            pipeline.labels,
            pipeline.intensity_labels,
            pipeline.sided_labels,
            pipeline.optional_outputs,
            trained=pipeline.bundle.manifest.network.trained,
        )
