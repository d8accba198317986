"""Float weights of a packaged ONNX file, as they follow from its checkpoint in half precision.

A weight of the file is one of the checkpoint times the scale of the batch norm that was folded into its output channel.
It is rounded to the 11 bits of half precision again, so that ``weights/assemble.py`` makes it from the checkpoint to the bit
and a wheel compresses it to two bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from safetensors.numpy import load_file

__all__ = ["ScaledWeight", "scaled_weights", "with_half_weights"]

SMALLEST = 256
"""Values of a tensor that is worth a description: smaller ones are kept as they are."""
_ALIKE = 2e-3  # of the largest weight: half precision of the checkpoint is 5e-4 of each
_TOP = 15


@dataclass(frozen=True)
class ScaledWeight:
    """Source of a weight of the file.

    Attributes:
        tensor: name in the checkpoint.
        halves: that tensor, float16 ``(K, n)``, one row an output channel.
        scale: float32 ``(K,)``.
    """

    tensor: str
    halves: NDArray[np.float16]
    scale: NDArray[np.float32]

    @property
    def values(self) -> NDArray[np.float32]:
        """Compute what ``weights/assemble.py`` makes of it: float32 ``(K, n)`` of 11 bits."""
        products = self.halves.astype(np.float64) * self.scale.astype(np.float64)[:, None]
        exponent = _TOP - np.frexp(np.abs(products).max(axis=1, keepdims=True))[1]
        rounded = np.ldexp(products, exponent).astype(np.float16).astype(np.float64)
        return np.ldexp(rounded, -exponent).astype(np.float32)


def with_half_weights(graph: onnx.ModelProto, checkpoint: Path) -> onnx.ModelProto:
    """A copy of a float graph whose weights follow from its checkpoint; what is not found there stays as it was.

    Args:
        graph: float network with its batch norm folded.
        checkpoint: ``.safetensors`` in half precision of the same network.
    """
    result = onnx.ModelProto()
    result.CopyFrom(graph)
    tensors = {item.name: item for item in result.graph.initializer}
    for name, weight in scaled_weights(graph, checkpoint):
        shape = tuple(tensors[name].dims)
        tensors[name].CopyFrom(numpy_helper.from_array(weight.values.reshape(shape), name))
    return result


def scaled_weights(graph: onnx.ModelProto, checkpoint: Path) -> Iterator[tuple[str, ScaledWeight]]:
    """Name in the graph, and where it comes from, of every weight that the checkpoint has."""
    halves = {
        name: value
        for name, value in load_file(checkpoint).items()
        if value.dtype == np.float16 and value.ndim >= 2 and value.size >= SMALLEST
    }
    for initializer in graph.graph.initializer:
        values = numpy_helper.to_array(initializer)
        if values.dtype == np.float32 and values.ndim >= 2 and values.size >= SMALLEST:
            found = _source(values, halves)
            if found is not None:
                yield initializer.name, found


def _source(values: NDArray[np.float32], halves: Mapping[str, NDArray[np.float16]]) -> ScaledWeight | None:
    """The tensor of the same shape that is nearest to a multiple of this, channel by channel; None where none is near."""
    rows = values.reshape(len(values), -1).astype(np.float64)
    nearest, best = None, _ALIKE * float(np.abs(rows).max())
    for name, tensor in halves.items():
        if tensor.shape != values.shape:
            continue
        own = tensor.reshape(len(tensor), -1).astype(np.float64)
        scale = _least_squares(rows, own)
        apart = float(np.abs(rows - own * scale[:, None]).max())
        if apart <= best:
            best = apart
            nearest = ScaledWeight(name, tensor.reshape(len(tensor), -1), scale.astype(np.float32))
    return None if nearest is None else _as_rounded_before(nearest, rows)


def _least_squares(rows: NDArray[np.float64], own: NDArray[np.float64]) -> NDArray[np.float64]:
    norm = np.square(own).sum(axis=1)
    scale: NDArray[np.float64] = np.divide(
        (rows * own).sum(axis=1), norm, out=np.zeros(len(norm)), where=norm > 0
    )
    return scale


def _as_rounded_before(weight: ScaledWeight, rows: NDArray[np.float64]) -> ScaledWeight:
    """The scale that gives these very rows, where they were rounded already: least squares miss it by the rounding.

    Every value bounds it from both sides, by half the distance to the halves beside it.
    """
    exponent = _TOP - np.frexp(np.abs(rows).max(axis=1, keepdims=True))[1]
    halves = np.ldexp(rows, exponent).astype(np.float16)
    centre = halves.astype(np.float64)
    below, above = (np.nextafter(halves, np.float16(end)).astype(np.float64) for end in (-np.inf, np.inf))
    own = weight.halves.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = [np.ldexp((centre + beside) / 2, -exponent) / own for beside in (below, above)]
    low = np.where(own == 0, -np.inf, np.minimum(*ends)).max(axis=1)
    high = np.where(own == 0, np.inf, np.maximum(*ends)).min(axis=1)
    middle = weight.scale.astype(np.float64)
    bounded = np.isfinite(low) & np.isfinite(high)
    middle[bounded] = (low[bounded] + high[bounded]) / 2
    again = ScaledWeight(weight.tensor, weight.halves, middle.astype(np.float32))
    return again if np.array_equal(again.values, rows) else weight
