"""The artifacts of an export: each converted, measured as soon as it exists, and recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau._system.named_object import named_object
from edgeau.bundle.files import record_of
from edgeau.bundle.golden import Answer, Golden
from edgeau.bundle.manifest import Artifact
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.errors import ConversionError, TargetError, UserError
from edgeau.metrics import sigmoid
from edgeau.runtimes.table import runtime_named
from edgeau_calibration.data.crops import CalibrationSet
from edgeau_calibration.graph.ort_session import logits_of
from edgeau_export.converters.conversion import ConversionRequest, ConversionResult
from edgeau_export.converters.parity import (
    measured_parity,
    refuse_if_beyond,
    refuse_if_not_finite,
    run_artifact,
)
from edgeau_export.progress import ProgressReporter
from edgeau_export.quantization.quantized_graph import QuantizedGraph
from edgeau_export.source_network.network import NetworkDescription, Reference, SourceNetwork
from edgeau_export.source_network.onnx_graph import with_batch
from edgeau_export.targets.target import TargetArtifact

__all__ = ["artifact_answer", "golden_answers", "held_out_reference", "make_artifact", "make_artifacts"]


def make_artifacts(
    wanted: Sequence[TargetArtifact],
    directory: Path,
    network: SourceNetwork,
    reference: Reference,
    progress: ProgressReporter,
    quantized: Mapping[str, QuantizedGraph] | None = None,
    held_out: CalibrationSet | None = None,
    unmade: Mapping[str, str] | None = None,
) -> tuple[tuple[Artifact, ...], dict[str, str]]:
    """Make what can be made, and say by file why the rest could not.

    Args:
        wanted: as the target has them.
        directory: directory of the bundle.
        network: float.
        reference: what a float artifact must answer.
        progress: says what is made and what is left out.
        quantized: graphs by recipe.
        held_out: crops that quantized artifacts are compared with the float graph on.
        unmade: by recipe, why its graph could not be made.

    Raises:
        ConversionError: nothing could be made.
        GateRefusedError: an artifact was made and is not the same network.
    """
    of_quantized = held_out_reference(network, held_out) if quantized and held_out else None
    made: list[Artifact] = []
    failed: dict[str, UserError] = {}
    for item in wanted:
        if item.compiled_from in failed:
            failed[item.file] = ConversionError(
                f"{item.compiled_from}, which it is compiled from, could not be made"
            )
            continue
        if unmade and item.recipe is not None and item.recipe in unmade:
            failed[item.file] = ConversionError(unmade[item.recipe])
            continue
        progress.step(f"making {item.file} ({item.precision})")
        try:
            made.append(make_artifact(item, directory, network, reference, quantized, of_quantized))
        except (ConversionError, TargetError) as error:
            (directory / item.file).unlink(missing_ok=True)
            failed[item.file] = error
    if not made:
        raise next(iter(failed.values()))
    reasons = {file: str(reason) for file, reason in failed.items()}
    for file, reason in reasons.items():
        progress.notice(f"{file} is left out: {reason}")
    return tuple(made), reasons


def make_artifact(
    wanted: TargetArtifact,
    directory: Path,
    network: SourceNetwork,
    reference: Reference,
    quantized: Mapping[str, QuantizedGraph] | None = None,
    held_out: Reference | None = None,
) -> Artifact:
    """Write one artifact and measure it.

    Args:
        wanted: as the target has it.
        directory: directory of the bundle.
        network: float.
        reference: what a float artifact must answer.
        quantized: graphs by recipe.
        held_out: what a quantized artifact is compared with, see :func:`held_out_reference`.

    Raises:
        GateRefusedError: a float artifact answers otherwise than its reference, or one with numbers that are not finite.
    """
    source = None if wanted.recipe is None else (quantized or {})[wanted.recipe]
    description = network.description
    thresholds, fused_thresholds = _thresholds(description, source)
    result = _converted(wanted, directory, network, reference, source)
    compared = reference if source is None else held_out
    assert compared is not None, "a quantized artifact was selected without held-out crops"
    parity = measured_parity(
        compared,
        run_artifact(wanted.runtime, directory / wanted.file, compared.batch, compiled=result.compiled),
        description.in_order(description.thresholds),
        tolerance=result.tolerance,
        answered_at=None
        if source is None or source.thresholds is None
        else description.in_order(source.thresholds),
    )
    refuse_if_beyond(wanted.file, parity)
    if source is None and result.compiled is None:
        refuse_if_not_finite(wanted.runtime, directory / wanted.file, compared.noise)
    record = record_of(directory, wanted.file)
    return Artifact(
        file=wanted.file,
        runtime=wanted.runtime,
        precision=wanted.precision,
        batch=wanted.batch,
        bytes=record.bytes,
        sha256=record.sha256,
        thresholds=thresholds,
        parity=parity,
        accuracy=result.accuracy,
        calibration=None if source is None else source.calibration,
        fused_thresholds=fused_thresholds,
        network_accuracy=result.network_accuracy,
        compiled=result.compiled,
    )


def artifact_answer(
    artifact: Artifact, directory: Path, description: NetworkDescription, crops: NDArray[np.uint8]
) -> Answer:
    """Run an artifact on crops, uint8 ``(n, S, S, 3)`` RGB, and decide at its own thresholds."""
    batch = Preprocessor(description.input).batch(crops)
    answers = artifact.answers == "probabilities"
    logits = run_artifact(
        artifact.runtime,
        directory / artifact.file,
        batch,
        probabilities=answers,
        compiled=artifact.compiled,
    ).values
    return Answer(logits, sigmoid(logits) >= description.in_order(artifact.thresholds))


def golden_answers(
    artifacts: Sequence[Artifact], directory: Path, description: NetworkDescription, crops: NDArray[np.uint8]
) -> Golden:
    """Crops, uint8 ``(n, S, S, 3)`` RGB, with what every artifact says to them."""
    return Golden(
        crops, {item.file: artifact_answer(item, directory, description, crops) for item in artifacts}
    )


def held_out_reference(network: SourceNetwork, held_out: CalibrationSet) -> Reference:
    """The float graph's answers to crops that nothing was calibrated with; the bundle need not hold a float artifact."""
    spec = network.description.input
    return Reference(
        name="float ONNX",
        inputs=f"{len(held_out)} crops {held_out.source}",
        batch=Preprocessor(spec).batch(held_out.crops).copy(),
        logits=logits_of(network.graph, held_out.crops, spec),
        tolerance=0.0,
    )


def _converted(
    wanted: TargetArtifact,
    directory: Path,
    network: SourceNetwork,
    reference: Reference,
    source: QuantizedGraph | None,
) -> ConversionResult:
    measured = (network.accuracy, None) if source is None else (source.accuracy, source.network_accuracy)
    request = ConversionRequest(
        artifact=wanted,
        graph=with_batch(network.graph if source is None else source.graph, wanted.batch),
        file=directory / wanted.file,
        description=network.description,
        reference=reference,
        source=None if wanted.compiled_from is None else directory / wanted.compiled_from,
        accuracy=measured[0],
        network_accuracy=measured[1],
    )
    convert = named_object(runtime_named(wanted.runtime).converter)
    result: ConversionResult = convert(request)
    return result


def _thresholds(
    description: NetworkDescription, source: QuantizedGraph | None
) -> tuple[dict[str, float], dict[str, float] | None]:
    """Take the artifact's own thresholds where they were fitted for it, the network's otherwise; alone and fused."""
    fitted = (None, None) if source is None else (source.thresholds, source.fused_thresholds)
    return fitted[0] or description.thresholds, fitted[1] or description.fused_thresholds
