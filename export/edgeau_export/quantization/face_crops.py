"""The face crops at hand for an export, and what each of them is used for."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.bundle import default_bundle_path, load_bundle
from edgeau.bundle.golden import read_golden
from edgeau.errors import BundleError
from edgeau.faces.alignment import Alignment
from edgeau_calibration.data.crops import CalibrationSet, evenly

__all__ = ["GOLDEN_COUNT", "FaceCrops", "packaged_crops"]

GOLDEN_COUNT = 8


@dataclass(frozen=True)
class FaceCrops:
    """Crops by their use; whatever is None is not at hand.

    Attributes:
        used: calibration crops that ranges are measured on.
        held_out: calibration crops that the result is measured on.
        packaged: golden crops of the packaged default, uint8 ``(n, size, size, 3)`` RGB.
    """

    used: CalibrationSet | None = None
    held_out: CalibrationSet | None = None
    packaged: NDArray[np.uint8] | None = None

    @property
    def for_parity(self) -> NDArray[np.uint8] | None:
        """Real faces to compare torch and ONNX on."""
        return self.packaged if self.held_out is None else self.held_out.crops

    @property
    def golden_source(self) -> str | None:
        """Whose faces travel in the bundle, if not the packaged ones."""
        return None if self.packaged is not None or self.used is None else self.used.source

    def for_golden(self, alignment: Alignment) -> NDArray[np.uint8]:
        """:data:`GOLDEN_COUNT` crops: the packaged ones first, since a bundle is passed on and should carry no user's faces.

        Where there are neither packaged nor calibration crops: seeded random pictures, which tell a wrong engine as well.
        """
        if self.packaged is not None:
            return self.packaged
        if self.used is not None:
            return self.used.crops[evenly(len(self.used), GOLDEN_COUNT)]
        shape = (GOLDEN_COUNT, *alignment.shape, 3)
        return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def packaged_crops(alignment: Alignment) -> NDArray[np.uint8] | None:
    """The golden crops of the packaged default, uint8 ``(n, size, size, 3)`` RGB; None where there are none.

    Scaled where the network sees another size: they are faces still, if framed as the default's.
    """
    try:
        bundle = load_bundle(default_bundle_path())
    except BundleError:
        return None  # said by whoever needs the default itself; here it is one of several places to look
    crops = read_golden(bundle.path(bundle.manifest.golden)).crops[:GOLDEN_COUNT]
    height, width = alignment.shape
    if crops.shape[1:3] == (height, width):
        return crops
    scaled = [cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA) for crop in crops]
    faces: NDArray[np.uint8] = np.stack(scaled).astype(np.uint8)
    return faces
