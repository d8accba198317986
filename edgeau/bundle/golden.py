"""Golden answers: crops and what every artifact said about them where the bundle was made.

File layout (``.npz``, no pickles), which labelled samples share (:class:`AnsweredCrops`): ``crops`` uint8
``(n, size, size, 3)`` RGB; for each kind of answer and each artifact ``<kind>/<file>`` with n rows; any further arrays under
names without a slash. Golden answers have the kinds ``logits`` float32 ``(k, C)`` and ``decisions`` bool ``(k, C)``.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.atomic_file import write_whole
from edgeau._system.npz import SMALL, read_npz
from edgeau.bundle.manifest import Artifact, InputSpec
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.errors import BundleError, EngineError, NpzError
from edgeau.metrics import sigmoid
from edgeau.runtimes.precision import PRECISIONS
from edgeau.runtimes.session import Session

__all__ = [
    "Answer",
    "AnsweredCrops",
    "Golden",
    "check_golden",
    "read_answered_crops",
    "read_golden",
    "write_answered_crops",
    "write_golden",
]


@dataclass(frozen=True)
class Answer:
    """One artifact's answers: ``logits`` float32 ``(k, C)``, ``decisions`` bool ``(k, C)``."""

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
    fault = None if len(content.crops) else "there is no crop"
    for name, numbers in logits.items():
        if (
            numbers.dtype.kind != "f"
            or decisions[name].dtype != np.bool_
            or numbers.shape != decisions[name].shape
        ):
            fault = f"answers of {name} are {numbers.dtype} {numbers.shape} and {decisions[name].dtype} {decisions[name].shape}"
        elif not np.isfinite(numbers).all():  # a comparison with them would find no difference
            fault = f"answers of {name} are not finite"
    if fault is not None:
        raise BundleError(f"{file} holds no golden answers ({fault}); export the bundle again")
    return Golden(content.crops, {name: Answer(logits[name], decisions[name]) for name in logits})


def check_golden(
    golden: Golden, artifact: Artifact, session: Session, spec: InputSpec, labels: tuple[str, ...]
) -> None:
    """Run the golden crops and compare.

    Args:
        golden: golden of the bundle.
        artifact: that the session runs.
        session: to be checked.
        spec: what the network wants.
        labels: labels of the bundle, in output order.

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
    """Describe what is wrong with an engine's logits, or return None."""
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


@dataclass(frozen=True)
class AnsweredCrops:
    """The content of such a file.

    Attributes:
        crops: uint8 ``(n, size, size, 3)`` RGB.
        answers: by kind (``"logits"``, ``"decisions"``) and artifact file, arrays of n rows.
        others: further arrays by name.
    """

    crops: NDArray[np.uint8]
    answers: Mapping[str, Mapping[str, NDArray[Any]]]
    others: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def write_answered_crops(file: Path, content: AnsweredCrops) -> None:
    """Write a file, whole or not at all; the same content gives the same bytes.

    Raises:
        OutputError: it cannot be written.
    """
    arrays: dict[str, NDArray[Any]] = {"crops": content.crops, **content.others}
    files = dict.fromkeys(name for by_file in content.answers.values() for name in by_file)
    for name in files:
        arrays |= {f"{kind}/{name}": by_file[name] for kind, by_file in content.answers.items()}
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    write_whole(file, stream.getvalue())


def read_answered_crops(file: Path, kinds: Collection[str], others: Collection[str] = ()) -> AnsweredCrops:
    """Read a file.

    Args:
        file: written by :func:`write_answered_crops`.
        kinds: kinds of answers; every artifact must have each of them.
        others: further arrays that must be there.

    Raises:
        NpzError: the file is missing, damaged, or something else.
    """
    arrays = read_npz(file, ("crops", *others), SMALL)
    crops = arrays["crops"]
    if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[3] != 3:
        raise NpzError(f"its crops are {crops.dtype} {crops.shape}, expected uint8 (n, size, size, 3)")
    answers = {
        kind: {name.partition("/")[2]: array for name, array in arrays.items() if name.startswith(f"{kind}/")}
        for kind in kinds
    }
    for kind, by_file in answers.items():
        for name, array in by_file.items():
            if array.ndim != 2 or len(array) != len(crops):
                raise NpzError(
                    f"{kind} of {name or 'the float network'} are {array.shape} for {len(crops)} crops"
                )
            missing = [other for other in kinds if name not in answers[other]]
            if missing:
                raise NpzError(f"it has {kind} of {name} and no {', '.join(missing)}")
    return AnsweredCrops(crops, answers, {name: arrays[name] for name in others})
