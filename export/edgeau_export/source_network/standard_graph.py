"""Any ONNX graph of one picture and one answer as the one graph that every converter takes.

Standard is: one input ``input``, float32 ``(batch, C, H, W)``, normalised; one output ``logits``, float32 ``(batch, labels)``; a
dynamic batch; float32 weights inside the file; an operator set that the target reads. Each step changes the graph, and
:mod:`edgeau_export.source_network.contract` checks afterwards that it still answers as the file does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper, version_converter

from edgeau._system.first_line import first_line
from edgeau.errors import CheckpointError

__all__ = ["INPUT", "OUTPUT", "GraphWish", "network_inputs", "open_onnx", "select_output", "standard_graph"]

INPUT, OUTPUT = "input", "logits"
_OWN_DOMAINS = ("", "ai.onnx")
# Per-channel Q/DQ needs 13; older graphs are brought to the target's.
_OLDEST = 13
# Newer files than this are not needed by any operator set here, and boards' engines refuse them.
_IR = 8
_LFS = b"version https://git-lfs"
# Logits of +-16: what float32 still tells from certainty.
_CLIP = 1e-7


@dataclass(frozen=True)
class GraphWish:
    """Departures of a graph from the standard, and what it should become.

    Attributes:
        shape: channels, height, width of the input.
        opset: newest that the target reads.
        layout: ``"NCHW"`` or ``"NHWC"``, of the graph as it is.
        uint8: whether it takes bytes.
        probabilities: whether it answers with them.
        output_name: which output; None where there is one.
    """

    shape: tuple[int, int, int]
    opset: int
    layout: str = "NCHW"
    uint8: bool = False
    probabilities: bool = False
    output_name: str | None = None


def open_onnx(path: Path) -> ModelProto:
    """A file with its external data inlined.

    Raises:
        CheckpointError: missing, empty, a pointer of Git LFS, or no ONNX file.
    """
    if not path.is_file():
        raise CheckpointError(f"weights {path} {'is a folder' if path.is_dir() else 'does not exist'}")
    with path.open("rb") as file:
        start = file.read(len(_LFS))
    if not start:
        raise CheckpointError(f"{path} is empty; copy it again")
    if start == _LFS:
        raise CheckpointError(
            f"{path} is a pointer of Git LFS, not the file itself: run git lfs pull where it comes from"
        )
    try:
        model = onnx.load(path)
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{path} keeps its weights in a file beside it that is not there: {error.filename or error}"
        ) from error
    except Exception as error:  # protobuf and onnx raise several, onnx its own ValidationError for paths
        raise CheckpointError(f"{path} is not an ONNX file that can be read: {first_line(error)}") from error
    if not model.graph.node:
        raise CheckpointError(f"{path} is not an ONNX file: no operator is in it")
    return model


def network_inputs(model: ModelProto) -> list[onnx.ValueInfoProto]:
    """Inputs that somebody must give: those that are not initializers."""
    own = {item.name for item in model.graph.initializer}
    return [item for item in model.graph.input if item.name not in own]


def standard_graph(model: ModelProto, wish: GraphWish, where: str) -> ModelProto:
    """The standard graph.

    Args:
        model: as it came.
        wish: see there.
        where: what errors call the file.

    Raises:
        CheckpointError: it cannot be brought into the standard; the message says why.
    """
    try:
        return _standardised(model, wish, where)
    except CheckpointError:
        raise
    except Exception as error:  # of a damaged graph: whatever protobuf, onnx or numpy raise
        raise CheckpointError(f"{where} is not a valid graph: {first_line(error)}") from error


def _standardised(model: ModelProto, wish: GraphWish, where: str) -> ModelProto:
    graph = ModelProto()
    graph.CopyFrom(model)
    _select_output(graph, wish.output_name, where)
    _refuse_foreign_operators(graph, where)
    _drop_initializer_inputs(graph, where)
    _to_float32(graph)
    _rename_ends(graph)
    _standard_input(graph, wish, where)
    if wish.probabilities:
        _logits_from_probabilities(graph)
    _free_batch(graph)
    graph = _operator_set(graph, wish.opset, where)
    _standard_output(graph)
    graph = onnx.shape_inference.infer_shapes(graph)
    onnx.checker.check_model(graph, full_check=True)
    return graph


def select_output(model: ModelProto, output: str | None, where: str) -> ModelProto:
    """The part of a file that one output depends on, nothing else changed; None takes the only one.

    Raises:
        CheckpointError: there is no such output, or there are several and none is named.
    """
    graph = ModelProto()
    graph.CopyFrom(model)
    _select_output(graph, output, where)
    return graph


def _select_output(model: ModelProto, name: str | None, where: str) -> None:
    names = [item.name for item in model.graph.output]
    if name is None and len(names) != 1:
        raise CheckpointError(
            f'{where} has {len(names)} outputs ({", ".join(names)}): say output_name = "{names[-1]}"'
        )
    if name is not None and name not in names:
        raise CheckpointError(f"{where} has no output {name!r}; there are {', '.join(names)}")
    chosen = names[0] if name is None else name
    needed, kept = {chosen}, []
    for node in reversed(model.graph.node):
        if needed & set(node.output):
            kept.append(node)
            needed |= set(_read(node))
    (output,) = (item for item in model.graph.output if item.name == chosen)
    weights = [item for item in model.graph.initializer if item.name in needed]
    _replace(model.graph.node, reversed(kept))
    _replace(model.graph.output, [output])
    _replace(model.graph.initializer, weights)


def _read(node: onnx.NodeProto) -> Iterator[str]:
    yield from node.input
    for attribute in node.attribute:
        for inner in attribute.g.node:
            yield from _read(inner)


def _refuse_foreign_operators(model: ModelProto, where: str) -> None:
    foreign = sorted(
        {f"{node.domain}:{node.op_type}" for node in model.graph.node if node.domain not in _OWN_DOMAINS}
    )
    quantized = {
        node.op_type for node in model.graph.node if "Quantize" in node.op_type or "Integer" in node.op_type
    }
    quantized |= {node.op_type for node in model.graph.node if node.op_type.startswith("QLinear")}
    if quantized:
        raise CheckpointError(
            f"{where} is quantized already ({', '.join(sorted(quantized))}); give the float network, edgeau quantizes it"
        )
    if foreign:
        raise CheckpointError(
            f"{where} uses operators that are not ONNX's own ({', '.join(foreign)}), which no engine here has; "
            "export it without them"
        )
    used = {node.domain for node in model.graph.node} | {""}
    _replace(
        model.opset_import,
        [item for item in model.opset_import if item.domain in used or item.domain == "ai.onnx"],
    )


def _drop_initializer_inputs(model: ModelProto, where: str) -> None:
    inputs = network_inputs(model)
    if len(inputs) != 1:
        names = ", ".join(item.name for item in inputs) or "none"
        raise CheckpointError(f"{where} has {len(inputs)} inputs ({names}); an AU network takes one picture")
    _replace(model.graph.input, inputs)


def _to_float32(model: ModelProto) -> None:
    """Half precision weights, casts and constants as float32: the target decides on precisions."""
    half = TensorProto.FLOAT16
    for tensor in model.graph.initializer:
        if tensor.data_type == half:
            tensor.CopyFrom(_single(tensor))
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR and attribute.t.data_type == half:
                attribute.t.CopyFrom(_single(attribute.t))
            if attribute.name in ("to", "dtype") and attribute.i == half:
                attribute.i = TensorProto.FLOAT
    for value in (*model.graph.input, *model.graph.output):
        if value.type.tensor_type.elem_type == half:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    del model.graph.value_info[:]


def _single(tensor: TensorProto) -> TensorProto:
    return numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name)


def _rename_ends(model: ModelProto) -> None:
    old_input, old_output = model.graph.input[0].name, model.graph.output[0].name
    names = {INPUT: "input_of_file", OUTPUT: "logits_of_file"} | {old_input: INPUT, old_output: OUTPUT}
    _renamed(model, lambda name: names.get(name, name))
    model.graph.input[0].name, model.graph.output[0].name = INPUT, OUTPUT


def _renamed(model: ModelProto, new: Callable[[str], str]) -> None:
    def rename(nodes: list[onnx.NodeProto]) -> None:
        for node in nodes:
            _replace(node.input, [new(name) for name in node.input])
            _replace(node.output, [new(name) for name in node.output])
            for attribute in node.attribute:
                rename(list(attribute.g.node))

    rename(list(model.graph.node))
    for tensor in model.graph.initializer:
        tensor.name = new(tensor.name)


def _standard_input(model: ModelProto, wish: GraphWish, where: str) -> None:
    entry = model.graph.input[0]
    kind = entry.type.tensor_type.elem_type
    if wish.uint8 != (kind == TensorProto.UINT8):
        dtype = "uint8" if kind == TensorProto.UINT8 else TensorProto.DataType.Name(kind).lower()
        raise CheckpointError(f'{where} takes {dtype}; say dtype = "{dtype}" under [input] of its model.toml')
    channels, height, width = wish.shape
    wanted = (height, width, channels) if wish.layout == "NHWC" else wish.shape
    dims = entry.type.tensor_type.shape.dim
    found = [dim.dim_value if dim.HasField("dim_value") else None for dim in dims]
    if len(found) != 4 or any(
        have not in (None, 0, want) for have, want in zip(found[1:], wanted, strict=False)
    ):
        shown = " x ".join("?" if value is None else str(value) for value in found)
        raise CheckpointError(
            f"{where} takes {shown}; its model.toml says {wish.layout} {' x '.join(map(str, wanted))} after the batch"
        )
    fixed = bool(found[0])
    entry.CopyFrom(helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["batch", *wish.shape]))
    if wish.uint8:
        _prepend(model, "Cast", to=TensorProto.UINT8)
    if wish.layout == "NHWC":
        _prepend(model, "Transpose", perm=[0, 2, 3, 1])
    if fixed:
        _free_reshapes(model, found[0] or 1)


def _prepend(model: ModelProto, operator: str, **attributes: Any) -> None:
    """Put an operator between the input and everything that reads it."""
    inner = f"{INPUT}_{operator.lower()}"
    readers = [node for node in model.graph.node if INPUT in node.input]
    if operator == "Cast" and all(node.op_type == "Cast" for node in readers):
        # Bytes that are made float first need not become bytes: levels 0..255 are what the input has already.
        for node in readers:
            node.op_type = "Identity"
            del node.attribute[:]
        return
    for node in readers:
        _replace(node.input, [inner if name == INPUT else name for name in node.input])
    model.graph.node.insert(0, helper.make_node(operator, [INPUT], [inner], name=inner, **attributes))


def _logits_from_probabilities(model: ModelProto) -> None:
    """Without a last sigmoid, or with the inverse of one after the probabilities."""
    (last,) = (node for node in model.graph.node if OUTPUT in node.output)
    if last.op_type == "Sigmoid":
        last.op_type = "Identity"
        return
    _replace(last.output, ["probabilities" if name == OUTPUT else name for name in last.output])
    for name, value in (("p_low", _CLIP), ("p_high", 1 - _CLIP), ("one", 1.0)):
        model.graph.initializer.append(
            numpy_helper.from_array(np.array(value, np.float32), f"{OUTPUT}_{name}")
        )
    node = helper.make_node
    model.graph.node.extend(
        [
            node("Clip", ["probabilities", f"{OUTPUT}_p_low", f"{OUTPUT}_p_high"], ["p"], name="p_clip"),
            node("Sub", [f"{OUTPUT}_one", "p"], ["not_p"], name="p_not"),
            node("Div", ["p", "not_p"], ["odds"], name="p_odds"),
            node("Log", ["odds"], [OUTPUT], name="p_logit"),
        ]
    )


def _free_reshapes(model: ModelProto, batch: int) -> None:
    """Reshape to a fixed batch becomes one to the batch that comes; the contract check runs two batches afterwards."""
    constants = {item.name: item for item in model.graph.initializer}
    constants |= {
        node.output[0]: node.attribute[0].t
        for node in model.graph.node
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value"
    }
    for node in model.graph.node:
        if node.op_type != "Reshape" or node.input[1] not in constants:
            continue
        tensor = constants[node.input[1]]
        shape = numpy_helper.to_array(tensor).copy()
        if shape.size > 1 and shape[0] == batch:
            shape[0] = 0 if -1 in shape[1:] else -1
            tensor.CopyFrom(numpy_helper.from_array(shape, tensor.name))


def _free_batch(model: ModelProto) -> None:
    del model.graph.value_info[:]
    model.graph.output[0].type.tensor_type.ClearField("shape")


def _operator_set(model: ModelProto, newest: int, where: str) -> ModelProto:
    have = next(item.version for item in model.opset_import if item.domain in _OWN_DOMAINS)
    if _OLDEST <= have <= newest:
        model.ir_version = min(model.ir_version, _IR + (have > 18) + (have > 20))
        return model
    try:
        converted = version_converter.convert_version(model, newest)
    except Exception as error:  # a C++ exception of whatever it met
        raise CheckpointError(
            f"{where} is ONNX opset {have}, this target reads {_OLDEST} to {newest}, and it cannot be converted "
            f"({first_line(error)}); export it again with opset_version={newest}"
        ) from error
    converted.ir_version = _IR
    return converted


def _standard_output(model: ModelProto) -> None:
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, None))
    inferred = onnx.shape_inference.infer_shapes(model)
    model.graph.output[0].CopyFrom(inferred.graph.output[0])
    dims = model.graph.output[0].type.tensor_type.shape.dim
    if len(dims):
        dims[0].dim_param = "batch"


def _replace(field: object, items: object) -> None:
    kept = list(items)  # type: ignore[call-overload]
    del field[:]  # type: ignore[attr-defined]
    field.extend(kept)  # type: ignore[attr-defined]
