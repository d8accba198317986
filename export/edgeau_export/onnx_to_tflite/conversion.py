"""The conversion: an ONNX graph in, the bytes of a ``.tflite`` file out."""

from __future__ import annotations

from collections.abc import Mapping

import onnx

from edgeau.errors import UsageError
from edgeau_export.onnx_to_tflite.graph import ConversionError
from edgeau_export.onnx_to_tflite.quantization import PRECISIONS

__all__ = ["PRECISIONS", "tflite_bytes"]


def tflite_bytes(
    model: onnx.ModelProto, *, precision: str, metadata: Mapping[str, str], integer_ends: bool = False
) -> bytes:
    """An ONNX graph as a TFLite file with batch 1: float32 in, NHWC; float32 out.

    Args:
        model: float for ``fp32``, ``fp16``, ``weight8`` and ``dynamic``; Q/DQ for ``int8`` and ``w8a16``. Left as it is.
        precision: a name in :data:`PRECISIONS`.
        metadata: what the file says of itself, see :mod:`edgeau_export.onnx_to_tflite.writer`.
        integer_ends: the file takes and gives the integers that an integer network starts and ends with.

    Raises:
        UsageError: the precision is not known.
        ConversionError: the graph does not fit the precision, or holds what TFLite has no form for; the message names
            the node and what to do.
        DependencyError: ai-edge-litert, whose schema is used, is not installed.
    """
    if precision not in PRECISIONS:
        raise UsageError(f"precision {precision!r} is not known to LiteRT; it has {', '.join(PRECISIONS)}")
    _check_quantization(model, precision)
    # Imported only now: the precisions can be listed without the schema's package.
    from edgeau_export.onnx_to_tflite.fusion import fuse_operators, with_implied_relus
    from edgeau_export.onnx_to_tflite.reading import read_graph
    from edgeau_export.onnx_to_tflite.translation import translate_graph, with_integer_ends
    from edgeau_export.onnx_to_tflite.writer import entries, one_line, serialize_model

    graph = read_graph(_with_batch_one(model))
    if PRECISIONS[precision].sixteen_bit:
        graph = with_implied_relus(graph)
    graph = fuse_operators(graph)
    flat, start, end = translate_graph(graph, PRECISIONS[precision])
    if integer_ends:
        start, end = with_integer_ends(flat, start, end)
    return serialize_model(flat, start, end, one_line(metadata, precision), entries(metadata, precision))


def _check_quantization(model: onnx.ModelProto, precision: str) -> None:
    quantized = any(node.op_type == "QuantizeLinear" for node in model.graph.node)
    if PRECISIONS[precision].quantized and not quantized:
        raise ConversionError(f"{precision} starts from a Q/DQ graph; this one is float: quantize it first")
    if quantized and not PRECISIONS[precision].quantized:
        raise ConversionError(f"{precision} starts from a float graph; this one is quantized")


def _with_batch_one(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose batch is 1, and whose other shapes are inferred anew."""
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    for value in (*fixed.graph.input, *fixed.graph.output):
        first = value.type.tensor_type.shape.dim[0]
        if first.dim_value not in (0, 1):
            raise ConversionError(
                f"the ONNX graph has batch {first.dim_value} fixed in {value.name}; export it with batch 1 or a dynamic one"
            )
        first.dim_value = 1
    del fixed.graph.value_info[:]
    return fixed
