"""TensorRT's Q/DQ placement on edgeau's graph view and on onnx-ir: time, lines of code, and whether the bytes are the same.

    pip install onnx-ir
    python benchmarks/graph_views.py

The network is the packaged default with a range for every tensor. The onnx-ir half below does what
``export/edgeau_export/converters/tensorrt/placement.py`` and ``qdq.py`` do, on its values and nodes.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeau.bundle import packaged_bundle_path
from edgeau_calibration.graph.quantizable_layers import WEIGHTED
from edgeau_calibration.graph.view import GraphView, with_shapes
from edgeau_export.converters.tensorrt import placement as placement_module
from edgeau_export.converters.tensorrt import qdq as qdq_module
from edgeau_export.converters.tensorrt.placement import LEVELS, output_axis, place
from edgeau_export.converters.tensorrt.qdq import with_pairs

_POOLS = ("GlobalAveragePool", "ReduceMean")
_GROUP_STEP = 4
Inputs = dict[str, tuple[tuple[str, int], ...]]


# --- onnx-ir: begin ---------------------------------------------------------------------------------------------------


def ir_place(graph: Any, wanted: Collection[str], known: Collection[str]) -> tuple[tuple[str, ...], Inputs]:
    convolutions = tuple(
        node.outputs[0].name
        for node in graph
        if node.outputs[0].name in wanted and _can_be_integer(node) and node.inputs[0].name in known
    )
    squeezed = {value.name for value in _squeezed_maps(graph, convolutions) if value.name in known}
    readers: dict[str, list[tuple[str, int]]] = {}
    for node in graph:
        for index in _quantized_inputs(node, convolutions, squeezed):
            if node.inputs[index].name in known:
                readers.setdefault(node.inputs[index].name, []).append((node.outputs[0].name, index))
    return convolutions, {tensor: tuple(found) for tensor, found in readers.items()}


def _dims(value: Any) -> tuple[int, ...]:
    return () if value.shape is None else tuple(d if isinstance(d, int) else 0 for d in value.shape)


def _can_be_integer(node: Any) -> bool:
    if node.op_type != "Conv":
        return True
    groups = node.attributes.get_int("group", 1)
    out, each_in = _dims(node.inputs[1])[:2]
    each_out = out // groups
    return (
        groups == 1
        or (each_in, each_out) == (1, 1)
        or (each_in % _GROUP_STEP, each_out % _GROUP_STEP) == (0, 0)
    )


def _is_gate(value: Any) -> bool:
    shape = _dims(value)
    return len(shape) == 4 and shape[2:] == (1, 1)


def _squeezed_maps(graph: Any, convolutions: Collection[str]) -> Iterator[Any]:
    for node in graph:
        index = _scaled_input(node) if node.op_type == "Mul" else None
        readers = (use.node.outputs[0].name for use in node.outputs[0].uses())
        if index is not None and any(name in convolutions for name in readers):
            yield node.inputs[index]


def _quantized_inputs(node: Any, convolutions: Collection[str], squeezed: set[str]) -> tuple[int, ...]:
    if node.op_type in WEIGHTED:
        return (0,) if node.outputs[0].name in convolutions else ()
    if node.op_type == "Add":
        index = _skipping_input(node, convolutions)
        return () if index is None else (index,)
    if node.op_type == "Mul" and (index := _scaled_input(node)) is not None:
        return (index,) if node.inputs[index].name in squeezed else ()
    if node.op_type in _POOLS:
        return (0,) if node.inputs[0].name in squeezed else ()
    return ()


def _skipping_input(add: Any, convolutions: Collection[str]) -> int | None:
    for index in (0, 1):
        fused, skipping = add.inputs[index], add.inputs[1 - index]
        made = skipping.producer() is not None
        alone = fused.name in convolutions and len(fused.uses()) == 1
        if alone and made and _dims(fused) == _dims(skipping):
            return 1 - index
    return None


def _scaled_input(mul: Any) -> int | None:
    for index in (0, 1):
        tensor, factor = mul.inputs[index], mul.inputs[1 - index]
        pooled = {use.node.op_type for use in tensor.uses()} & set(_POOLS)
        if _is_gate(factor) and not _is_gate(tensor) and pooled:
            return index
    return None


def ir_with_pairs(
    ir: Any,
    graph: Any,
    placement: tuple[tuple[str, ...], Inputs],
    activations: Mapping[str, float],
    weights: Mapping[str, NDArray[np.float32]],
) -> None:
    values = {value.name: value for value in (*graph.inputs, *graph.initializers.values())}
    values |= {value.name: value for node in graph for value in node.outputs}
    first = next(iter(graph))

    def pair(tensor: str, scale: NDArray[np.float32], axis: int | None) -> Any:
        constants = []
        for name, array in (
            (f"{tensor}_scale", scale),
            (f"{tensor}_zero_point", np.zeros(scale.shape, np.int8)),
        ):
            constants.append(ir.Value(name=name, const_value=ir.tensor(array, name=name)))
            graph.register_initializer(constants[-1])
        options = {} if axis is None else {"axis": axis}
        value, nodes = values[tensor], []
        for kind, end in (("QuantizeLinear", "quantized"), ("DequantizeLinear", "dequantized")):
            node = ir.node(kind, [value, *constants], attributes=options, name=f"{tensor}_{kind}")
            value = node.outputs[0]
            value.name = f"{tensor}_{end}"
            nodes.append(node)
        maker = values[tensor].producer()
        if maker is None:
            graph.insert_before(first, nodes)
        else:
            graph.insert_after(maker, nodes)
        return value

    convolutions, inputs = placement
    for tensor, readers in inputs.items():
        output = pair(tensor, np.asarray(activations[tensor], np.float32), None)
        for reader, index in readers:
            values[reader].producer().replace_input_with(index, output)
    for convolution in convolutions:
        node = values[convolution].producer()
        scale = np.maximum(weights[convolution], np.finfo(np.float32).tiny).astype(np.float32)
        transposed = node.attributes.get_int("transB", 0) == 1
        axis = 1 if node.op_type == "Gemm" and not transposed else 0
        node.replace_input_with(1, pair(node.inputs[1].name, scale, axis))
    for name in [name for name, value in graph.initializers.items() if not value.uses()]:
        del graph.initializers[name]


# --- onnx-ir: end -----------------------------------------------------------------------------------------------------


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    ir = importlib.import_module("onnx_ir")
    model = onnx.load(packaged_bundle_path() / "model.fp32.onnx")
    view = GraphView(model.graph)
    wanted = {node.output[0] for node in view.nodes if node.op_type in WEIGHTED}
    draw = np.random.default_rng(0)
    scales = {name: float(draw.uniform(0.01, 0.1)) for name in (model.graph.input[0].name, *view.producer)}
    weights = {name: _weight_scales(view, name) for name in wanted}

    def ours() -> onnx.ModelProto:
        placed = place(GraphView(with_shapes(model).graph), wanted, scales)
        return with_pairs(model, placed, scales, weights)

    def theirs() -> onnx.ModelProto:
        copy = ir.from_proto(with_shapes(model))
        ir_with_pairs(ir, copy.graph, ir_place(copy.graph, wanted, scales), scales, weights)
        result: onnx.ModelProto = ir.to_proto(copy)
        return result

    own, other = ours(), theirs()
    print(f"nodes the same bytes, in the same order: {_bytes(own.graph.node) == _bytes(other.graph.node)}")
    same = sorted(_bytes(own.graph.initializer)) == sorted(_bytes(other.graph.initializer))
    print(f"constants the same bytes: {same}")
    rows: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "placement and pairs, shapes inferred, ms": (ours, theirs),
        "the view or graph alone, ms": (lambda: GraphView(model.graph), lambda: ir.from_proto(model)),
        "back to a proto, ms": (lambda: None, lambda: ir.to_proto(ir.from_proto(model))),
    }
    print("| | edgeau | onnx-ir |\n|---|---|---|")
    for name, pair in rows.items():
        print(f"| {name} | {_ms(pair[0]):.1f} | {_ms(pair[1]):.1f} |")
    files = (
        placement_module.__file__,
        qdq_module.__file__,
        importlib.import_module(GraphView.__module__).__file__,
    )
    mine = sum(_lines(Path(str(file)).read_text(encoding="utf-8")) for file in files)
    half = Path(__file__).read_text(encoding="utf-8").split("# --- onnx-ir: ")[1]
    print(
        f"| lines of code, without comments and docstrings | {mine} | {_lines(half.partition(chr(10))[2])} |"
    )


def _weight_scales(view: GraphView, convolution: str) -> NDArray[np.float32]:
    node = view.producer[convolution]
    weights = np.moveaxis(np.abs(view.value(node.input[1])), output_axis(node), 0)
    return np.asarray(weights.reshape(len(weights), -1).max(axis=1) / LEVELS, np.float32)


def _bytes(items: Any) -> list[bytes]:
    return [item.SerializeToString(deterministic=True) for item in items]


def _ms(function: Callable[[], Any], times: int = 7) -> float:
    """Least of some runs; other programs may be running."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        function()
        taken.append(time.perf_counter() - start)
    return 1000 * min(taken)


def _lines(source: str) -> int:
    """Lines that hold code, as the parser prints it back without comments, with docstrings left out."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return len(ast.unparse(tree).splitlines())


if __name__ == "__main__":
    main()
