"""Contract that a network from elsewhere must keep, checked where it is exported and not on the board."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeau.bundle.manifest import InputSpec
from edgeau.errors import CheckpointError
from edgeau.metrics import logit, sigmoid
from edgeau_calibration.graph.ort_session import open_model
from edgeau_export.source_network.standard_graph import INPUT

__all__ = [
    "check_answers",
    "check_batches",
    "check_inputs",
    "check_same",
    "logits_from",
    "noise_for",
    "nudged",
]

Numbers = NDArray[np.floating[Any]]

_NOISE = 4
# A face varies by some 60 levels; with a std of one that is 60 / 255 / std. Networks use it to the third digit.
_FLAT = 0.03
# Levels that one unit of the input spans: some 58 of ImageNet's statistics, one where levels are taken as they are.
_LEVELS = 0.8
# Of the largest answer: float32 rounds at 6e-8 of it, and answers that differ by no more do not hear their input.
_DEAF = 1e-6
_CLIP = 1e-7
# A network rounds at every layer, not at its input alone.
_AMPLIFIED = 16.0


def noise_for(spec: InputSpec) -> NDArray[np.float32]:
    """Random inputs within the range that pictures have after normalisation, float32 ``(4, C, H, W)``.

    For what must hold for every input: finite values, the range of probabilities. No face looks like this.
    """
    levels = np.random.default_rng(0).integers(0, 256, (_NOISE, *spec.shape)) / 255
    mean, std = (np.array(values).reshape(-1, 1, 1) for values in (spec.mean, spec.std))
    noise: NDArray[np.float32] = ((levels - mean) / std).astype(np.float32)
    return noise


def check_inputs(batch: NDArray[np.float32], spec: InputSpec, where: str) -> None:
    """Faces after normalisation must differ from pixel to pixel.

    Raises:
        CheckpointError: they hardly do, as where mean and std are in units of 0..255 and scale divides as well.
    """
    spread = float(batch.std(axis=(2, 3)).mean())
    if spread < _FLAT:
        raise CheckpointError(
            f"{where}: after scale, mean and std every face is nearly constant (standard deviation {spread:.2g}); mean and std "
            "belong to pixels divided by scale: say scale = 1 where they are in units of 0..255"
        )
    if 255 * min(spec.std) < _LEVELS:
        raise CheckpointError(
            f"{where}: after scale, mean and std faces vary by {spread:.3g} (standard deviation), more than their levels of 0..255 do; "
            "mean and std belong to pixels divided by scale: say scale = 255 where they are in units of 0..1"
        )


def check_answers(answers: Numbers, labels: tuple[str, ...], where: str, *, probabilities: bool) -> None:
    """Outputs of faces and of noise against what its model.toml says.

    Args:
        answers: answers of the network as it is.
        labels: in output order.
        where: what errors call it.
        probabilities: whether they should be.

    Raises:
        CheckpointError: another shape, values that are not finite, or logits where probabilities were said and the reverse.
    """
    if answers.ndim != 2:
        shape = " x ".join(["n", *map(str, answers.shape[1:])])
        raise CheckpointError(
            f"{where} answers {shape}, expected n x {len(labels)}: one number a label. "
            "Classes of each label belong reduced to one logit in the builder, such as y[..., 1] - y[..., 0]"
        )
    if answers.shape[1] != len(labels):
        raise CheckpointError(
            f"{where} has {answers.shape[1]} outputs, its model.toml {len(labels)} labels ({' '.join(labels[:6])}"
            f"{' ...' if len(labels) > 6 else ''})"
        )
    if not np.isfinite(answers).all():
        bad = [labels[column] for column in np.flatnonzero(~np.isfinite(answers).all(axis=0))]
        raise CheckpointError(f"{where} gives values that are not finite for {', '.join(bad[:6])}")
    reach = float(np.abs(answers).max())
    if len(answers) > 1 and reach > 0 and float(np.ptp(answers, axis=0).max()) <= _DEAF * reach:
        raise CheckpointError(
            f"{where} gives the same numbers for every face and for noise, such as {answers[0, 0]:.3g} for {labels[0]}: its input "
            "does not reach its outputs"
        )
    inside = bool(((answers >= 0) & (answers <= 1)).all())
    if probabilities and not inside:
        raise CheckpointError(
            f'{where} answers {answers.min():.3g} to {answers.max():.3g}, which are not probabilities; write output = "logits"'
        )
    if not probabilities and inside:
        raise CheckpointError(
            f"{where} answers {answers.min():.3g} to {answers.max():.3g} to faces and noise: these are probabilities, not "
            'logits; say output = "probabilities"'
        )


def check_batches(graph: onnx.ModelProto, batch: NDArray[np.float32], where: str) -> None:
    """Two pictures at once must be answered as one after the other.

    Raises:
        CheckpointError: they are not, or do not run: the batch is built into the graph.
    """
    session = open_model(graph)
    alone = np.concatenate([session.run(None, {INPUT: batch[i : i + 1]})[0] for i in range(2)])
    try:
        together = session.run(None, {INPUT: batch[:2]})[0]
    except Exception as error:  # ONNX Runtime's errors share no base
        raise CheckpointError(_fixed_batch(where)) from error
    if together.shape != alone.shape or not np.allclose(
        together, alone, rtol=1e-3, atol=1e-3 * np.abs(alone).max()
    ):
        raise CheckpointError(_fixed_batch(where))


def _fixed_batch(where: str) -> str:
    return (
        f"{where} has its batch size built in: a batch of two pictures gives other answers than one picture at a time; "
        "export it with a dynamic batch (dynamic_axes, dynamic_shapes)"
    )


def nudged(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same inputs, each number one rounding of float32 away, up or down by chance."""
    way = np.random.default_rng(0).choice(np.array([-np.inf, np.inf], np.float32), batch.shape)
    moved: NDArray[np.float32] = np.nextafter(batch, way)
    return moved


def check_same(
    original: Numbers, logits: Numbers, where: str, *, probabilities: bool, half: bool, own_error: float
) -> None:
    """The standard graph must answer faces as the file does.

    Args:
        original: of the file.
        logits: of the standard graph.
        where: what errors call it.
        probabilities: whether the file answers with them.
        half: it has half precision.
        own_error: how far the file's answers move where its inputs do by one rounding (:func:`nudged`); deep networks amplify.

    Raises:
        CheckpointError: it does not: a step of the standardisation does not fit this graph.
    """
    answered = sigmoid(logits.astype(np.float32)) if probabilities else logits
    allowed = max((2e-2 if half else 1e-4) * max(1.0, float(np.abs(original).max())), _AMPLIFIED * own_error)
    worst = float(np.abs(answered - original).max())
    if not worst <= allowed:
        raise CheckpointError(
            f"{where} cannot be converted to edgeau's standard form: its answers then differ by {worst:.3g}; "
            "export it again as float32 NCHW with a dynamic batch, and report the file"
        )


def logits_from(answers: Numbers, *, probabilities: bool) -> Numbers:
    """Logits of answers, which may be probabilities."""
    if not probabilities:
        return answers
    return logit(np.clip(answers.astype(np.float64), _CLIP, 1 - _CLIP))
