"""Implicit INT8 of TensorRT 8 and 10: ranges from a calibration cache file, for a network without Q/DQ.

The file is TensorRT's own text form: a header line, then ``tensor: scale`` with the bits of the float32 scale
(largest magnitude / 127) as eight hexadecimal digits. TensorRT reads a file only under a header of its own version, so the
header is written anew here: the scales do not depend on it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgeau.errors import EngineError

__all__ = ["make_calibrator", "read_scales", "with_header"]


def read_scales(file: Path) -> bytes:
    """The lines of a calibration cache without its header.

    Raises:
        EngineError: it cannot be read, or is none.
    """
    try:
        lines = file.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EngineError(f"calibration cache {file} cannot be read: {error}") from error
    scales = [line for line in lines if ": " in line]
    if not lines or not lines[0].startswith("TRT-") or not scales:
        raise EngineError(
            f"{file} is not a TensorRT calibration cache; export the bundle again, it brings one"
        )
    return "\n".join(scales).encode() + b"\n"


def with_header(trt: Any, scales: bytes) -> bytes:
    """The cache as this TensorRT wants it."""
    digits = [*str(trt.__version__).split("."), "0", "0"][:3]
    major, minor, patch = (int(digit) for digit in digits)
    number = (
        major * (10_000 if major >= 10 else 1000) + minor * 100 + patch
    )  # NV_TENSORRT_VERSION of NvInferVersion.h
    return f"TRT-{number}-EntropyCalibration2\n".encode() + scales


def make_calibrator(trt: Any, scales: bytes) -> Any:
    """A calibrator that has nothing to measure: it hands over the cache."""
    cache = with_header(trt, scales)

    class _Calibrator(trt.IInt8EntropyCalibrator2):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IInt8EntropyCalibrator2.__init__(self)

        def get_batch_size(self) -> int:
            return 1

        def get_batch(self, names: list[str]) -> None:
            """No batch: every scale that is known is in the cache."""

        def read_calibration_cache(self) -> bytes:
            return cache

        def write_calibration_cache(self, cache: bytes) -> None:
            """Nothing new to keep."""

    return _Calibrator()
