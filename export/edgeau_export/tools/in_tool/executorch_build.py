"""Turns an ONNX file, float or Q/DQ, into a ``.pte`` for XNNPACK: the graph node by node in torch, exported and lowered.

Q/DQ nodes become ExecuTorch's own quantize and dequantize operators with the scales of the file, so that the ranges are those of
the ONNX graph and nothing is calibrated here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import torch
from answering import answer_all
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import EdgeCompileConfig, to_edge_transform_and_lower
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn
from torch.nn import functional

_DECOMPOSED = torch.ops.quantized_decomposed


class OnnxGraph(nn.Module):
    """An ONNX graph as a torch module; constants are buffers.

    Args:
        model: with batch 1 and one input.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        super().__init__()
        self._nodes = list(model.graph.node)
        self._input, self._output = model.graph.input[0].name, model.graph.output[0].name
        self._names = {}
        constants = {value.name: numpy_helper.to_array(value) for value in model.graph.initializer}
        for node in self._nodes:
            if node.op_type == "Constant":
                constants[node.output[0]] = numpy_helper.to_array(_attributes(node)["value"])
        self._nodes = [node for node in self._nodes if not _folded(node, constants)]
        for node in self._nodes:
            _flatten_scales(node, constants)
        self._constants = constants
        for number, (name, value) in enumerate(constants.items()):
            self._names[name] = f"c{number}"
            self.register_buffer(f"c{number}", torch.from_numpy(np.array(value)))

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """Run the graph on one picture, ``(1, C, H, W)``."""
        values: dict[str, Any] = {self._input: picture}
        for node in self._nodes:
            if node.op_type == "Constant":
                continue
            lower = _LOWERINGS.get(node.op_type)
            if lower is None:
                raise NotImplementedError(f"{node.op_type} of {node.name} is not supported yet")
            given = [self._value(name, values) for name in node.input]
            if node.op_type == "Concat":
                given = [self._at_scale_of(node.output[0], value) for value in given]
            call = _Call(node, self._constants, given)
            # Each reader has a dequantize of its own: XNNPACK takes a whole pattern over, and none is shared between two.
            later = node.op_type == "DequantizeLinear"
            values[node.output[0]] = _Later(lower, call) if later else lower(call)
        answer: torch.Tensor = self._value(self._output, values)
        return answer

    def _at_scale_of(self, output: str, value: torch.Tensor) -> torch.Tensor:
        """Quantize a value as its concatenation will be: XNNPACK joins integers of one scale only."""
        reader = next((node for node in self._nodes if output in node.input), None)
        if reader is None or reader.op_type != "QuantizeLinear":
            return value
        quantized = _quantize(_Call(reader, self._constants, [value]))
        return _dequantized(quantized, *_Call(reader, self._constants, []).scale())

    def _value(self, name: str, values: dict[str, Any]) -> Any:
        if not name:
            return None
        value = values[name] if name in values else getattr(self, self._names[name])
        return value() if isinstance(value, _Later) else value


def _folded(node: onnx.NodeProto, constants: dict[str, NDArray[Any]]) -> bool:
    """Put the float that an int32 bias stands for among the constants: XNNPACK takes a convolution over with a constant bias only."""
    stored = constants.get(node.input[0]) if node.op_type == "DequantizeLinear" else None
    if stored is None or stored.dtype != np.int32:
        return False
    scale = np.asarray(constants[node.input[1]], np.float64)
    constants[node.output[0]] = (stored * scale).astype(np.float32)
    return True


def _flatten_scales(node: onnx.NodeProto, constants: dict[str, NDArray[Any]]) -> None:
    """Scales and zero points of weights, one a channel, as XNNPACK reads them: constants of one dimension, zero points int64."""
    if (
        node.op_type != "DequantizeLinear"
        or node.input[0] not in constants
        or constants[node.input[1]].size == 1
    ):
        return
    scale = constants[node.input[1]].reshape(-1)
    constants[node.input[1]] = scale
    if len(node.input) < 3:
        node.input.append("")
    zeros = constants[node.input[2]].reshape(-1) if node.input[2] else np.zeros(scale.size)
    node.input[2] = f"{node.output[0]}/zero points"
    constants[node.input[2]] = zeros.astype(np.int64)


