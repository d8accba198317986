"""Network and landmark logits made one: ``network * z_network + landmark * z_landmark + bias`` per label.

Both weights are 0 or more, so that neither model's evidence is turned round. A weight of 0 for one of them is how an AU
is left to the other alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.bundle.manifest import Fusion
from edgeau.errors import BundleError, InputError

__all__ = ["fuse"]


def fuse(
    fusion: Fusion,
    labels: Sequence[str],
    network_logits: NDArray[np.floating[Any]],
    landmark_logits: NDArray[np.floating[Any]],
) -> NDArray[np.float32]:
    """One logit per label; its probability is the sigmoid.

    Args:
        fusion: weights per label.
        labels: C AU labels, the column order of both logits.
        network_logits: ``(C,)`` or ``(N, C)``.
        landmark_logits: of the same shape.

    Returns:
        float32, of the same shape.

    Raises:
        BundleError: a label has no weights, or a weight is negative or not finite.
        InputError: the shapes do not fit each other or the labels.
    """
    if network_logits.shape != landmark_logits.shape or network_logits.shape[-1:] != (len(labels),):
        raise InputError(
            f"network logits {network_logits.shape} and landmark logits {landmark_logits.shape} must both end in "
            f"{len(labels)}, one for each label"
        )
    network, landmark = (_weights(part, labels) for part in (fusion.network, fusion.landmark))
    if (network < 0).any() or (landmark < 0).any():
        raise BundleError("a fusion weight is negative; export the bundle again")
    fused = network * network_logits + landmark * landmark_logits + _weights(fusion.bias, labels)
    return np.asarray(fused, np.float32)


def _weights(part: dict[str, float], labels: Sequence[str]) -> NDArray[np.float32]:
    missing = [label for label in labels if label not in part]
    if missing:
        raise BundleError(f"the fusion has no weight for {', '.join(missing)}; export the bundle again")
    weights = np.array([part[label] for label in labels], np.float32)
    if not np.isfinite(weights).all():
        raise BundleError("a fusion weight is not a finite number; export the bundle again")
    return weights
