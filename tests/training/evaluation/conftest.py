"""Models of every kind over the tiny data set's three action units, and a data set for them."""

import json

import numpy as np
import pytest

from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.bundle import BundleWriter
from edgeau.bundle.files import record_of
from edgeau.bundle.golden import Answer, Golden, write_golden
from edgeau.bundle.manifest import Artifact, Fusion, InputSpec, Manifest, NetworkInfo
from edgeau.faces.alignment import Alignment
from edgeau_training.checkpoint import CheckpointInfo

AUS = ("AU1", "AU4", "AU12")


@pytest.fixture(scope="session")
def faces(tmp_path_factory, write_tiny_faces):
    return write_tiny_faces(tmp_path_factory.mktemp("data") / "tiny", counts=(("val", 64), ("test", 64)))


@pytest.fixture(scope="session")
def landmark_file(tmp_path_factory):
    """A landmark model of AU4, AU12, AU1 (not the network's order) that says something, but nothing true."""
    file = tmp_path_factory.mktemp("landmark") / "landmark.npz"
    random = np.random.default_rng(0)
    grid = np.stack(
        (np.tile(np.linspace(-1, 1, 26), 18), np.repeat(np.linspace(-1, 1, 18), 26), np.zeros(468)), axis=1
    )
    shape = (grid + random.normal(0, 0.1, grid.shape)).astype(np.float32)
    three = np.ones(3, np.float32)
    LandmarkModel(
        labels=("AU4", "AU12", "AU1"),
        template=shape,
        stability=np.ones(468, np.float32),
        neutral=shape,
        weights=random.normal(0, 0.1, (3, 468, 3)).astype(np.float32),
        bias=0.5 * three,
        slope=5 * three,
        shift=np.float32([-2, -2.5, -3]),
        thresholds=np.float32([0.4, 0.5, 0.6]),
        info={},
    ).save(file)
    return file


@pytest.fixture(scope="session")
def onnx_file(tmp_path_factory):
    """A network that sees the bright squares of the tiny data set: the mean of each square, minus a level."""
    return squares_network(tmp_path_factory.mktemp("onnx") / "squares.onnx")


def squares_network(file, gain=1.0, trained=True):
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    # After alignment the squares lie elsewhere: a coarse mean of the crop, with seeded weights, tells them apart enough.
    random = np.random.default_rng(3)
    weights = {
        "matrix": (gain * random.normal(0, 1.0, (3 * 49, 3))).astype(np.float32),
        "bias": np.zeros(3, np.float32),
    }
    nodes = [
        helper.make_node("AveragePool", ["input"], ["maps"], kernel_shape=[32, 32], strides=[32, 32]),
        helper.make_node("Flatten", ["maps"], ["features"]),
        helper.make_node("Gemm", ["features", "matrix", "bias"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "squares",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, 224, 224])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 3])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    info = CheckpointInfo("squares", AUS, trained=trained, thresholds={"AU1": 0.3, "AU4": 0.5, "AU12": 0.6})
    helper.set_model_props(model, {"edgeau": json.dumps(info.to_dict())})
    onnx.save(model, str(file))
    return file


@pytest.fixture(scope="session")
def make_onnx():
    return squares_network


@pytest.fixture(scope="session")
def bundle(tmp_path_factory, onnx_file, landmark_file):
    """A bundle with two artifacts, a landmark model and a fusion."""
    out = tmp_path_factory.mktemp("bundles") / "bundle"
    thresholds = {"AU1": 0.3, "AU4": 0.5, "AU12": 0.6}
    with BundleWriter(out) as writer:
        (writer.directory / "landmark.npz").write_bytes(landmark_file.read_bytes())
        (writer.directory / "float.onnx").write_bytes(onnx_file.read_bytes())
        squares_network(
            writer.directory / "int8.onnx", gain=0.9
        )  # stands for a quantized one: it answers a bit otherwise
        artifacts, answers = [], {}
        for name, precision in (("float.onnx", "fp32"), ("int8.onnx", "int8")):
            record = record_of(writer.directory, name)
            artifacts.append(
                Artifact(name, "onnxruntime", precision, None, record.bytes, record.sha256, thresholds,
                         fused_thresholds=dict.fromkeys(AUS, 0.45))
            )  # fmt: skip
            answers[name] = Answer(np.zeros((1, 3), np.float32), np.zeros((1, 3), bool))
        write_golden(writer.directory / "golden.npz", Golden(np.zeros((1, 224, 224, 3), np.uint8), answers))
        weights = dict.fromkeys(AUS, 0.5)
        writer.finish(
            Manifest(
                edgeau_version="0",
                target="cpu",
                network=NetworkInfo("squares", "squares", {}, 1, True, "on nothing"),
                labels=AUS,
                input=InputSpec(),
                alignment=Alignment(),
                artifacts=tuple(artifacts),
                golden="golden.npz",
                files=(),
                landmark_model="landmark.npz",
                fusion=Fusion(weights, weights, dict.fromkeys(AUS, 0.0)),
            )
        )
    return out
