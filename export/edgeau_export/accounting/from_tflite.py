"""Accounts of ``.tflite`` files, read with the schema that LiteRT itself ships; no runtime is started."""

from __future__ import annotations

from collections import Counter
from math import prod
from pathlib import Path
from typing import Any

from edgeau.errors import DependencyError, InputError
from edgeau.litert_runtime import install_advice
from edgeau.tflite_file import check_tflite
from edgeau_export.accounting.account import Account, Layer

__all__ = ["account_of_tflite"]

_PRODUCTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "BATCH_MATMUL", "TRANSPOSE_CONV")
_INTEGERS = ("INT8", "UINT8", "INT4", "INT16")


def account_of_tflite(path: Path) -> Account:
    """The account of a ``.tflite`` file.

    Raises:
        InputError: the file is missing, cut or no ``.tflite``.
        DependencyError: ai-edge-litert, which has the file format's schema, is not installed.
    """
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError as error:
        raise DependencyError(f"{path}: counting needs ai-edge-litert; {install_advice()}") from error
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    check_tflite(content, str(path))
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    return _account(_Model(model, schema), path.name, len(content))


class _Model:
    """A parsed model's first graph, with the schema's names for its numbers."""

    def __init__(self, model: Any, schema: Any) -> None:
        self._operators = _names(schema.BuiltinOperator)
        self._types = _names(schema.TensorType)
        self._codes = [max(code.builtinCode, code.deprecatedBuiltinCode or 0) for code in model.operatorCodes]
        self._constant = [buffer.data is not None and len(buffer.data) > 0 for buffer in model.buffers]
        self.graph = model.subgraphs[0]

    def kind(self, operator: Any) -> str:
        """Name of the operator."""
        return self._operators.get(self._codes[operator.opcodeIndex], "CUSTOM")

    def shape(self, index: int) -> tuple[int, ...]:
        """Of a tensor."""
        shape = self.graph.tensors[index].shape
        return () if shape is None else tuple(int(axis) for axis in shape)

    def type(self, index: int) -> str:
        """Name of a tensor's type."""
        return self._types[self.graph.tensors[index].type]

    def name(self, index: int) -> str:
        """Of a tensor."""
        name = self.graph.tensors[index].name
        return name.decode() if isinstance(name, bytes) else str(name)

    def constant(self, index: int) -> bool:
        """Whether a tensor's values are in the file."""
        return index >= 0 and self._constant[self.graph.tensors[index].buffer]


def _account(model: _Model, name: str, file_bytes: int) -> Account:
    operators = model.graph.operators
    quantized = any(model.type(index) in _INTEGERS for index in range(len(model.graph.tensors)))
    unpacked = _unpacked(model)
    layers = tuple(
        _layer(model, operator, unpacked, quantized)
        for operator in operators
        if not _is_unpacking(model, operator)
    )
    kinds = Counter(model.kind(operator) for operator in operators)
    return Account(
        name=name,
        title=name,
        counted="shapes of the file, formulas of edgeau",
        input_shape=model.shape(int(model.graph.inputs[0])),
        parameters=sum(layer.parameters for layer in layers),
        macs=sum(layer.macs for layer in layers),
        activations=sum(layer.activations for layer in layers),
        peak_bytes=None,
        file_bytes=file_bytes,
        layers=layers,
        without_macs={kind: n for kind, n in sorted(kinds.items()) if kind not in (*_PRODUCTS, "CUSTOM")},
        unknown={"CUSTOM": kinds["CUSTOM"]} if kinds["CUSTOM"] else {},
        notes=("the layout is NHWC",),
    )


def _is_unpacking(model: _Model, operator: Any) -> bool:
    """Whether an operator only turns stored half-precision or integer weights into float ones."""
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
        macs=_macs(model, kind, inputs, outputs[0]),
        activations=sum(prod(model.shape(index)) for index in outputs),
        # Integer weights with a float input ("dynamic range") are multiplied in integers as well.
        integer=all(model.type(index) in _INTEGERS for index in inputs[1:2])
        and inputs[1] not in unpacked.values()
        if quantized and kind in _PRODUCTS
        else None,
    )


def _macs(model: _Model, kind: str, inputs: list[int], output: int) -> int:
    """Products of one picture: output scalars times the inner length of each."""
    outputs = prod(model.shape(output))
    match kind:
        case "CONV_2D" | "FULLY_CONNECTED":
            return outputs * prod(model.shape(inputs[1])[1:])
        case "DEPTHWISE_CONV_2D":
            return outputs * prod(model.shape(inputs[1])[1:3])
        case "BATCH_MATMUL":
            return outputs * model.shape(inputs[0])[-1]
        case "TRANSPOSE_CONV":
            return prod(model.shape(inputs[2])) * prod(model.shape(inputs[1])[:3])
    return 0


def _names(enumeration: Any) -> dict[int, str]:
    """The schema's numbers of an enumeration -> names."""
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}
