"""A small network of the same kind as the real one: two inverted residual blocks with SiLU, squeeze and excitation, a sum."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeau.bundle.manifest import InputSpec
from edgeau_calibration.graph.prepare import prepare_graph
from edgeau_calibration.quantizer import static_int8
from edgeau_calibration.recipe import load_recipe
from edgeau_export.converters.tensorrt.half import with_half_precision
from edgeau_export.converters.tensorrt.placed import PlacedQuantization
from edgeau_export.source_network.onnx_graph import with_batch

SPEC = InputSpec()
CHANNELS = 8


class Builder:
    def __init__(self) -> None:
        self.random = np.random.default_rng(0)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, *shape: int) -> str:
        fan_in = int(np.prod(shape[1:])) or 1
        value = self.random.normal(0, fan_in**-0.5, shape).astype(np.float32)
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def node(self, kind: str, *inputs: str, out: str, **options: object) -> str:
        self.nodes.append(helper.make_node(kind, list(inputs), [out], name=f"node_{out}", **options))
        return out

    def conv(
        self, x: str, out: str, channels: tuple[int, int], size: int = 1, groups: int = 1, stride: int = 1
    ) -> str:
        weight = self.constant(f"{out}_w", channels[1], channels[0] // groups, size, size)
        bias = self.constant(f"{out}_b", channels[1])
        pads = [size // 2] * 4
        return self.node("Conv", x, weight, bias, out=out, group=groups, pads=pads, strides=[stride] * 2)

    def silu(self, x: str, out: str) -> str:
        return self.node("Mul", x, self.node("Sigmoid", x, out=f"{out}_sigmoid"), out=out)

    def block(self, x: str, name: str) -> str:
        wide = 2 * CHANNELS
        y = self.silu(self.conv(x, f"{name}_expand", (CHANNELS, wide)), f"{name}_expanded")
        y = self.silu(self.conv(y, f"{name}_depthwise", (wide, wide), 3, groups=wide), f"{name}_map")
        gate = self.node("ReduceMean", y, out=f"{name}_pooled", axes=[2, 3], keepdims=1)
        gate = self.silu(self.conv(gate, f"{name}_reduce", (wide, 4)), f"{name}_reduced")
        gate = self.node("Sigmoid", self.conv(gate, f"{name}_gate_conv", (4, wide)), out=f"{name}_gate")
        y = self.node("Mul", y, gate, out=f"{name}_scaled")
        y = self.conv(y, f"{name}_project", (wide, CHANNELS))
        return self.node("Add", y, x, out=f"{name}_sum")


def small_network() -> onnx.ModelProto:
    b = Builder()
    x = b.silu(b.conv("input", "stem", (3, CHANNELS), 3, stride=8), "stem_out")
    x = b.block(b.block(x, "one"), "two")
    x = b.node("GlobalAveragePool", x, out="pooled")
    x = b.node("Flatten", x, out="features")
    b.node("Gemm", x, b.constant("matrix", CHANNELS, 5), b.constant("offset", 5), out="logits")
    infos = [
        helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, 224, 224]),
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 5]),
    ]
    graph = helper.make_graph(b.nodes, "small", infos[:1], infos[1:], b.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


@pytest.fixture(scope="session")
def network() -> onnx.ModelProto:
    return small_network()


@pytest.fixture(scope="session")
def pictures() -> np.ndarray:
    """Smooth random pictures: uint8 (6, 224, 224, 3)."""
    random = np.random.default_rng(1)
    coarse = random.integers(0, 256, (6, 7, 7, 3)).astype(np.uint8)
    return coarse.repeat(32, axis=1).repeat(32, axis=2)


@pytest.fixture(scope="session")
def recipe_graph(network: onnx.ModelProto, pictures: np.ndarray) -> onnx.ModelProto:
    """What the quantization recipe makes of the network, batch 1."""
    return with_batch(static_int8(network, pictures, SPEC, load_recipe("symmetric")), 1)


@pytest.fixture(scope="session")
def float_graph(network: onnx.ModelProto) -> onnx.ModelProto:
    """The network made ready, batch 1."""
    return with_batch(prepare_graph(network), 1)


@pytest.fixture(scope="session")
def placed_graph(network: onnx.ModelProto, pictures: np.ndarray) -> onnx.ModelProto:
    """The float32 graph with pairs where TensorRT wants them, as an export's search makes it."""
    quantization = PlacedQuantization(network, pictures, SPEC, load_recipe("symmetric"))
    return with_batch(quantization.graph(), 1)


@pytest.fixture(scope="session")
def artifact(placed_graph: onnx.ModelProto) -> onnx.ModelProto:
    """As it is handed out: pairs, and half precision around them."""
    model = with_half_precision(placed_graph)
    del model.opset_import[:]
    model.opset_import.append(helper.make_opsetid("", 17))
    return model
