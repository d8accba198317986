"""The float graph made ready for quantization: shapes known, constants and batch norm folded, one check that it can be."""

from __future__ import annotations

import logging
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import onnx
from onnxruntime.quantization.shape_inference import quant_pre_process

from edgeau.errors import CalibrationError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["prepared"]

_QUANTIZABLE = ("Conv", "Gemm", "MatMul")


def prepared(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with shapes, folded constants and folded batch norm; the input is left as it is.

    Raises:
        CalibrationError: nothing in the graph can be quantized, or it is quantized already.
    """
    kinds = {node.op_type for node in model.graph.node}
    if "DequantizeLinear" in kinds:
        raise CalibrationError("the ONNX file is quantized already; quantize the float one")
    if not kinds.intersection(_QUANTIZABLE):
        raise CalibrationError(
            f"the ONNX graph has no {', '.join(_QUANTIZABLE)}, so there is nothing to quantize"
        )
    with tempfile.TemporaryDirectory(prefix="edgeau-quantize-") as folder:
        source, path = Path(folder) / "float.onnx", Path(folder) / "prepared.onnx"
        # By file: handed a model in memory, it moves that model's weights to a file that it then cannot find.
        onnx.save(model, source)
        with _quiet():
            # The exporter's shapes are plain, so onnx's own inference suffices and sympy is not needed.
            quant_pre_process(source, path, skip_symbolic_shape=True)
        return onnx.load(path)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps ONNX Runtime's advice to pre-process, given while it pre-processes, off the terminal."""
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logging.root.setLevel(level)
