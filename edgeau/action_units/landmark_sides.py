"""Action units of the left and the right half of a face, from landmarks alone.

One weight matrix per AU reads the person's own left half; its mirror image reads the right half. A mirrored face therefore
gives mirrored answers by construction. What a half shows is estimated from the whole face, so that a turned head or a crooked
nose can be told from a one-sided smile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.face_shape import MESH_POINTS
from edgeau.errors import BundleError

__all__ = ["LEFT", "RIGHT", "LandmarkSides"]

# Places of the sides in every array of them; the person's own.
LEFT, RIGHT = 0, 1


@dataclass(frozen=True)
class LandmarkSides:
    """The part of a landmark model that tells the sides apart.

    Attributes:
        labels: S labels of AUs that have sides.
        mirror: int64 ``(468,)``, the point that each point becomes in a mirrored face.
        weights: float32 ``(S, 468, 3)``, of the left half, intensity per template unit of difference from neutral.
        bias: float32 ``(S,)``, intensity of the neutral face.
        slope: float32 ``(S,)``; shift: float32 ``(S,)``: ``logit = slope * intensity + shift``.
        thresholds: float32 ``(S,)``, decision thresholds on the probability, the same for both sides.
    """

    labels: tuple[str, ...]
    mirror: NDArray[np.int64]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    slope: NDArray[np.float32]
    shift: NDArray[np.float32]
    thresholds: NDArray[np.float32]

    def __post_init__(self) -> None:
        for name, shape in _shapes(len(self.labels)).items():
            array = getattr(self, name)
            if array.shape != shape or not np.isfinite(array).all():
                raise BundleError(
                    f"landmark model: {name} of its sides must be {shape} finite numbers, got {array.shape}"
                )
        if not np.array_equal(np.sort(self.mirror), np.arange(MESH_POINTS)):
            raise BundleError("landmark model: the mirror of its sides does not exchange points")

    def logits(self, difference: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Logits of each side.

        Args:
            difference: ``(..., 468, 3)``, faces on the template less their neutral face.

        Returns:
            float32 ``(..., 2, S)``, left and right.
        """
        flat = difference.reshape(*difference.shape[:-2], -1)
        evidence = (flat @ self._both).reshape(*flat.shape[:-1], 2, len(self.labels)) + self.bias
        return np.asarray(evidence * self.slope + self.shift, np.float32)

    @cached_property
    def _both(self) -> NDArray[np.float32]:
        """Weights of both sides as one matrix, ``(1404, 2S)``."""
        right = self.weights[:, self.mirror] * np.array((-1, 1, 1), np.float32)
        both = np.concatenate((self.weights, right)).reshape(2 * len(self.labels), -1)
        return np.ascontiguousarray(both.T)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Convert to the arrays of a file; weights in half precision."""
        numbers = {f"sides_{name}": getattr(self, name) for name in _shapes(len(self.labels))}
        numbers["sides_weights"] = self.weights.astype(np.float16)
        numbers["sides_mirror"] = self.mirror.astype(np.int16)
        return {"sides_labels": np.array(self.labels), **numbers}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> LandmarkSides | None:
        """The inverse of :meth:`arrays`; None where a file has no sides.

        Raises:
            KeyError: some are missing.
        """
        if "sides_labels" not in arrays:
            return None
        labels = tuple(str(label) for label in arrays["sides_labels"])
        numbers = {name: arrays[f"sides_{name}"].astype(np.float32) for name in _shapes(len(labels))}
        return cls(labels, **{**numbers, "mirror": arrays["sides_mirror"].astype(np.int64)})  # type: ignore[arg-type]


def _shapes(labels: int) -> dict[str, tuple[int, ...]]:
    return {
        "mirror": (MESH_POINTS,),
        "weights": (labels, MESH_POINTS, 3),
        **dict.fromkeys(("bias", "slope", "shift", "thresholds"), (labels,)),
    }
