"""Network input from pictures and landmarks: aligned, RGB, normalised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeau.alignment import Alignment
from edgeau.errors import InputError
from edgeau_training.evaluation.faces.batch import FaceBatch

__all__ = ["network_input"]


def network_input(
    batch: FaceBatch, alignment: Alignment, mean: Sequence[float], std: Sequence[float]
) -> NDArray[np.float32]:
    """Float32 ``(N, 3, S, S)``, ``(x / 255 - mean) / std``, RGB: what the device computes from the same picture.

    Raises:
        InputError: the data has no pictures.
    """
    if batch.pictures is None:
        raise InputError(
            "this data has landmarks but no pictures, which a network needs; "
            "evaluate the landmark model alone (--part landmark) or give data with pictures"
        )
    faces = zip(batch.pictures, batch.landmarks, strict=True)
    crops = np.stack([alignment.crop(picture, landmarks) for picture, landmarks in faces])
    rgb = crops[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32) / 255
    shape = (1, 3, 1, 1)
    return (rgb - np.reshape(mean, shape).astype(np.float32)) / np.reshape(std, shape).astype(np.float32)
