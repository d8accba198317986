"""Pictures of the worst decisions of an artifact."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.errors import OutputError
from edgeau_export.report.html.html import picture
from edgeau_export.report.int8.flips import Flip, worst
from edgeau_export.report.int8.inputs import Answers

__all__ = ["gallery"]

_COUNT = 12
_SIDE = 168


def gallery(
    shown: Answers,
    file: str,
    labels: tuple[str, ...],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
) -> list[str]:
    """Figures of one artifact, as HTML; empty where its answers to the shown crops are not known."""
    if shown.pictures is None or file not in shown.artifacts:
        return []
    flips = worst(labels, shown.reference, shown.artifacts[file], before, after, _COUNT)
    return [_figure(shown.pictures[flip.crop], flip) for flip in flips]


def _figure(crop: NDArray[np.uint8], flip: Flip) -> str:
    small = cv2.resize(crop[..., ::-1], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    done, file = cv2.imencode(".jpg", small, (cv2.IMWRITE_JPEG_QUALITY, 85))
    if not done:
        raise OutputError("OpenCV cannot encode a picture of the report as JPEG")
    caption = (
        f"{flip.label} {'FLIPPED' if flip.turned else 'held'}: {flip.before:.2f} in float (from {flip.threshold_before:.2f} on), "
        f"{flip.after:.2f} in INT8 (from {flip.threshold_after:.2f} on)"
    )
    return picture(file.tobytes(), f"a face crop, {caption}", caption, "jpeg")