class _Later:
    """A call that is made anew for everybody who reads its answer."""

    def __init__(self, lower: Callable[[_Call], Any], call: _Call) -> None:
        self._lower, self._call = lower, call

    def __call__(self) -> torch.Tensor:
        answer: torch.Tensor = self._lower(self._call)
        return answer


class _Call:
    """One node with its inputs: tensors, and where they are constants their numbers."""

    def __init__(self, node: onnx.NodeProto, constants: dict[str, NDArray[Any]], given: list[Any]) -> None:
        self.node, self.given = node, given
        self.attributes = _attributes(node)
        self._constants = constants

    def scale(self) -> tuple[float, int]:
        """Scale and zero point of one scale per tensor, as signed bytes have them: uint8's numbers are 128 lower."""
        scale, zero = self.number(1), self.number(2)
        assert scale is not None
        unsigned = zero is None or zero.dtype == np.uint8
        return float(scale.reshape(-1)[0]), (0 if zero is None else int(zero.reshape(-1)[0])) - (
            128 if unsigned else 0
        )

    def integers(self, index: int) -> list[int]:
        """Numbers of a constant input."""
        found = self.number(index)
        if found is None:
            raise NotImplementedError(f"{self.node.name} takes a computed shape, which is not supported")
        return [int(item) for item in found.reshape(-1)]

    def number(self, index: int) -> NDArray[Any] | None:
        names = self.node.input
        return self._constants.get(names[index]) if len(names) > index else None


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}


def _conv(call: _Call) -> torch.Tensor:
    attributes, pads = call.attributes, call.attributes.get("pads", [0, 0, 0, 0])
    picture, weight, *bias = call.given
    if pads[:2] != pads[2:]:
        picture, pads = functional.pad(picture, (pads[1], pads[3], pads[0], pads[2])), [0, 0, 0, 0]
    return functional.conv2d(
        picture, weight, bias[0] if bias else None, attributes.get("strides", [1, 1]), pads[:2],
        attributes.get("dilations", [1, 1]), attributes.get("group", 1),
    )  # fmt: skip


def _gemm(call: _Call) -> torch.Tensor:
    left, weight, *bias = call.given
    if not call.attributes.get("transB", 0):
        weight = weight.t()
    return functional.linear(left, weight, bias[0] if bias else None)


def _average(call: _Call) -> torch.Tensor:
    attributes = call.attributes
    return functional.avg_pool2d(
        call.given[0], attributes["kernel_shape"], attributes.get("strides"), attributes.get("pads", [0, 0])[:2],
        bool(attributes.get("ceil_mode", 0)), bool(attributes.get("count_include_pad", 0)),
    )  # fmt: skip


def _mean(call: _Call) -> torch.Tensor:
    axes = call.number(1)
    found = call.attributes.get("axes", []) if axes is None else axes.tolist()
    return torch.mean(
        call.given[0], [int(axis) for axis in found], keepdim=bool(call.attributes.get("keepdims", 1))
    )


def _slice(call: _Call) -> torch.Tensor:
    picture: torch.Tensor = call.given[0]
    numbers = [call.number(index) for index in range(1, 5)]
    starts, ends, axes, steps = ([] if item is None else item.reshape(-1).tolist() for item in numbers)
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        axis = axes[number] if axes else number
        length = picture.shape[axis]
        stop = min(end, length) if end >= 0 else length + end
        begin = start if start >= 0 else length + start
        picture = torch.ops.aten.slice.Tensor(picture, axis, begin, stop, steps[number] if steps else 1)
    return picture


def _quantize(call: _Call) -> torch.Tensor:
    scale, zero = call.scale()
    quantized: torch.Tensor = _DECOMPOSED.quantize_per_tensor(
        call.given[0], scale, zero, -128, 127, torch.int8
    )
    return quantized


