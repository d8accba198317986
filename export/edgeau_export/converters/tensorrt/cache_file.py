"""TensorRT's calibration cache, for implicit INT8 on TensorRT 8 and 10: text, one scale a tensor."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["calibration_cache"]

# The header names the version and the calibrator; readers other than edgeau's own want their version's number in it.
_HEADER = "TRT-8502-EntropyCalibration2"


def calibration_cache(scales: Mapping[str, float]) -> str:
    """The text of a cache.

    Args:
        scales: largest magnitude / 127 by tensor of the float ONNX file.
    """
    lines = [f"{name}: {struct.pack('>f', scale).hex()}" for name, scale in scales.items()]
    return "\n".join((_HEADER, *lines)) + "\n"
