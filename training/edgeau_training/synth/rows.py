"""One row of the data set: a rendered picture, what MediaPipe finds in it, and the aligned crop."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.faces.alignment import alignment_matrix
from edgeau.faces.landmarks import Landmarker
from edgeau.faces.warp import warp
from edgeau_training.synth.renderer import Picture, Renderer
from edgeau_training.synth.splits import Sample, identity_seed, texture_seed

__all__ = ["CROP_SIZE", "QUALITY", "decode", "encode", "make_row", "row_of"]

CROP_SIZE = 256  # pixels
QUALITY = 93  # JPEG


def make_row(renderer: Renderer, landmarker: Landmarker, sample: Sample, seed: int) -> dict[str, Any]:
    """Render a sample.

    Args:
        renderer: renderer of the rig.
        landmarker: opened for pictures that stand for themselves.
        sample: which one.
        seed: seed of the data set.

    Returns:
        Its row, with the keys of ``shards.SCHEMA``.
    """
    identity, texture = identity_seed(seed, sample.identity), texture_seed(seed, sample.texture)
    picture = renderer.picture(identity, texture, (seed, sample.seed), at_rest=sample.at_rest)
    return row_of(picture, landmarker, sample)


def row_of(picture: Picture, landmarker: Landmarker, sample: Sample) -> dict[str, Any]:
    """The row of a rendered picture.

    Args:
        picture: as rendered.
        landmarker: opened for pictures that stand for themselves.
        sample: what it was rendered of.
    """
    stored = encode(picture.image[:, :, ::-1])
    # Landmarks and crop come from what is stored, so that a reader can reproduce them.
    image = decode(stored)
    faces = landmarker.detect(image)
    crop = None
    if faces:
        crop = encode(warp(image, alignment_matrix(faces[0], CROP_SIZE), CROP_SIZE))
    return {
        "index": sample.index,
        "identity": sample.identity,
        "texture": sample.texture,
        "seed": sample.seed,
        "image": stored,
        "crop": crop,
        "detected": bool(faces),
        "landmarks": faces[0].ravel() if faces else None,
        "aus": picture.intensities,
        "sides": picture.sides.ravel(),
        "pose": picture.pose,
    }


def encode(image: NDArray[np.uint8]) -> bytes:
    """The JPEG of a BGR picture, uint8 ``(H, W, 3)``."""
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return encoded.tobytes()


def decode(data: bytes) -> NDArray[np.uint8]:
    """The BGR picture of a JPEG, uint8 ``(H, W, 3)``."""
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)
