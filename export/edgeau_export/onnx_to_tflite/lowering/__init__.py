"""One small function per ONNX operator, in files by kind; importing this package fills :data:`LOWERINGS`."""

from edgeau_export.onnx_to_tflite.lowering import (
    activation,
    arithmetic,
    convolution,
    linear,
    normalization,
    pooling,
    selection,
    shape,
)
from edgeau_export.onnx_to_tflite.lowering.registry import LOWERINGS

__all__ = [
    "LOWERINGS",
    "activation",
    "arithmetic",
    "convolution",
    "linear",
    "normalization",
    "pooling",
    "selection",
    "shape",
]
