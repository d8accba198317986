"""Channels of like ranges where a factor can be moved exactly, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeau.bundle.manifest import InputSpec
from edgeau.bundle.preprocessing import Preprocessor
from edgeau_calibration.algorithms.equalization import equalize
from edgeau_calibration.graph.homogeneous_segments import homogeneous_segments
from edgeau_calibration.graph.ort_session import open_model
from edgeau_calibration.graph.prepare import prepare_graph
from edgeau_calibration.graph.subgraph import with_outputs
from edgeau_calibration.quantizer import StaticQuantizer
from edgeau_calibration.recipe import load_recipe

SPEC = InputSpec(size=(16, 16))
node = helper.make_node


def blocks(*, silu: bool = True, shared: bool = False) -> onnx.ModelProto:
    """An EfficientNet block and a half: stem, depthwise, squeeze-and-excitation, projection, residual, expansion, classifier.

    One channel of the projection reaches 200 times farther than another, and so does one of the depthwise layer.
    """
    rng = np.random.default_rng(0)
    shapes = {
        "w0": (8, 3, 3, 3), "w1": (16, 8, 1, 1), "w2": (16, 1, 3, 3), "wr": (4, 16, 1, 1), "we": (16, 4, 1, 1),
        "w3": (8, 16, 1, 1), "w4": (12, 8, 1, 1), "w5": (8, 12, 1, 1), "w6": (12, 8, 1, 1), "w7": (5, 12),
    }  # fmt: skip
    weights = {name: rng.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape) for name, shape in shapes.items()}
    for name in ("w2", "w3", "w5"):
        weights[name] *= np.geomspace(0.1, 20, len(weights[name])).reshape(-1, 1, 1, 1)
    weights |= {f"b{name[1:]}": rng.normal(0, 0.1, shape[0]) for name, shape in shapes.items()}

    def activation(name: str) -> list[onnx.NodeProto]:
        if not silu:
            return [node("Relu", [name], [f"{name}'"], name=f"act {name}")]
        return [
            node("Sigmoid", [name], [f"{name}s"], name=f"sigmoid {name}"),
            node("Mul", [name, f"{name}s"], [f"{name}'"], name=f"act {name}"),
        ]

    nodes = [
        node("Conv", ["input", "w0", "b0"], ["a"], name="stem", pads=[1, 1, 1, 1]),
        *activation("a"),
        node("Conv", ["a'", "w1", "b1"], ["b"], name="expand"),
        *activation("b"),
        node("Conv", ["b'", "w2", "b2"], ["c"], name="depthwise", group=16, pads=[1, 1, 1, 1]),
        *activation("c"),
        node("GlobalAveragePool", ["c'"], ["p"], name="squeeze"),
        node("Conv", ["p", "wr", "br"], ["r"], name="reduce"),
        *activation("r"),
        node("Conv", ["r'", "we", "be"], ["e"], name="excite"),
        node("Sigmoid", ["e"], ["g"], name="gate"),
        node("Mul", ["c'", "g"], ["m"], name="scale"),
        node("Conv", ["m", "w3", "b3"], ["y"], name="project"),
        node("Conv", ["y", "w4", "b4"], ["h"], name="expand again"),
        *activation("h"),
        node("Conv", ["h'", "w5", "b5"], ["z"], name="project again"),
        node("Add", ["z", "y"], ["s"], name="sum"),
        node("Conv", ["s", "w4" if shared else "w6", "b6"], ["k"], name="last"),
        *activation("k"),
        node("GlobalAveragePool", ["k'"], ["q"], name="pool"),
        node("Flatten", ["q"], ["f"], name="flatten"),
        node("Gemm", ["f", "w7", "b7"], ["logits"], name="classifier", transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "blocks",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, 16, 16])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 5])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (12, 16, 16, 3), np.uint8)


def answers(model: onnx.ModelProto, crops: np.ndarray, *names: str) -> list[np.ndarray]:
    return open_model(with_outputs(model, names)).run(
        ["logits", *names], {"input": Preprocessor(SPEC).batch(crops)}
    )


def spread(values: np.ndarray) -> float:
    """Largest reach of a channel over the smallest."""
    reach = np.abs(values).max(axis=(0, 2, 3))
    return float(reach.max() / reach.min())


def told(model: onnx.ModelProto) -> list[tuple[list[str], list[str], list[str]]]:
    return [
        ([one.name for one in segment.writers], [one.name for one in segment.gated], [one.name for one in segment.readers])
        for segment in homogeneous_segments(model.graph)
    ]  # fmt: skip


def test_stretches_end_at_every_silu() -> None:
    assert told(prepare_graph(blocks())) == [
        ([], ["scale"], ["project"]),
        (["project", "project again"], [], ["expand again", "last"]),
    ]


def test_through_a_relu_they_go_on() -> None:
    names = told(prepare_graph(blocks(silu=False)))
    assert (["stem"], [], ["expand"]) in names
    assert (["expand"], [], ["depthwise"]) in names
    # Its sum is pooled for the gate and multiplied with it, so the depthwise layer's own channels stay.
    assert not any("depthwise" in writers for writers, _, _ in names)


def test_weights_that_two_layers_share_are_their_own_once_prepared() -> None:
    """Preparation gives each layer a copy; in a graph that was not prepared they are left alone."""
    assert told(prepare_graph(blocks(shared=True))) == told(prepare_graph(blocks()))
    assert told(blocks(shared=True)) == [([], ["scale"], ["project"])]


def test_a_graphs_answer_is_no_stretch() -> None:
    graph = prepare_graph(blocks()).graph
    graph.output.append(helper.make_tensor_value_info("s", TensorProto.FLOAT, ["batch", 8, 16, 16]))
    assert [segment.tensors for segment in homogeneous_segments(graph)] == [["m"]]


@pytest.mark.parametrize("silu", [True, False])
def test_the_float_answer_is_the_very_same(silu: bool, crops: np.ndarray) -> None:
    model = prepare_graph(blocks(silu=silu))
    before = model.SerializeToString()
    fixed = equalize(model, crops[:8], SPEC)
    assert model.SerializeToString() == before
    (old,), (new,) = answers(model, crops), answers(fixed, crops)
    assert np.abs(old - new).max() <= 1e-6 * np.abs(old).max()


def test_channels_come_nearer(crops: np.ndarray) -> None:
    model = prepare_graph(blocks())
    fixed = equalize(model, crops[:8], SPEC)
    _, *old = answers(model, crops[8:], "m", "y", "s")
    _, *new = answers(fixed, crops[8:], "m", "y", "s")
    for before, after in zip(old, new, strict=True):
        assert spread(after) < spread(before) / 4


def test_integers_lose_less(crops: np.ndarray) -> None:
    """With 8-bit weights and nothing learned, so that nothing else fixes what channels of unlike ranges cost."""
    model, recipe = blocks(), load_recipe("eight-bit")
    (float_answer,) = answers(model, crops)
    errors = []
    for steps in ((), ("equalization",)):
        graph = StaticQuantizer(model, crops, SPEC, replace(recipe, learned=steps)).graph()
        (answer,) = answers(graph, crops)
        errors.append(np.abs(answer - float_answer).mean())
    assert errors[1] < 0.8 * errors[0]


def test_a_graph_without_such_stretches_stays_as_it_is(
    network: onnx.ModelProto, face_crops: np.ndarray
) -> None:
    model = prepare_graph(network)
    assert equalize(model, face_crops[:1], InputSpec()).SerializeToString() == model.SerializeToString()
