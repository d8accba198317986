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
from edgeau.faces.procrustes import kabsch_rotation, kabsch_rotations

__all__ = ["MESH_POINTS", "FaceTemplate", "procrustes_align"]

MESH_POINTS = 468  # of MediaPipe's mesh without irises
# Mean squared distance of points from their centre over that from the origin below which rounding alone keeps them apart.
_LEAST_SPREAD = 1e-13
_NO_FIT = "the landmarks of a face coincide or are not finite, so its shape cannot be measured"


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
        # Takes points to their product with the goal, which is centred, and to their centre.
        self._product_and_centre = np.concatenate((self._goal.T, self._share[None])).astype(np.float64)
        self._centre_values, self._goals = self._centre.tolist(), self._goal.sum(axis=0).tolist()
        self._shares = float(self._share.sum())

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
        if len(landmarks) == 1:
            return self._lay_one(landmarks[0], points)[None]
        # Few and plain matrix products: on few faces numpy's calls cost more than their arithmetic, einsum most.
        source = self._fitted_points(landmarks).astype(np.float64)
        centre = (self._share @ source)[:, None]
        source -= centre
        rotation = self._rotation(source)
        chosen = source if points is None else landmarks.take(points, axis=1) - centre
        laid: NDArray[np.float32] = (chosen @ rotation + self._centre).astype(np.float32)
        return laid

    def _lay_one(
        self, landmarks: NDArray[np.floating[Any]], points: NDArray[np.integer[Any]] | None
    ) -> NDArray[np.float32]:
        """One face in as few of numpy's calls as can be, the same within rounding: in a film they come behind a network, which leaves the caches empty."""
        source = self._fitted_points(landmarks[None])[0].astype(np.float64)
        *rows, (x, y, z) = (self._product_and_centre @ source).tolist()
        squares = float(np.square(source).ravel() @ self._share_of_coordinates)
        spread = squares - (2 - self._shares) * (x * x + y * y + z * z)
        if not spread > _LEAST_SPREAD * squares:
            raise InputError(_NO_FIT)
        product = [
            (a - of * x, b - of * y, c - of * z) for of, (a, b, c) in zip(self._goals, rows, strict=True)
        ]
        rotation = kabsch_rotation(np.array(product)).tolist()
        # The best scale is the sum of the singular values, which is the trace of the product turned straight.
        pairs = zip(rotation, product, strict=True)
        scale = sum(a * d + b * e + c * f for (a, b, c), (d, e, f) in pairs) / spread
        turned = [[scale * turn for turn in row] for row in rotation]
        shift = [
            to - (x * a + y * b + z * c) for to, (a, b, c) in zip(self._centre_values, turned, strict=True)
        ]
        chosen = source if points is None else landmarks.take(points, axis=0)
        laid: NDArray[np.float32] = (chosen @ np.array(turned).T + shift).astype(np.float32)
        return laid

    def _fitted_points(self, landmarks: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        return landmarks if self._stable is None else landmarks.take(self._stable, axis=1)

    def _rotation(self, centred: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rotation times scale, ``(N, 3, 3)``, to be multiplied from the right."""
        spread = np.square(centred).reshape(len(centred), -1) @ self._share_of_coordinates
        if not spread.min() > 0:
            raise InputError(_NO_FIT)
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
