"""Labelled samples that travel in a bundle, with what every artifact said to them where the bundle was made.

File layout: that of :mod:`edgeau.bundle.golden` with ``logits`` float32 ``(n, C)``, those of the float network under an empty
file name; ``present`` bool ``(n, C)``; ``source`` text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.bundle.golden import AnsweredCrops, read_answered_crops, write_answered_crops
from edgeau.errors import BundleError, NpzError

__all__ = ["SAMPLES", "LabelledSamples", "read_samples", "write_samples"]

SAMPLES = "samples.npz"


@dataclass(frozen=True)
class LabelledSamples:
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


def write_samples(file: Path, samples: LabelledSamples) -> None:
    """Write samples, whole or not at all; the same samples give the same bytes.

    Raises:
        OutputError: the file cannot be written.
    """
    others = {"present": samples.present, "source": np.array(samples.source)}
    write_answered_crops(file, AnsweredCrops(samples.crops, {"logits": samples.logits}, others))


def read_samples(file: Path) -> LabelledSamples:
    """Read samples.

    Raises:
        BundleError: the file holds none.
    """
    try:
        content = read_answered_crops(file, ("logits",), ("present", "source"))
    except NpzError as error:
        raise BundleError(f"{file} holds no samples ({error}); export the bundle again") from error
    present = content.others["present"]
    if present.dtype != np.bool_ or present.ndim != 2 or len(present) != len(content.crops):
        raise BundleError(
            f"{file} holds no samples (labels {present.dtype} {present.shape} for {len(content.crops)} crops); "
            "export the bundle again"
        )
    return LabelledSamples(content.crops, present, str(content.others["source"]), content.answers["logits"])
