"""The order in which a tensor's axes lie in memory.

ONNX networks are written in NCHW, TFLite's kernels want NHWC. A layout is a permutation: physical axis ``k`` holds logical
(ONNX) axis ``layout[k]``. Every tensor carries its own, so that axes move only where a kernel insists, and nothing is
transposed only to be transposed back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edgeau_export.onnx_to_tflite.quantization import Quantization

__all__ = ["NHWC", "Layout", "Tensor", "follow", "physical", "plain", "transposition"]

Layout = tuple[int, ...]

NHWC: Layout = (0, 2, 3, 1)


def plain(rank: int) -> Layout:
    """Axes lie as ONNX names them."""
    return tuple(range(rank))


def physical(values: Sequence[int], layout: Layout) -> tuple[int, ...]:
    """One value per logical axis, put in the order of memory; a shape, for example."""
    return tuple(values[axis] for axis in layout)


def transposition(source: Layout, target: Layout) -> tuple[int, ...] | None:
    """The permutation of physical axes that takes one layout to another; None when nothing has to move."""
    permutation = tuple(source.index(axis) for axis in target)
    return None if permutation == plain(len(source)) else permutation


def follow(layout: Layout, permutation: Sequence[int]) -> Layout:
    """The layout after an ONNX Transpose that moves no data: logical axis ``k`` now names what ``permutation[k]`` named."""
    names = {old: new for new, old in enumerate(permutation)}
    return tuple(names[axis] for axis in layout)


@dataclass(frozen=True)
class Tensor:
    """One tensor.

    Attributes:
        index: in the model.
        name: for people.
        shape: in memory's axis order.
        layout: what the axes are, see :data:`Layout`.
        dtype: dtype of its elements.
        quantization: what its integers stand for; None where they are numbers.
        data: data of a constant, in memory's axis order.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    layout: Layout
    dtype: np.dtype[np.generic]
    quantization: Quantization | None = None
    data: NDArray[np.generic] | None = field(default=None, repr=False, compare=False)
