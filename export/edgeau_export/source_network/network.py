"""The float network of an export as values: what a bundle says about it, its graph, and the answers artifacts are held to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeau.bundle.manifest import Accuracy, Fusion, InputSpec, NetworkInfo
from edgeau.faces.alignment import Alignment
from edgeau_export.source_network.known_weights import KnownWeight

__all__ = ["NetworkDescription", "Reference", "SourceNetwork"]


# Another order of the same sums has an error of the same size, not the same error.
_ERRORS = 8.0
# Of the largest logit: float32 rounds at 6e-8 of it.
_ROUNDINGS = 2e-6


@dataclass(frozen=True)
class NetworkDescription:
    """The part of a manifest that does not depend on the artifacts.

    Attributes:
        network: which network.
        labels: AU labels in output order.
        input: what it wants.
        alignment: the crop template.
        thresholds: on the network's own probability per label.
        licences: licences of the weights, and notices.
        fused_thresholds: on the fused probability per label, or None.
        experimental: labels without evidence on real faces.
        fusion: how network and landmarks are combined, or None.
        landmark_model: file of the landmark model, or None.
    """

    network: NetworkInfo
    labels: tuple[str, ...]
    input: InputSpec
    alignment: Alignment
    thresholds: dict[str, float]
    licences: tuple[str, ...] = ()
    fused_thresholds: dict[str, float] | None = None
    experimental: tuple[str, ...] = ()
    fusion: Fusion | None = None
    landmark_model: Path | None = None

    def in_order(self, thresholds: dict[str, float]) -> NDArray[np.float32]:
        """Thresholds by label as an array ``(C,)`` in output order."""
        return np.array([thresholds[label] for label in self.labels], np.float32)


@dataclass(frozen=True)
class SourceNetwork:
    """The float network, exported to ONNX once.

    Attributes:
        description: what a bundle says about it.
        graph: float32 ONNX, dynamic batch; ``input`` ``(batch, 3, H, W)`` to ``logits`` ``(batch, C)``.
        accuracy: measured on labelled faces, where somebody did.
    """

    description: NetworkDescription
    graph: onnx.ModelProto
    accuracy: Accuracy | None = None


@dataclass(frozen=True)
class Reference:
    """Answers of the float network.

    Attributes:
        name: who gave them, such as ``"torch"``.
        inputs: what the inputs are, for people.
        batch: normalised, float32 ``(n, 3, H, W)``.
        logits: float32 ``(n, C)``.
        tolerance: largest absolute difference of a logit that a float artifact may show, where logits reach 1 or more.
        float32_error: largest difference of the network's own float32 answers to ``logits``, where those were computed in
            float64: what float32 itself can promise of this network. It decides then instead of ``tolerance``.
        weights: every form that a weight of a float file may have, where those are known; see
            :mod:`edgeau_export.source_network.known_weights`.
        noise: further inputs that must give finite answers only, float32 ``(n, C, H, W)``; no face looks like them, and
            trained networks are chaotic there.
    """

    name: str
    inputs: str
    batch: NDArray[np.float32]
    logits: NDArray[np.float32]
    tolerance: float
    float32_error: float | None = None
    noise: NDArray[np.float32] | None = None
    weights: Sequence[KnownWeight] | None = None

    @property
    def allowed(self) -> float:
        """The gate on the largest absolute difference of a logit.

        With :attr:`float32_error`: some times as much, since an engine adds up in another order, and at least some units in
        the last place of the largest logit, since few faces may show little of it.

        A network of random weights answers with logits around 1e-6, which differ from anything by less than the
        tolerance: so where no logit reaches 1, the gate shrinks with the largest one.
        """
        largest = float(np.abs(self.logits).max())
        if self.float32_error is not None:
            return max(_ERRORS * self.float32_error, _ROUNDINGS * largest)
        return self.tolerance * min(1.0, largest)
