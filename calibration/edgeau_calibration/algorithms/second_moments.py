"""Second moments of what a convolution reads, before and behind quantization: all that its best weights depend on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

__all__ = ["InputMoments", "MomentSums", "Pairs", "patches"]

# Positions of a feature map that are looked at per crop and group.
_POSITIONS = 256
_PER_CHANNEL = 96
# Of more inputs than this only each one's own moments are kept. All pairs of 25,000, which fully connected layers behind a feature
# map have, would fill 5 GB; and no calibration set tells so many apart.
_WIDEST = 6144


@dataclass(frozen=True)
class Pairs:
    """Covariances of every input with every other, G groups of F inputs.

    Attributes:
        quantized: moments of the quantized inputs, ``(G, F, F)``.
        cross: moments of float with quantized inputs, ``(G, F, F)``: rows float, columns quantized.
    """

    quantized: NDArray[np.float64]
    cross: NDArray[np.float64]


@dataclass(frozen=True)
class InputMoments:
    """Moments of G groups with F inputs each, over N positions.

    Attributes:
        variance: variance of the quantized inputs, ``(G, F)``.
        float_mean: ``(G, F)``.
        quantized_mean: ``(G, F)``.
        count: N.
        pairs: None where they were not wanted, or the inputs are too many.
    """

    variance: NDArray[np.float64]
    float_mean: NDArray[np.float64]
    quantized_mean: NDArray[np.float64]
    count: int
    pairs: Pairs | None


class MomentSums:
    """Adds up moments over batches, around the means of the first batch.

    Around 0 the variance of an input that hardly varies is a difference of two large numbers, which float32 turns negative;
    what is solved with such moments then has no answer.

    Args:
        pairs: whether pairs of inputs are wanted; only means and variances are much cheaper.
    """

    def __init__(self, *, pairs: bool = True) -> None:
        self._with_pairs = pairs
        self._count = 0
        # Means of the first batch, float and quantized, each (G, F, 1).
        self._around: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
        self._squares: NDArray[np.float64] | float = 0.0
        self._quantized: NDArray[np.float64] | float = 0.0
        self._cross: NDArray[np.float64] | float = 0.0
        self._float_sum: NDArray[np.float64] | float = 0.0
        self._quantized_sum: NDArray[np.float64] | float = 0.0

    def add(self, float_patches: NDArray[np.float32], quantized_patches: NDArray[np.float32]) -> None:
        """Patches of the same places, each ``(G, F, N)``; F is the same every time."""
        self._count += quantized_patches.shape[2]
        if self._around is None:
            self._around = (_means(float_patches), _means(quantized_patches))
        float_patches = float_patches - self._around[0]
        quantized_patches = quantized_patches - self._around[1]
        if self._with_pairs and quantized_patches.shape[1] <= _WIDEST:
            transposed = quantized_patches.transpose(0, 2, 1)
            self._quantized += quantized_patches @ transposed
            self._cross += float_patches @ transposed
        else:
            self._squares += (quantized_patches.astype(np.float64) ** 2).sum(axis=2)
        self._float_sum += float_patches.sum(axis=2, dtype=np.float64)
        self._quantized_sum += quantized_patches.sum(axis=2, dtype=np.float64)

    def moments(self) -> InputMoments:
        """Compute the moments of everything that was added."""
        assert self._around is not None, "no patch was added"
        # Both relative to what the sums are around.
        quantized_mean = np.asarray(self._quantized_sum) / self._count
        float_mean = np.asarray(self._float_sum) / self._count
        pairs = None
        variance = np.asarray(self._squares) / self._count - quantized_mean**2
        if not isinstance(self._quantized, float):
            columns = quantized_mean[:, None, :]
            pairs = Pairs(
                quantized=self._quantized / self._count - quantized_mean[:, :, None] * columns,
                cross=np.asarray(self._cross) / self._count - float_mean[:, :, None] * columns,
            )
            variance = np.einsum("gff->gf", pairs.quantized)
        return InputMoments(
            np.maximum(variance, 0.0),
            float_mean + self._around[0][..., 0],
            quantized_mean + self._around[1][..., 0],
            self._count,
            pairs,
        )


def _means(patches_of_batch: NDArray[np.float32]) -> NDArray[np.float32]:
    means: NDArray[np.float32] = patches_of_batch.mean(axis=2, dtype=np.float64, keepdims=True).astype(
        np.float32
    )
    return means


def patches(
    values: NDArray[np.float32], node: onnx.NodeProto, kernel: tuple[int, ...], seed: int
) -> NDArray[np.float32]:
    """Gather what a node reads at a seeded choice of output positions.

    Args:
        values: its input, ``(n, C, H, W)`` or, for a Gemm, ``(n, F)``.
        node: Conv (two-dimensional) or Gemm.
        kernel: shape of its weights, ``(O, C / groups, kh, kw)`` or ``(O, F)``.
        seed: the same seed looks at the same places.

    Returns:
        ``(G, F, N)`` with F = C / groups * kh * kw in the order of the weights.
    """
    if values.ndim == 2:
        return np.ascontiguousarray(values.T[None])
    given = {item.name: list(item.ints) for item in node.attribute}
    groups = next((int(item.i) for item in node.attribute if item.name == "group"), 1)
    strides, dilations = given.get("strides", [1, 1]), given.get("dilations", [1, 1])
    top, left, bottom, right = given.get("pads", [0, 0, 0, 0])
    padded = np.pad(values, ((0, 0), (0, 0), (top, bottom), (left, right)))
    reach = [dilation * (side - 1) + 1 for dilation, side in zip(dilations, kernel[2:], strict=True)]
    rows = (padded.shape[2] - reach[0]) // strides[0] + 1
    columns = (padded.shape[3] - reach[1]) // strides[1] + 1
    wanted = _PER_CHANNEL if groups > 1 else _POSITIONS
    chosen = _chosen(rows * columns, wanted, seed)
    at_row, at_column = (chosen // columns) * strides[0], (chosen % columns) * strides[1]
    taken = [
        padded[:, :, at_row + dy * dilations[0], at_column + dx * dilations[1]]
        for dy in range(kernel[2])
        for dx in range(kernel[3])
    ]
    # (kh * kw, n, C, P) -> (G, C / G * kh * kw, n * P)
    stacked = np.stack(taken).transpose(2, 0, 1, 3)
    return np.ascontiguousarray(stacked).reshape(groups, kernel[1] * kernel[2] * kernel[3], -1)


def _chosen(available: int, wanted: int, seed: int) -> NDArray[np.intp]:
    if available <= wanted:
        return np.arange(available)
    return np.sort(np.random.default_rng(seed).choice(available, wanted, replace=False))
