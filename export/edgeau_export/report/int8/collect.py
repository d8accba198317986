"""Collecting what a report is made of, once the artifacts of an export stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeau.bundle.manifest import Artifact
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.errors import CalibrationError
from edgeau_calibration.data.crops import CalibrationSet
from edgeau_calibration.data.load import load_calibration_set
from edgeau_calibration.evaluation.tensor_fidelity import tensor_fidelity
from edgeau_calibration.graph.integer_nodes import integer_nodes
from edgeau_calibration.graph.ort_session import logits_of
from edgeau_calibration.search.pareto import QuantizationCandidate
from edgeau_export.converters.parity import run_artifact
from edgeau_export.profiling.from_onnx import profile_of_onnx_model
from edgeau_export.quantization.labelled_data import LabelledData
from edgeau_export.quantization.quantized_graph import QuantizedGraph
from edgeau_export.report.int8.inputs import (
    ArtifactAnswers,
    Inside,
    Labelled,
    ReportedCandidate,
    ReportInputs,
)
from edgeau_export.source_network.network import SourceNetwork

__all__ = ["report_inputs"]

_LOOKED_INSIDE = 8
_SHOWN = 48


def report_inputs(
    directory: Path,
    network: SourceNetwork,
    artifacts: Sequence[Artifact],
    held_out: CalibrationSet | None,
    quantized: Mapping[str, QuantizedGraph],
    labelled: LabelledData | None,
    *,
    own_faces: bool,
) -> ReportInputs:
    """Run the quantized artifacts on the crops at hand, and take what the search saw.

    Args:
        directory: directory of the bundle.
        network: float.
        artifacts: that the export made.
        held_out: crops that nothing was calibrated with, or None.
        quantized: graphs by recipe.
        labelled: faces that the search measured F1 on, or None.
        own_faces: the calibration crops are the user's; bundles are passed on, so they are counted and never shown.
    """
    of_search = ReportInputs(
        labelled=None if labelled is None else _labelled(labelled, artifacts, quantized),
        candidates=_candidates(quantized),
        drop_is="flipped decisions" if labelled is None else "mean F1 drop",
        times_ms={
            point.name: point.latency_ms
            for found in quantized.values()
            for point in found.points
            if point.latency_ms is not None
        },
    )
    integer = [artifact for artifact in artifacts if artifact.calibration is not None]
    if not integer or held_out is None:
        return of_search
    flips = _answers(
        directory, network, integer, held_out.crops, f"crops {held_out.source}", may_show=not own_faces
    )
    return replace(
        of_search,
        flips=flips,
        shown=_packaged(directory, network, integer) if own_faces else flips,
        inside=_insides(directory, network, integer, held_out),
    )


def _answers(
    directory: Path,
    network: SourceNetwork,
    artifacts: Sequence[Artifact],
    crops: NDArray[np.uint8],
    data: str,
    *,
    may_show: bool,
) -> ArtifactAnswers:
    batch = Preprocessor(network.description.input).batch(crops)
    answered = {
        item.file: run_artifact(item.runtime, directory / item.file, batch, compiled=item.compiled).values
        for item in artifacts
    }
    reference = logits_of(network.graph, crops, network.description.input)
    return ArtifactAnswers(data, reference, answered, crops if may_show else None)


def _packaged(
    directory: Path, network: SourceNetwork, artifacts: Sequence[Artifact]
) -> ArtifactAnswers | None:
    """Answers on packaged faces, which may be shown; None where this installation carries none."""
    try:
        packaged = load_calibration_set(None, network.description.alignment, _SHOWN)
    except CalibrationError:
        return None
    return _answers(directory, network, artifacts, packaged.crops, packaged.source, may_show=True)


def _insides(
    directory: Path, network: SourceNetwork, artifacts: Sequence[Artifact], held_out: CalibrationSet
) -> dict[str, Inside]:
    """Look inside the ONNX files; nobody can look inside the others."""
    files = (item.file for item in artifacts if item.file.endswith(".onnx"))
    crops = held_out.crops[:_LOOKED_INSIDE]
    return {file: _inside(network, onnx.load(directory / file), file, crops) for file in files}


def _inside(network: SourceNetwork, graph: onnx.ModelProto, file: str, crops: NDArray[np.uint8]) -> Inside:
    return Inside(
        tensors=tensor_fidelity(network.graph, graph, crops, network.description.input),
        nodes=integer_nodes(graph),
        integer_share=profile_of_onnx_model(graph, name=file).integer_share,
    )


def _labelled(
    labelled: LabelledData, artifacts: Sequence[Artifact], quantized: Mapping[str, QuantizedGraph]
) -> Labelled | None:
    """Answers on the test split of the artifacts that were measured on it; None where there are none."""
    answered = {
        artifact.file: quantized[artifact.calibration.recipe].on_test
        for artifact in artifacts
        if artifact.calibration is not None and artifact.accuracy is not None
    }
    known = {file: answers for file, answers in answered.items() if answers is not None}
    if not known:
        return None
    reference = next(iter(known.values())).of_float
    answers = ArtifactAnswers(
        labelled.test.source, reference, {file: item.of_quantized for file, item in known.items()}
    )
    test = labelled.test
    truth = test.present.astype(np.int8)
    return Labelled(answers, truth if test.known is None else np.where(test.known, truth, np.int8(-1)))


def _candidates(quantized: Mapping[str, QuantizedGraph]) -> tuple[ReportedCandidate, ...]:
    """Everything that was tried; the last of each recipe is the one that ships."""
    return tuple(
        _candidate(point, chosen=point is found.points[-1])
        for found in quantized.values()
        for point in found.points
    )


def _candidate(point: QuantizationCandidate, *, chosen: bool) -> ReportedCandidate:
    drop = point.flips if point.f1_drop_mean is None else point.f1_drop_mean
    return ReportedCandidate(point.name, drop, point.macs_int8, point.bytes, chosen, point.interval)
