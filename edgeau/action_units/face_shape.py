"""A face's shape apart from its place, size and rotation: landmarks laid onto a template by a similarity.

The fit is the weighted orthogonal Procrustes problem with scale (Umeyama, "Least-squares estimation of transformation
parameters between two point patterns", PAMI 1991; the rotation by :mod:`edgeau.faces.procrustes`). Only points that expressions hardly
move take part in the fit, so that a raised brow stays raised.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau.faces.procrustes import kabsch_rotations

__all__ = ["MESH_POINTS", "FaceTemplate", "procrustes_align"]

MESH_POINTS = 468  # of MediaPipe's mesh without irises


class FaceTemplate:
    """A template that faces are laid on; what does not change from face to face is worked out once.

    Args:
        template: ``(S, 3)``, where the points that take part in the fit belong, in template units.
        weights: ``(S,)``, how much each counts; 0 or more.
        stable: ``(S,)`` indices of those points; None for all points of a face, in order.
    """

    def __init__(
        self,
        template: NDArray[np.floating[Any]],
        weights: NDArray[np.floating[Any]],
        stable: NDArray[np.integer[Any]] | None = None,
    ) -> None:
        self._stable = stable
        self._share = (weights / weights.sum()).astype(np.float64)
        self._share_of_coordinates = self._share.repeat(3)
        self._centre = self._share @ template
        self._goal = (template - self._centre) * self._share[:, None]

    def lay(
        self, landmarks: NDArray[np.floating[Any]], points: NDArray[np.integer[Any]] | None = None
    ) -> NDArray[np.float32]:
        """Rotate, scale and shift faces onto the template.

        Args:
            landmarks: ``(N, >= S, 3)``, x y z in one unit, MediaPipe's axes (x right, y down, z away from the camera).
            points: ``(K,)`` indices of the points to return; None for those that take part in the fit.

        Returns:
            float32 ``(N, K, 3)``: the chosen points in template units and axes.

        Raises:
            InputError: a face's stable points coincide or are not finite, so that no fit exists.
        """
        # Few and plain matrix products: on a single face numpy's calls cost more than their arithmetic, einsum most.
        source = self._fitted_points(landmarks).astype(np.float64)
        centre = (self._share @ source)[:, None]
        source -= centre
        rotation = self._rotation(source)
        chosen = source if points is None else landmarks.take(points, axis=1) - centre
        laid: NDArray[np.float32] = (chosen @ rotation + self._centre).astype(np.float32)
        return laid

    def _fitted_points(self, landmarks: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        return landmarks if self._stable is None else landmarks.take(self._stable, axis=1)

    def _rotation(self, centred: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rotation times scale, ``(N, 3, 3)``, to be multiplied from the right."""
        spread = np.square(centred).reshape(len(centred), -1) @ self._share_of_coordinates
        if not spread.min() > 0:
            raise InputError(
                "the landmarks of a face coincide or are not finite, so its shape cannot be measured"
            )
        product = self._goal.T @ centred
        rotation = kabsch_rotations(product)
        # The best scale is the sum of the singular values, which is the trace of the product turned straight.
        scale = (rotation * product).reshape(len(product), -1).sum(axis=1) / spread
        turned: NDArray[np.float64] = rotation.transpose(0, 2, 1) * scale[:, None, None]
        return turned


def procrustes_align(
    landmarks: NDArray[np.floating[Any]],
    stable: NDArray[np.integer[Any]],
    template: NDArray[np.floating[Any]],
    weights: NDArray[np.floating[Any]],
    points: NDArray[np.integer[Any]],
) -> NDArray[np.float32]:
    """:class:`FaceTemplate` for a template that is used once; arguments and errors as there."""
    return FaceTemplate(template, weights, stable).lay(landmarks, points)
