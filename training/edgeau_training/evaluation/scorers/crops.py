"""Network input from pictures and landmarks: aligned, in the network's colour order, normalised."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeau.bundle.manifest import InputSpec
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.errors import InputError
from edgeau.faces.alignment import Alignment
from edgeau_training.evaluation.faces.batch import FaceBatch

__all__ = ["network_input"]


def network_input(batch: FaceBatch, alignment: Alignment, spec: InputSpec) -> NDArray[np.float32]:
    """Float32 ``(N, 3, S, S)``, ``(x / 255 - mean) / std``: what the device computes from the same pictures.

    Raises:
        InputError: the data has no pictures.
    """
    if batch.pictures is None:
        raise InputError(
            "this data has landmarks but no pictures, which a network needs; "
            "evaluate the landmark model alone (--part landmark) or give data with pictures"
        )
    faces = zip(batch.pictures, batch.landmarks, strict=True)
    crops = [alignment.crop(picture, landmarks) for picture, landmarks in faces]
    return Preprocessor(spec, color="BGR").batch(crops)
