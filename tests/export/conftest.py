"""A tiny network of the zoo, and bundles made of it: small enough that every test can export."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch

from edgeau.action_units.names import BP4D
from edgeau.bundle import BundleWriter, load_bundle
from edgeau.bundle.manifest import Fusion, InputSpec, Manifest
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.faces.alignment import Alignment
from edgeau.metrics import sigmoid
from edgeau_calibration.data.faces import FaceCropper
from edgeau_calibration.data.load import load_calibration_set
from edgeau_calibration.graph.ort_session import logits_of
from edgeau_export.export import export_bundle
from edgeau_training.checkpoint import CheckpointInfo, save_checkpoint
from edgeau_training.networks import build_network

# A stem of timm's own tests: SiLU, squeeze-excite and residual adds like EfficientNet-B1, 1 % of its size.
OPTIONS = {"stem": "test_efficientnet"}


@pytest.fixture(scope="session")
def face_crops(astronaut: np.ndarray) -> np.ndarray:
    """Real aligned faces in different light: uint8 (20, 224, 224, 3) RGB."""
    with FaceCropper(Alignment()) as cropper:
        crop = cropper.crop(astronaut)
    assert crop is not None
    return np.stack([np.clip(crop * gain, 0, 255).astype(np.uint8) for gain in np.linspace(0.5, 1.3, 20)])


@pytest.fixture(scope="session")
def persons_crops() -> np.ndarray:
    """The packaged calibration crops, of many persons: uint8 (160, 224, 224, 3) RGB."""
    return load_calibration_set(None, Alignment(), 160).crops


@pytest.fixture(scope="session")
def calib(tmp_path_factory: pytest.TempPathFactory, persons_crops: np.ndarray) -> Path:
    file = tmp_path_factory.mktemp("calib") / "faces.npz"
    np.savez(file, crops=persons_crops[::8])
    return file


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, face_crops: np.ndarray) -> Path:
    """A seeded MRP-Net on the tiny stem."""
    file = tmp_path_factory.mktemp("checkpoint") / "seeded.safetensors"
    network = lively(0, face_crops)
    info = CheckpointInfo("mrpnet", BP4D, OPTIONS, training="untrained: random weights of seed 0")
    save_checkpoint(file, network, info)
    return file


def lively(seed: int, crops: np.ndarray) -> torch.nn.Module:
    """Random weights whose logits are of order 1: fresh batch norm lets them fade to nothing, where all nets are equal."""
    torch.manual_seed(seed)
    faces = torch.from_numpy(Preprocessor(InputSpec()).batch(crops).copy())
    batch = torch.cat((faces, torch.randn(len(faces), 3, 224, 224)))
    network = build_network("mrpnet", BP4D, **OPTIONS).train()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # the plain mean over what it sees
    with torch.no_grad():
        network(batch)
        network.eval().classifier.weight.mul_(4 / network(batch).abs().max())
    return network


@pytest.fixture(scope="session")
def seeded_bundle(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path, calib: Path) -> Path:
    """The checkpoint exported for a CPU, float and INT8."""
    out = tmp_path_factory.mktemp("bundle") / "cpu"
    export_bundle("cpu", out, checkpoint, calib)
    return out


@pytest.fixture(scope="session")
def manifest(seeded_bundle: Path) -> Manifest:
    return load_bundle(seeded_bundle).manifest


@pytest.fixture(scope="session")
def default_bundle(
    tmp_path_factory: pytest.TempPathFactory, seeded_bundle: Path, face_crops: np.ndarray
) -> Path:
    """What the package may carry: one float file, thresholds, a landmark model, fusion, calibration crops."""
    source = load_bundle(seeded_bundle)
    labels = source.manifest.labels
    artifact = replace(
        source.manifest.artifacts[0],
        thresholds=dict.fromkeys(labels, 0.4),
        fused_thresholds=dict.fromkeys(labels, 0.6),
    )
    weights = dict.fromkeys(labels, 0.5)
    out = tmp_path_factory.mktemp("default") / "default"
    with BundleWriter(out) as writer:
        for name in (artifact.file, source.manifest.golden):
            (writer.directory / name).write_bytes(source.path(name).read_bytes())
        (writer.directory / "landmark_model.npz").write_bytes(b"stands in for the landmark model")
        np.savez(writer.directory / "calibration.npz", crops=face_crops)
        writer.finish(
            replace(
                source.manifest,
                network=replace(source.manifest.network, trained=True, training="a stand-in for tests"),
                artifacts=(artifact,),
                experimental=labels[:1],
                landmark_model="landmark_model.npz",
                landmarks=None,
                fusion=Fusion(weights, weights, dict.fromkeys(labels, 0.0)),
                licences=("stand-in licence",),
            )
        )
    return out


@pytest.fixture(scope="session")
def labelled_set(
    tmp_path_factory: pytest.TempPathFactory, default_bundle: Path, face_crops: np.ndarray
) -> Path:
    """A data set of noisy faces whose labels are what the float network says of them, nearly: half of them are present."""
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    manifest = load_bundle(default_bundle).manifest
    graph = onnx.load(default_bundle / "model.fp32.onnx")
    folder = tmp_path_factory.mktemp("labelled") / "synth"
    rng = np.random.default_rng(0)
    for split, count in (("train", 40), ("val", 60), ("test", 60)):
        noise = rng.normal(0, 12, (count, *face_crops.shape[1:]))
        crops = np.clip(face_crops[rng.integers(0, len(face_crops), count)] + noise, 0, 255).astype(np.uint8)
        logits = logits_of(graph, crops, manifest.input)
        present = logits + rng.normal(0, 0.1 * logits.std(axis=0), logits.shape) > np.median(logits, axis=0)
        table = pyarrow.table(
            {
                "crop": pyarrow.array([_jpeg(crop) for crop in crops], pyarrow.binary()),
                "aus": pyarrow.array(present.astype(np.float32).tolist()),
                "landmarks": pyarrow.array(rng.normal(128, 40, (count, 478 * 3)).astype(np.float32).tolist()),
            }
        )
        (folder / split).mkdir(parents=True)
        parquet.write_table(table, folder / split / "shard-00000.parquet")
    (folder / "dataset.json").write_text(json.dumps({"aus": list(manifest.labels)}))
    return folder


def _jpeg(crop: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", crop[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


@pytest.fixture
def network_alone(default_bundle: Path, tmp_path: Path) -> Path:
    """The stand-in default without landmark model and fusion, where it may be written to."""
    source = load_bundle(default_bundle)
    out = tmp_path / "default"
    with BundleWriter(out) as writer:
        for name in ("model.fp32.onnx", source.manifest.golden, "calibration.npz"):
            (writer.directory / name).write_bytes(source.path(name).read_bytes())
        writer.finish(replace(source.manifest, fusion=None, landmark_model=None))
    return out


@pytest.fixture
def packaged(default_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in is the packaged default."""
    return _package(default_bundle, monkeypatch)


