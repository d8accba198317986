"""The calibration crops that the package carries: synthetic faces of the default network's training split."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from edgeau.errors import CalibrationError
from edgeau_calibration.crops import CalibrationSet
from edgeau_calibration.npz import crops_of_npz

if TYPE_CHECKING:
    from edgeau.alignment import Alignment

__all__ = ["packaged_calibration"]

_RESOURCE = ("default", "calibration.npz")


def packaged_calibration(alignment: Alignment, wanted: int) -> CalibrationSet:
    """Up to ``wanted`` of the packaged synthetic crops.

    Raises:
        CalibrationError: this installation carries none.
    """
    resource = files("edgeau").joinpath(*_RESOURCE)
    if not resource.is_file():
        raise CalibrationError(
            "INT8 needs calibration crops, and this installation of edgeau carries none; "
            "pass --calib with a folder of face pictures, a video or an .npz of crops, or export --precision fp32"
        )
    with as_file(resource) as path:
        return CalibrationSet(
            crops_of_npz(path, alignment, wanted), "the packaged synthetic calibration crops"
        )
