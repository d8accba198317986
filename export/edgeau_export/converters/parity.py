"""The parity gate: a float artifact answers as its reference does, or nothing is written."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeau._system.named_object import named_object
from edgeau.bundle.manifest import Compiled, Parity
from edgeau.errors import GateRefusedError
from edgeau.metrics import logit
from edgeau.runtimes import open_session
from edgeau.runtimes.table import runtime_named
from edgeau_export.source_network.known_weights import known_weights
from edgeau_export.source_network.network import Reference
from edgeau_export.source_network.tflite_facts import float_constants
from edgeau_export.source_network.weight_parity import HALF, SINGLE, faults_of_constants, weight_faults

__all__ = [
    "ArtifactLogits",
    "measured_parity",
    "refuse_if_beyond",
    "refuse_if_not_finite",
    "refuse_if_tflite_weights_differ",
    "refuse_if_weights_differ",
    "run_artifact",
]


# Of the numbers of a constant of a LiteRT file: where so many are those of a weight, it is that weight.
_MOST = 0.5


@dataclass(frozen=True)
class ArtifactLogits:
    """Answers of an artifact.

    Attributes:
        values: logits, float32 ``(n, C)``.
        engine: that computed them, with version and provider.
    """

    values: NDArray[np.float32]
    engine: str


def run_artifact(
    runtime: str,
    file: Path,
    batch: NDArray[np.float32],
    *,
    probabilities: bool = False,
    compiled: Compiled | None = None,
) -> ArtifactLogits:
    """Answers of an artifact, through a session of the device library.

    Args:
        runtime: runtime of the artifact. Where it exists on the board only, the runtime that measures for it is run instead.
        file: the artifact.
        batch: normalised crops, float32 ``(n, C, H, W)``.
        probabilities: the file answers with them.
        compiled: of a file for one device: where its runtime has a simulator, that runs the file that it was compiled from.
    """
    row = runtime_named(runtime)
    if row.simulator and compiled is not None and compiled.source is not None:
        simulator = named_object(row.simulator)
        with simulator(file.parent / compiled.source, device=compiled.device) as session:
            return ArtifactLogits(session.run(batch), session.describe().computed_in)
    name = row.measuring_name
    with open_session(name, file, probabilities=probabilities) as session:
        return ArtifactLogits(session.run(batch), session.describe().computed_in)


def measured_parity(
    reference: Reference,
    logits: ArtifactLogits,
    thresholds: NDArray[np.float32],
    *,
    tolerance: float | None,
    answered_at: NDArray[np.float32] | None = None,
) -> Parity:
    """Measure how far an artifact's logits are from the reference's.

    Args:
        reference: with the inputs that ``logits`` answer.
        logits: logits of the artifact, for those inputs.
        thresholds: ``(C,)`` on the probability.
        tolerance: limit of the largest difference of a logit; None where the artifact is not meant to be equal.
        answered_at: thresholds ``(C,)`` of the artifact, where they are its own.
    """
    measured = difference(reference.logits, logits.values, thresholds, answered_at)
    return Parity(
        reference=reference.name,
        max_abs_logit=measured.max_abs,
        mean_abs_logit=measured.mean_abs,
        decision_flips=measured.flips,
        inputs=reference.inputs,
        count=measured.count,
        tolerance=tolerance,
        engine=logits.engine,
        float32_error=reference.float32_error,
    )


def refuse_if_weights_differ(file: Path, graph: onnx.ModelProto, reference: Reference) -> None:
    """The gate on the weights of a float ONNX file; nothing where nobody knows what they must be.

    Raises:
        GateRefusedError: one is not a form of the network's.
    """
    if reference.weights is None:
        return
    faults = weight_faults(graph, reference.weights)
    if faults:
        raise GateRefusedError(
            f"{file.name} is not the same network, though its answers may be near: {faults}; nothing was written. "
            "Versions of torch, onnx and onnxslim may not work together: compare them with constraints.txt"
        )


def refuse_if_tflite_weights_differ(
    file: Path, content: bytes, graph: onnx.ModelProto, precision: str
) -> None:
    """The same gate on a float LiteRT file, against the graph that it was converted from.

    Args:
        file: named in the message.
        content: the whole ``.tflite`` file.
        graph: float, itself compared with the network.
        precision: ``"fp32"``, or ``"fp16"`` whose weights are the nearest of half precision.

    Raises:
        GateRefusedError: a constant is a weight of the graph but for some numbers.
    """
    faults = faults_of_constants(
        float_constants(content),
        known_weights(graph),
        rounding=HALF if precision == "fp16" else SINGLE,
        any_order=True,
        most=_MOST,
    )
    # A constant that is not a weight of the graph is the converter's own, and so is one that it made of several: the comparison of the logits covers these.
    faults = replace(faults, unknown=(), lost=())
    if faults:
        raise GateRefusedError(
            f"{file.name} is not the same network, though its answers may be near: {faults}; nothing was written. "
            "An operator was converted wrongly: please report it with the network's ONNX file"
        )


def refuse_if_not_finite(runtime: str, file: Path, noise: NDArray[np.float32] | None) -> None:
    """Noise must give finite numbers.

    Raises:
        GateRefusedError: it does not.
    """
    if noise is not None and not np.isfinite(run_artifact(runtime, file, noise).values).all():
        raise GateRefusedError(
            f"{file.name} gives numbers that are not finite on random input; nothing was written"
        )


def refuse_if_beyond(file: str, parity: Parity) -> None:
    """The gate itself.

    Raises:
        GateRefusedError: the largest difference is above the tolerance, or, where there is none, not even finite.
    """
    if parity.tolerance is None and not math.isfinite(parity.max_abs_logit):
        raise GateRefusedError(
            f"{file} gives numbers that are not finite on {parity.inputs}; nothing was written. "
            "Export --precision fp32, or calibrate on other faces"
        )
    if parity.tolerance is not None and not parity.max_abs_logit <= parity.tolerance:
        raise GateRefusedError(
            f"{file} is not the same network: its logits differ from {parity.reference} by up to "
            f"{parity.max_abs_logit:.3g} on {parity.inputs}, allowed is {parity.tolerance:.3g}; nothing was written. "
            "An operator was converted wrongly, or versions do not work together: compare them with constraints.txt"
        )


@dataclass(frozen=True)
class Difference:
    """Difference of logits ``(n, C)`` from a reference.

    Attributes:
        max_abs: largest absolute difference of a logit; inf where one is not finite.
        mean_abs: mean absolute difference of the logits.
        flips: share of the n * C decisions that differ, 0..1.
        count: inputs compared, n.
    """

    max_abs: float
    mean_abs: float
    flips: float
    count: int


def difference(
    reference: NDArray[np.float32],
    answer: NDArray[np.float32],
    thresholds: NDArray[np.float32],
    answered_at: NDArray[np.float32] | None = None,
) -> Difference:
    """Compare logits ``(n, C)``; a decision is ``sigmoid(logit) >= threshold``, thresholds ``(C,)`` in (0, 1).

    Args:
        reference: ``(n, C)``.
        answer: ``(n, C)``.
        thresholds: thresholds of both, or of the reference only.
        answered_at: thresholds of the answer, where they were fitted for it.
    """
    assert reference.shape == answer.shape, f"{reference.shape} against {answer.shape}"
    distance = np.abs(reference.astype(np.float64) - answer)
    if not np.isfinite(distance).all():
        # NaN compares false with every tolerance, so that a gate would let it pass.
        distance = np.full_like(distance, np.inf)
    answered_at = thresholds if answered_at is None else answered_at
    # Logits are compared: no probability then rounds to 0 or 1.
    flips = (reference >= logit(thresholds)) != (answer >= logit(answered_at))
    return Difference(float(distance.max()), float(distance.mean()), float(flips.mean()), len(reference))
