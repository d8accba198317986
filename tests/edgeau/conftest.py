"""A tiny real bundle: its network is no AU network, everything around it is as in a true one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import edgeau
from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.action_units.names import DEFAULT
from edgeau.bundle import BundleWriter
from edgeau.bundle.files import record_of
from edgeau.bundle.golden import Answer, Golden, write_golden
from edgeau.bundle.manifest import Artifact, InputSpec, Manifest, NetworkInfo
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.faces.alignment import Alignment
from edgeau.faces.landmarks import Landmarker, open_landmarker
from edgeau.metrics import sigmoid
from edgeau.runtimes import open_session

MakeBundle = Callable[..., Path]


def tiny_network(file: Path, batch: int | None, seed: int = 0) -> None:
    """Convolution, mean, linear layer: 18 logits within some +-3 that differ from crop to crop."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(seed)
    weights = {
        "filters": random.normal(0, 0.3, (6, 3, 3, 3)),
        "matrix": random.normal(0, 2.0, (6, len(DEFAULT))),
        "bias": random.normal(0, 0.5, len(DEFAULT)),
    }
    nodes = [
        helper.make_node("Conv", ["crops", "filters"], ["maps"], strides=[4, 4]),
        helper.make_node("Relu", ["maps"], ["positive"]),
        helper.make_node("GlobalAveragePool", ["positive"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["features"]),
        helper.make_node("Gemm", ["features", "matrix", "bias"], ["logits"]),
    ]
    n: int | str = "batch" if batch is None else batch
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("crops", TensorProto.FLOAT, [n, 3, 224, 224])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [n, len(DEFAULT)])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(file))


@pytest.fixture(scope="session")
def tiny_onnx() -> Callable[..., None]:
    return tiny_network


@pytest.fixture(scope="session")
def crops(astronaut: np.ndarray, astronaut_landmarks: np.ndarray) -> np.ndarray:
    """Four aligned crops of one face, RGB uint8 (4, 224, 224, 3): as it is, mirrored, dark, blurred."""
    crop = Alignment().crop(np.ascontiguousarray(astronaut[:, :, ::-1]), astronaut_landmarks)
    return np.stack((crop, crop[:, ::-1], crop // 2, cv2.blur(crop, (9, 9))))


@pytest.fixture(scope="session")
def static_landmarker() -> Landmarker:
    pytest.importorskip("mediapipe")
    with open_landmarker(static=True, max_faces=4) as landmarker:
        yield landmarker


@pytest.fixture(scope="session")
def astronaut_landmarks(astronaut: np.ndarray, static_landmarker: Landmarker) -> np.ndarray:
    (landmarks,) = static_landmarker.detect(astronaut)
    return landmarks


def random_landmark_model(labels: tuple[str, ...], face: np.ndarray) -> LandmarkModel:
    """Its AUs mean nothing; its neutral face is the given one, ``(468, 3)``, with the outer eye corners 1 apart."""
    random = np.random.default_rng(1)
    template = (face - face[[33, 263]].mean(axis=0)) / np.linalg.norm(face[33] - face[263])
    count = len(labels)
    return LandmarkModel(
        labels=labels,
        template=template.astype(np.float32),
        stability=np.ones(468, np.float32),
        neutral=template.astype(np.float32),
        weights=random.normal(0, 0.05, (count, 468, 3)).astype(np.float32),
        bias=random.uniform(0.2, 0.8, count).astype(np.float32),
        slope=np.full(count, 6, np.float32),
        shift=np.full(count, -3, np.float32),
        thresholds=np.full(count, 0.5, np.float32),
        info={},
    )


def write_bundle(
    out: Path,
    crops: np.ndarray,
    files: dict[str, int | None],
    landmark_model: LandmarkModel | None = None,
    fused_thresholds: dict[str, float] | None = None,
    **changes: Any,
) -> Path:
    """Write a bundle with one network a file name, each with its fixed batch, or None."""
    spec = InputSpec()
    thresholds = dict.fromkeys(DEFAULT, 0.5)
    with BundleWriter(out) as writer:
        artifacts, answers = [], {}
        for name, batch in files.items():
            file = writer.directory / name
            tiny_network(file, batch)
            with open_session("onnxruntime", file, threads=1) as session:
                logits = session.run(Preprocessor(spec).batch(crops))
            answers[name] = Answer(logits, sigmoid(logits) >= 0.5)
            record = record_of(writer.directory, name)
            artifacts.append(
                Artifact(
                    name,
                    "onnxruntime",
                    "fp32",
                    batch,
                    record.bytes,
                    record.sha256,
                    thresholds,
                    fused_thresholds=fused_thresholds,
                )
            )
        if landmark_model is not None:
            landmark_model.save(writer.directory / "landmarks.npz")
            changes["landmark_model"] = "landmarks.npz"
        write_golden(writer.directory / "golden.npz", Golden(crops, answers))
        manifest = Manifest(
            edgeau_version=edgeau.__version__,
            target="cpu",
            network=NetworkInfo("tiny", "a tiny network for tests", {}, 1000, True, "on nothing"),
            labels=DEFAULT,
            input=spec,
            alignment=Alignment(),
            artifacts=tuple(artifacts),
            golden="golden.npz",
            files=(),
        )
        writer.finish(replace(manifest, **changes))
    return out


@pytest.fixture
def make_bundle(tmp_path: Path, crops: np.ndarray) -> MakeBundle:
    def make(name: str = "bundle", files: dict[str, int | None] | None = None, **changes: Any) -> Path:
        return write_bundle(tmp_path / name, crops, files or {"model.onnx": None}, **changes)

    return make


@pytest.fixture
def bundle_path(make_bundle: MakeBundle) -> Path:
    return make_bundle()


@pytest.fixture(scope="session")
def make_landmark_model(astronaut_landmarks: np.ndarray) -> Callable[..., LandmarkModel]:
    def make(labels: tuple[str, ...] = DEFAULT) -> LandmarkModel:
        return random_landmark_model(labels, astronaut_landmarks[:468])

    return make
