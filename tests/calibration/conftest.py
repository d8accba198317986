"""Crops and pictures to calibrate on, and a tiny network to quantize."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeau.faces.alignment import Alignment
from edgeau_calibration.data.faces import FaceCropper


@pytest.fixture(scope="session")
def face_crop(astronaut: np.ndarray) -> np.ndarray:
    """A real aligned face: uint8 (224, 224, 3) RGB."""
    with FaceCropper(Alignment()) as cropper:
        crop = cropper.crop(astronaut)
    assert crop is not None
    return np.ascontiguousarray(crop)


@pytest.fixture(scope="session")
def face_crops(face_crop: np.ndarray) -> np.ndarray:
    """Twelve different ones: uint8 (12, 224, 224, 3) RGB."""
    gains = np.linspace(0.6, 1.2, 12)
    return np.stack([np.clip(face_crop * gain, 0, 255).astype(np.uint8) for gain in gains])


@pytest.fixture
def crop_folder(tmp_path: Path, face_crops: np.ndarray) -> Path:
    """The same as lossless pictures, spread over two folders."""
    for index, crop in enumerate(face_crops):
        file = tmp_path / "faces" / ("a", "b")[index % 2] / f"{index:02}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), crop[..., ::-1])
    return tmp_path / "faces"


@pytest.fixture(scope="session")
def network() -> onnx.ModelProto:
    """Convolution, SiLU, convolution, pooling, classifier: seeded, float, dynamic batch."""
    rng = np.random.default_rng(0)
    weights = {
        "w1": rng.normal(0, 0.3, (8, 3, 3, 3)),
        "b1": rng.normal(0, 0.3, 8),
        "w2": rng.normal(0, 0.2, (16, 8, 3, 3)),
        "b2": rng.normal(0, 0.2, 16),
        "w3": rng.normal(0, 0.8, (4, 16)),
        "b3": np.zeros(4),
    }
    nodes = [
        helper.make_node("Conv", ["input", "w1", "b1"], ["c1"], name="conv1", strides=[4, 4]),
        helper.make_node("Sigmoid", ["c1"], ["s1"], name="sigmoid"),
        helper.make_node("Mul", ["c1", "s1"], ["m1"], name="silu"),
        helper.make_node("Conv", ["m1", "w2", "b2"], ["c2"], name="conv2", strides=[4, 4]),
        helper.make_node("Relu", ["c2"], ["r2"], name="relu"),
        helper.make_node("GlobalAveragePool", ["r2"], ["p2"], name="pool"),
        helper.make_node("Flatten", ["p2"], ["f2"], name="flatten"),
        helper.make_node("Gemm", ["f2", "w3", "b3"], ["logits"], name="classifier", transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, 224, 224])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 4])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"labels": "[]"})
    onnx.checker.check_model(model, full_check=True)
    return model


@pytest.fixture(scope="session")
def inverted_residual() -> onnx.ModelProto:
    """First convolution; expansion, depthwise, squeeze-and-excitation, projection, residual sum; classifier."""
    shapes = {
        "w0": (8, 3, 3, 3), "w1": (16, 8, 1, 1), "w2": (16, 1, 3, 3), "wr": (4, 16, 1, 1), "we": (16, 4, 1, 1),
        "w3": (8, 16, 1, 1), "w4": (5, 8),
    }  # fmt: skip
    rng = np.random.default_rng(0)
    node = helper.make_node
    nodes = [
        node("Conv", ["input", "w0"], ["x"], name="first", pads=[1, 1, 1, 1]),
        node("Conv", ["x", "w1"], ["a"], name="expand"),
        node("Conv", ["a", "w2"], ["d"], name="depthwise", group=16, pads=[1, 1, 1, 1]),
        node("GlobalAveragePool", ["d"], ["p"], name="squeeze"),
        node("Conv", ["p", "wr"], ["r"], name="reduce"),
        node("Relu", ["r"], ["rr"], name="act"),
        node("Conv", ["rr", "we"], ["e"], name="excite"),
        node("Sigmoid", ["e"], ["g"], name="gate"),
        node("Mul", ["d", "g"], ["m"], name="scale"),
        node("Conv", ["m", "w3"], ["y"], name="project"),
        node("Add", ["y", "x"], ["s"], name="sum"),
        node("GlobalAveragePool", ["s"], ["q"], name="pool"),
        node("Flatten", ["q"], ["f"], name="flatten"),
        node("Gemm", ["f", "w4"], ["logits"], name="classifier", transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "inverted_residual",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, 10, 10])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 5])],
        [
            numpy_helper.from_array(rng.normal(size=shape).astype(np.float32), name)
            for name, shape in shapes.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model
