"""A finished model as the bytes of a ``.tflite`` file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import edgeau
from edgeau._system.json_text import parse_json
from edgeau_export.onnx_to_tflite.model import FlatModel, Operator
from edgeau_export.onnx_to_tflite.schema import Builder, tables
from edgeau_export.onnx_to_tflite.tensor import Tensor

__all__ = ["ENTRY", "entries", "one_line", "read_metadata", "serialize_model"]

_IDENTIFIER = b"TFL3"
_SCHEMA_VERSION = 3
# What the schema demands of buffers (force_align); kernels read weights in place.
_ALIGNMENT = 16
# The enumeration of builtins outgrew the byte it started with.
_LAST_OLD_CODE = 127

_TYPES = {
    np.dtype(np.float32): tables.TensorType.FLOAT32,
    np.dtype(np.float16): tables.TensorType.FLOAT16,
    np.dtype(np.int8): tables.TensorType.INT8,
    np.dtype(np.int16): tables.TensorType.INT16,
    np.dtype(np.int32): tables.TensorType.INT32,
    np.dtype(np.int64): tables.TensorType.INT64,
    np.dtype(np.bool_): tables.TensorType.BOOL,
}


class _AlignedBuilder(Builder):  # type: ignore[misc]  # comes without types
    """The generated classes ignore ``force_align``; this puts every array where kernels may read it."""

    def CreateNumpyVector(self, values: NDArray[np.generic]) -> int:  # noqa: N802 - called by the generated classes
        data = np.ascontiguousarray(values).view(np.uint8).reshape(-1)
        alignment = max(_ALIGNMENT, values.dtype.itemsize)
        self.StartVector(values.dtype.itemsize, values.size, alignment)
        head: int = self.head - data.size
        self.head: int = head
        self.Bytes[head : head + data.size] = data.tobytes()
        offset: int = self.EndVector()
        return offset


def serialize_model(
    model: FlatModel, start: Tensor, end: Tensor, description: str, metadata: Mapping[str, bytes]
) -> bytes:
    """The file.

    Args:
        model: all tensors and operators.
        start: the input.
        end: the output.
        description: one line for people.
        metadata: named buffers that travel in the file.
    """
    root = tables.ModelT()
    root.version = _SCHEMA_VERSION
    root.description = description
    codes = sorted({(operator.builtin, operator.version) for operator in model.operators})
    root.operatorCodes = [_operator_code(*code) for code in codes]
    root.buffers = [tables.BufferT()]  # number 0 stands for "no data"
    subgraph = tables.SubGraphT()
    subgraph.name = "main"
    subgraph.tensors = [_tensor(tensor, root.buffers) for tensor in model.tensors]
    subgraph.inputs, subgraph.outputs = [start.index], [end.index]
    subgraph.operators = [_operator(operator, codes) for operator in model.operators]
    root.subgraphs = [subgraph]
    root.signatureDefs = [_signature(start, end)]
    root.metadata = [_metadata(name, content, root.buffers) for name, content in metadata.items()]
    # Room for everything at once: growing would copy the weights again and again.
    size = sum(tensor.data.nbytes for tensor in model.tensors if tensor.data is not None)
    builder = _AlignedBuilder(size + (1 << 20))
    builder.Finish(root.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def _operator_code(builtin: int, version: int) -> Any:
    code = tables.OperatorCodeT()
    code.builtinCode = builtin
    code.deprecatedBuiltinCode = min(builtin, _LAST_OLD_CODE)
    code.version = version
    return code


def _tensor(tensor: Tensor, buffers: list[Any]) -> Any:
    made = tables.TensorT()
    made.name = tensor.name
    made.shape = np.array(tensor.shape, np.int32)
    made.type = _TYPES[tensor.dtype]
    made.hasRank = True
    made.buffer = 0 if tensor.data is None else _buffer(tensor.data, buffers)
    made.quantization = tables.QuantizationParametersT()
    if tensor.quantization is not None:
        made.quantization.scale = tensor.quantization.scale
        made.quantization.zeroPoint = tensor.quantization.zero_point
        made.quantization.quantizedDimension = tensor.quantization.axis
    return made


def _buffer(data: NDArray[np.generic], buffers: list[Any]) -> int:
    made = tables.BufferT()
    made.data = np.ascontiguousarray(data).reshape(-1).view(np.uint8)
    buffers.append(made)
    return len(buffers) - 1


def _operator(operator: Operator, codes: list[tuple[int, int]]) -> Any:
    made = tables.OperatorT()
    made.opcodeIndex = codes.index((operator.builtin, operator.version))
    made.inputs = np.array(operator.inputs, np.int32)
    made.outputs = np.array(operator.outputs, np.int32)
    if operator.options is not None:
        made.builtinOptions = operator.options
        name = type(operator.options).__name__.removesuffix("T")
        made.builtinOptionsType = getattr(tables.BuiltinOptions, name)
    return made


def _signature(start: Tensor, end: Tensor) -> Any:
    signature = tables.SignatureDefT()
    signature.signatureKey = "serving_default"
    signature.inputs, signature.outputs = [_named("input", start)], [_named("logits", end)]
    return signature


def _named(name: str, tensor: Tensor) -> Any:
    entry = tables.TensorMapT()
    entry.name, entry.tensorIndex = name, tensor.index
    return entry


def _metadata(name: str, content: bytes, buffers: list[Any]) -> Any:
    entry = tables.MetadataT()
    entry.name, entry.buffer = name, _buffer(np.frombuffer(content, np.uint8), buffers)
    return entry


ENTRY = "edgeau"


def entries(metadata: Mapping[str, str], precision: str) -> dict[str, bytes]:
    """The file's metadata entries: what a ``.tflite`` says of itself, for whoever finds it without its bundle.

    The entry ``edgeau`` holds one JSON object of strings: what the ONNX files of a bundle carry as ``metadata_props``
    (``network``, ``trained``, ``labels``, ``input``, ``alignment``, the last three as JSON in turn), the ``precision``, and
    ``edgeau``, the version that wrote it. ``input`` describes the network; in this file the picture is NHWC.
    """
    said = {"edgeau": edgeau.__version__, "precision": precision, **metadata}
    return {ENTRY: json.dumps(said, ensure_ascii=False).encode()}


def one_line(metadata: Mapping[str, str], precision: str) -> str:
    """The file's own description, which viewers show."""
    return f"{metadata.get('network', 'network')}, {precision}, by edgeau {edgeau.__version__}"


def read_metadata(content: bytes) -> dict[str, str]:
    """Read what :func:`entries` put into a file; empty where there is none."""
    root = tables.ModelT.InitFromPackedBuf(content, 0)
    for entry in root.metadata or []:
        if entry.name == ENTRY.encode():
            said: dict[str, str] = parse_json(bytes(root.buffers[entry.buffer].data))
            return said
    return {}
