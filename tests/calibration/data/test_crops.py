from __future__ import annotations

import numpy as np
import pytest

from edgeau.errors import CalibrationError
from edgeau_calibration.data.crops import CalibrationSet, evenly


def test_the_digest_names_these_very_pixels(face_crops: np.ndarray) -> None:
    one = CalibrationSet(face_crops, "here")
    changed = face_crops.copy()
    changed[3, 100, 100, 1] ^= 1
    assert one.digest == CalibrationSet(face_crops[:, :, ::1].copy(), "there").digest
    assert one.digest != CalibrationSet(changed, "here").digest
    assert one.digest != CalibrationSet(face_crops[:-1], "here").digest


def test_held_out_crops_are_not_calibrated_on(face_crops: np.ndarray) -> None:
    used, held_out = CalibrationSet(face_crops, "here").hold_out(unseen=3)
    assert (len(used), len(held_out)) == (9, 3)
    assert not {crop.tobytes() for crop in used.crops} & {crop.tobytes() for crop in held_out.crops}


@pytest.mark.parametrize(
    ("there", "used", "held_out"),
    [(600, 344, 256), (384, 128, 256), (300, 128, 172), (150, 100, 50), (9, 6, 3), (1, 0, 1)],
)
def test_so_many_are_held_out(there: int, used: int, held_out: int) -> None:
    """What is wanted where there is enough; of too few a third, or what calibration does not want."""
    crops = np.zeros((there, 4, 4, 3), np.uint8)
    parts = CalibrationSet(crops, "here").hold_out(calibrating=128, unseen=256)
    assert [len(part) for part in parts] == [used, held_out]


@pytest.mark.parametrize(
    ("available", "wanted", "chosen"), [(5, 9, [0, 1, 2, 3, 4]), (9, 3, [0, 4, 8]), (7, 1, [0]), (0, 4, [])]
)
def test_an_even_choice(available: int, wanted: int, chosen: list[int]) -> None:
    assert evenly(available, wanted).tolist() == chosen


def test_what_is_no_set_of_crops_is_refused() -> None:
    with pytest.raises(CalibrationError, match=r"expected uint8 crops.*float64"):
        CalibrationSet(np.zeros((3, 224, 224, 3)), "here")  # type: ignore[arg-type]
