"""Crops and pictures to calibrate on."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau.alignment import Alignment
from edgeau_calibration.faces import FaceCropper


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
