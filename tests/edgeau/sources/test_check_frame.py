from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau.sources.check_frame import check_frame

GOOD = np.zeros((48, 64, 3), np.uint8)

BAD = {
    "unread": (None, "NoneType.*check the path or camera"),
    "a path": (Path("face.png"), "cv2.imread"),
    "a text": ("face.png", "cv2.imread"),
    "a list": ([[1, 2, 3]], r"numpy.asarray"),
    "grey": (GOOD[:, :, 0], r"uint8 \(48, 64\).*COLOR_GRAY2BGR"),
    "one channel": (GOOD[:, :, :1], "COLOR_GRAY2BGR"),
    "BGRA": (np.zeros((48, 64, 4), np.uint8), r"\(48, 64, 4\).*COLOR_BGRA2BGR"),
    "two channels": (GOOD[:, :, :2], "three channels"),
    "channels first": (np.zeros((3, 48, 64), np.uint8), "transpose"),
    "several frames": (GOOD[None], "one by one"),
    "float32": (GOOD.astype(np.float32), r"float32 .*\* 255"),
    "float64": (GOOD.astype(np.float64), r"\* 255"),
    "uint16": (GOOD.astype(np.uint16), "// 257"),
    "int64": (GOOD.astype(np.int64), "astype"),
    "bool": (GOOD.astype(bool), "astype"),
    "empty": (GOOD[:0], r"empty one, uint8 \(0, 64, 3\)"),
    "no pixels": (np.zeros((0, 0, 3), np.uint8), "empty"),
    "a number": (np.uint8(3), "uint8"),
    "an array of one number": (np.array(3, np.uint8), r"uint8 \(\)"),
}


@pytest.mark.parametrize(("frame", "message"), BAD.values(), ids=BAD)
def test_a_bad_frame_is_refused_with_the_way_to_mend_it(frame: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        check_frame(frame)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "frame",
    [GOOD, GOOD[::2, ::-1], GOOD[:1, :1], np.zeros((64, 48, 3), np.uint8).swapaxes(0, 1)],
    ids=["plain", "strided", "one pixel", "turned"],
)
def test_a_good_frame_is_given_back_uncopied(frame: np.ndarray) -> None:
    assert check_frame(frame) is frame


def test_the_advice_for_grey_works() -> None:
    import cv2

    check_frame(cv2.cvtColor(GOOD[:, :, 0], cv2.COLOR_GRAY2BGR))
