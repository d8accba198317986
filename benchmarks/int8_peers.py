"""Other tools' own INT8 of a float network, at their defaults; run by int8_front.py in an environment that has them.

    PEERS/bin/python benchmarks/int8_peers.py TOOL FLOAT CROPS.npy OUT

CROPS are normalised calibration crops, float32 (n, 3, H, W); FLOAT is an ONNX file, for ai-edge-quantizer a TFLite file.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

# As edgeau.runtimes.session.silence, which an environment of peers lacks: before the first import of ONNX Runtime.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def onnxruntime_default(source: Path, crops: np.ndarray, out: Path) -> None:
    """``quantize_static`` after ``quant_pre_process``, as its guide says; every option as it stands."""
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    entry = onnx.load(source).graph.input[0].name

    class CropReader(CalibrationDataReader):
        def __init__(self) -> None:
            self.feeds = iter([{entry: crop[None]} for crop in crops])

        def get_next(self) -> Any:
            return next(self.feeds, None)

    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared))
        quantize_static(str(prepared), str(out), CropReader())


def nncf_default(source: Path, crops: np.ndarray, out: Path) -> None:
    """``nncf.quantize``; every option as it stands."""
    _nncf(source, crops, out)


def nncf_mixed(source: Path, crops: np.ndarray, out: Path) -> None:
    """The preset that NNCF's own EfficientNet figures are made with: asymmetric activations."""
    _nncf(source, crops, out, "MIXED")


def _nncf(source: Path, crops: np.ndarray, out: Path, preset: str | None = None) -> None:
    import onnx
    from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

    # NNCF 3.4 writes an annotation "DataType | dtype" that this protobuf's enumerations do not take.
    EnumTypeWrapper.__or__ = lambda *_: object
    import nncf

    model = onnx.load(source)
    entry = model.graph.input[0].name
    data = nncf.Dataset([{entry: crop[None]} for crop in crops])
    chosen = None if preset is None else nncf.QuantizationPreset[preset]
    made = nncf.quantize(model, data, preset=chosen, subset_size=len(crops))
    # Some operators of ONNX Runtime take a scale of no dimension only; NNCF writes [1].
    for tensor in made.graph.initializer:
        if list(tensor.dims) == [1] and tensor.name in _parameters(made):
            del tensor.dims[:]
    onnx.save(made, out)


def _parameters(model: Any) -> set[str]:
    """Scales and zero points."""
    pairs = ("QuantizeLinear", "DequantizeLinear")
    return {name for node in model.graph.node if node.op_type in pairs for name in node.input[1:]}


def ai_edge_quantizer_default(source: Path, crops: np.ndarray, out: Path) -> None:
    """The packaged recipe for full INT8, ``static_wi8_ai8``."""
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_quantizer import quantizer, recipe

    interpreter = Interpreter(str(source))
    interpreter.allocate_tensors()
    (entry,) = interpreter.get_input_details()
    signatures = interpreter.get_signature_list()
    key, name = (None, entry["name"])
    if signatures:
        key = next(iter(signatures))
        name = signatures[key]["inputs"][0]
    last = entry["shape"][-1] == crops.shape[1]
    feeds = [{name: crop.transpose(1, 2, 0)[None] if last else crop[None]} for crop in crops]
    made = quantizer.Quantizer(str(source), recipe.static_wi8_ai8())
    made.quantize(made.calibrate({key: feeds})).export_model(str(out), overwrite=True)


TOOLS: dict[str, Callable[[Path, np.ndarray, Path], None]] = {
    "onnxruntime": onnxruntime_default,
    "nncf": nncf_default,
    "nncf-mixed": nncf_mixed,
    "ai-edge-quantizer": ai_edge_quantizer_default,
}


if __name__ == "__main__":
    tool, source, crops, out = sys.argv[1:]
    TOOLS[tool](Path(source), np.load(crops), Path(out))
