"""Golden answers: crops and what every artifact said about them where the bundle was made.

File layout: :mod:`edgeau.bundle.answered_crops` with ``logits`` float32 ``(k, C)`` and ``decisions`` bool ``(k, C)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.bundle.answered_crops import AnsweredCrops, read_answered_crops, write_answered_crops
from edgeau.bundle.manifest import Artifact, InputSpec
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.errors import BundleError, EngineError, NpzError
from edgeau.metrics import sigmoid
from edgeau.runtimes.precision import PRECISIONS
from edgeau.runtimes.session import Session

__all__ = ["Answer", "Golden", "check_golden", "read_golden", "write_golden"]


@dataclass(frozen=True)
class Answer:
    """What one artifact said: ``logits`` float32 ``(k, C)``, ``decisions`` bool ``(k, C)``."""

    logits: NDArray[np.float32]
    decisions: NDArray[np.bool_]


@dataclass(frozen=True)
class Golden:
    """``crops`` uint8 ``(k, size, size, 3)`` RGB, and the answers by artifact file."""

    crops: NDArray[np.uint8]
    answers: Mapping[str, Answer]


def write_golden(file: Path, golden: Golden) -> None:
    """Write golden answers, whole or not at all; the same answers give the same bytes.

    Raises:
        OutputError: the file cannot be written.
    """
    answers: dict[str, dict[str, NDArray[Any]]] = {
        "logits": {name: answer.logits for name, answer in golden.answers.items()},
        "decisions": {name: answer.decisions for name, answer in golden.answers.items()},
    }
    write_answered_crops(file, AnsweredCrops(golden.crops, answers))


def read_golden(file: Path) -> Golden:
    """Read golden answers.

    Raises:
        BundleError: the file is not one.
    """
    try:
        content = read_answered_crops(file, ("logits", "decisions"))
    except NpzError as error:
        raise BundleError(f"{file} holds no golden answers ({error}); export the bundle again") from error
    logits, decisions = content.answers["logits"], content.answers["decisions"]
    return Golden(content.crops, {name: Answer(logits[name], decisions[name]) for name in logits})


def check_golden(
    golden: Golden, artifact: Artifact, session: Session, spec: InputSpec, labels: tuple[str, ...]
) -> None:
    """Run the golden crops and compare.

    Args:
        golden: of the bundle.
        artifact: that the session runs.
        session: to be judged.
        spec: what the network wants.
        labels: of the bundle, in output order.

    Raises:
        BundleError: there is no golden answer for this artifact.
        EngineError: the engine answers differently; the message names it and the largest difference.
    """
    answer = golden.answers.get(artifact.file)
    if answer is None:
        raise BundleError(f"the bundle has no golden answers for {artifact.file}; export it again")
    logits = session.run(Preprocessor(spec).batch(golden.crops))
    fault = _difference(logits, answer, artifact, labels)
    if fault is not None:
        raise EngineError(f"{session.describe()} answers wrongly on {artifact.file}: {fault}")


def _difference(
    logits: NDArray[np.float32], answer: Answer, artifact: Artifact, labels: tuple[str, ...]
) -> str | None:
    """What is wrong with an engine's logits, or None."""
    if logits.shape != answer.logits.shape:
        return f"{logits.shape} logits, not {answer.logits.shape}"
    if not np.isfinite(logits).all():
        return "logits that are not finite"
    allowed = PRECISIONS[artifact.precision].tolerance
    logit = float(np.abs(logits - answer.logits).max())
    if logit > allowed.logit:
        return f"a logit differs by {logit:.3g} from the golden answer, allowed is {allowed.logit:g}"
    expected = sigmoid(answer.logits)
    probability = float(np.abs(sigmoid(logits) - expected).max())
    if probability > allowed.probability:
        return f"a probability differs by {probability:.3g} from the golden answer, allowed is {allowed.probability:g}"
    thresholds = np.array([artifact.thresholds[label] for label in labels], np.float32)
    clear = np.abs(expected - thresholds) > allowed.probability
    flips = int((((sigmoid(logits) >= thresholds) != answer.decisions) & clear).sum())
    return f"{flips} decisions differ from the golden ones" if flips else None
