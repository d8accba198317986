"""Weights that a correct export can have, computed in float64 from the graph as it came: as they are, and folded.

The graph as it came has every weight of the network bit for bit (:mod:`edgeau_export.source_network.onnx_from_network` makes it
without any folding, or it is the user's own ONNX file). Exporters and optimizers then move weights, and fold what is constant:
batch norm, factors and offsets into the layer before, transposes, products of constants. :func:`known_weights` lists all
of these in float64, with what went into each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

__all__ = ["KnownWeight", "known_weights"]

Numbers = NDArray[np.float64]

_LAYERS = ("Conv", "Gemm", "MatMul")
_FLOATS = (np.float16, np.float32, np.float64)
# Of constants that are computed from constants; what is larger is a picture-sized table, which no exporter folds.
_LARGEST = 1 << 24


@dataclass(frozen=True)
class KnownWeight:
    """One form of a weight.

    Attributes:
        name: for people: of the layer or the constant.
        values: float64.
        size: what was added up to each value at the most, of the shape of ``values``: rounding is relative to this.
        sources: names of the weights that went into it.
    """

    name: str
    values: Numbers
    size: Numbers
    sources: frozenset[str]


def known_weights(model: onnx.ModelProto) -> list[KnownWeight]:
    """Every form, of what the outputs depend on.

    Args:
        model: as it came, nothing folded.
    """
    nodes = _needed(model.graph)
    constants = _constants(model, nodes)
    return [
        *constants.values(),
        *_folded_layers(model.graph, nodes, constants),
        *_normalizations(nodes, constants),
    ]


def _needed(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    wanted = {item.name for item in graph.output}
    kept = []
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(node.input)
    return kept[::-1]


def _constants(model: onnx.ModelProto, nodes: list[onnx.NodeProto]) -> dict[str, KnownWeight]:
    """Weights as they are, and what is computed from nothing else."""
    used = {name for node in nodes for name in node.input}
    known: dict[str, KnownWeight] = {}
    # Whole numbers: shapes and places, which constants are computed with.
    others: dict[str, NDArray[Any]] = {}

    def enter(name: str, array: NDArray[Any], sources: frozenset[str], size: Numbers | None = None) -> None:
        if array.dtype.type in _FLOATS:
            values = array.astype(np.float64)
            known[name] = KnownWeight(name, values, np.abs(values) if size is None else size, sources)
        else:
            others[name] = array

    for item in model.graph.initializer:
        if item.name in used:
            enter(item.name, numpy_helper.to_array(item), frozenset((item.name,)))
    for node in nodes:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            enter(node.output[0], numpy_helper.to_array(node.attribute[0].t), frozenset((node.output[0],)))
        elif node.op_type != "Constant" and all(
            not name or name in known or name in others for name in node.input
        ):
            given = {
                name: known[name].values if name in known else others[name] for name in node.input if name
            }
            sources = frozenset[str]().union(*(known[name].sources for name in given if name in known))
            size = None
            if node.op_type in ("Add", "Sub") and all(name in known for name in node.input):
                size = known[node.input[0]].size + known[node.input[1]].size
            for name, answer in _evaluated(node, given, model).items():
                enter(name, answer, sources, size)
    return known


def _evaluated(
    node: onnx.NodeProto, given: Mapping[str, NDArray[Any]], model: onnx.ModelProto
) -> dict[str, NDArray[Any]]:
    if not given or sum(array.size for array in given.values()) > _LARGEST:
        return {}
    inputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in given.items()
    ]
    outputs = [helper.make_value_info(name, onnx.TypeProto()) for name in node.output if name]
    graph = helper.make_graph([node], "constant", inputs, outputs)
    single = helper.make_model(graph, opset_imports=model.opset_import)
    try:
        answers = ReferenceEvaluator(single).run(None, dict(given))
    except Exception:  # noqa: BLE001 - an operator that the evaluator lacks, or lacks in float64: then it is not known
        return {}
    names = (name for name in node.output if name)
    return {name: np.asarray(answer) for name, answer in zip(names, answers, strict=True)}


@dataclass(frozen=True)
class _Layer:
    """A layer while what follows it is folded into it; ``axis`` of the weights is that of the outputs."""

    weights: KnownWeight
    bias: KnownWeight | None
    axis: int

    def scale(self, factor: Numbers, sources: frozenset[str]) -> _Layer:
        shape = [1] * self.weights.values.ndim
        shape[self.axis] = -1
        wide = factor.reshape(shape) if factor.size > 1 else factor.reshape(())
        weights = _scaled(self.weights, wide, sources)
        bias = None if self.bias is None else _scaled(self.bias, factor.reshape(-1), sources)
        return replace(self, weights=weights, bias=bias)

    def shift(self, offset: Numbers, sources: frozenset[str]) -> _Layer:
        outputs = self.weights.values.shape[self.axis]
        old = self.bias or KnownWeight(
            f"{self.weights.name}, bias", np.zeros(outputs), np.zeros(outputs), frozenset()
        )
        values = old.values + offset.reshape(-1)
        size = old.size + np.abs(offset.reshape(-1))
        return replace(self, bias=KnownWeight(old.name, values, size, old.sources | sources))


def _scaled(weight: KnownWeight, factor: Numbers, sources: frozenset[str]) -> KnownWeight:
    return KnownWeight(
        weight.name, weight.values * factor, weight.size * np.abs(factor), weight.sources | sources
    )


def _normalizations(
    nodes: list[onnx.NodeProto], constants: Mapping[str, KnownWeight]
) -> Iterator[KnownWeight]:
    """Factor and offset of each batch norm: what stands in front of no layer becomes a product and a sum."""
    for node in nodes:
        given = [constants[name] for name in node.input[1:5] if name in constants]
        if node.op_type != "BatchNormalization" or len(given) != 4:
            continue
        scale, offset, mean, variance = (item.values for item in given)
        factor = scale / np.sqrt(variance + _epsilon(node))
        sources = frozenset[str]().union(*(item.sources for item in given))
        yield KnownWeight(f"{node.name}, factor", factor, np.abs(factor), sources)
        size = np.abs(offset) + np.abs(mean * factor)
        yield KnownWeight(f"{node.name}, offset", offset - mean * factor, size, sources)


def _epsilon(batch_norm: onnx.NodeProto) -> float:
    return next((float(item.f) for item in batch_norm.attribute if item.name == "epsilon"), 1e-5)


def _folded_layers(
    graph: onnx.GraphProto, nodes: list[onnx.NodeProto], constants: Mapping[str, KnownWeight]
) -> Iterator[KnownWeight]:
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in nodes:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    outputs = {item.name for item in graph.output}
    for node in nodes:
        if node.op_type not in _LAYERS or node.input[1] not in constants:
            continue
        layer, end = _as_layer(node, constants), node.output[0]
        while end not in outputs and len(readers.get(end, ())) == 1:
            (reader,) = readers[end]
            following = _with(layer, reader, end, constants)
            if following is None:
                break
            layer, end = following, reader.output[0]
            yield layer.weights
            if layer.bias is not None:
                yield layer.bias


def _as_layer(node: onnx.NodeProto, constants: Mapping[str, KnownWeight]) -> _Layer:
    weights = constants[node.input[1]]
    transposed = next((item.i for item in node.attribute if item.name == "transB"), 0)
    axis = 0 if node.op_type == "Conv" or transposed else weights.values.ndim - 1
    bias = constants.get(node.input[2]) if len(node.input) > 2 else None
    return _Layer(weights, bias, axis)


def _with(
    layer: _Layer, node: onnx.NodeProto, end: str, constants: Mapping[str, KnownWeight]
) -> _Layer | None:
    """The layer with the node after it folded into it; None where that cannot be done."""
    given = [constants[name] for name in node.input if name in constants]
    sources = frozenset[str]().union(*(item.sources for item in given))
    if node.op_type == "BatchNormalization" and len(given) == 4:
        scale, offset, mean, variance = (item.values for item in given)
        factor = scale / np.sqrt(variance + _epsilon(node))
        return layer.shift(-mean, sources).scale(factor, sources).shift(offset, sources)
    if len(given) != 1 or not _per_output(given[0].values, layer):
        return None
    number, first = given[0].values, node.input[0] == end
    if node.op_type == "Add":
        return layer.shift(_spread(number, layer), sources)
    if node.op_type == "Sub" and first:
        return layer.shift(-_spread(number, layer), sources)
    if node.op_type == "Mul":
        return layer.scale(number, sources)
    if node.op_type == "Div" and first:
        return layer.scale(1 / number, sources)
    return None


def _per_output(number: Numbers, layer: _Layer) -> bool:
    outputs = layer.weights.values.shape[layer.axis]
    if number.size == 1:
        return True
    if number.size != outputs:
        return False
    # Maps have their channels in front of height and width; tokens and rows have them last.
    place = number.shape.index(outputs) - number.ndim
    return place == (-3 if layer.weights.values.ndim == 4 else -1)


def _spread(number: Numbers, layer: _Layer) -> Numbers:
    return np.broadcast_to(number.reshape(-1), (layer.weights.values.shape[layer.axis],))
