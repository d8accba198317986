"""Gathering the evidence of an export, once its artifacts stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx

from edgeau.bundle.preprocessing import Preprocessor
from edgeau.errors import CalibrationError
from edgeau_calibration.data.load import load_calibration_set
from edgeau_calibration.evaluation.tensor_fidelity import tensor_fidelity
from edgeau_calibration.graph.integer_nodes import integer_nodes
from edgeau_calibration.graph.ort_session import logits_of
from edgeau_export.converters.parity import run_artifact
from edgeau_export.profiling.from_onnx import profile_of_onnx_model
from edgeau_export.report.int8.evidence import Answers, Candidate, Evidence, Inside, Labelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeau.bundle.manifest import Artifact
    from edgeau_calibration.data.crops import CalibrationSet
    from edgeau_export.context import Bench

__all__ = ["gather"]

_LOOKED_INSIDE = 8
_SHOWN = 48


def gather(
    bench: Bench,
    artifacts: Sequence[Artifact],
    *,
    own_faces: bool,
    labelled: Labelled | None = None,
    candidates: tuple[Candidate, ...] = (),
    drop_is: str = "mean F1 drop",
) -> Evidence:
    """Run the quantized artifacts on the crops at hand.

    Args:
        bench: of the export.
        artifacts: that it made.
        own_faces: the calibration crops are the user's; bundles are passed on, so they are counted and never shown.
        labelled: answers on labelled faces, where somebody has them.
        candidates: quantizations that were tried.
        drop_is: what ``Candidate.drop`` is.
    """
    quantized = [artifact for artifact in artifacts if artifact.calibration is not None]
    held_out = bench.faces.held_out
    if not quantized or held_out is None:
        return Evidence(labelled=labelled, candidates=candidates, drop_is=drop_is)
    flips = _answers(bench, quantized, held_out.crops, f"crops {held_out.source}", may_show=not own_faces)
    return Evidence(
        flips=flips,
        shown=_packaged(bench, quantized) if own_faces else flips,
        labelled=labelled,
        inside=_insides(bench, quantized, held_out),
        candidates=candidates,
        drop_is=drop_is,
    )


def _answers(
    bench: Bench, artifacts: Sequence[Artifact], crops: NDArray[np.uint8], data: str, *, may_show: bool
) -> Answers:
    batch = Preprocessor(bench.description.input).batch(crops)
    answered = {
        item.file: run_artifact(item.runtime, bench.directory / item.file, batch).values for item in artifacts
    }
    reference = logits_of(bench.graph, crops, bench.description.input)
    return Answers(data, reference, answered, crops if may_show else None)


def _packaged(bench: Bench, artifacts: Sequence[Artifact]) -> Answers | None:
    """Answers on packaged faces, which may be shown; None where this installation carries none."""
    try:
        packaged = load_calibration_set(None, bench.description.alignment, _SHOWN)
    except CalibrationError:
        return None
    return _answers(bench, artifacts, packaged.crops, packaged.source, may_show=True)


def _insides(bench: Bench, artifacts: Sequence[Artifact], held_out: CalibrationSet) -> dict[str, Inside]:
    """Of the ONNX files; nobody can look inside the others."""
    graphs = {
        item.file: onnx.load(bench.directory / item.file) for item in artifacts if item.file.endswith(".onnx")
    }
    crops = held_out.crops[:_LOOKED_INSIDE]
    return {file: _inside(bench, graph, file, crops) for file, graph in graphs.items()}


def _inside(bench: Bench, graph: onnx.ModelProto, file: str, crops: NDArray[np.uint8]) -> Inside:
    return Inside(
        tensors=tensor_fidelity(bench.graph, graph, crops, bench.description.input),
        nodes=integer_nodes(graph),
        integer_share=profile_of_onnx_model(graph, name=file).integer_share,
    )
