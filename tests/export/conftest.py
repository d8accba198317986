"""A tiny network of the zoo, and bundles made of it: small enough that every test can export."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from edgeau.action_units import BP4D
from edgeau.alignment import Alignment
from edgeau.bundle import BundleWriter, load_bundle
from edgeau.bundle.manifest import Fusion, InputSpec, Manifest
from edgeau.preprocessing import Preprocessor
from edgeau_calibration.faces import FaceCropper
from edgeau_calibration.load import load_calibration_set
from edgeau_export.export import ExportRequest, export_bundle
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
    network = _lively(0, face_crops)
    info = CheckpointInfo("mrpnet", BP4D, OPTIONS, training="untrained: random weights of seed 0")
    save_checkpoint(file, network, info)
    return file


def _lively(seed: int, crops: np.ndarray) -> torch.nn.Module:
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
    export_bundle(ExportRequest("cpu", out, checkpoint, calib))
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
                fusion=Fusion(weights, weights, dict.fromkeys(labels, 0.0)),
                licences=("stand-in licence",),
            )
        )
    return out


@pytest.fixture
def packaged(default_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in is the packaged default."""
    return _package(default_bundle, monkeypatch)


@pytest.fixture
def nothing_packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This copy of the package carries no default."""
    from edgeau.errors import BundleError

    def absent() -> Path:
        raise BundleError("this copy of edgeau carries no default bundle")

    for module in _USERS:
        monkeypatch.setattr(f"{module}.default_bundle_path", absent)


_USERS = ("edgeau_export.from_default", "edgeau_export.face_crops", "edgeau_calibration.packaged")


def _package(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in _USERS:
        monkeypatch.setattr(f"{module}.default_bundle_path", lambda: bundle)
    return bundle
