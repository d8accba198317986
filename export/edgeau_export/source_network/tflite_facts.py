"""Facts that a ``.tflite`` file states: its ends, its precision, and what in it this library cannot use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import CheckpointError
from edgeau_export.tflite_schema import is_filled, names_of, parsed_tflite, text_of, tflite_schema

__all__ = ["TfliteEnd", "TfliteFacts", "float_constants", "read_tflite_facts", "refuse_what_cannot_run"]

_INTEGER_WEIGHTS = ("INT8", "INT4", "UINT8")
_PICTURE = 4  # axes


@dataclass(frozen=True)
class TfliteEnd:
    """An input or output.

    Attributes:
        name: name of the tensor.
        kind: type of its numbers, such as ``"FLOAT32"`` or ``"INT8"``.
        shape: its length on each axis; None where the file leaves it open.
        scale: scale of integers; 0 where the integers are the numbers themselves.
        zero_point: zero point of integers.
    """

    name: str
    kind: str
    shape: tuple[int | None, ...]
    scale: float = 0.0
    zero_point: int = 0

    def __str__(self) -> str:
        shape = " x ".join("?" if length is None else str(length) for length in self.shape)
        units = f", {self.scale:.4g} x (q - {self.zero_point})" if self.scale else ""
        return f"{self.name}: {self.kind.lower()} {shape}{units}"


@dataclass(frozen=True)
class TfliteFacts:
    """A file's ends and kind.

    Attributes:
        inputs: inputs of the first graph.
        outputs: outputs of the first graph.
        precision: as :data:`edgeau.runtimes.precision.PRECISIONS` calls it.
        custom: names of operators that are not LiteRT's own, each once.
        last: operator that makes the first output, such as ``"LOGISTIC"``.
    """

    inputs: tuple[TfliteEnd, ...]
    outputs: tuple[TfliteEnd, ...]
    precision: str
    custom: tuple[str, ...]
    last: str


def read_tflite_facts(path: Path) -> TfliteFacts:
    """Read a file without running it.

    Raises:
        CheckpointError: it is missing, cut, damaged, or no ``.tflite``.
        DependencyError: ai-edge-litert, which has the format's schema, is not installed.
    """
    with parsed_tflite(path) as file:
        return _facts(file.schema, file.model)


def _facts(schema: Any, model: Any) -> TfliteFacts:
    types, operators = names_of(schema.TensorType), names_of(schema.BuiltinOperator)
    graph = model.subgraphs[0]
    codes = [
        (operators.get(max(code.builtinCode, code.deprecatedBuiltinCode or 0), "CUSTOM"), code.customCode)
        for code in model.operatorCodes
    ]
    used = [codes[operator.opcodeIndex] for operator in graph.operators]
    makers = {
        int(index): used[place][0]
        for place, operator in enumerate(graph.operators)
        for index in operator.outputs
    }
    return TfliteFacts(
        inputs=tuple(_end(graph.tensors[int(index)], types) for index in graph.inputs),
        outputs=tuple(_end(graph.tensors[int(index)], types) for index in graph.outputs),
        precision=_precision(model, graph, types),
        custom=tuple(sorted({text_of(name) for kind, name in used if kind == "CUSTOM"})),
        last=makers.get(int(graph.outputs[0]), ""),
    )


def float_constants(content: bytes) -> Iterator[tuple[str, NDArray[Any]]]:
    """Every constant in float32 or float16 of the first graph of a file that this library wrote, by name.

    Args:
        content: the whole file.

    Raises:
        DependencyError: ai-edge-litert is not installed.
    """
    schema = tflite_schema("the file")
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    kinds = {schema.TensorType.FLOAT32: np.float32, schema.TensorType.FLOAT16: np.float16}
    for tensor in model.subgraphs[0].tensors:
        data = model.buffers[tensor.buffer].data
        if tensor.type in kinds and data is not None and len(data):
            shape = () if tensor.shape is None else tuple(tensor.shape)
            yield text_of(tensor.name), np.frombuffer(bytes(data), kinds[tensor.type]).reshape(shape)


def refuse_what_cannot_run(facts: TfliteFacts, where: str) -> None:
    """Refuse what a device could not run, each in one line.

    Raises:
        CheckpointError: several inputs or outputs, a shape that is left open, or operators that are not LiteRT's own.
    """
    if facts.custom:
        raise CheckpointError(
            f"{where} uses operators that are not LiteRT's own ({', '.join(facts.custom)}), which no device here has; "
            "convert it without them"
        )
    if len(facts.inputs) != 1:
        raise CheckpointError(
            f"{where} has {len(facts.inputs)} inputs ({'; '.join(map(str, facts.inputs))}); an AU network takes one picture"
        )
    if len(facts.outputs) != 1:
        raise CheckpointError(
            f"{where} has {len(facts.outputs)} outputs ({'; '.join(map(str, facts.outputs))}); convert it with the one of the labels"
        )
    (entry,) = facts.inputs
    if len(entry.shape) != _PICTURE or None in entry.shape[1:]:
        raise CheckpointError(
            f"{where} takes {entry}; an AU network takes a picture of one size, batch x height x width x channels"
        )


def _end(tensor: Any, types: dict[int, str]) -> TfliteEnd:
    shape = [int(length) for length in (() if tensor.shape is None else tensor.shape)]
    open_ended = shape if tensor.shapeSignature is None else [int(length) for length in tensor.shapeSignature]
    marked = tuple(
        None if told < 0 else length for length, told in zip(shape, open_ended or shape, strict=True)
    )
    units = tensor.quantization
    scaled = units is not None and units.scale is not None and len(units.scale) > 0
    return TfliteEnd(
        text_of(tensor.name),
        types[tensor.type],
        marked,
        float(units.scale[0]) if scaled else 0.0,
        int(units.zeroPoint[0]) if scaled else 0,
    )


def _precision(model: Any, graph: Any, types: dict[int, str]) -> str:
    """By what the file's constants and the tensors between its operators are."""

    def constant(tensor: Any) -> bool:
        return is_filled(model.buffers[tensor.buffer])

    stored = {types[tensor.type] for tensor in graph.tensors if constant(tensor)}
    between = {
        types[tensor.type] for tensor in graph.tensors if not constant(tensor) and tensor.quantization is not None
        and tensor.quantization.scale is not None and len(tensor.quantization.scale)
    }  # fmt: skip
    if "INT16" in between:
        return "w8a16"
    if between & {"INT8", "UINT8"}:
        return "int8"
    if stored & set(_INTEGER_WEIGHTS):
        return "dynamic"
    return "fp16" if "FLOAT16" in stored else "fp32"
