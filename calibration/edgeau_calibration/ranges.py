"""Calibrate: the range of every activation over the calibration crops."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod
from onnxruntime.quantization.calibrate import TensorsData, create_calibrator
from tqdm import tqdm

from edgeau.errors import CalibrationError
from edgeau.preprocessing import Preprocessor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from edgeau.bundle.manifest import InputSpec
    from edgeau_calibration.recipe import Recipe

__all__ = ["METHODS", "activation_ranges"]

METHODS = {"minmax": CalibrationMethod.MinMax}


def activation_ranges(
    model: onnx.ModelProto, crops: NDArray[np.uint8], spec: InputSpec, recipe: Recipe
) -> TensorsData:
    """Run the graph on every crop, one at a time, and note the range of each float tensor.

    Args:
        model: float graph with one input.
        crops: uint8 ``(n, H, W, 3)`` RGB.
        spec: how the network wants them normalised.
        recipe: names the method and whether ranges are symmetric.

    Raises:
        CalibrationError: the recipe's method is not known, or an activation is not finite.
    """
    if recipe.ranges not in METHODS:
        raise CalibrationError(f"ranges {recipe.ranges!r} are not known; known methods: {', '.join(METHODS)}")
    with tempfile.TemporaryDirectory(prefix="edgeau-calibrate-") as folder:
        source = Path(folder) / "float.onnx"
        onnx.save(model, source)
        calibrator = create_calibrator(
            source,
            augmented_model_path=str(Path(folder) / "augmented.onnx"),
            calibrate_method=METHODS[recipe.ranges],
            extra_options={"symmetric": recipe.symmetric_activations},
        )
        calibrator.collect_data(_Reader(model.graph.input[0].name, crops, spec))
        ranges: TensorsData = calibrator.compute_data()
    _check(ranges)
    return ranges


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    """Hands ONNX Runtime one input after the other, and shows how far it is."""

    def __init__(self, name: str, crops: NDArray[np.uint8], spec: InputSpec) -> None:
        preprocessor = Preprocessor(spec)
        bar = tqdm(crops, desc="ranges", unit="crop", disable=None)
        self._feeds: Iterator[dict[str, Any]] = ({name: preprocessor.batch([crop])} for crop in bar)

    def get_next(self) -> dict[str, Any] | None:
        return next(self._feeds, None)


def _check(ranges: TensorsData) -> None:
    for name, data in ranges.items():
        low, high = data.range_value
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise CalibrationError(
                f"activation {name} is not finite on the calibration crops, so the network itself is broken"
            )
