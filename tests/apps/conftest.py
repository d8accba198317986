"""Programs are tested on the tiny real bundle that the device library's tests make."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeau.action_units.names import DEFAULT
from edgeau.bundle.manifest import NetworkInfo


@pytest.fixture(scope="session")
def tiny_bundles(root: Path) -> Any:
    """The module that makes it."""
    spec = importlib.util.spec_from_file_location("tiny_bundles", root / "tests" / "edgeau" / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def bundle(tiny_bundles: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose network knows the 18 default AUs and says something different of every face."""
    pytest.importorskip("mediapipe")
    crops = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), np.uint8)
    return tiny_bundles.write_bundle(tmp_path_factory.mktemp("bundles") / "tiny", crops, {"model.onnx": None})


@pytest.fixture(scope="session")
def untrained_bundle(tiny_bundles: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, saying that its network saw no data, and hiding AU26 as experimental."""
    crops = np.zeros((1, 224, 224, 3), np.uint8)
    network = NetworkInfo("tiny", "a tiny network for tests", {}, 1000, trained=False, training="on nothing")
    folder = tmp_path_factory.mktemp("bundles") / "untrained"
    return tiny_bundles.write_bundle(
        folder, crops, {"model.onnx": None}, network=network, experimental=(DEFAULT[-2],)
    )


@pytest.fixture
def picture(tmp_path: Path, astronaut: np.ndarray) -> Path:
    """A picture with one face."""
    path = tmp_path / "astronaut.png"
    cv2.imwrite(str(path), astronaut)
    return path


@pytest.fixture
def film(tmp_path: Path, astronaut: np.ndarray) -> Path:
    """Twelve frames at 20 a second: six with a face, six without."""
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20, (320, 240))
    face = astronaut[0:300, 60:460]
    for index in range(12):
        frame = np.roll(face, 3 * index, axis=1) if index < 6 else np.full_like(face, 90)
        writer.write(cv2.resize(frame, (320, 240), interpolation=cv2.INTER_AREA))
    writer.release()
    return path
