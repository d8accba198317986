"""Labelled samples that travel in a bundle, with what every artifact said to them where the bundle was made.

File layout (``.npz``, no pickles): ``crops`` uint8 ``(n, size, size, 3)`` RGB; ``present`` bool ``(n, C)``; ``source`` text;
``logits/<file>`` float32 ``(n, C)`` for every artifact, and under ``logits/`` alone those of the float network.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import BundleError

__all__ = ["SAMPLES", "Samples", "read_samples", "write_samples"]

SAMPLES = "samples.npz"
_LOGITS = "logits/"


@dataclass(frozen=True)
class Samples:
    """Faces with known AUs.

    Attributes:
        crops: uint8 ``(n, size, size, 3)`` RGB.
        present: bool ``(n, C)``, in the bundle's order of labels.
        source: where they come from, for people.
        logits: float32 ``(n, C)`` by artifact; under ``""`` those of the float network.
    """

    crops: NDArray[np.uint8]
    present: NDArray[np.bool_]
    source: str
    logits: Mapping[str, NDArray[np.float32]]


def write_samples(file: Path, samples: Samples) -> None:
    """Write samples; the same samples give the same bytes."""
    arrays: dict[str, NDArray[np.generic]] = {"crops": samples.crops, "present": samples.present}
    arrays["source"] = np.array(samples.source)
    for name, logits in samples.logits.items():
        arrays[f"{_LOGITS}{name}"] = logits
    with file.open("wb") as stream:
        np.savez_compressed(stream, **arrays)


def read_samples(file: Path) -> Samples:
    """Read samples.

    Raises:
        BundleError: the file holds none.
    """
    try:
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as arrays:
            names = [key.removeprefix(_LOGITS) for key in arrays.files if key.startswith(_LOGITS)]
            logits = {name: arrays[f"{_LOGITS}{name}"] for name in names}
            return Samples(arrays["crops"], arrays["present"], str(arrays["source"]), logits)
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise BundleError(f"{file} holds no samples ({error}); export the bundle again") from error
