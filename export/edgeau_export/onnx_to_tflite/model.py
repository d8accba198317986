"""A TFLite model while it is being put together: tensors, their constants, and operators in the order they run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau_export.onnx_to_tflite.quantization import Quantization
from edgeau_export.onnx_to_tflite.tensor import Layout, Tensor
from edgeau_export.onnx_to_tflite.versions import version_of

__all__ = ["FlatModel", "Operator"]

# Constants up to this many bytes are shared when equal: paddings, shapes, zero biases.
_SHARED = 4096


@dataclass(frozen=True)
class Operator:
    """One TFLite operator: code of its builtin, version of its kernel, tensors by index, and its options table."""

    builtin: int
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Any = None


class FlatModel:
    """Grows by one tensor or operator at a time."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self.operators: list[Operator] = []
        self._names: set[str] = set()
        self._shared: dict[tuple[object, ...], Tensor] = {}

    def tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        layout: Layout,
        quantization: Quantization | None = None,
        dtype: np.dtype[np.generic] | None = None,
    ) -> Tensor:
        """A tensor that an operator will fill: integers when quantized, else float32."""
        kind = quantization.dtype if quantization else (dtype or np.dtype(np.float32))
        return self._added(Tensor(len(self.tensors), name, shape, layout, kind, quantization))

    def constant(
        self,
        name: str,
        data: NDArray[np.generic],
        layout: Layout | None = None,
        quantization: Quantization | None = None,
    ) -> Tensor:
        """A constant, its data in memory's axis order."""
        data = np.asarray(data, order="C")
        layout = tuple(range(data.ndim)) if layout is None else layout
        # Tools that read the file, such as ai-edge-quantizer, know tensors by their names.
        own = name if name not in self._names else f"{name}_{len(self.tensors)}"
        made = Tensor(len(self.tensors), own, data.shape, layout, data.dtype, quantization, data)
        if quantization is not None or data.nbytes > _SHARED:
            return self._added(made)
        key = (data.dtype, data.shape, layout, data.tobytes())
        if key not in self._shared:
            self._shared[key] = self._added(made)
        return self._shared[key]

    def operator(
        self, builtin: int, inputs: Sequence[Tensor], outputs: Sequence[Tensor], options: Any = None
    ) -> None:
        """An operator, after all that were added before it."""
        self.operators.append(
            Operator(
                builtin,
                version_of(builtin, inputs, outputs, options),
                tuple(tensor.index for tensor in inputs),
                tuple(tensor.index for tensor in outputs),
                options,
            )
        )

    def _added(self, tensor: Tensor) -> Tensor:
        self._names.add(tensor.name)
        self.tensors.append(tensor)
        return tensor
