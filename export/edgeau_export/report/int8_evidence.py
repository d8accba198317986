"""What the search for INT8 saw, as the report wants it: answers on labelled faces, and every quantization that was tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeau_export.report.int8.evidence import Answers, Candidate, Labelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeau.bundle.manifest import Artifact
    from edgeau_calibration.search.pareto import QuantizationCandidate
    from edgeau_export.context import Bench

__all__ = ["candidates_of", "labelled_of"]


def labelled_of(bench: Bench, artifacts: Sequence[Artifact]) -> Labelled | None:
    """Answers on the test split of the artifacts that were measured on it; None where there are none."""
    if bench.labelled is None:
        return None
    answered = {
        artifact.file: bench.int8(artifact.calibration.recipe).on_test
        for artifact in artifacts
        if artifact.calibration is not None and artifact.accuracy is not None
    }
    known = {file: answers for file, answers in answered.items() if answers is not None}
    if not known:
        return None
    reference = next(iter(known.values())).of_float
    answers = Answers(
        bench.labelled.test.source, reference, {file: item.of_int8 for file, item in known.items()}
    )
    return Labelled(answers, bench.labelled.test.present.astype(np.int8))


def candidates_of(bench: Bench) -> tuple[Candidate, ...]:
    """Everything that was tried; the last of each recipe is the one that ships."""
    return tuple(
        _candidate(point, chosen=point is tried[-1])
        for tried in bench.tried_by_recipe.values()
        for point in tried
    )


def _candidate(point: QuantizationCandidate, *, chosen: bool) -> Candidate:
    drop = point.flips if point.f1_drop_mean is None else point.f1_drop_mean
    return Candidate(point.name, drop, point.macs_int8, point.bytes, point.latency_ms, chosen)
