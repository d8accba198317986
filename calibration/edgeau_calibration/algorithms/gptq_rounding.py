"""Rounding with error feedback: each weight is rounded in turn, and those not yet rounded make up for its error.

The second moments of the inputs say how. It is the closed-form solution of Hassibi and Stork (Optimal Brain Surgeon, 1992)
as Frantar et al. use it for quantization (GPTQ, arXiv 2210.17323), for many groups of inputs at once, so that depthwise
convolutions, one small problem per channel, are as quick as one large pointwise convolution.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["rounded_with_feedback"]

_BLOCK = 64


def rounded_with_feedback(
    weights: NDArray[np.float64], moments: NDArray[np.float64], scale: NDArray[np.float64], limit: int
) -> NDArray[np.int8]:
    """Integers whose products with the inputs are as near as this order of rounding gets.

    Args:
        weights: ``(G, O, F)``.
        moments: positive definite second moments of the inputs, ``(G, F, F)``.
        scale: scale of each output, ``(G, O)``.
        limit: largest magnitude of an integer.

    Returns:
        ``(G, O, F)``.
    """
    order = np.argsort(-np.einsum("gff->gf", moments), axis=1, kind="stable")
    rows = np.arange(len(moments))[:, None]
    sorted_moments = moments[rows[..., None], order[:, :, None], order[:, None, :]]
    factor = _upper_factor_of_inverse(sorted_moments)
    left = np.take_along_axis(weights, order[:, None, :], axis=2)
    integers = _in_turn(left, factor, scale[..., None], limit)
    result = np.empty_like(integers)
    np.put_along_axis(result, np.broadcast_to(order[:, None, :], integers.shape), integers, axis=2)
    return result.astype(np.int8)


def _upper_factor_of_inverse(moments: NDArray[np.float64]) -> NDArray[np.float64]:
    """Upper triangular U with ``inverse(moments) = U^T U``."""
    inverse = np.linalg.inv(moments)
    inverse = (inverse + inverse.transpose(0, 2, 1)) / 2
    return np.linalg.cholesky(inverse).transpose(0, 2, 1)


def _in_turn(
    left: NDArray[np.float64], factor: NDArray[np.float64], scale: NDArray[np.float64], limit: int
) -> NDArray[np.float64]:
    """Rounds column after column; in blocks, so that the rest of a wide matrix is touched once per block."""
    count = left.shape[2]
    integers = np.empty_like(left)
    for start in range(0, count, _BLOCK):
        stop = min(start + _BLOCK, count)
        errors = np.empty((*left.shape[:2], stop - start))
        for column in range(start, stop):
            now = left[:, :, column]
            integer = np.clip(np.round(now / scale[..., 0]), -limit, limit)
            integers[:, :, column] = integer
            diagonal = factor[:, column, column][:, None]
            error = (now - integer * scale[..., 0]) / diagonal
            errors[:, :, column - start] = error
            left[:, :, column:stop] -= error[..., None] * factor[:, None, column, column:stop]
        left[:, :, stop:] -= errors @ factor[:, start:stop, stop:]
    return integers