def _dequantize(call: _Call) -> torch.Tensor:
    """Weights stay int8 with their scales, one a channel or one for all."""
    value, scale = call.given[0], call.number(1)
    assert scale is not None
    stored = call.number(0)
    if stored is None or scale.size == 1:
        if stored is not None and stored.dtype != np.int8:
            raise NotImplementedError(f"weights of {stored.dtype} in {call.node.name} are not supported yet")
        zero = call.number(2)
        return _dequantized(
            value,
            *((float(scale.reshape(-1)[0]), 0) if stored is not None and zero is None else call.scale()),
        )
    per_channel: torch.Tensor = _DECOMPOSED.dequantize_per_channel(
        value, call.given[1], call.given[2], call.attributes.get("axis", 1), -127, 127, torch.int8
    )
    return per_channel


def _dequantized(value: torch.Tensor, scale: float, zero: int) -> torch.Tensor:
    plain: torch.Tensor = _DECOMPOSED.dequantize_per_tensor(value, scale, zero, -128, 127, torch.int8)
    return plain


def _elementwise(function: Callable[..., torch.Tensor]) -> Callable[[_Call], torch.Tensor]:
    return lambda call: function(*call.given)


_LOWERINGS: dict[str, Callable[[_Call], Any]] = {
    "Add": _elementwise(operator.add),
    "AveragePool": _average,
    "Clip": lambda call: torch.clamp(call.given[0], *(None if item is None else float(item) for item in (call.number(1), call.number(2)))),
    "Concat": lambda call: torch.cat(call.given, call.attributes["axis"]),
    "Conv": _conv,
    "DequantizeLinear": _dequantize,
    "Div": _elementwise(operator.truediv),
    "Flatten": lambda call: torch.flatten(call.given[0], call.attributes.get("axis", 1)),
    "Gemm": _gemm,
    "GlobalAveragePool": lambda call: torch.mean(call.given[0], [2, 3], keepdim=True),
    "HardSigmoid": lambda call: functional.hardsigmoid(call.given[0]),
    "HardSwish": lambda call: functional.hardswish(call.given[0]),
    "Identity": lambda call: call.given[0],
    "MaxPool": lambda call: functional.max_pool2d(
        call.given[0], call.attributes["kernel_shape"], call.attributes.get("strides"), call.attributes.get("pads", [0, 0])[:2]
    ),
    "Mul": _elementwise(operator.mul),
    "QuantizeLinear": _quantize,
    "ReduceMean": _mean,
    "Relu": lambda call: functional.relu(call.given[0]),
    "Reshape": lambda call: torch.reshape(call.given[0], [int(n) for n in call.integers(1)]),
    "Sigmoid": lambda call: torch.sigmoid(call.given[0]),
    "Slice": _slice,
    "Sub": _elementwise(operator.sub),
    "Tanh": lambda call: torch.tanh(call.given[0]),
}  # fmt: skip


def _answer(question: dict[str, Any]) -> dict[str, int]:
    model = onnx.load(question["build"])
    module = OnnxGraph(model).eval()
    example = (torch.zeros(1, *question["shape"]),)
    with torch.no_grad():
        exported = torch.export.export(module, example)
    lowered = to_edge_transform_and_lower(
        exported,
        partitioner=[XnnpackPartitioner()],
        compile_config=EdgeCompileConfig(_check_ir_validity=False),
    )
    program = lowered.to_executorch()
    with open(question["export"], "wb") as file:  # noqa: PTH123 - a plain script
        program.write_to_file(file)
    graph = lowered.exported_program().graph_module
    left = [node for node in graph.graph.nodes if node.op == "call_function"]
    delegates = [node for node in left if "executorch_call_delegate" in str(node.target)]
    plain = [node for node in left if node not in delegates and node.target is not operator.getitem]
    inside = sum(
        1
        for name, _ in graph.named_children()
        for node in getattr(graph, name).original_module.graph.nodes
        if node.op == "call_function" and "getitem" not in str(node.target)
    )
    return {"operators": inside + len(plain), "delegated": inside, "delegates": len(delegates)}


answer_all(_answer)
