"""Profiles of ``.tflite`` files, read with the schema that LiteRT itself ships; no runtime is started."""

from __future__ import annotations

from collections import Counter
from math import prod
from pathlib import Path
from typing import Any

from edgeau.errors import InputError
from edgeau_export.profiling.lifetimes import peak_bytes
from edgeau_export.profiling.model_profile import Layer, ModelProfile
from edgeau_export.tflite_schema import is_filled, names_of, parsed_tflite, text_of

__all__ = ["profile_of_tflite"]

_PRODUCTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "BATCH_MATMUL", "TRANSPOSE_CONV")
# Operators that multiply and have no rule here; all others are element-wise, pool, or move values.
_UNCOUNTED = (
    "CONV_3D",
    "CONV_3D_TRANSPOSE",
    "LSTM",
    "RNN",
    "SVDF",
    "WHILE",
    "IF",
    "CALL",
    "CALL_ONCE",
    "DELEGATE",
)
_UNCOUNTED_KINDS = ("CUSTOM", "UNIDIRECTIONAL_", "BIDIRECTIONAL_", "STABLEHLO_")
_INTEGERS = ("INT8", "UINT8", "INT4", "INT16")
# Bits of an element.
_BITS = {
    "FLOAT32": 32,
    "FLOAT16": 16,
    "FLOAT64": 64,
    "INT4": 4,
    "INT8": 8,
    "UINT8": 8,
    "INT16": 16,
    "UINT16": 16,
    "INT32": 32,
    "UINT32": 32,
    "INT64": 64,
    "UINT64": 64,
    "BOOL": 8,
}


def profile_of_tflite(path: Path) -> ModelProfile:
    """The profile of a ``.tflite`` file.

    Raises:
        CheckpointError: the file is missing, cut, damaged, or no ``.tflite``.
        InputError: a tensor has a type whose size is not fixed.
        DependencyError: ai-edge-litert, which has the file format's schema, is not installed.
    """
    with parsed_tflite(path) as file:
        return _account(_Model(file.model, file.schema), path.name, file.bytes)


