"""No faces, or faces that are not aligned: found by OpenCV's own frontal face detector, in the middle of the crop.

Crops that come from whole pictures went through the runtime's landmarks; ready crops of a user did not. Found in 81 % of
the packaged crops (large poses included), 98 % of LFW's, all of a video's; in no noise and no picture without a face.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau._system.install_lines import LINES
from edgeau_calibration.data.crops import CalibrationSet, evenly
from edgeau_calibration.linter.finding import LintFinding

__all__ = ["no_faces"]

_LOOKED_AT = 24  # 40 ms each
_SHARE = 0.5
# The detector's frame round a face needs room that tight crops lack.
_SIDE, _ROOM = 112, 16
# Where the middle of that frame may lie, and how large it may be, as shares of the crop's side.
_MIDDLE, _SMALLEST, _LARGEST = 0.16, 0.4, 1.0


def no_faces(found: CalibrationSet) -> Iterator[LintFinding]:
    """Refuses sets in which less than half of the crops show a face in the middle and of the right size."""
    detector = _detector()
    if detector is None:
        yield LintFinding(
            "no-faces",
            f"OpenCV {cv2.__version__} has no face detector here, so it was not checked whether the crops are aligned faces",
            f"look at them yourself, or lint in an environment of its own with the OpenCV in which it is: {LINES['opencv with cascades']}",
            refuses=False,
        )
        return
    looked_at = found.crops[evenly(len(found), _LOOKED_AT)]
    faces = sum(_in_place(detector, crop) for crop in looked_at)
    if faces < _SHARE * len(looked_at):
        yield LintFinding(
            "no-faces",
            f"{len(looked_at) - faces} of {len(looked_at)} crops looked at show no upright face in their middle",
            "give whole pictures, which are aligned here, or crops made with edgeau.faces.alignment",
        )


def _in_place(detector: cv2.CascadeClassifier, crop: NDArray[np.uint8]) -> bool:
    grey = cv2.resize(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    roomy = cv2.copyMakeBorder(grey, _ROOM, _ROOM, _ROOM, _ROOM, cv2.BORDER_REPLICATE)
    smallest = int(_SMALLEST * _SIDE)
    for x, y, width, height in detector.detectMultiScale(roomy, 1.1, 2, minSize=(smallest, smallest)):
        middle = np.array((x + width / 2, y + height / 2)) - roomy.shape[0] / 2
        if np.abs(middle).max() <= _MIDDLE * _SIDE and width <= _LARGEST * _SIDE:
            return True
    return False


def _detector() -> cv2.CascadeClassifier | None:
    """OpenCV's frontal face cascade; None where a distribution packs OpenCV without its data, and from OpenCV 5 on."""
    data = getattr(cv2, "data", None)
    if not hasattr(cv2, "CascadeClassifier"):
        return None
    file = None if data is None else Path(data.haarcascades) / "haarcascade_frontalface_default.xml"
    return cv2.CascadeClassifier(str(file)) if file is not None and file.is_file() else None
