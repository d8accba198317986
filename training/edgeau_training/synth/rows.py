"""One row of the data set: a rendered picture, what MediaPipe finds in it, and the aligned crop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.alignment import alignment_matrix, warp
from edgeau_training.synth.renderer import Renderer
from edgeau_training.synth.splits import Sample, identity_seed, texture_seed

CROP_SIZE = 256
QUALITY = 93
Finder = Callable[[NDArray[np.uint8]], "NDArray[np.float32] | None"]


def make_row(renderer: Renderer, finder: Finder, sample: Sample, seed: int) -> dict[str, Any]:
    """Render a sample and return its row (the keys of shards.SCHEMA)."""
    picture = renderer.picture(
        identity_seed(seed, sample.identity), texture_seed(seed, sample.texture), (seed, sample.seed)
    )
    encoded = jpeg_from_rgb(picture.image)
    # Landmarks and crop come from what is stored, so that a reader can reproduce them.
    image = rgb_from_jpeg(encoded)
    landmarks = finder(image)
    crop = None
    if landmarks is not None:
        crop = jpeg_from_rgb(warp(image, alignment_matrix(landmarks[:, :2], CROP_SIZE), CROP_SIZE))
    return {
        "index": sample.index, "identity": sample.identity, "texture": sample.texture, "seed": sample.seed,
        "image": encoded, "crop": crop, "detected": landmarks is not None,
        "landmarks": None if landmarks is None else landmarks.ravel(),
        "aus": picture.intensities, "pose": picture.pose,
    }  # fmt: skip


def jpeg_from_rgb(image: NDArray[np.uint8]) -> bytes:
    """Return the JPEG of an (H, W, 3) uint8 RGB picture."""
    _, encoded = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return encoded.tobytes()


def rgb_from_jpeg(data: bytes) -> NDArray[np.uint8]:
    """Return (H, W, 3) uint8 RGB of a JPEG."""
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return np.ascontiguousarray(decoded[:, :, ::-1])