class _Model:
    """A parsed model's first graph, with the schema's names for its numbers."""

    def __init__(self, model: Any, schema: Any) -> None:
        self._operators = names_of(schema.BuiltinOperator)
        self._types = names_of(schema.TensorType)
        self._codes = [max(code.builtinCode, code.deprecatedBuiltinCode or 0) for code in model.operatorCodes]
        self._custom = [text_of(code.customCode) for code in model.operatorCodes]
        self._constant = [is_filled(buffer) for buffer in model.buffers]
        self.graph = model.subgraphs[0]

    def kind(self, operator: Any) -> str:
        """Name of the operator."""
        kind = self._operators.get(self._codes[operator.opcodeIndex], "CUSTOM")
        return f"CUSTOM {self._custom[operator.opcodeIndex]}" if kind == "CUSTOM" else kind

    def shape(self, index: int) -> tuple[int, ...]:
        """Shape of a tensor."""
        shape = self.graph.tensors[index].shape
        return () if shape is None else tuple(int(axis) for axis in shape)

    def type(self, index: int) -> str:
        """Name of a tensor's type."""
        return self._types[self.graph.tensors[index].type]

    def bytes(self, index: int) -> int:
        """Bytes of a tensor's values."""
        kind = self.type(index)
        if kind not in _BITS:
            raise InputError(f"tensor {self.name(index)} is of type {kind}, whose size is not fixed")
        return -(-prod(self.shape(index)) * _BITS[kind] // 8)

    def name(self, index: int) -> str:
        """Name of a tensor."""
        return text_of(self.graph.tensors[index].name)

    def constant(self, index: int) -> bool:
        """Tell whether a tensor's values are in the file."""
        return index >= 0 and self._constant[self.graph.tensors[index].buffer]


def _account(model: _Model, name: str, file_bytes: int) -> ModelProfile:
    operators = model.graph.operators
    quantized = any(model.type(index) in _INTEGERS for index in range(len(model.graph.tensors)))
    unpacked = _unpacked(model)
    layers = tuple(
        _layer(model, operator, unpacked, quantized)
        for operator in operators
        if not _is_unpacking(model, operator)
    )
    kinds = Counter(model.kind(operator) for operator in operators)
    return ModelProfile(
        name=name,
        title=name,
        counted="shapes of the file, formulas of edgeau",
        input_shape=model.shape(int(model.graph.inputs[0])),
        parameters=sum(layer.parameters for layer in layers),
        macs=sum(layer.macs for layer in layers),
        activations=sum(layer.activations for layer in layers),
        peak_bytes=_peak(model, unpacked),
        file_bytes=file_bytes,
        layers=layers,
        without_macs={
            kind: n for kind, n in sorted(kinds.items()) if kind not in _PRODUCTS and not _is_uncounted(kind)
        },
        unknown={kind: n for kind, n in sorted(kinds.items()) if _is_uncounted(kind)},
        notes=("the layout is NHWC",),
    )


def _is_uncounted(kind: str) -> bool:
    return kind in _UNCOUNTED or kind.startswith(_UNCOUNTED_KINDS)


def _peak(model: _Model, unpacked: dict[int, int]) -> int:
    """Find the peak of activations; weights that the engine unpacks once are none."""
    steps = [
        (
            [
                int(i)
                for i in operator.inputs
                if i >= 0 and int(i) not in unpacked and not model.constant(int(i))
            ],
            [int(i) for i in operator.outputs],
        )
        for operator in model.graph.operators
        if not _is_unpacking(model, operator)
    ]
    entries, results = ([int(i) for i in ends] for ends in (model.graph.inputs, model.graph.outputs))
    return peak_bytes(steps, entries, results, model.bytes)


def _is_unpacking(model: _Model, operator: Any) -> bool:
    """Tell whether an operator only turns stored half-precision or integer weights into float ones."""
    return model.kind(operator) == "DEQUANTIZE" and model.constant(int(operator.inputs[0]))


def _unpacked(model: _Model) -> dict[int, int]:
    """Tensor -> the stored weights that it is the float form of."""
    return {
        int(operator.outputs[0]): int(operator.inputs[0])
        for operator in model.graph.operators
        if _is_unpacking(model, operator)
    }


def _layer(model: _Model, operator: Any, unpacked: dict[int, int], quantized: bool) -> Layer:
    kind = model.kind(operator)
    inputs = [unpacked.get(int(index), int(index)) for index in operator.inputs if index >= 0]
    outputs = [int(index) for index in operator.outputs]
    weights = [index for index in inputs if model.constant(index)] if kind in (*_PRODUCTS, "PRELU") else []
    return Layer(
        name=model.name(outputs[0]),
        kind=kind,
        parameters=sum(prod(model.shape(index)) for index in weights),
        macs=_macs(model, operator, inputs, outputs[0]),
        activations=sum(prod(model.shape(index)) for index in outputs),
        # Integer weights with a float input ("dynamic range") are multiplied in integers as well.
        integer=all(model.type(index) in _INTEGERS for index in inputs[1:2])
        and inputs[1] not in unpacked.values()
        if quantized and kind in _PRODUCTS
        else None,
    )


def _macs(model: _Model, operator: Any, inputs: list[int], output: int) -> int:
    """Products of one picture: output scalars times the inner length of each."""
    outputs = prod(model.shape(output))
    match model.kind(operator):
        case "CONV_2D" | "FULLY_CONNECTED":
            return outputs * prod(model.shape(inputs[1])[1:])
        case "DEPTHWISE_CONV_2D":
            return outputs * prod(model.shape(inputs[1])[1:3])
        case "BATCH_MATMUL":
            transposed = bool(getattr(operator.builtinOptions, "adjX", False))
            return outputs * model.shape(inputs[0])[-2 if transposed else -1]
        case "TRANSPOSE_CONV":
            return prod(model.shape(inputs[2])) * prod(model.shape(inputs[1])[:3])
    return 0
