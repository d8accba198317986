"""Inputs of a report: answers of the float network and of the artifacts, on labelled and on unlabelled faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edgeau_calibration.evaluation.tensor_fidelity import TensorFidelity
from edgeau_calibration.graph.integer_nodes import NodeCount

__all__ = ["ArtifactAnswers", "Inside", "Labelled", "ReportInputs", "ReportedCandidate"]


@dataclass(frozen=True)
class ArtifactAnswers:
    """Logits of the float network and of artifacts on the same crops.

    Attributes:
        data: which crops, for people.
        reference: float network, float32 ``(n, C)``.
        artifacts: file -> float32 ``(n, C)``.
        pictures: the crops, uint8 ``(n, S, S, 3)`` RGB; None where they may not be shown.
    """

    data: str
    reference: NDArray[np.float32]
    artifacts: Mapping[str, NDArray[np.float32]]
    pictures: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Labelled:
    """Answers on faces whose action units are known.

    Attributes:
        answers: on these faces.
        truth: int8 ``(n, C)``: 1 present, 0 absent, -1 not labelled.
        persons: who each face is, ``(n,)``, so that intervals resample persons; None where nobody knows.
    """

    answers: ArtifactAnswers
    truth: NDArray[np.int8]
    persons: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Inside:
    """Tensors and layers inside one Q/DQ graph.

    Attributes:
        tensors: in the order of execution.
        nodes: how ONNX Runtime runs them on the machine of the export.
        integer_share: share in integers of the multiply-accumulates, 0..1.
    """

    tensors: tuple[TensorFidelity, ...]
    nodes: NodeCount
    integer_share: float | None


@dataclass(frozen=True)
class ReportedCandidate:
    """One quantization that was tried on the way, for the front of truth against cost.

    Attributes:
        name: what was done.
        drop: drop of the mean F1 (or, without labels, the share of flipped decisions).
        integer_share: share in integers of the multiply-accumulates, 0..1.
        bytes: bytes of its file.
        chosen: it is the one in the bundle.
        interval: ends of the 95 % interval of ``drop``; None where it is not known.
    """

    name: str
    drop: float
    integer_share: float
    bytes: int
    chosen: bool = False
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class ReportInputs:
    """All of it; whatever is empty or None was not measured, and the page says so.

    Attributes:
        flips: on crops that nothing was calibrated with.
        shown: on crops that may be shown; None where there are none.
        labelled: on faces with labels, or None.
        inside: file -> what goes on inside.
        candidates: quantizations that were tried.
        drop_is: what ``ReportedCandidate.drop`` is.
        times_ms: one face on one thread on the machine of the export, by the candidate's name; lower quartile.
    """

    flips: ArtifactAnswers | None = None
    shown: ArtifactAnswers | None = None
    labelled: Labelled | None = None
    inside: Mapping[str, Inside] = field(default_factory=dict)
    candidates: tuple[ReportedCandidate, ...] = ()
    drop_is: str = "mean F1 drop"
    times_ms: Mapping[str, float] = field(default_factory=dict)
