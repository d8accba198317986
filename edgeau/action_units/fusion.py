"""Network and landmark logits made one: ``network * z_network + landmark * z_landmark + bias`` per label.

Both weights are 0 or more, so that neither model's evidence is turned round. A weight of 0 for one of them is how an AU
is left to the other alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.bundle.manifest import Fusion
from edgeau.errors import BundleError, InputError

__all__ = ["Fuser", "fuse"]


class Fuser:
    """A bundle's fusion, checked once and ready for every frame.

    Args:
        fusion: weights per label.
        labels: C AU labels, the column order of both logits.

    Raises:
        BundleError: a label has no weights, or a weight is negative or not finite.
    """

    def __init__(self, fusion: Fusion, labels: Sequence[str]) -> None:
        self._network, self._landmark = (_weights(part, labels) for part in (fusion.network, fusion.landmark))
        self._bias = _weights(fusion.bias, labels)
        self._rest = None if fusion.rest is None else _weights(fusion.rest, labels)
        if (self._network < 0).any() or (self._landmark < 0).any():
            raise BundleError("a fusion weight is negative; export the bundle again")

    def fuse(
        self, network_logits: NDArray[np.floating[Any]], landmark_logits: NDArray[np.floating[Any]]
    ) -> NDArray[np.float32]:
        """One logit per label; its probability is the sigmoid.

        Args:
            network_logits: ``(C,)`` or ``(N, C)``.
            landmark_logits: landmark logits of the same shape.

        Returns:
            float32, of the same shape.

        Raises:
            InputError: the shapes do not fit each other or the labels.
        """
        count = len(self._bias)
        if network_logits.shape != landmark_logits.shape or network_logits.shape[-1:] != (count,):
            raise InputError(
                f"network logits {network_logits.shape} and landmark logits {landmark_logits.shape} must both "
                f"end in {count}, one for each label"
            )
        return np.asarray(self._network * network_logits + self.offsets(landmark_logits), np.float32)

    @property
    def network_weights(self) -> list[float]:
        """Factors of the network's logits, by label."""
        weights: list[float] = self._network.tolist()
        return weights

    def offsets(self, landmark_logits: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """Sum the terms that are added to the network's weighted logits, of the shape of ``landmark_logits``."""
        return self._landmark * landmark_logits + self._bias

    def own_rest(self, excess: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> NDArray[np.float32]:
        """Compute what is added to the fused logits of a person whose network logits at rest are known, float32 ``(C,)``.

        Args:
            excess: of the mean network logits at rest ``(C,)``: how far this person's own lie above them, as far as it is
                believed (:meth:`edgeau.action_units.neutral_baseline.NeutralBaseline.excess`).
        """
        if self._rest is None:
            return np.zeros(len(self._bias), np.float32)
        return np.asarray(-self._network * excess(self._rest), np.float32)


def fuse(
    fusion: Fusion,
    labels: Sequence[str],
    network_logits: NDArray[np.floating[Any]],
    landmark_logits: NDArray[np.floating[Any]],
) -> NDArray[np.float32]:
    """:class:`Fuser` for weights that are used once; arguments and errors as there."""
    return Fuser(fusion, labels).fuse(network_logits, landmark_logits)


def _weights(part: dict[str, float], labels: Sequence[str]) -> NDArray[np.float32]:
    missing = [label for label in labels if label not in part]
    if missing:
        raise BundleError(f"the fusion has no weight for {', '.join(missing)}; export the bundle again")
    weights = np.array([part[label] for label in labels], np.float32)
    if not np.isfinite(weights).all():
        raise BundleError("a fusion weight is not a finite number; export the bundle again")
    return weights