@pytest.fixture
def packaged_decided(
    tmp_path: Path, default_bundle: Path, persons_crops: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The stand-in with each threshold in the widest gap between its answers, so that rounding flips no decision.

    Random weights answer every face nearly alike: at a threshold amid their answers decisions are a matter of chance.
    """
    copy = tmp_path / "decided"
    shutil.copytree(default_bundle, copy)
    document = json.loads((copy / "manifest.json").read_text())
    (artifact,) = document["artifacts"]
    graph = onnx.load(copy / artifact["file"])
    answers = np.sort(sigmoid(logits_of(graph, persons_crops, InputSpec())), axis=0)
    widest = np.diff(answers, axis=0).argmax(axis=0)[None]
    thresholds = (np.take_along_axis(answers, widest, 0) + np.take_along_axis(answers, widest + 1, 0)) / 2
    artifact["thresholds"] = dict(zip(document["labels"], thresholds[0].tolist(), strict=True))
    (copy / "manifest.json").write_text(json.dumps(document))
    return _package(copy, monkeypatch)


@pytest.fixture
def nothing_packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This copy of the package carries no default."""
    from edgeau.errors import BundleError

    def absent(*_: str) -> Path:
        raise BundleError("this copy of edgeau carries no default bundle")

    for module in _USERS:
        monkeypatch.setattr(f"{module}.packaged_bundle_path", absent)


_USERS = (
    "edgeau_export.source_network.from_packaged",
    "edgeau_export.quantization.face_crops",
    "edgeau_calibration.data.load",
)


def _package(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in _USERS:
        monkeypatch.setattr(f"{module}.packaged_bundle_path", lambda *_: bundle)
    return bundle
